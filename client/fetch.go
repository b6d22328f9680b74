package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/manifest"
	"barnraise/verifier"
)

// Bounds of looking for what belongs to a revision. Who is slow holds nobody up, and nobody is asked by too many.
const (
	hedge      = 500 * time.Millisecond // how long one source is waited for before the next is asked beside it
	maxSources = 16                     // servers that are asked in all; the network file's gateways come after them
	holders    = 4                      // servers that an image is looked for at
)

// kit fetches manifest and verifier by their CIDs from whoever has them: nobody needs to be believed. The manifest says how
// long the verifier may be, so it comes first (protocol 2.5, 5.6).
func (c *Client) kit(ctx context.Context, t target) (*kit, error) {
	c.mu.Lock()
	k, ok := c.kits[t.revision.Manifest+"/"+t.revision.Verifier]
	c.mu.Unlock()
	if ok {
		return k, nil
	}
	k, err := c.makeKit(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kits[t.revision.Manifest+"/"+t.revision.Verifier] = k
	return k, nil
}

func (c *Client) makeKit(ctx context.Context, t target) (*kit, error) {
	find := search{c: c, target: t}
	document, err := find.fetch(ctx, t.revision.Manifest, manifest.MaxSize)
	if err != nil {
		return nil, err
	}
	k := new(kit)
	if k.manifest, err = manifest.Parse(document); err != nil {
		return nil, err
	}
	l := k.manifest.VerifierLimits
	module, err := find.fetch(ctx, t.revision.Verifier, int64(l.Module))
	if err != nil {
		return nil, err
	}
	k.verifier, err = c.verifier.Load(ctx, module, verifier.Limits{Module: uint64(l.Module), Memory: uint64(l.Memory), Fuel: l.Fuel})
	return k, err
}

// search looks for what belongs to one revision.
type search struct {
	c *Client
	target
	sources []barnraise.Server // once they are drawn; who delivered last comes first
}

// fetch gets content of at most limit bytes from the store, or else from servers that have introduced themselves, drawn at
// random, and then from the gateways of the network file, which need not: whoever wrote it is believed to know them.
func (s *search) fetch(ctx context.Context, id barnraise.CID, limit int64) ([]byte, error) {
	b, err := s.c.fetcher.FetchUpTo(ctx, id, limit, nil)
	if err == nil || errors.Is(err, content.ErrTooLarge) {
		return b, err
	}
	if s.sources == nil {
		s.sources = s.c.shuffled(s.target)
		for _, url := range s.c.network.Gateways {
			s.sources = append(s.sources, barnraise.Server{URL: url})
		}
	}
	from, failures := race(ctx, s.sources, 1, func(ctx context.Context, v barnraise.Server) error {
		if v.ID != 0 {
			if err := s.c.introduce(ctx, s.snapshot, v); err != nil {
				return fmt.Errorf("%.200q: %w", v.URL, err)
			}
		}
		_, err := s.c.fetcher.FetchUpTo(ctx, id, limit, []string{v.URL})
		return err
	})
	if len(from) > 0 {
		s.sources = slices.DeleteFunc(s.sources, func(v barnraise.Server) bool { return v.ID == from[0].ID && v.URL == from[0].URL })
		s.sources = slices.Insert(s.sources, 0, from[0])
	}
	b, err = s.c.fetcher.FetchUpTo(ctx, id, limit, nil)
	if err != nil && failures != nil {
		err = failures
	}
	return b, err
}

// shuffled lists the servers that may hold what belongs to the revision, in an order of chance; those that have introduced
// themselves come first.
func (c *Client) shuffled(t target) (servers []barnraise.Server) {
	for _, h := range t.hosts {
		if h.why == "" {
			servers = append(servers, h.Server)
		}
	}
	c.mu.Lock()
	c.random.Shuffle(len(servers), func(i, j int) { servers[i], servers[j] = servers[j], servers[i] })
	c.mu.Unlock()
	known := make(map[barnraise.ServerID]bool)
	for _, v := range servers {
		known[v.ID] = c.introduced(v)
	}
	slices.SortStableFunc(servers, func(a, b barnraise.Server) int {
		switch {
		case known[a.ID] == known[b.ID]:
			return 0
		case known[a.ID]:
			return -1
		}
		return 1
	})
	return servers[:min(len(servers), maxSources)]
}

// sources lists the URLs of some servers that may hold the image and have introduced themselves.
func (c *Client) sources(ctx context.Context, t target) (urls []string) {
	servers, _ := race(ctx, c.shuffled(t), holders, func(ctx context.Context, v barnraise.Server) error {
		return c.introduce(ctx, t.snapshot, v)
	})
	for _, v := range servers {
		urls = append(urls, v.URL)
	}
	return urls
}

// race runs f for one item after the other, the next as soon as one has ended or taken longer than hedge, until it has succeeded
// for so many; once it has for one, who is late and the last is not waited for. What still runs then is stopped. It returns the
// items for which f succeeded, first come first, and how f failed for others.
func race[T any](ctx context.Context, items []T, want int, f func(context.Context, T) error) (good []T, failures error) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	type result struct {
		item T
		err  error
	}
	results := make(chan result, len(items))
	started, ended := 0, 0
	for len(good) < want && ended < len(items) {
		if started < len(items) {
			item := items[started]
			started++
			group.Go(func() { results <- result{item, f(ctx, item)} })
		}
		var late <-chan time.Time
		if started < len(items) || len(good) > 0 {
			late = time.After(hedge)
		}
		select {
		case r := <-results:
			ended++
			if r.err == nil {
				good = append(good, r.item)
			} else {
				failures = errors.Join(failures, r.err)
			}
		case <-late:
			if started == len(items) {
				return good, failures
			}
		case <-ctx.Done():
			return good, errors.Join(failures, context.Cause(ctx))
		}
	}
	return good, failures
}
