package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"barnraise"
	"barnraise/manifest"
)

// Bounds of looking for what belongs to a revision. Who is slow holds nobody up, and nobody is asked by too many.
const (
	hedge      = 500 * time.Millisecond // how long one source is waited for before the next is asked beside it
	maxSources = 16                     // servers that are asked in all; the network file's gateways come after them
	holders    = 4                      // servers that an image is looked for at
)

// kit fetches manifest and verifier by their CIDs from whoever has them: nobody needs to be believed.
func (c *Client) kit(ctx context.Context, t target) (*kit, error) {
	c.mu.Lock()
	k, ok := c.kits[t.revision.Manifest+"/"+t.revision.Verifier]
	c.mu.Unlock()
	if ok {
		return k, nil
	}
	document, module, err := c.fetch(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	k = &kit{}
	if k.manifest, err = manifest.Parse(document); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if k.verifier, err = c.verifier.Load(ctx, module); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kits[t.revision.Manifest+"/"+t.revision.Verifier] = k
	return k, nil
}

// fetch gets manifest and verifier from the store, or else from servers that have introduced themselves, drawn at random, and
// then from the gateways of the network file, which need not: whoever wrote it is believed to know them.
func (c *Client) fetch(ctx context.Context, t target) (document, module []byte, err error) {
	get := func(ctx context.Context, sources ...string) (document, module []byte, err error) {
		document, err = c.fetcher.Fetch(ctx, t.revision.Manifest, sources)
		module, err2 := c.fetcher.Fetch(ctx, t.revision.Verifier, sources)
		return document, module, errors.Join(err, err2)
	}
	if document, module, err = get(ctx); err == nil {
		return document, module, nil
	}
	sources := c.shuffled(t)
	for _, url := range c.network.Gateways {
		sources = append(sources, barnraise.Server{URL: url})
	}
	_, failures := race(ctx, sources, 1, func(ctx context.Context, v barnraise.Server) error {
		if v.ID != 0 {
			if err := c.introduce(ctx, t.snapshot, v); err != nil {
				return fmt.Errorf("%.200q: %w", v.URL, err)
			}
		}
		_, _, err := get(ctx, v.URL)
		return err
	})
	document, module, err = get(ctx) // perhaps one had this and another one that
	if err != nil && failures != nil {
		err = failures
	}
	return document, module, err
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
