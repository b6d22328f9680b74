package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"barnraise"
	"barnraise/dial/doors"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/runtime"
)

// start gets what a revision needs, runs it, and tries it with an example of its own before anybody else does. Where it fails
// nothing is left running.
func (s *Server) start(ctx context.Context, snapshot *barnraise.Snapshot, k hostKey) (*hosted, error) {
	service, _ := snapshot.Service(k.service)
	revision, _ := service.Revision(k.revision)
	sources := s.sources(ctx, snapshot, k.service, revision)
	m, err := s.fetch(ctx, k, sources, revision)
	if err != nil {
		return nil, err
	}
	s.broker.licensed(k, m.Licence)
	if why := s.broker.denied(snapshot, k); why != "" {
		return nil, fmt.Errorf("%w: %s", errDenied, why)
	}
	home, _ := snapshot.Server(revision.Home)
	variants, err := s.pull(ctx, k.service, image.Sources(sources, home.URL, revision.Reference), revision.Image)
	if err != nil {
		return nil, err
	}
	blobs, err := s.images.Blobs(revision.Image)
	if err != nil {
		return nil, err
	}
	h := &hosted{
		hostKey: k, spec: runtime.Spec{Image: revision.Image, Limits: m.Limits}, blobs: blobs, places: make(chan struct{}, maxCalls),
		own:     s.owns(snapshot, service, revision),
		subject: subject(revision.Image, m, variants),
	}
	if err := s.gate.pass(ctx, s.runtime, h.subject); err != nil {
		return nil, err
	}
	if err := s.runOne(ctx, h, variants, m); err != nil {
		return nil, err
	}
	h.since = time.Now()
	h.recheck = s.now().Add(soon())
	return h, nil
}

// errDenied is the error for a revision whose manifest says what the operator denies.
var errDenied = errors.New("it is not to run here")

// runOne makes the first of the variants run that can.
func (s *Server) runOne(ctx context.Context, h *hosted, variants []image.Variant, m manifest.Manifest) (err error) {
	var reasons []error
	for _, v := range variants {
		h.spec.Platform, h.platform = v.Manifest, v.Platform
		if h.instance, err = s.run(ctx, h.spec, m); !errors.Is(err, runtime.ErrCannot) {
			return err
		}
		s.log.Warn("this variant cannot run here", "service", h.service, "revision", h.revision, "platform", v.Platform, "err", err)
		reasons = append(reasons, fmt.Errorf("%s: %w", v.Platform, err))
	}
	return errors.Join(reasons...)
}

// startsAtOnce is how many revisions are made to run at a time: each may take a module's size in memory many times over.
const startsAtOnce = 4

// run makes a revision run and probes it.
func (s *Server) run(ctx context.Context, spec runtime.Spec, m manifest.Manifest) (runtime.Instance, error) {
	select {
	case s.starting <- struct{}{}:
		defer func() { <-s.starting }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	instance, err := s.runtime.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	if err := probe(ctx, instance, m); err != nil {
		return nil, errors.Join(err, stop(instance))
	}
	return instance, nil
}

// stopWithin is how long a service may take to stop: longer than any of its calls may last.
const stopWithin = 2 * time.Minute

// stop ends an instance, whoever else is in a hurry.
func stop(i runtime.Instance) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return i.Stop(ctx)
}

// askingWithin is how long an engine may take to say what it can run.
const askingWithin = 10 * time.Second

// pull gets those variants of an image that can run here, from this machine's own builds, other servers or the registry it was
// pushed to, if there is room for it. What is to run comes first.
func (s *Server) pull(ctx context.Context, id barnraise.ServiceID, sources []string, index barnraise.Digest) ([]image.Variant, error) {
	if err := s.adopt(id, index); err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, askingWithin)
	platforms := s.runtime.Platforms(asking)
	cancel()
	if len(platforms) == 0 {
		return nil, fmt.Errorf("pull image %s: nothing on this machine can run services now; see: barnraise doctor", index)
	}
	puller := *s.puller
	puller.Room = func(bytes int64) (func(), error) { return s.room(id, uint64(bytes)) }
	variants, err := puller.Pull(ctx, index, sources, platforms...)
	place := func(v image.Variant) int { return slices.Index(platforms, v.Platform) }
	slices.SortFunc(variants, func(a, b image.Variant) int { return cmp.Compare(place(a), place(b)) })
	return variants, err
}

// maxSources is how many servers are asked for what belongs to a revision, in one start. Each may take its time.
const maxSources = 5

// holder is a URL where what belongs to a revision may lie, with those who have registered it: anybody may register anybody's.
type holder struct {
	url     string
	servers []barnraise.Server
}

// avoided is for how long a server is not asked for an image at first that has not introduced itself. In a private network servers start
// together, and one that was not ready yet is wanted a moment later.
func avoided(n registry.Network) time.Duration {
	if n.Private() {
		return time.Second
	}
	return doors.Avoided
}

// holders draws who may hold what belongs to a revision: some of those that offer it, which anybody may, in any order, and then its
// home (protocol 2.8).
func (s *Server) holders(snapshot *barnraise.Snapshot, id barnraise.ServiceID, r barnraise.Revision) (list []holder) {
	at := make(map[string]int)
	add := func(id barnraise.ServerID) {
		v, ok := snapshot.Server(id)
		if !ok || v.Status != barnraise.StatusActive || slices.Contains(s.urls(), v.URL) {
			return
		}
		if i, drawn := at[v.URL]; drawn {
			list[i].servers = append(list[i].servers, v)
			return
		}
		at[v.URL] = len(list)
		list = append(list, holder{v.URL, []barnraise.Server{v}})
	}
	for _, host := range snapshot.Hosts(id) {
		if host != r.Home {
			add(host)
		}
	}
	draws := rand.New(rand.NewPCG(s.seed^uint64(s.now().UnixNano()), uint64(id)))
	draws.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = list[:min(len(list), maxSources-1)]
	clear(at)
	for i, h := range list {
		at[h.url] = i
	}
	add(r.Home)
	return list
}

// sources draws the URLs of servers that may hold what belongs to a revision, and have introduced themselves: nothing else is sent
// to others (protocol 10.1).
func (s *Server) sources(ctx context.Context, snapshot *barnraise.Snapshot, id barnraise.ServiceID, r barnraise.Revision) (urls []string) {
	drawn := s.holders(snapshot, id, r)
	met := make([]bool, len(drawn))
	var group sync.WaitGroup
	for i, h := range drawn {
		group.Go(func() { met[i] = s.meets(ctx, snapshot, h) })
	}
	group.Wait()
	for i, h := range drawn {
		if met[i] {
			urls = append(urls, h.url)
		}
	}
	return urls
}

// meets reports whether one of those who have registered a URL is behind it.
func (s *Server) meets(ctx context.Context, snapshot *barnraise.Snapshot, h holder) bool {
	if slices.ContainsFunc(h.servers, s.doors.Met) {
		return true
	}
	err := s.doors.Meet(ctx, snapshot, h.servers[rand.IntN(len(h.servers))])
	if err == nil || slices.ContainsFunc(h.servers, s.doors.Met) { // whoever asks for one may find the other
		return true
	}
	s.log.Debug("a server is not asked for what it may hold", "url", h.url, "err", err)
	return false
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
