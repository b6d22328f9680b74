package client_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/content"
	"barnraise/jsonrpc"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/verifiers"
)

// library is a network for the examples: five servers of five operators run a service called library, whose answers are compared.
// All of it is real but for the chain and the wires.
type library struct {
	network registry.Network
	owner   barnraise.Address
	store   *content.Store
	dir     string
	service barnraise.Revision
	answer  func(server int, r jsonrpc.Request) string // a result, or an error
}

// books is what honest servers answer.
func books(_ int, r jsonrpc.Request) string {
	switch {
	case r.Method == "library_year" && bytes.Contains(r.Params, []byte("Walden")):
		return `"result":1854`
	case r.Method == "library_year" && bytes.Contains(r.Params, []byte("Emma")):
		return `"result":1815`
	case r.Method == "library_guess": // everybody says something else
		return fmt.Sprintf(`"result":%d`, time.Now().UnixNano())
	}
	return `"error":{"code":404,"message":"no such book"}`
}

func newLibrary() *library {
	dir, err := os.MkdirTemp("", "library-*")
	must(err)
	n := &library{dir: dir, owner: barnraise.Address{9}, answer: books, network: registry.Network{
		Chain: "eip155:31337", RPC: []string{"http://127.0.0.1:1"}, Services: barnraise.Address{1}, Servers: barnraise.Address{2},
		Names: map[string]barnraise.ServiceID{"library": 1},
	}}
	n.store, err = content.Open(dir)
	must(err)
	module, _ := verifiers.Module("compare")
	n.service = barnraise.Revision{Number: 1, Image: barnraise.Sum([]byte("image")), Home: 1}
	n.service.Verifier, _, err = n.store.Add(bytes.NewReader(module), content.MaxFile)
	must(err)
	m := manifest.Manifest{Name: "library", Limits: manifest.Limits{Response: 1 << 10, Timeout: manifest.Duration(time.Second)}}
	document, err := m.Encode()
	must(err)
	n.service.Manifest, err = n.store.Put(document)
	must(err)
	return n
}

func (n *library) close() { os.RemoveAll(n.dir) }

// open opens a client of the network.
func (n *library) open(options ...client.Option) *client.Client {
	c, err := client.Open(context.Background(), n.network, append([]client.Option{
		client.WithRegistry(n), client.WithTransport(n), client.WithCache(n.dir), client.WithKeeper(client.Directory(n.dir)),
	}, options...)...)
	must(err)
	return c
}

func key(server int) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(server)}, ed25519.SeedSize))
}

// Snapshot is the registry.
func (n *library) Snapshot(context.Context) (*barnraise.Snapshot, error) {
	services := []barnraise.Service{{ID: 1, Name: "library", Owner: n.owner, Status: barnraise.StatusActive, Revisions: []barnraise.Revision{n.service}}}
	var servers []barnraise.Server
	for i := 1; i <= 5; i++ {
		servers = append(servers, barnraise.Server{
			ID: barnraise.ServerID(i), Operator: barnraise.Address{byte(i)}, URL: fmt.Sprintf("http://s%d.test", i),
			Status: barnraise.StatusActive, Offers: []barnraise.ServiceID{1},
			Keys: []barnraise.Key{{Key: barnraise.PublicKey(key(i).Public().(ed25519.PublicKey)), From: 1}},
		})
	}
	return barnraise.NewSnapshot(n.network.Registry(), 10, [32]byte{}, 5, services, servers), nil
}

// Confirmed is the same.
func (n *library) Confirmed(ctx context.Context) (*barnraise.Snapshot, error) { return n.Snapshot(ctx) }

// RoundTrip carries a request to a server.
func (n *library) RoundTrip(r *http.Request) (*http.Response, error) {
	var server int
	if _, err := fmt.Sscanf(r.URL.Host, "s%d.test", &server); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	switch {
	case r.URL.Path == "/.well-known/barnraise":
		i := barnraise.Introduction{
			Server: barnraise.ServerID(server), URL: "http://" + r.URL.Host, Chain: n.network.Chain, Services: n.network.Services,
			Servers: n.network.Servers, IssuedAt: time.Now().Unix(),
		}
		io.WriteString(w, barnraise.Sign(barnraise.TypeServer, i.Payload(), key(server)))
	case r.Method == http.MethodPost:
		body, err := io.ReadAll(r.Body)
		must(err)
		n.reply(w, server, body)
	default:
		content.Handler(n.store).ServeHTTP(w, r)
	}
	return w.Result(), nil
}

func (n *library) reply(w http.ResponseWriter, server int, body []byte) {
	request, err := jsonrpc.ParseRequest(body)
	must(err)
	response := []byte(`{"jsonrpc":"2.0","id":1,` + n.answer(server, request) + `}`)
	receipt := barnraise.Receipt{
		Registry: n.network.Registry(), Service: 1, Revision: 1, Image: n.service.Image, Platform: barnraise.Sum([]byte("platform")),
		Request: barnraise.Sum(body), Response: barnraise.Sum(response), Server: barnraise.ServerID(server), Block: 10,
		IssuedAt: time.Now().Unix(),
	}
	w.Header().Set("Barnraise-Receipt", receipt.Sign(key(server)))
	w.Write(response)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
