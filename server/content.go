package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/manifest"
	"barnraise/verifiers"
)

// What is pinned of a revision, as the reasons of the pins say it: "#3@1 verifier".
const (
	pinnedManifest = "manifest"
	pinnedVerifier = "verifier"
)

func reason(k hostKey, what string) string {
	return fmt.Sprintf("%s@%d %s", k.service, k.revision, what)
}

// pinnedFor reads a reason. False where it is none of this server's.
func pinnedFor(text string) (k hostKey, ok bool) {
	var what string
	if n, _ := fmt.Sscanf(text, "#%d@%d %s", &k.service, &k.revision, &what); n != 3 {
		return hostKey{}, false
	}
	return k, text == reason(k, what) && (what == pinnedManifest || what == pinnedVerifier)
}

// fetch gets manifest and verifier, and pins both as long as the revision is to run here. The verifier is not run: it is kept
// so that callers find it. The manifest says how long it may be (protocol 2.5, 5.6).
func (s *Server) fetch(ctx context.Context, k hostKey, sources []string, r barnraise.Revision) (manifest.Manifest, error) {
	sources = append(sources[:len(sources):len(sources)], s.network.Gateways...)
	document, err := s.keep(ctx, sources, r.Manifest, manifest.MaxSize, reason(k, pinnedManifest))
	if err != nil {
		return manifest.Manifest{}, err
	}
	m, err := manifest.Parse(document)
	if err != nil {
		return m, err
	}
	_, err = s.keep(ctx, sources, r.Verifier, int64(m.VerifierLimits.Module), reason(k, pinnedVerifier))
	return m, err
}

// keep gets content of at most limit bytes, from this machine's own builds or from others, and pins it.
func (s *Server) keep(ctx context.Context, sources []string, c barnraise.CID, limit int64, why string) ([]byte, error) {
	if s.local != nil {
		if b, err := s.local.Content.File(c, limit); err == nil {
			if _, _, err := s.content.Add(bytes.NewReader(b), limit); err != nil {
				return nil, err
			}
		}
	}
	release, err := s.contentRoom(c, limit)
	if err != nil {
		return nil, err
	}
	defer release()
	b, err := s.fetcher.FetchUpTo(ctx, c, limit, sources)
	if err != nil {
		return nil, err
	}
	s.pinning.Lock()
	defer s.pinning.Unlock()
	return b, s.content.Pin(c, why)
}

// keepStandard makes the standard verifiers fresh: whoever publishes with one of them finds it at any server.
func (s *Server) keepStandard() error {
	for _, name := range verifiers.Names() {
		module, _ := verifiers.Module(name)
		if _, _, err := s.content.Add(bytes.NewReader(module), content.MaxFile); err != nil {
			return err
		}
	}
	return nil
}

// Between collections of garbage, and for so long content stays that is pinned by nothing.
const (
	collectEvery = 24 * time.Hour
	collectGrace = 24 * time.Hour
)

// tidy removes, beside everything else, content and images that are of no use any more, once a day. What is wanted must be known.
func (s *Server) tidy() {
	now := s.now()
	if !s.tidied.IsZero() && now.Sub(s.tidied) < collectEvery {
		return
	}
	s.tidied = now
	s.work.Go(func() {
		if err := s.collect(now); err != nil {
			s.log.Warn("collect garbage", "err", err)
		}
	})
}

func (s *Server) collect(now time.Time) error {
	if err := errors.Join(s.unpin(), s.keepStandard()); err != nil {
		return err
	}
	removed, err := s.content.GC(now, collectGrace)
	if err == nil {
		s.log.Info("collected garbage", "blocks", len(removed.Blocks), "bytes", removed.Bytes)
	}
	return errors.Join(err, s.collectImages(now, collectGrace))
}

// unpin takes back the pins of revisions that are not to run here any more. Pins of others stay.
func (s *Server) unpin() error {
	s.pinning.Lock() // whoever pins after this is of a revision that is wanted by then
	defer s.pinning.Unlock()
	pins, err := s.content.Pins()
	if err != nil {
		return err
	}
	s.mu.RLock()
	wanted := make(map[hostKey]bool)
	for _, k := range s.wanted {
		wanted[k] = true
	}
	s.mu.RUnlock()
	var failures []error
	for _, p := range pins {
		if k, ours := pinnedFor(p.Reason); ours && !wanted[k] {
			failures = append(failures, s.content.Unpin(p.CID, p.Reason))
		}
	}
	return errors.Join(failures...)
}

// skipped notes a source that failed, though another may have delivered.
func (s *Server) skipped(source string, err error) {
	if errors.Is(err, content.ErrMismatch) {
		s.log.Warn("skipped a source that sends other bytes", "source", source, "err", err)
		return
	}
	s.log.Debug("skipped a source", "source", source, "err", err)
}
