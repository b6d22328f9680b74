// Package adversary is what servers do that cannot be relied on: they lie, copy, dawdle, cut off, slander or break.
//
// An adversary stands around the endpoint of a real server and acts on what that answers. What it signs it signs with the
// server's own key, as a real one would, and it knows no more than a real one can see: bytes, addresses, times, and what its
// friends see. So whatever holds against these holds against strangers who do the same.
package adversary

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"strings"
	"sync"
	"time"

	"barnraise"
)

// Lie makes of a true response a false one.
type Lie func(response []byte) []byte

// Given is what an adversary has at hand.
type Given struct {
	Self   barnraise.ServerID
	Key    ed25519.PrivateKey // the server's
	Others []Other            // servers of the network, by id
	Pact   *Pact              // shared by those who act together; nil for none of its own
	Random func() float64     // below 1; safe for concurrent use
	Now    func() time.Time
	HTTP   *http.Client // by which it reaches others; who asks nobody needs none

	Snapshot func(context.Context) (*barnraise.Snapshot, error) // the registry; who hands out no evidence needs none
}

// Other is another server.
type Other struct {
	ID  barnraise.ServerID
	URL string
}

// Adversary is one server that cannot be relied on. It is safe for concurrent use.
type Adversary struct {
	Kind
	act act

	mu    sync.Mutex
	about map[barnraise.Digest]Lie // what a turncoat lies about, by image
}

// New makes an adversary of that kind.
func New(k Kind, g Given) *Adversary {
	if g.Pact == nil {
		g.Pact = NewPact()
	}
	a := &Adversary{Kind: k, about: make(map[barnraise.Digest]Lie)}
	switch {
	case k.begin != nil:
		a.act = k.begin(g)
	case k.Name == Turncoat:
		a.act = a.turncoat(g)
	}
	return a
}

// Around is the endpoint as the adversary has it: calls are answered its way, and the rest as the server does.
func (a *Adversary) Around(server http.Handler) http.Handler {
	if a.act == nil {
		return server
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1/services/") {
			server.ServeHTTP(w, r)
			return
		}
		c, err := take(server, w, r)
		if err != nil {
			http.Error(w, "the request did not arrive whole", http.StatusBadRequest)
			return
		}
		a.act(c)
	})
}

// Turn has a turncoat lie about what runs in an image from now on, the way it is told, or tell the truth again where how is nil.
func (a *Adversary) Turn(image barnraise.Digest, how Lie) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.about[image] = how
}

// Turned is how a turncoat lies about what runs in an image, nil where it tells the truth.
func (a *Adversary) Turned(image barnraise.Digest) Lie {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.about[image]
}

func (a *Adversary) turncoat(g Given) act {
	return func(c *call) {
		said := c.honest()
		if receipt, ok := said.receipt(); ok {
			if lie := a.Turned(receipt.Image); lie != nil {
				said.become(lie(said.body), receipt, g.Key)
			}
		}
		said.send(c.w)
	}
}

// Late is an endpoint whose answers to calls leave so much later than they could. by is asked at every call.
func Late(server http.Handler, by func() time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := by()
		if d <= 0 || r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1/services/") {
			server.ServeHTTP(w, r)
			return
		}
		c, err := take(server, w, r)
		if err != nil {
			http.Error(w, "the request did not arrive whole", http.StatusBadRequest)
			return
		}
		said := c.honest()
		c.wait(d)
		said.send(w)
	})
}
