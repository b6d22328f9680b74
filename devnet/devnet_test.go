package devnet

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barnraise"
	"barnraise/audit"
	"barnraise/client"
	"barnraise/dial"
	"barnraise/score"

	"github.com/go-jose/go-jose/v4"
)

const (
	question = `{"q":"copy until end of file","k":10}`
	request  = `{"jsonrpc":"2.0","id":1,"method":"search_query","params":` + question + `}`
)

// up starts a network for the test.
func up(t testing.TB, o Options) *Net {
	t.Helper()
	o.Dir = t.TempDir()
	n, err := Up(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// open makes a client that can run images here.
func open(t testing.TB, n *Net, options ...client.Option) *client.Client {
	t.Helper()
	machine, err := audit.Open(n.options.Cache, dial.Client(true, 0))
	if err != nil {
		t.Fatal(err)
	}
	options = append(options, client.WithCache(n.options.Cache), client.WithRerunner(machine), client.WithKeeper(client.Directory(t.TempDir())))
	c, err := client.Open(context.Background(), n.Network, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := machine.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func call(t testing.TB, c *client.Client) *client.Answer {
	t.Helper()
	a, err := c.Call(context.Background(), "search", "search_query", []byte(question))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(a.Result, []byte(`"io.Copy"`)) || bytes.Contains(a.Result, []byte("erros")) {
		t.Fatalf("result is %s", a.Result)
	}
	return a
}

func TestLiar(t *testing.T) {
	n := up(t, Options{Servers: 4, With: []string{"liar"}})
	c := open(t, n)
	struck := 0
	for range 12 {
		a := call(t, c)
		if len(a.Struck) > 0 {
			if struck++; !slices.Equal(a.Struck, []barnraise.ServerID{4}) || a.Evidence == "" {
				t.Fatalf("struck %v, evidence %q", a.Struck, a.Evidence)
			}
		} else if struck > 0 && a.Asked[0].Server == 4 {
			t.Fatal("the liar is primary again")
		}
	}
	if struck != 1 {
		t.Errorf("struck %d times in 12 calls, want once: then it is asked no more", struck)
	}
}

func TestLyingHome(t *testing.T) {
	n := up(t, Options{Servers: 3, With: []string{"lyinghome"}})
	if n.Home != 3 {
		t.Fatalf("home is server %d", n.Home)
	}
	if a := call(t, open(t, n)); !slices.Equal(a.Struck, []barnraise.ServerID{3}) {
		t.Errorf("struck %v, want the home", a.Struck)
	}
}

// A client draws whom it asks: fresh ones call until the silent server has been asked.
func TestDeadHomeAndSilentServerBlockNothing(t *testing.T) {
	n := up(t, Options{Servers: 5, With: []string{"silent", "deadhome"}})
	for range 30 {
		asked := call(t, open(t, n)).Asked
		for _, v := range asked {
			if bad := v.Server >= 4; bad != (v.Outcome == client.OutcomeFailed) {
				t.Errorf("server %d: %s %s", v.Server, v.Outcome, v.Why)
			}
		}
		if slices.ContainsFunc(asked, func(v client.Asked) bool { return v.Server == 4 }) {
			return
		}
	}
	t.Error("thirty clients did not ask the silent server")
}

// The home alone has what the author built; the others got image, manifest and verifier from server to server.
func TestServersPullFromEachOther(t *testing.T) {
	n := up(t, Options{Servers: 2})
	s, err := n.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, revision, _ := s.Active(n.Network.Names["search"])
	for _, m := range n.Servers {
		for _, path := range []string{
			"/ipfs/" + string(revision.Manifest) + "?format=raw", "/ipfs/" + string(revision.Verifier) + "?format=raw",
			"/v2/search/manifests/" + revision.Image.String(),
		} {
			resp, err := http.Get(m.URL + path)
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("server %d: %s: %v %v", m.ID, path, resp, err)
			}
		}
	}
}

// Without a line of ours: one server's answer by curl, its receipt by a JOSE library, its key from the registry.
func TestCurlAndJOSE(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("curl is missing: install curl")
		}
		t.Skip("curl is missing: install curl")
	}
	n := up(t, Options{Servers: 2})
	verified := call(t, open(t, n))
	url := fmt.Sprintf("%s/v1/services/%d/1", n.Servers[1].URL, n.Network.Names["search"])
	head := filepath.Join(t.TempDir(), "head")
	out, err := exec.Command(curl, "-sS", "-D", head, "-H", "Content-Type: application/json", "-d", request, url).Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"jsonrpc":"2.0","id":1,"result":` + string(verified.Result) + `}`; string(out) != want {
		t.Fatalf("curl got %.200s…, the verified answer is %.200s…", out, want)
	}
	headers, err := os.ReadFile(head)
	if err != nil {
		t.Fatal(err)
	}
	var token string
	for line := range strings.Lines(string(headers)) {
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Barnraise-Receipt") {
			token = strings.TrimSpace(value)
		}
	}
	s, err := n.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, _ := s.Server(n.Servers[1].ID)
	key, _ := server.Key()
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := signed.Verify(ed25519.PublicKey(key.Key[:]))
	if err != nil {
		t.Fatal(err)
	}
	receipt, _, err := barnraise.ParseReceipt(token)
	if err != nil || string(receipt.Payload()) != string(payload) || receipt.Response != barnraise.Sum(out) {
		t.Errorf("receipt is %s: %v", payload, err)
	}
}

func TestOptionsThatMakeNoNetwork(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"too many":      {Options{Servers: MaxServers + 1}, "want 1 to"},
		"negative":      {Options{Servers: -1}, "want 1 to"},
		"unknown":       {Options{With: []string{"angel"}}, "there are badreceipt, coalition, copier"},
		"misspelt":      {Options{With: []string{"lair"}}, `"liar" is the nearest`},
		"two homes":     {Options{Servers: 4, With: []string{"lyinghome", "deadhome"}}, "one home"},
		"nobody honest": {Options{Servers: 1, With: []string{"liar"}}, "at least one must be honest"},
	} {
		c.o.Dir = filepath.Join(t.TempDir(), "net")
		if n, err := Up(t.Context(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want an error with %q", name, n, err, c.want)
		}
		if _, err := os.Stat(c.o.Dir); err == nil {
			t.Errorf("%s: something was left behind", name)
		}
	}
}

// BenchmarkCall compares a verified call with a plain one to one of the same servers. Without a proof two servers are asked at
// least, one after the other, and the answers of a stranger's first calls are audited twice. With a proof one is asked.
func BenchmarkCall(b *testing.B) {
	n := up(b, Options{Servers: 4})
	url := fmt.Sprintf("%s/v1/services/%d/1", n.Servers[1].URL, n.Network.Names["search"])
	plain := dial.Client(true, 0)
	b.Run("direct", func(b *testing.B) {
		for b.Loop() {
			resp, err := plain.Post(url, "application/json", strings.NewReader(request))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				b.Fatal(resp.Status, err)
			}
			resp.Body.Close()
		}
	})
	c := open(b, n)
	for range 150 {
		call(b, c) // servers become known
	}
	b.Run("verified", func(b *testing.B) { ask(b, c, question) })
	b.Run("proven", func(b *testing.B) {
		ask(b, open(b, n, client.WithPolicy(score.One)), `{"q":"copy until end of file","k":10,"proof":true}`)
	})
}

// ask calls again and again, and reports how many servers that asks.
func ask(b *testing.B, c *client.Client, params string) {
	requests, calls := 0, 0
	for b.Loop() {
		a, err := c.Call(context.Background(), "search", "search_query", []byte(params))
		if err != nil {
			b.Fatal(err)
		}
		requests, calls = requests+a.Requests, calls+1
	}
	b.ReportMetric(float64(requests)/float64(calls), "requests/op")
}
