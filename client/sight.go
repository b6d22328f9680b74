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
	renewing chan struct{} // closed once what is under way is done; nil for nothing
	hinted   time.Time     // when it was renewed because of a hint

	of    *barnraise.Snapshot // whose candidates these are
	hosts map[barnraise.ServiceID][]candidate

	failed error // why it could not be renewed when that was tried last; nil where it was
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
	c.sight.mu.Lock()
	defer c.sight.mu.Unlock()
	if c.sight.failed = err; err != nil {
		return nil, err
	}
	if c.sight.age > 0 && !asked.Before(c.sight.at) {
		c.sight.snapshot, c.sight.at = s, asked
	}
	return s, nil
}

// renewSoon renews the view behind the caller's back, who holds its lock. What fails is tried again by the next call.
func (c *Client) renewSoon() {
	if c.sight.renewing != nil {
		return
	}
	done := make(chan struct{})
	c.sight.renewing = done
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(c.life, registryAge)
		defer cancel()
		_, _ = c.renew(ctx)
		c.sight.mu.Lock()
		defer c.sight.mu.Unlock()
		c.sight.renewing = nil
	}()
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
	seen, under := c.sight.snapshot, c.sight.renewing
	c.sight.mu.Unlock()
	if seen == nil {
		return c.renew(ctx)
	}
	if under != nil {
		select {
		case <-under:
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

// renewTogether asks for the registry, once for all calls that find their view too old at the same time. Where what others have begun
// before fails, it is asked once more. Without an age each call asks for itself: none is to see what was before it.
func (c *Client) renewTogether(ctx context.Context) (s *barnraise.Snapshot, err error) {
	v := &c.sight
	if v.age <= 0 {
		return c.renew(ctx)
	}
	came, again := c.now(), false
	for fresh := false; !fresh; {
		v.mu.Lock()
		fresh = again || v.renewing == nil // or begun since this call came
		c.renewSoon()
		done := v.renewing
		v.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return nil, ended(ctx)
		}
		v.mu.Lock()
		s, err = v.snapshot, v.failed
		age := c.now().Sub(v.at)
		good := s != nil && age >= 0 && (!v.at.Before(came) || age < v.age)
		v.mu.Unlock()
		switch {
		case good:
			return s, nil
		case fresh && err != nil:
			return nil, err
		}
		again = true
	}
	return c.renew(ctx) // the clock was turned back
}
