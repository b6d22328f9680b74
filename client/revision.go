package client

import (
	"context"
	"fmt"

	"barnraise"
	"barnraise/judge"
	"barnraise/manifest"
	"barnraise/verifier"
)

// target is the revision that a call means, with what is needed to judge its answers.
type target struct {
	snapshot *barnraise.Snapshot
	service  barnraise.Service
	revision barnraise.Revision
	hosts    []candidate
	seen     *seen // what is known of bodies in one call; nil for nothing
	*kit
}

// kit is what a manifest and a verifier make together. It never changes.
type kit struct {
	manifest manifest.Manifest
	verifier *verifier.Verifier
}

// target finds out what ref means and fetches manifest and verifier where this client has not got them.
func (c *Client) target(ctx context.Context, ref string) (target, error) {
	s, old, err := c.snapshot(ctx)
	if err != nil {
		return target{}, fmt.Errorf("read registry: %w", err)
	}
	t, err := c.targetIn(ctx, s, ref)
	if old && (err != nil || len(t.hosts) == 0) {
		if s, err = c.renew(ctx); err != nil {
			return target{}, fmt.Errorf("read registry: %w", err)
		}
		t, err = c.targetIn(ctx, s, ref)
	}
	if err == nil {
		t.kit, err = c.kit(ctx, t)
	}
	return t, err
}

// targetIn finds out what ref means in a view of the registry.
func (c *Client) targetIn(ctx context.Context, s *barnraise.Snapshot, ref string) (target, error) {
	id, pin, err := c.resolve(ctx, s, ref)
	if err != nil {
		return target{}, err
	}
	service, revision, ok := s.Active(id)
	if pin != 0 {
		revision, ok = service.Revision(pin)
		ok = ok && service.Status != barnraise.StatusGone
	}
	switch {
	case !ok:
		return target{}, fmt.Errorf("%w: %s has no active revision at block %d", ErrNotFound, id, s.Block)
	case revision.Revoked:
		return target{}, fmt.Errorf("%w: %s@%d was revoked: %q", ErrNotFound, id, revision.Number, revision.Reason)
	case revision.ActiveFrom > s.Block:
		return target{}, fmt.Errorf("%w: %s@%d becomes active at block %d, this is block %d", ErrNotFound, id, revision.Number, revision.ActiveFrom, s.Block)
	}
	return target{snapshot: s, service: service, revision: revision, hosts: c.hosts(s, id), seen: new(seen)}, nil
}

// home is the id of the home where it counts, else zero.
func (t target) home() barnraise.ServerID {
	if h, ok := t.snapshot.Home(t.service.ID, t.revision); ok {
		return h.ID
	}
	return 0
}

// judge puts response bodies before the service's verifier.
func (t target) judge(ctx context.Context, request []byte) judge.Verifier {
	return func(bodies [][]byte) judge.Finding {
		requests := make([][]byte, len(bodies))
		for i := range requests {
			requests[i] = request
		}
		r := t.verifier.Verify(ctx, t.manifest.VerifierConfig(), requests, bodies)
		return judge.Finding{Verdict: r.Verdict, Trapped: r.Problem != nil && ctx.Err() == nil}
	}
}
