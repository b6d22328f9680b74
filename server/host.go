package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"barnraise"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
)

// hostKey names a revision of a service.
type hostKey struct {
	service  barnraise.ServiceID
	revision uint32
}

// hosted is a revision that runs here.
type hosted struct {
	hostKey
	spec     runtime.Spec
	instance runtime.Instance
	blobs    []barnraise.Digest
	since    time.Time
	places   chan struct{} // calls under way, those included that wait for the runtime
}

// maxWaiting is how many calls of one revision may be under way at once; more are sent away with 429.
const maxWaiting = 64

// trial remembers a start that failed.
type trial struct {
	failures int
	next     time.Time
}

// backoff is how long a server waits after so many failed starts before it tries again.
func backoff(failures int) time.Duration { return min(time.Second<<min(failures-1, 20), 5*time.Minute) }

// wanted lists the revisions that a server is to run: of each of its own services and of those it offers on chain the active
// one, its successor once that is published, and its predecessor for one more grace (protocol 1.4).
func wanted(snapshot *barnraise.Snapshot, me barnraise.Server, own []barnraise.ServiceID) (keys []hostKey) {
	services := append(slices.Clone(own), me.Offers...)
	slices.Sort(services)
	for _, id := range slices.Compact(services) {
		service, active, ok := snapshot.Active(id)
		for _, r := range service.Revisions {
			switch {
			case service.Status == barnraise.StatusGone || r.Revoked:
			case ok && r.Number == active.Number, r.ActiveFrom > snapshot.Block:
				keys = append(keys, hostKey{id, r.Number})
			case ok && r.Number == before(service, active) && snapshot.Block < active.ActiveFrom+snapshot.Grace:
				keys = append(keys, hostKey{id, r.Number})
			}
		}
	}
	return keys
}

// before is the number of the newest revision below r that is not revoked, else zero.
func before(s barnraise.Service, r barnraise.Revision) uint32 {
	for _, o := range slices.Backward(s.Revisions) {
		if o.Number < r.Number && !o.Revoked {
			return o.Number
		}
	}
	return 0
}

// sync looks at the registry once: it starts what is wanted and not running, stops what is running and not wanted, and offers
// on chain what it runs of its own.
func (s *Server) sync(ctx context.Context) error {
	snapshot, err := s.registry.Snapshot(ctx)
	if err != nil {
		return err
	}
	s.block.Store(snapshot.Block)
	me, err := s.self(snapshot)
	if err != nil {
		return err
	}
	s.id.Store(uint32(me.ID))
	keys := wanted(snapshot, me, s.config.Own)
	for _, k := range keys {
		if s.running(k) || !s.due(k) {
			continue
		}
		err := s.start(ctx, snapshot, k)
		if ctx.Err() != nil {
			return nil
		}
		s.tried(k, err)
	}
	s.stopAllBut(ctx, keys)
	return s.announce(ctx, me)
}

// self finds this server in the registry: by its id, or else by URL and key.
func (s *Server) self(snapshot *barnraise.Snapshot) (barnraise.Server, error) {
	mine := func(v barnraise.Server) bool {
		key, ok := v.Key()
		return ok && key.Key == s.publicKey() && v.URL == s.config.URL && v.Status == barnraise.StatusActive
	}
	if s.config.Server != 0 {
		v, ok := snapshot.Server(s.config.Server)
		if !ok || !mine(v) {
			return v, fmt.Errorf("server %d is not registered with URL %s and this key: look at it with: barnraise servers show %d", s.config.Server, s.config.URL, s.config.Server)
		}
		return v, nil
	}
	for _, v := range snapshot.Servers() {
		if mine(v) {
			return v, nil
		}
	}
	return barnraise.Server{}, fmt.Errorf("no server is registered with URL %s and key %s: register it with: barnraise servers register", s.config.URL, s.publicKey())
}

func (s *Server) running(k hostKey) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.hosted[k.service][k.revision] != nil
}

func (s *Server) due(k hostKey) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return !time.Now().Before(s.trials[k].next)
}

func (s *Server) tried(k hostKey, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.trials, k)
		s.log.Info("started", "service", k.service, "revision", k.revision)
		return
	}
	t := s.trials[k]
	t.failures++
	t.next = time.Now().Add(backoff(t.failures))
	s.trials[k] = t
	s.log.Warn("start", "service", k.service, "revision", k.revision, "again in", backoff(t.failures), "err", err)
}

// start gets what a revision needs, runs it, and tries it with an example of its own before anybody else does.
func (s *Server) start(ctx context.Context, snapshot *barnraise.Snapshot, k hostKey) error {
	service, _ := snapshot.Service(k.service)
	revision, _ := service.Revision(k.revision)
	m, err := s.fetch(ctx, snapshot, k.service, revision)
	if err != nil {
		return err
	}
	variant, err := s.pull(ctx, s.sources(snapshot, k.service, revision), revision.Image)
	if err != nil {
		return err
	}
	spec := runtime.Spec{Image: revision.Image, Platform: variant.Manifest, Limits: m.Limits}
	instance, err := s.runtime.Start(ctx, spec)
	if err != nil {
		return err
	}
	if err := probe(ctx, instance, m); err != nil {
		return errors.Join(err, instance.Stop(ctx))
	}
	blobs, err := s.images.Blobs(revision.Image)
	if err != nil {
		return errors.Join(err, instance.Stop(ctx))
	}
	s.admit(&hosted{
		hostKey: k, spec: spec, instance: instance, blobs: blobs, since: time.Now(), places: make(chan struct{}, maxWaiting),
	})
	return nil
}

// fetch gets manifest and verifier. The verifier is not run here: it is kept so that callers find it.
func (s *Server) fetch(ctx context.Context, snapshot *barnraise.Snapshot, id barnraise.ServiceID, r barnraise.Revision) (manifest.Manifest, error) {
	sources := append(s.sources(snapshot, id, r), s.network.Gateways...)
	var document []byte
	for _, c := range []barnraise.CID{r.Verifier, r.Manifest} {
		if s.local != nil {
			if b, err := s.local.Content.Get(c); err == nil {
				if _, err := s.content.Put(b); err != nil {
					return manifest.Manifest{}, err
				}
			}
		}
		var err error
		if document, err = s.fetcher.Fetch(ctx, c, sources); err != nil {
			return manifest.Manifest{}, err
		}
	}
	return manifest.Parse(document)
}

// pull gets the wasm variant of an image, from this machine's own builds or from other servers.
func (s *Server) pull(ctx context.Context, sources []string, index barnraise.Digest) (image.Variant, error) {
	if s.local != nil {
		if err := s.copyLocal(index); err != nil && !errors.Is(err, image.ErrNotFound) {
			return image.Variant{}, err
		}
	}
	if _, err := s.puller.Pull(ctx, index, sources, image.Wasm); err != nil {
		return image.Variant{}, err
	}
	return s.images.Variant(index, image.Wasm)
}

func (s *Server) copyLocal(index barnraise.Digest) error {
	blobs, err := s.local.Images.Blobs(index)
	if err != nil {
		return err
	}
	for _, d := range blobs {
		if err := s.copyBlob(d); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) copyBlob(d barnraise.Digest) error {
	r, size, err := s.local.Images.Open(d)
	if err != nil {
		return err
	}
	defer r.Close()
	return s.images.Import(d, r, size)
}

// sources lists the URLs of servers that may hold what belongs to a revision: its hosts, then its home.
func (s *Server) sources(snapshot *barnraise.Snapshot, id barnraise.ServiceID, r barnraise.Revision) (urls []string) {
	for _, server := range append(snapshot.Hosts(id), r.Home) {
		v, ok := snapshot.Server(server)
		if ok && v.URL != s.config.URL && !slices.Contains(urls, v.URL) && v.Status == barnraise.StatusActive {
			urls = append(urls, v.URL)
		}
	}
	return urls
}

// probe calls the instance once with the first example of its manifest.
func probe(ctx context.Context, i runtime.Instance, m manifest.Manifest) error {
	examples, err := m.Examples()
	if err != nil || len(examples) == 0 {
		return err
	}
	if _, err := i.Call(ctx, examples[0]); err != nil {
		return fmt.Errorf("probe with %.200s: %w", examples[0], err)
	}
	return nil
}

// announce adds to the offers on chain what this server runs of its own, once it runs (protocol 9.3). Rewards and capacity
// follow the configuration where it speaks of them.
func (s *Server) announce(ctx context.Context, me barnraise.Server) error {
	if !s.writes {
		return nil
	}
	offers, rewards, capacity := slices.Clone(me.Offers), me.Rewards, me.Capacity
	for _, id := range s.config.Own {
		s.mu.RLock()
		runs := len(s.hosted[id]) > 0
		s.mu.RUnlock()
		if runs {
			offers = append(offers, id)
		}
	}
	slices.Sort(offers)
	offers = slices.Compact(offers)
	if s.config.Rewards != nil {
		rewards = s.config.Rewards
	}
	if s.config.Capacity != 0 {
		capacity = s.config.Capacity
	}
	if slices.Equal(offers, me.Offers) && slices.Equal(rewards, me.Rewards) && capacity == me.Capacity {
		return nil
	}
	if err := s.registry.SetLists(ctx, me.ID, offers, rewards, capacity); err != nil {
		return fmt.Errorf("announce offers: %w", err)
	}
	s.log.Info("announced", "offers", offers, "rewards", rewards)
	return nil
}

// admit lets callers in.
func (s *Server) admit(h *hosted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hosted[h.service] == nil {
		s.hosted[h.service] = make(map[uint32]*hosted)
	}
	s.hosted[h.service][h.revision] = h
	s.changed()
}

// stopAllBut stops what is not wanted any more.
func (s *Server) stopAllBut(ctx context.Context, keys []hostKey) {
	s.mu.Lock()
	var gone []*hosted
	for id, revisions := range s.hosted {
		for number, h := range revisions {
			if !slices.Contains(keys, h.hostKey) {
				gone = append(gone, h)
				delete(s.hosted[id], number)
			}
		}
	}
	if len(gone) > 0 {
		s.changed()
	}
	s.mu.Unlock()
	for _, h := range gone {
		if err := h.instance.Stop(ctx); err != nil {
			s.log.Warn("stop", "service", h.service, "revision", h.revision, "err", err)
			continue
		}
		s.log.Info("stopped", "service", h.service, "revision", h.revision)
	}
}

func (s *Server) stopAll(ctx context.Context) error {
	s.stopAllBut(ctx, nil)
	return ctx.Err()
}

// changed makes the introduction and the list of served blobs follow what is hosted. The lock is held.
func (s *Server) changed() {
	s.intro.forget()
	s.served = make(map[barnraise.Digest]bool)
	for _, revisions := range s.hosted {
		for _, h := range revisions {
			for _, d := range h.blobs {
				s.served[d] = true
			}
		}
	}
}
