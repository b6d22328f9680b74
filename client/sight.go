package client

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"barnraise"
	"barnraise/registry/evm"
)

// Of what age a view of the registry may be where the client reads it itself, and how often it is renewed at most because a server
// says that there is a newer block (protocol 10.4).
const (
	registryAge = 12 * time.Second
	hintEvery   = 10 * time.Second
)

// sight is what the client saw of the registry last.
type sight struct {
	age time.Duration // how old it may be; zero for not at all

	mu       sync.Mutex
	snapshot *barnraise.Snapshot // nil for none
	at       time.Time
	renewal  *renewal  // under way; nil for none
	hinted   time.Time // when it was renewed because of a hint

	of    *barnraise.Snapshot // whose candidates these are
	hosts map[barnraise.ServiceID][]candidate
}

// indexOptions are those with which the client reads the registry itself. What it read last lets it go on for a day while no RPC
// endpoint can be asked; from an hour on [WithReport] hears of it. What it read of a network that is not on this machine alone is kept.
func (c *Client) indexOptions() []evm.Option {
	options := []evm.Option{evm.WithLastView(), evm.WithClock(c.now), evm.WithWarn(func(s string) {
		if c.report != nil {
			c.report("registry", errors.New(s))
		}
	})}
	if !c.network.Private() {
		options = append(options, evm.WithKeeper(evm.BaseFile(filepath.Join(c.cache, "registry"), c.network)))
	}
	return options
}

// snapshot shows the registry, old if nobody was asked for it just now.
func (c *Client) snapshot(ctx context.Context) (s *barnraise.Snapshot, old bool, err error) {
	v := &c.sight
	v.mu.Lock()
	s = v.snapshot
	age := c.now().Sub(v.at)
	if s == nil || age < 0 || age >= v.age {
		v.mu.Unlock()
		s, err = c.renewTogether(ctx)
		return s, false, err
	}
	if age >= v.age/6 {
		c.renewSoon()
	}
	v.mu.Unlock()
	return s, true, nil
}

// renew asks for the registry as it is now.
func (c *Client) renew(ctx context.Context) (*barnraise.Snapshot, error) {
	asked := c.now()
	s, err := c.registry.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	c.sight.mu.Lock()
	defer c.sight.mu.Unlock()
	if c.sight.age > 0 && !asked.Before(c.sight.at) {
		c.sight.snapshot, c.sight.at = s, asked
	}
	return s, nil
}

// renewSoon renews the view behind the caller's back, who holds its lock. What fails is tried again by the next call.
func (c *Client) renewSoon() {
	if c.sight.renewal != nil {
		return
	}
	w := &renewal{done: make(chan struct{})}
	c.sight.renewal = w
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(c.life, registryAge)
		defer cancel()
		defer close(w.done)
		w.s, w.err = c.renew(ctx)
		c.sight.mu.Lock()
		defer c.sight.mu.Unlock()
		c.sight.renewal = nil
	}()
}

// renewal is asking for the registry on behalf of everybody who waits for it.
type renewal struct {
	done chan struct{} // closed once the rest is set
	s    *barnraise.Snapshot
	err  error
}

// renewTogether asks for the registry, once for all calls that find their view too old at the same time. Where what others have begun
// before fails, it is asked once more. Without an age each call asks for itself: none is to see what was before it.
func (c *Client) renewTogether(ctx context.Context) (s *barnraise.Snapshot, err error) {
	if c.sight.age <= 0 {
		return c.renew(ctx)
	}
	for range 2 {
		c.sight.mu.Lock()
		fresh := c.sight.renewal == nil
		c.renewSoon()
		w := c.sight.renewal
		c.sight.mu.Unlock()
		select {
		case <-w.done:
			s, err = w.s, w.err
		case <-ctx.Done():
		}
		switch {
		case ctx.Err() != nil:
			return nil, ended(ctx)
		case err == nil || fresh:
			return s, err
		}
	}
	return s, err
}

// hint has the view renewed because of what a server says, which may be anything.
func (c *Client) hint() {
	c.sight.mu.Lock()
	defer c.sight.mu.Unlock()
	if now := c.now(); c.sight.snapshot != nil && now.Sub(c.sight.hinted) >= hintEvery {
		c.sight.hinted = now
		c.renewSoon()
	}
}

// refresh is hint for a call that failed: it waits for what is seen then. Where nothing is renewed, that is what was seen last.
func (c *Client) refresh(ctx context.Context) (*barnraise.Snapshot, error) {
	c.hint()
	c.sight.mu.Lock()
	seen, renewing := c.sight.snapshot, c.sight.renewing
	c.sight.mu.Unlock()
	if seen == nil {
		return c.renew(ctx)
	}
	if renewing != nil {
		select {
		case <-renewing:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c.sight.mu.Lock()
	defer c.sight.mu.Unlock()
	return c.sight.snapshot, nil
}

// hosts lists the servers that offer a service as [Client.candidates] does, once for each view of the registry. The list is not to
// be changed.
func (c *Client) hosts(s *barnraise.Snapshot, id barnraise.ServiceID) []candidate {
	v := &c.sight
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.of != s {
		v.of, v.hosts = s, make(map[barnraise.ServiceID][]candidate)
	}
	list, ok := v.hosts[id]
	if !ok {
		list = c.candidates(s, id)
		v.hosts[id] = list
	}
	return list
}
