package server

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/endpoint"
	"barnraise/image"
)

func TestAnswerWithReceipt(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	resp, body := r.post(t, oracle, request)
	if resp.StatusCode != http.StatusOK || body != `{"jsonrpc":"2.0","id":1,"result":"answer"}` {
		t.Fatalf("%s %s", resp.Status, body)
	}
	receipt, token, err := barnraise.ParseReceipt(resp.Header.Get("Barnraise-Receipt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(r.publicKey()); err != nil {
		t.Error(err)
	}
	revision := r.chain.services[0].Revisions[0]
	if err := receipt.Covers(testNetwork.Registry(), 7, 1, revision, []byte(request), []byte(body)); err != nil {
		t.Error(err)
	}
	variant, _ := r.images.Variant(revision.Image, image.Wasm)
	if receipt.Platform != variant.Manifest || receipt.Block != 20 || time.Since(time.Unix(receipt.IssuedAt, 0)) > time.Minute {
		t.Errorf("receipt is %+v", receipt)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store, no-transform", "Access-Control-Allow-Origin": "*",
		"Access-Control-Expose-Headers": "Barnraise-Receipt, Barnraise-Registry-Block, Retry-After", "Barnraise-Registry-Block": "20",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if _, body := r.post(t, oracle, strings.Replace(request, `"id":1`, `"id":"mine"`, 1)); body != `{"jsonrpc":"2.0","id":"mine","result":"answer"}` {
		t.Errorf("another id: %s", body)
	}
}

// Everything but an answer of the service is the server's failure: a problem document, never signed (protocol 3.4).
func TestFailuresAreNeverSigned(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	with := func(method string) string { return strings.Replace(request, "ask", method, 1) }
	for _, c := range []struct {
		name, path, body string
		status           int
		kind             string
	}{
		{"array", oracle, "[" + request + "]", 400, ""},
		{"notification", oracle, `{"jsonrpc":"2.0","method":"ask"}`, 400, ""},
		{"malformed", oracle, `{"jsonrpc":`, 400, ""},
		{"duplicate names", oracle, `{"jsonrpc":"2.0","id":1,"id":1,"method":"ask"}`, 400, ""},
		{"empty", oracle, ``, 400, ""},
		{"too deep", oracle, with(`","params":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `,"x":"`), 400, ""},
		{"too long", oracle, with(strings.Repeat("x", 1<<10)), 413, ""},
		{"unknown service", "/v1/services/9/1", request, 404, "unknown-service"},
		{"unknown revision", "/v1/services/1/9", request, 404, "unknown-revision"},
		{"no service", "/v1/services/x/1", request, 404, "unknown-service"},
		{"no revision", "/v1/services/1/x", request, 404, "unknown-revision"},
		{"no revision of an unknown service", "/v1/services/9/x", request, 404, "unknown-service"},
		{"service breaks", oracle, with("break"), 502, ""},
		{"out of fuel", oracle, with("burn"), 504, ""},
		{"out of time", oracle, with("sleep"), 504, ""},
		{"stopping", oracle, with("stopped"), 503, ""},
		{"odd", oracle, with("odd"), 502, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body := r.post(t, c.path, c.body)
			if resp.StatusCode != c.status || resp.Header.Get("Barnraise-Receipt") != "" || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("%s %s %v, want %d without a receipt", resp.Status, body, resp.Header, c.status)
			}
			var p endpoint.Problem
			if err := json.Unmarshal([]byte(body), &p); err != nil || p.Status != c.status || p.Title == "" {
				t.Errorf("problem is %s: %v", body, err)
			}
			if c.kind != "" && p.Type != c.kind {
				t.Errorf("type is %s, want %s", p.Type, c.kind)
			}
			if strings.Contains(body, "secret") {
				t.Errorf("problem tells of the machine: %s", body)
			}
		})
	}
	resp, err := http.Get(r.url + oracle)
	if err != nil || resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") == "" {
		t.Errorf("GET: %v %v", resp, err)
	}
}

// A hundred megabytes cost the server no more than its limit, whether their length is announced or not.
func TestHugeBody(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	for name, length := range map[string]int64{"announced": 100 << 20, "chunked": -1} {
		body := &counter{left: 100 << 20}
		req, err := http.NewRequest(http.MethodPost, r.url+oracle, body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: %s", name, resp.Status)
			}
		} // else the server hung up while the body was still coming: as good
		if read := body.read.Load(); read > 16<<20 {
			t.Errorf("%s: %d bytes were taken", name, read)
		}
	}
	if resp, _ := r.post(t, oracle, request); resp.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %s", resp.Status)
	}
}

// counter is a long body. It may still be read when the answer is there.
type counter struct {
	left int64
	read atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), c.left))
	c.left -= int64(n)
	c.read.Add(int64(n))
	return n, nil
}

func TestPreflight(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	req, _ := http.NewRequest(http.MethodOptions, r.url+oracle, nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusNoContent || !strings.Contains(resp.Header.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("preflight: %v, %v", resp, err)
	}
}

func TestProtocol10_1WellKnown(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	resp, err := http.Get(r.url + "/.well-known/barnraise")
	if err != nil {
		t.Fatal(err)
	}
	token, _ := io.ReadAll(resp.Body)
	s, _ := r.chain.Snapshot(t.Context())
	me, _ := s.Server(7)
	i, err := barnraise.CheckIntroduction(s, me, string(token), time.Now().Unix())
	if err != nil {
		t.Fatal(err)
	}
	if len(i.Hosts) != 1 || i.Hosts[0].Service != 1 || i.Hosts[0].Image != r.chain.services[0].Revisions[0].Image || i.Contact != "ops@example.org" || i.Software != Software {
		t.Errorf("introduction is %+v", i)
	}
}

func TestServesWhatBelongsToItsServices(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	revision := r.chain.services[0].Revisions[0]
	pulled, err := r.images.Put([]byte("of a service that does not run here"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/v2/oracle/blobs/" + pulled.String():                            404,
		"/ipfs/" + string(revision.Verifier) + "?format=raw":             200,
		"/ipfs/" + string(revision.Manifest) + "?format=raw":             200,
		"/ipfs/" + string(content.Sum([]byte("none"))) + "?format=raw":   404,
		"/v2/oracle/manifests/" + revision.Image.String():                200,
		"/v2/oracle/manifests/" + barnraise.Sum([]byte("none")).String(): 404,
		"/v2/oracle/blobs/" + barnraise.Sum([]byte("none")).String():     404,
		"/livez": 200, "/readyz": 200, "/nothing": 404,
	} {
		resp, err := http.Get(r.url + path)
		if err != nil || resp.StatusCode != want {
			t.Errorf("%s: %v, %v; want %d", path, resp.Status, err, want)
		}
	}
}
