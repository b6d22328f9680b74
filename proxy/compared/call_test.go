package compared

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"path/filepath"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/content"
	"barnraise/dial"
	"barnraise/jsonrpc"
	"barnraise/manifest"
	"barnraise/proxy"
	"barnraise/registry"
	"barnraise/score"
	"barnraise/verifiers"
)

func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

func publicOf(stub int) barnraise.PublicKey {
	return barnraise.PublicKey(keyOf(stub).Public().(ed25519.PublicKey))
}

// fixed is a registry that does not change.
type fixed struct{ snapshot *barnraise.Snapshot }

func (f fixed) Snapshot(context.Context) (*barnraise.Snapshot, error)  { return f.snapshot, nil }
func (f fixed) Confirmed(context.Context) (*barnraise.Snapshot, error) { return f.snapshot, nil }

// nowhere keeps evidence for as long as nobody looks.
type nowhere struct{}

func (nowhere) Keep(barnraise.Evidence) (string, error) { return "kept", nil }

// register puts the stubs into a registry, with a service under compare and one under spot, and what these need into a cache.
func register(s setup) (fixed, error) {
	store, err := content.Open(filepath.Join(s.Cache, "content"))
	if err != nil {
		return fixed{}, err
	}
	report, err := store.Put(fmt.Appendf(nil, `{"v":1,"image":%q,"passed":true,"methods":[{"name":"small","requests":9},{"name":"large","requests":9}]}`, image))
	if err != nil {
		return fixed{}, err
	}
	m := manifest.Manifest{Name: "oracle", Report: report, Limits: manifest.Limits{Response: 1 << 20, Timeout: manifest.Duration(10 * time.Second)}}
	document, err := m.Encode()
	if err != nil {
		return fixed{}, err
	}
	sheet, err := store.Put(document)
	if err != nil {
		return fixed{}, err
	}
	var home barnraise.ServerID
	if len(s.Upstreams) > 2 {
		home = 3
	}
	var services []barnraise.Service
	for i, verifier := range []string{"compare", "spot"} {
		module, _ := verifiers.Module(verifier)
		r := barnraise.Revision{Number: 1, Image: image, Manifest: sheet, Home: home}
		if r.Verifier, _, err = store.Add(bytes.NewReader(module), content.MaxFile); err != nil {
			return fixed{}, err
		}
		services = append(services, barnraise.Service{
			ID: barnraise.ServiceID(i + 1), Name: "oracle", Owner: barnraise.Address{9}, Status: barnraise.StatusActive,
			Revisions: []barnraise.Revision{r},
		})
	}
	var servers []barnraise.Server
	for i, url := range s.Upstreams {
		servers = append(servers, barnraise.Server{
			ID: barnraise.ServerID(i + 1), Operator: barnraise.Address{byte(i + 1)}, URL: url, Status: barnraise.StatusActive,
			Offers: []barnraise.ServiceID{1, 2}, Keys: []barnraise.Key{{Key: publicOf(i + 1), From: 1}},
		})
	}
	return fixed{barnraise.NewSnapshot(here, 10, [32]byte{}, 5, services, servers)}, nil
}

// open makes a client of the stubs, and has it profiled where the environment says so.
func open(s setup) (*client.Client, error) {
	if a := os.Getenv("BARNRAISE_PPROF"); a != "" {
		go func() { _ = http.ListenAndServe(a, nil) }()
	}
	r, err := register(s)
	if err != nil {
		return nil, err
	}
	policy, err := score.ParsePolicy(s.Policy)
	if err != nil {
		return nil, err
	}
	options := []client.Option{client.WithRegistry(r), client.WithCache(s.Cache), client.WithKeeper(nowhere{}), client.WithPolicy(policy)}
	if !s.Signed {
		options = append(options, unsigned...)
	}
	if s.Standard {
		options = append(options, client.WithTransport(dial.Transport(true)))
	}
	network := registry.Network{Chain: here.Chain, RPC: []string{"http://127.0.0.1:1"}, Services: here.Services, Servers: here.Servers}
	c, err := client.Open(context.Background(), network, options...)
	if err != nil || s.Fresh {
		return c, err
	}
	c.Book(func(b *score.Book) {
		for i := range s.Upstreams {
			b.Meet(barnraise.ServerID(i+1), 1, 1, time.Now())
			for range 100_000 {
				b.Audited(barnraise.ServerID(i+1), 1)
				b.Audited(barnraise.ServerID(i+1), 2)
			}
		}
	})
	return c, nil
}

// caller behind the plainest handler there can be: what is left of a row's cost without the proxy's own.
type direct struct {
	*client.Client
	service string
}

func newCall(s setup) (http.Handler, error) {
	c, err := open(s)
	return direct{c, s.Service}, err
}

// newProxy is the proxy as it is, but for its limits.
func newProxy(s setup) (http.Handler, error) {
	c, err := open(s)
	if err != nil {
		return nil, err
	}
	policy, err := score.ParsePolicy(s.Policy)
	if err != nil {
		return nil, err
	}
	return proxy.New(c, proxy.Config{
		Policy: policy, Limits: proxy.Limits{Rate: proxy.Unlimited, Burst: 1 << 30, Each: 1024, Total: 1024},
	})
}

func (d direct) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request, err := jsonrpc.ParseRequest(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a, err := d.Call(r.Context(), d.service, request.Method, []byte(request.Params))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	out := make([]byte, 0, len(a.Result)+len(request.ID)+64)
	out = fmt.Appendf(out, `{"jsonrpc":"2.0","id":%s,"result":%s}`, request.ID, a.Result)
	_, _ = w.Write(out)
}
