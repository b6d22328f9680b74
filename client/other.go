package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"barnraise"
	"barnraise/dial"

	"github.com/go-json-experiment/json"
)

// errUnknownRevision is the error of a server that does not run the revision that it was asked for.
var errUnknownRevision = errors.New("it does not run this revision")

// maxProblem is how much is read of what a server says in place of an answer, in bytes.
const maxProblem = 4 << 10

// unknownRevision reports whether a response says that the server does not run the revision.
func unknownRevision(resp *dial.Posted) bool {
	if resp.Code != http.StatusNotFound {
		return false
	}
	var b bytes.Buffer
	err := resp.ReadBody(&b, maxProblem)
	var problem struct {
		Type string `json:"type"`
	}
	return err == nil && json.Unmarshal(b.Bytes(), &problem) == nil && problem.Type == "unknown-revision"
}

// attempt makes a call of what a reference means, to one revision.
func (c *Client) attempt(ctx context.Context, ref string, request []byte, options []CallOption) (*round, *Answer, error) {
	r, err := c.round(ctx, ref, request)
	if err != nil {
		return nil, nil, fmt.Errorf("call %s: %w", ref, err)
	}
	for _, o := range options {
		o(&r.wishes)
	}
	if c.quarantined(r.revision, request) {
		return r, nil, &UndecidedError{Service: r.service.ID, Revision: r.revision.Number, Reason: contradictsItself}
	}
	if a, err := r.recall(ctx); a != nil || err != nil {
		return r, a, err
	}
	a, err := r.run(ctx)
	return r, a, err
}

// otherwise makes a call that failed once more, to the other revision: that which is active by a newer view of the registry, or else,
// within the grace after the active one came into force, the one before it (protocol 1.4). It is for calls that failed because too
// few run the revision that was asked for, or nobody has what belongs to it, and that did not pin one. What it returns takes the
// place of what failed only where it is an answer, or a dispute.
func (c *Client) otherwise(
	ctx context.Context, ref string, request []byte, options []CallOption, first *round, failed error,
) (*Answer, error) {
	if ctx.Err() != nil || !(errors.Is(failed, ErrUnavailable) || errors.Is(failed, ErrTooFew) && first != nil && first.missing) {
		return nil, failed
	}
	id, number, ok := c.other(ctx, ref, first)
	if !ok {
		return nil, failed
	}
	r, a, err := c.attempt(ctx, fmt.Sprintf("%s@%d", id, number), request, options)
	switch {
	case err != nil && !errors.Is(err, ErrUndecided):
		return nil, failed
	case a != nil && first != nil && r != nil:
		a.Requests += first.requests
		a.Asked = slices.Concat(first.asked, a.Asked)
	}
	return a, err
}

// other is the revision to turn to from the one that was tried, nil where nothing came of trying.
func (c *Client) other(ctx context.Context, ref string, first *round) (id barnraise.ServiceID, number uint32, ok bool) {
	s, err := c.refresh(ctx)
	if err != nil {
		return 0, 0, false
	}
	id, pin, err := c.resolve(ctx, s, ref)
	if err != nil || pin != 0 {
		return 0, 0, false
	}
	service, active, ok := s.Active(id)
	switch {
	case !ok:
		return id, 0, false
	case first != nil && active.Number != first.revision.Number:
		return id, active.Number, true
	case active.ActiveFrom == 0 || s.Block-active.ActiveFrom >= s.Grace:
		return id, 0, false
	}
	before, ok := service.Active(active.ActiveFrom - 1)
	return id, before.Number, ok
}
