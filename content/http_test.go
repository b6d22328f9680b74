package content

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"barnraise"
)

func get(t *testing.T, h http.Handler, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// The Trustless Gateway specification, block responses.
func TestHandler(t *testing.T) {
	s := openStore(t)
	if _, err := s.Put([]byte("hello world")); err != nil {
		t.Fatal(err)
	}
	h := Handler(s)
	raw := "/ipfs/" + cidOfHello + "?format=raw"
	for _, c := range []struct {
		name, method, target string
		header               []string
		status               int
		body                 string
	}{
		{"format", "GET", raw, nil, 200, "hello world"},
		{"accept", "GET", "/ipfs/" + cidOfHello, []string{"Accept", "text/html;q=0.1, " + rawBlock}, 200, "hello world"},
		{"format goes before accept", "GET", raw, []string{"Accept", carType}, 200, "hello world"},
		{"what is liked best", "GET", "/ipfs/" + cidOfHello, []string{"Accept", carType + ";q=0.5, " + rawBlock + ";q=0.7"}, 200, "hello world"},
		{"head", "HEAD", raw, nil, 200, ""},
		{"have it already", "GET", raw, []string{"If-None-Match", `"` + cidOfHello + `.raw"`}, 304, ""},
		{"no format", "GET", "/ipfs/" + cidOfHello, nil, 406, ""},
		{"browser", "GET", "/ipfs/" + cidOfHello, []string{"Accept", "text/html,*/*;q=0.8"}, 406, ""},
		{"not wanted", "GET", "/ipfs/" + cidOfHello, []string{"Accept", rawBlock + ";q=0"}, 406, ""},
		{"not held", "GET", "/ipfs/" + cidOfNothing + "?format=raw", nil, 404, ""},
		{"only if cached", "HEAD", "/ipfs/" + cidOfNothing + "?format=raw", []string{"Cache-Control", "only-if-cached"}, 412, ""},
		{"no CID", "GET", "/ipfs/hello?format=raw", nil, 400, ""},
		{"path below", "GET", "/ipfs/" + cidOfHello + "/x?format=raw", nil, 400, ""},
		{"path above", "GET", "/ipfs/..%2f..%2fetc%2fpasswd?format=raw", nil, 400, ""},
		{"elsewhere", "GET", "/ipns/x?format=raw", nil, 404, ""},
		{"write", "POST", raw, nil, 405, ""},
		{"probe", "GET", "/ipfs/bafkqaaa?format=raw", nil, 200, ""},
		{"other identity", "GET", "/ipfs/bafkqabtimvwgy3yk?format=raw", nil, 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := get(t, h, c.method, c.target, c.header...)
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || c.status == 200 && string(body) != c.body {
				t.Fatalf("%s %q, want %d %q", resp.Status, body, c.status, c.body)
			}
			if got := resp.Header.Get("X-Content-Type-Options"); c.status != 304 && got != "nosniff" {
				t.Errorf("X-Content-Type-Options is %q", got)
			}
			if c.status >= 400 {
				if strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
					t.Error("a failure is to be cached for ever")
				}
				return
			}
			for name, want := range map[string]string{
				"Content-Type": rawBlock, "Content-Disposition": "attachment; filename=", "Etag": ".raw\"",
				"Cache-Control": "immutable", "Access-Control-Allow-Origin": "*",
			} {
				if got := resp.Header.Get(name); c.status == 200 && !strings.Contains(got, want) {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if got := resp.ContentLength; c.method == "HEAD" && resp.Header.Get("Content-Length") != "11" {
				t.Errorf("HEAD says %d bytes", got)
			}
		})
	}
}

func TestHandlerDamaged(t *testing.T) {
	h := Handler(getFunc(func(barnraise.CID) ([]byte, error) { return nil, ErrCorrupt }))
	resp := get(t, h, "GET", "/ipfs/"+cidOfHello+"?format=raw")
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 500 || strings.Contains(string(body), "damaged") {
		t.Errorf("%s %q, want 500 and no details", resp.Status, body)
	}
}

type getFunc func(barnraise.CID) ([]byte, error)

func (f getFunc) Get(c barnraise.CID) ([]byte, error) { return f(c) }

func FuzzHandler(f *testing.F) {
	f.Add("GET", "/ipfs/"+cidOfHello, "format=raw", "")
	f.Add("HEAD", "/ipfs/bafkqaaa", "", rawBlock+";q=0.3, */*")
	f.Add("GET", "/ipfs/"+cidOfHello, "format=car&dag-scope=block&car-dups=y", carType+"; version=1; order=dfs")
	h := Handler(getFunc(func(c barnraise.CID) ([]byte, error) {
		if c == cidOfHello {
			return []byte("hello world"), nil
		}
		return nil, ErrNotFound
	}))
	f.Fuzz(func(t *testing.T, method, path, query, accept string) {
		r := &http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Accept": {accept}}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == 200 && path != "/ipfs/"+cidOfHello && path != "/ipfs/bafkqaaa" {
			t.Errorf("%s %q?%q: 200", method, path, query)
		}
	})
}

// gateway serves whatever f writes.
func gateway(t *testing.T, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL
}

func TestFetch(t *testing.T) {
	hello := []byte("hello world")
	holder := openStore(t)
	if _, err := holder.Put(hello); err != nil {
		t.Fatal(err)
	}
	asked := 0
	good := gateway(t, func(w http.ResponseWriter, r *http.Request) { asked++; Handler(holder).ServeHTTP(w, r) })
	empty := gateway(t, Handler(openStore(t)).ServeHTTP)
	liar := gateway(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello World")) })
	broken := gateway(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) })
	elsewhere := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, good+r.URL.String(), http.StatusFound)
	})
	endless := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write(make([]byte, 1<<16))
		}
	})
	silent := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	cut := gateway(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "11")
		_, _ = w.Write([]byte("hello"))
	})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	bad := []string{empty, liar, broken, elsewhere, endless, silent, cut, "http://127.0.0.1:1", ":no URL"}

	f := &Fetcher{Client: client, Store: openStore(t), Timeout: time.Second}
	b, err := f.Fetch(t.Context(), cidOfHello, bad)
	if b != nil || !errors.Is(err, ErrNotFound) || !errors.Is(err, ErrMismatch) || !errors.Is(err, ErrTooLarge) ||
		!errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Fetch from bad sources: %q, %v", b, err)
	}
	for _, source := range append(bad, "502", "302", string(Sum([]byte("hello World")))) {
		if !strings.Contains(err.Error(), source) {
			t.Errorf("the error does not name %s:\n%v", source, err)
		}
	}
	for _, sources := range [][]string{append(bad, good+"/"), nil} { // the second time it is kept
		if b, err := f.Fetch(t.Context(), cidOfHello, sources); err != nil || !bytes.Equal(b, hello) || asked != 1 {
			t.Errorf("Fetch: %q, %v, asked %d times", b, err, asked)
		}
	}
}

func TestFetchLimits(t *testing.T) {
	holder := openStore(t)
	big, err := holder.Put(bytes.Repeat([]byte("x"), MaxBlock))
	if err != nil {
		t.Fatal(err)
	}
	source := gateway(t, Handler(holder).ServeHTTP)
	f := &Fetcher{Client: http.DefaultClient, Store: openStore(t), MaxSize: MaxBlock - 1}
	if _, err := f.Fetch(t.Context(), big, []string{source}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte too many: %v", err)
	}
	f.MaxSize = 0
	if b, err := f.Fetch(t.Context(), big, []string{source}); err != nil || len(b) != MaxBlock {
		t.Errorf("a full block: %d bytes, %v", len(b), err)
	}
	empty, err := holder.Put(nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := f.Fetch(t.Context(), empty, []string{source}); err != nil || len(b) != 0 {
		t.Errorf("nothing: %d bytes, %v", len(b), err)
	}
	if _, err := f.Fetch(t.Context(), "Qm", []string{source}); !errors.Is(err, ErrCID) {
		t.Errorf("no CID: %v", err)
	}
	if _, err := f.Fetch(t.Context(), cidOfHello, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("no sources: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Fetch(gone, cidOfHello, []string{source, "http://second.invalid"}); !errors.Is(err, context.Canceled) ||
		strings.Contains(err.Error(), "second") {
		t.Errorf("caller is gone: %v", err)
	}
}

// A damaged copy is replaced by a fetched one.
func TestFetchHeals(t *testing.T) {
	holder, own := openStore(t), openStore(t)
	for _, s := range []*Store{holder, own} {
		if _, err := s.Put([]byte("hello world")); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeFile(own.path(cidOfHello), []byte("hello World")); err != nil {
		t.Fatal(err)
	}
	f := &Fetcher{Client: http.DefaultClient, Store: own}
	if _, err := f.Fetch(t.Context(), cidOfHello, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("damaged and nobody to ask: %v", err)
	}
	if _, err := f.Fetch(t.Context(), cidOfHello, []string{gateway(t, Handler(holder).ServeHTTP)}); err != nil {
		t.Error(err)
	}
	if _, err := own.Get(cidOfHello); err != nil {
		t.Errorf("not healed: %v", err)
	}
}
