package content

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"

	"github.com/ipfs/go-cid"
)

// The Trustless Gateway specification, CAR responses.
func TestHandlerCAR(t *testing.T) {
	s := openStore(t)
	c := add(t, s, 20_000_000) // three of its chunks are there twice
	root, f := rootOf(t, s, c)
	h := Handler(s)
	at := "/ipfs/" + string(c)
	whole := int64(len(carOf(t, s, c)))
	doubled := whole + 3*sectionSize(MaxBlock)
	alone := int64(len(carHeader(binaryCID(c)))) + sectionSize(int64(len(root)))
	if f.leaves[0] != f.leaves[16] || whole >= 20_000_000 {
		t.Fatalf("the sample has no chunks twice, its CAR %d bytes", whole)
	}
	for _, one := range []struct {
		name, method, target string
		accept               string
		status               int
		size                 int64 // of the body
		kind                 string
		location             bool
	}{
		{"format", "GET", at + "?format=car", "", 200, whole, "dups=n", false},
		{"accept", "GET", at, carType, 200, whole, "dups=n", true},
		{"accept with parameters", "GET", at, carType + "; version=1; order=dfs; dups=y", 200, doubled, "dups=y", true},
		{"parameters in both", "GET", at + "?format=car&car-dups=n", carType + ";dups=y", 200, whole, "dups=n", true},
		{"parameters in the URL", "GET", at + "?format=car&car-dups=y&car-order=dfs&car-version=1", "", 200, doubled, "dups=y", false},
		{"format goes before accept", "GET", at + "?format=car", rawBlock, 200, whole, "dups=n", false},
		{"block", "GET", at + "?format=car&dag-scope=block", "", 200, alone, "dups=n", false},
		{"entity", "GET", at + "?format=car&dag-scope=entity", "", 200, whole, "dups=n", false},
		{"all", "HEAD", at + "?format=car&dag-scope=all", "", 200, 0, "dups=n", false},
		{"the first that can be had", "GET", at, carType + ";order=bfs, " + carType + ";dups=y;q=0.5, " + rawBlock + ";q=0.1", 200, doubled, "dups=y", true},
		{"order unknown will do", "GET", at, carType + ";order=unk", 200, whole, "order=dfs", true},
		{"liked less than a block", "GET", at, carType + ";q=0.5, " + rawBlock, 200, int64(len(root)), "", true},
		{"not wanted", "GET", at, carType + ";q=0.0", 406, -1, "", false},
		{"a quality that is none", "GET", at, carType + ";q=NaN, " + carType + ";q=7, " + carType + ";q=x", 406, -1, "", false},
		{"version 2", "GET", at + "?format=car&car-version=2", "", 406, -1, "", false},
		{"another order", "GET", at, carType + ";order=bfs", 406, -1, "", false},
		{"another scope", "GET", at + "?format=car&dag-scope=some", "", 400, -1, "", false},
		{"a range", "GET", at + "?format=car&entity-bytes=0:5", "", 400, -1, "", false},
		{"another format", "GET", at + "?format=tar", carType, 406, -1, "", false},
		{"not held", "GET", "/ipfs/" + cidOfNothing + "?format=car", "", 404, -1, "", false},
		{"the probe", "GET", "/ipfs/" + probe + "?format=car", "", 200, 26, "dups=n", false},
		{"one block", "GET", "/ipfs/" + string(f.leaves[3]) + "?format=car", "", 200, 59 + sectionSize(MaxBlock), "dups=n", false},
	} {
		t.Run(one.name, func(t *testing.T) {
			resp := get(t, h, one.method, one.target, "Accept", one.accept)
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != one.status || one.size >= 0 && int64(len(body)) != one.size {
				t.Fatalf("%s, %d bytes, want %d, %d", resp.Status, len(body), one.status, one.size)
			}
			if got := resp.Header.Get("Content-Type"); !strings.Contains(got, one.kind) || one.status == 200 && one.kind != "" && !strings.HasPrefix(got, carType+"; version=1") {
				t.Errorf("Content-Type is %q", got)
			}
			if got := resp.Header.Get("Content-Location"); (got != "") != one.location || one.location && !strings.HasPrefix(got, at+"?format=") {
				t.Errorf("Content-Location is %q", got)
			}
			if one.status == 200 && one.method == "GET" && resp.Header.Get("Content-Length") != fmt.Sprint(one.size) {
				t.Errorf("Content-Length is %s, want %d", resp.Header.Get("Content-Length"), one.size)
			}
			if nosniff := resp.Header.Get("X-Content-Type-Options"); nosniff != "nosniff" {
				t.Errorf("X-Content-Type-Options is %q", nosniff)
			}
		})
	}
	if got := get(t, h, "HEAD", at+"?format=car").Header.Get("Content-Length"); got != fmt.Sprint(whole) {
		t.Errorf("HEAD announces %s bytes, want %d", got, whole)
	}
}

// Each form has its own entity tag, and is not sent twice.
func TestHandlerCARTags(t *testing.T) {
	s := openStore(t)
	c := add(t, s, MaxBlock+1)
	h := Handler(s)
	seen := make(map[string]bool)
	for _, query := range []string{"format=raw", "format=car", "format=car&dag-scope=block", "format=car&dag-scope=entity", "format=car&car-dups=y"} {
		target := "/ipfs/" + string(c) + "?" + query
		header := get(t, h, "GET", target).Header
		tag := header.Get("Etag")
		if seen[tag] || !strings.Contains(tag, string(c)) {
			t.Errorf("%s: Etag is %s", query, tag)
		}
		seen[tag] = true
		for _, match := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			if resp := get(t, h, "GET", target, "If-None-Match", match); resp.StatusCode != 304 {
				t.Errorf("%s, If-None-Match: %s: %s", query, match, resp.Status)
			}
		}
		if resp := get(t, h, "GET", target, "If-None-Match", `"other"`); resp.StatusCode != 200 {
			t.Errorf("%s: %s", query, resp.Status)
		}
		if got := header.Get("Cache-Control"); got != "public, max-age=29030400, immutable" {
			t.Errorf("%s: Cache-Control is %q", query, got)
		}
		extension := map[bool]string{true: ".bin", false: ".car"}[query == "format=raw"]
		if got := header.Get("Content-Disposition"); got != `attachment; filename="`+string(c)+extension+`"` {
			t.Errorf("%s: Content-Disposition is %q", query, got)
		}
	}
	if resp := get(t, h, "GET", "/ipfs/"+string(c)+"?format=car", "Service-Worker", "script"); resp.StatusCode != 400 {
		t.Errorf("a service worker gets %s", resp.Status)
	}
}

// A node that is no file of ours is served as the block it is, and walked nowhere.
func TestHandlerCARBounds(t *testing.T) {
	s := openStore(t)
	leaves := []barnraise.CID{Sum([]byte("a")), Sum([]byte("b"))}
	huge := file{size: maxLeaves * MaxBlock, leaves: slices.Repeat(leaves, maxLeaves/2)}.encode()
	for name, root := range map[string][]byte{"256 KiB": small(leaves), "1 GiB": huge} {
		c := sum(cid.DagProtobuf, root)
		if err := s.put(c, root); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]int{"format=raw": 200, "format=car&dag-scope=block": 200, "format=car": 406} {
			if resp := get(t, Handler(s), "GET", "/ipfs/"+string(c)+"?"+query); resp.StatusCode != want {
				t.Errorf("%s, %s: %s, want %d", name, query, resp.Status, want)
			}
		}
	}
	// A missing chunk cuts the answer short, which the client sees by its length.
	c := add(t, s, 3*MaxBlock)
	_, f := rootOf(t, s, c)
	if err := os.Remove(s.path(f.leaves[1])); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(Handler(s))
	defer server.Close()
	resp, err := http.Get(server.URL + "/ipfs/" + string(c) + "?format=car")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || len(b) > 2*MaxBlock {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// network answers for gateways without a wire, and remembers who was asked for what.
type network struct {
	gateways map[string]http.Handler // by host
	mu       sync.Mutex
	asked    []string // "host raw" or "host car"
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.asked = append(n.asked, r.URL.Host+" "+r.URL.Query().Get("format"))
	n.mu.Unlock()
	h, ok := n.gateways[r.URL.Host]
	if !ok {
		return nil, errors.New("no such host")
	}
	body, to := io.Pipe()
	w := &answer{header: make(http.Header), begun: make(chan int, 1), body: to}
	go func() {
		h.ServeHTTP(w, r)
		w.WriteHeader(200)
		to.Close()
	}()
	context.AfterFunc(r.Context(), func() { to.CloseWithError(r.Context().Err()) })
	select {
	case status := <-w.begun:
		return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: w.header.Clone(), Body: body, Request: r}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// take returns what was asked since the last time.
func (n *network) take() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	asked := strings.Join(n.asked, ", ")
	n.asked = nil
	return asked
}

type answer struct {
	header http.Header
	once   sync.Once
	begun  chan int
	body   *io.PipeWriter
}

func (a *answer) Header() http.Header { return a.header }
func (a *answer) WriteHeader(status int) {
	a.once.Do(func() { a.begun <- status })
}
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(200)
	return a.body.Write(b)
}

// blocksOnly is a gateway that knows no CARs.
func blocksOnly(from Getter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") != "raw" {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		Handler(from).ServeHTTP(w, r)
	})
}

// corrupting is a gateway that changes a byte of every block but the root of c, in CARs as well.
func corrupting(t *testing.T, from *Store, c barnraise.CID) http.Handler {
	return Handler(getFunc(func(asked barnraise.CID) ([]byte, error) {
		b, err := from.Get(asked)
		if err == nil && asked != c {
			b = bytes.Clone(b)
			b[len(b)/2] ^= 1
		}
		return b, err
	}))
}

func TestFetchFile(t *testing.T) {
	holder := openStore(t)
	const size = 3*MaxBlock - 7
	c := add(t, holder, size)
	_, f := rootOf(t, holder, c)
	part := func(of ...barnraise.CID) *Store {
		s := openStore(t)
		for _, c := range of {
			b, err := holder.Get(c)
			if err == nil {
				err = s.put(c, b)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	junk := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("junk")) })
	fake := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") == "car" {
			w.Header().Set("Content-Type", carType+"; version=1")
			_, _ = w.Write(carHeader(binaryCID(c)))
		}
		blocksOnly(holder).ServeHTTP(w, r)
	})
	n := &network{gateways: map[string]http.Handler{
		"good": Handler(holder), "good2": Handler(holder), "blocks": blocksOnly(holder), "partial": Handler(part(c, f.leaves[0], f.leaves[2])), "other": Handler(part(f.leaves[1])), "empty": Handler(openStore(t)),
		"liar": corrupting(t, holder, c), "junk": junk, "fake": fake,
	}}
	raws := func(host string, times int) string { return strings.Repeat(", "+host+" raw", times)[2:] }
	for _, one := range []struct {
		name, sources, asked string
		reported             string
		want                 error
	}{
		{"one request", "good, good2", "good car", "", nil},
		{"no CARs", "blocks", "blocks car, " + raws("blocks", 4), "", nil},
		{"in order", "empty, good", "empty car, good car", "empty", nil},
		{"dead", "dead, blocks", "dead car, blocks car, " + raws("blocks", 4), "dead", nil},
		{"part of it", "partial, good", "partial car, good raw, good raw", "partial", nil},
		{"two parts", "partial, other", "partial car, other raw, other raw, partial raw", "partial, other", nil},
		{"liar skipped", "liar, good", "liar car, " + raws("good", 3), "liar", nil},
		{"liar alone", "liar", "liar car, liar raw", "liar, liar", ErrMismatch},
		{"not even a root", "junk, good", "junk car, junk raw, good car", "junk", nil},
		{"a CAR without blocks", "fake", "fake car, " + raws("fake", 4), "", nil},
		{"nobody", "empty, dead", "empty car, dead car", "empty, dead", ErrNotFound},
		{"the same again", "dead, dead, good", "dead car, good car", "dead", nil},
	} {
		t.Run(one.name, func(t *testing.T) {
			var reported []string
			f := &Fetcher{Client: &http.Client{Transport: n}, Store: openStore(t), Report: func(source string, err error) {
				reported = append(reported, strings.TrimPrefix(source, "http://"))
			}}
			var sources []string
			for source := range strings.SplitSeq(one.sources, ", ") {
				sources = append(sources, "http://"+source)
			}
			b, err := f.Fetch(t.Context(), c, sources)
			if !errors.Is(err, one.want) || one.want == nil && !bytes.Equal(b, sample(size)) || one.want != nil && b != nil {
				t.Errorf("%d bytes, %v, want %v", len(b), err, one.want)
			}
			if one.want != nil && !strings.Contains(err.Error(), sources[0]) {
				t.Errorf("the error does not name %s: %v", sources[0], err)
			}
			if asked := n.take(); asked != one.asked {
				t.Errorf("asked\n%s, want\n%s", asked, one.asked)
			}
			if got := strings.Join(reported, ", "); got != one.reported {
				t.Errorf("reported %s, want %s", got, one.reported)
			}
			if _, err := f.Store.Get(c); (err == nil) != (one.want == nil) {
				t.Errorf("the root is held as if all of it were: %v", err)
			}
			if b, err := f.Fetch(t.Context(), c, nil); one.want == nil && (err != nil || len(b) != size || n.take() != "") {
				t.Errorf("the second time: %d bytes, %v", len(b), err)
			}
		})
	}
}

// What a root declares is known before a chunk is asked for.
func TestFetchFileLimits(t *testing.T) {
	holder := openStore(t)
	c := add(t, holder, 2*MaxBlock+1)
	other := sum(cid.DagProtobuf, small([]barnraise.CID{Sum(nil), Sum(nil)}))
	if err := holder.put(other, small([]barnraise.CID{Sum(nil), Sum(nil)})); err != nil {
		t.Fatal(err)
	}
	n := &network{gateways: map[string]http.Handler{"car": Handler(holder), "blocks": blocksOnly(holder)}}
	for _, source := range []string{"http://car", "http://blocks"} {
		f := &Fetcher{Client: &http.Client{Transport: n}, Store: openStore(t), MaxSize: 2 * MaxBlock, Report: func(source string, err error) {
			t.Errorf("%s is blamed for what the root declares: %v", source, err)
		}}
		if b, err := f.Fetch(t.Context(), c, []string{source}); !errors.Is(err, ErrTooLarge) || b != nil {
			t.Errorf("%s: %d bytes, %v", source, len(b), err)
		}
		if asked := n.take(); strings.Count(asked, "raw") > 1 || strings.Count(asked, "car") > 2 {
			t.Errorf("asked %s", asked)
		}
		if files, _ := os.ReadDir(f.Store.dir); len(files) > 1 { // the lock
			t.Errorf("kept something: %v", files)
		}
		if b, err := f.FetchUpTo(t.Context(), c, 2*MaxBlock+1, []string{source}); err != nil || len(b) != 2*MaxBlock+1 {
			t.Errorf("%s, as long as it is: %d bytes, %v", source, len(b), err)
		}
		if b, err := f.Fetch(t.Context(), c, nil); !errors.Is(err, ErrTooLarge) || b != nil {
			t.Errorf("%s, held: %d bytes, %v", source, len(b), err)
		}
		if _, err := f.Fetch(t.Context(), other, []string{source}); source == "http://blocks" && !errors.Is(err, ErrFile) {
			t.Errorf("%s, another layout: %v", source, err)
		}
		n.take()
	}
	f := &Fetcher{Client: &http.Client{Transport: n}, Store: openStore(t)}
	big := add(t, holder, DefaultMaxSize+1)
	if _, err := f.Fetch(t.Context(), big, []string{"http://car"}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more than the default: %v", err)
	}
}

// A source that fails is asked after the others for half a minute, by the caller's clock.
func TestFetchRests(t *testing.T) {
	holder := openStore(t)
	var all []barnraise.CID
	for i := range 7 {
		c, err := holder.Put([]byte{byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	n := &network{gateways: map[string]http.Handler{"good": Handler(holder), "empty": Handler(openStore(t))}}
	now := time.Unix(1e9, 0)
	f := &Fetcher{Client: &http.Client{Transport: n}, Store: openStore(t), Now: func() time.Time { return now }}
	for i, step := range []struct {
		after time.Duration
		asked string
	}{
		{0, "empty raw, dead raw, good raw"},
		{0, "empty raw, good raw"},
		{rest - 1, "empty raw, good raw"},
		{1, "empty raw, dead raw, good raw"},
	} {
		now = now.Add(step.after)
		if _, err := f.Fetch(t.Context(), all[i], []string{"http://empty", "http://dead", "http://good"}); err != nil {
			t.Error(err)
		}
		if asked := n.take(); asked != step.asked {
			t.Errorf("step %d: asked %s, want %s", i, asked, step.asked)
		}
	}
	// Nobody is given up: where the others fail, a source that rests is asked as well, and takes its place again when it delivers.
	n.gateways["dead"] = Handler(holder)
	for i, asked := range []string{"empty raw, dead raw", "dead raw"} {
		if _, err := f.Fetch(t.Context(), all[4+i], []string{"http://dead", "http://empty"}); err != nil {
			t.Error(err)
		}
		if got := n.take(); got != asked {
			t.Errorf("asked %s, want %s", got, asked)
		}
	}
	for i := range 2 * maxResting {
		f.failed(fmt.Sprint(i), io.EOF)
	}
	if len(f.resting) > maxResting {
		t.Errorf("%d sources are remembered", len(f.resting))
	}
}

// A gateway has its time for every block of a CAR anew, and no more than that.
func TestFetchSlowCAR(t *testing.T) {
	holder := openStore(t)
	c := add(t, holder, 4*MaxBlock)
	synctest.Test(t, func(t *testing.T) {
		slow := func(pause time.Duration) http.Handler {
			return Handler(getFunc(func(c barnraise.CID) ([]byte, error) {
				time.Sleep(pause)
				return holder.Get(c)
			}))
		}
		n := &network{gateways: map[string]http.Handler{"slow": slow(8 * time.Second), "stuck": slow(11 * time.Second)}}
		f := &Fetcher{Client: &http.Client{Transport: n}, Store: openStore(t)}
		start := time.Now()
		if _, err := f.Fetch(t.Context(), c, []string{"http://slow"}); err != nil || n.take() != "slow car" || time.Since(start) != 40*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		f.Store, start = openStore(t), time.Now()
		_, err := f.Fetch(t.Context(), c, []string{"http://stuck"})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != DefaultTimeout {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		f.Store, start = openStore(t), time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err = f.Fetch(ctx, c, []string{"http://slow", "http://stuck"})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 20*time.Second {
			t.Errorf("the caller's time is up: %v after %s", err, time.Since(start))
		}
		time.Sleep(time.Minute) // until the gateways are done
	})
}

// What cannot be kept is nobody's failure but ours.
func TestFetchCannotKeep(t *testing.T) {
	holder := openStore(t)
	c := add(t, holder, MaxBlock+1)
	n := &network{gateways: map[string]http.Handler{"a": Handler(holder), "b": Handler(holder)}}
	own := openStore(t)
	f := &Fetcher{Client: &http.Client{Transport: n}, Store: own, Report: func(source string, err error) { t.Errorf("%s: %v", source, err) }}
	_, parts := rootOf(t, holder, c)
	if err := os.WriteFile(own.dir+"/"+string(parts.leaves[0])[56:58], nil, 0o644); err != nil { // where the directory of the chunk would be
		t.Fatal(err)
	}
	if _, err := f.Fetch(t.Context(), c, []string{"http://a", "http://b"}); err == nil || n.take() != "a car" {
		t.Errorf("%v", err)
	}
}
