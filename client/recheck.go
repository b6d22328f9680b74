package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/judge"
)

// Recheck is what this machine finds of a piece of evidence.
type Recheck struct {
	judge.Recheck
	Reruns []judge.Rerun // own executions, where they were asked for
	Policy string        // who may see it, as the manifest says: manifest.EvidenceHosts and others
}

// Recheck looks at evidence afresh: confirmed registry facts, signatures, the verifier's judgement, and, with execute, what the image
// answers on this machine. The same evidence gives the same result everywhere; nobody's word is taken for it.
//
// Where the image contradicts itself here, no call accepts an answer to that request for ten epochs (protocol 7.4).
//
// It fails with [barnraise.ErrEvidence] where the evidence does not hold: Recheck.Holds is then false. Any other error means
// that it could not be looked at, such as [ErrUnavailable], or an [UnconfirmedError] where it is too early.
func (c *Client) Recheck(ctx context.Context, e barnraise.Evidence, execute bool) (Recheck, error) {
	ctx, cancel := c.whileOpen(ctx)
	defer cancel()
	s, err := c.registry.Confirmed(ctx)
	var head *barnraise.Snapshot
	if err == nil {
		head, err = c.registry.Snapshot(ctx)
	}
	if err != nil {
		return Recheck{}, fmt.Errorf("recheck evidence: read registry: %w", err)
	}
	if err := tooEarly(e, s); err != nil {
		return Recheck{}, err
	}
	if err := e.Check(s, c.now().Unix()); err != nil {
		return Recheck{}, err
	}
	if err := strict(e); err != nil {
		return Recheck{}, fmt.Errorf("check evidence: %w: %w", err, barnraise.ErrEvidence)
	}
	service, _ := s.Service(e.Service)
	revision, _ := service.Revision(e.Revision)
	t := target{snapshot: head, service: service, revision: revision, hosts: c.candidates(head, e.Service)} // who is there to ask
	if t.kit, err = c.kit(ctx, t); err != nil {
		return Recheck{}, fmt.Errorf("recheck evidence: %w", err)
	}
	answers := judgeable(e)
	r := Recheck{Policy: t.manifest.Evidence}
	if execute {
		if r.Reruns, err = c.rerun(ctx, t, e.Request, answers); err != nil {
			return Recheck{}, fmt.Errorf("recheck evidence: %w", err)
		}
	}
	r.Recheck = judge.Examine(answers, r.Reruns, t.judge(ctx, e.Request))
	if ctx.Err() != nil {
		return Recheck{}, fmt.Errorf("recheck evidence: %w", ended(ctx))
	}
	if r.Quarantine {
		c.quarantine(revision, e.Request)
	}
	if !r.Holds {
		return r, fmt.Errorf("check evidence: the answers contradict neither each other nor the verifier: %w", barnraise.ErrEvidence)
	}
	return r, nil
}

// EvidencePolicy says who may see evidence about a revision, as its manifest says (protocol 8.3). It fails with [ErrNotFound] where
// the registry has no such revision, and with [ErrUnavailable] where its manifest cannot be had.
func (c *Client) EvidencePolicy(ctx context.Context, id barnraise.ServiceID, number uint32) (string, error) {
	ctx, cancel := c.inTime(ctx)
	defer cancel()
	s, err := c.registry.Snapshot(ctx)
	if err != nil {
		return "", fmt.Errorf("read manifest of %s@%d: read registry: %w", id, number, err)
	}
	service, _ := s.Service(id)
	revision, ok := service.Revision(number)
	if !ok {
		return "", fmt.Errorf("read manifest of %s@%d: %w", id, number, ErrNotFound)
	}
	k, err := c.kit(ctx, target{snapshot: s, service: service, revision: revision, hosts: c.candidates(s, id)})
	if err != nil {
		return "", fmt.Errorf("read manifest of %s@%d: %w", id, number, err)
	}
	return k.manifest.Evidence, nil
}

// tooEarly refuses evidence from blocks that are not confirmed yet: its revision or a key in it may not be known so far. A file
// that says another block than its receipts is not put off but found not to hold.
func tooEarly(e barnraise.Evidence, s *barnraise.Snapshot) error {
	named := barnraise.NewEvidence(e.Registry, e.Service, barnraise.Revision{}, e.Request, e.Answers).Block
	if e.Registry == s.Registry && e.Block == named && e.Block > s.Block {
		return &UnconfirmedError{Block: e.Block, Confirmed: s.Block}
	}
	return nil
}

// strict refuses bodies that no call would have put before a verifier (protocol 3.1, 3.3).
func strict(e barnraise.Evidence) error {
	if !jsonrpc.IsWire(e.Request) {
		return errors.New("the request is not in wire form")
	}
	for i, a := range e.Answers {
		if _, err := jsonrpc.ParseResponse(a.Response, jsonrpc.WireID); err != nil {
			return fmt.Errorf("answer %d: %w", i, err)
		}
	}
	return nil
}

// judgeable turns checked evidence into answers for the judge.
func judgeable(e barnraise.Evidence) (answers []judge.Answer) {
	for _, a := range e.Answers {
		receipt, token, err := barnraise.ParseReceipt(a.Receipt)
		if err != nil {
			continue // Check has read it before
		}
		answers = append(answers, judge.Answer{Server: a.Server, KeyID: token.KeyID, Platform: receipt.Platform, Body: a.Response})
	}
	return answers
}

// rerun executes the request of evidence on every platform that its receipts name and this machine can run.
func (c *Client) rerun(ctx context.Context, t target, request []byte, answers []judge.Answer) ([]judge.Rerun, error) {
	if c.rerunner == nil {
		return nil, errors.New("this program cannot run images")
	}
	job := Job{Service: t.service.ID, Revision: t.revision, Limits: t.manifest.Limits, Sources: c.sources(ctx, t), Request: request}
	for _, a := range answers {
		if !slices.Contains(job.Platforms, a.Platform) {
			job.Platforms = append(job.Platforms, a.Platform)
		}
	}
	r, err := c.rerunner.Rerun(ctx, job)
	if err != nil {
		return nil, fmt.Errorf("run the image here: %w", err)
	}
	return r.Runs, nil
}
