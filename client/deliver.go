package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"barnraise"
	"barnraise/manifest"
)

// Bounds of deliveries.
const (
	deliveredTo  = 2  // hosts, beside the home
	deliveries   = 64 // under way at one time; what is one too many is not delivered
	deliverTries = 3  // of each, where there is no room for it, or nobody answers
	deliverTakes = time.Minute
)

// WithDelivery hands evidence that this client finds to the home and to two hosts of the service, as far as its manifest allows that
// anybody sees it. Each gets it after a delay of its own, drawn up to within, and unsigned, so that the delivery does not say who
// verifies (protocol 8.4). What is not delivered when the client is closed never is.
func WithDelivery(within time.Duration) Option { return func(c *Client) { c.deliverWithin = within } }

// deliver sends evidence on its way to those who are no party to it and are not struck.
func (r *round) deliver(e barnraise.Evidence) {
	if r.c.deliverWithin <= 0 || r.manifest.Evidence == manifest.EvidenceLocal {
		return
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	body := e.Encode()
	for _, v := range r.recipients(e) {
		delays := make([]time.Duration, deliverTries)
		for i := range delays {
			delays[i] = time.Duration(r.c.random.Int64N(int64(r.c.deliverWithin))) << i
		}
		select {
		case r.c.delivering <- struct{}{}:
			go r.c.deliverTo(r.snapshot, v, body, delays)
		default:
		}
	}
}

// recipients are the home and two hosts drawn by chance. The lock is held.
func (r *round) recipients(e barnraise.Evidence) (list []barnraise.Server) {
	var others []barnraise.Server
	for _, v := range r.hosts {
		party := slices.ContainsFunc(e.Answers, func(a barnraise.Answer) bool { return a.Server == v.ID })
		switch {
		case v.why != "" || !r.c.book.Clean(v.ID, r.c.epoch()):
		case v.ID == r.draws.home:
			list = append(list, v.Server)
		case !party:
			others = append(others, v.Server)
		}
	}
	for range min(deliveredTo, len(others)) {
		i := r.c.random.IntN(len(others))
		list = append(list, others[i])
		others = slices.Delete(others, i, i+1)
	}
	return list
}

// deliverTo hands evidence to one server, after a delay, and again where there was no room.
func (c *Client) deliverTo(s *barnraise.Snapshot, v barnraise.Server, body []byte, delays []time.Duration) {
	defer func() { <-c.delivering }()
	for _, d := range delays {
		t := time.NewTimer(d)
		select {
		case <-t.C:
		case <-c.life.Done():
			t.Stop()
			return
		}
		if again := c.handOver(s, v, body); !again {
			return
		}
	}
}

// errBusy is the error of a server that has no room at the moment.
var errBusy = errors.New("no room")

// handOver reports whether it is worth trying again.
func (c *Client) handOver(s *barnraise.Snapshot, v barnraise.Server, body []byte) (again bool) {
	ctx, cancel := context.WithTimeout(c.life, deliverTakes)
	defer cancel()
	err := c.introduce(ctx, s, v)
	if err == nil {
		err = c.postEvidence(ctx, v, body)
	}
	return errors.Is(err, errBusy)
}

func (c *Client) postEvidence(ctx context.Context, v barnraise.Server, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(v.URL, "/")+"/v1/evidence", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("hand over evidence: %w", err)
	}
	req.Header = http.Header{"Content-Type": {"application/json"}}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("hand over evidence: %w: %w", errBusy, err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError:
		return fmt.Errorf("hand over evidence: it answers %.80q: %w", resp.Status, errBusy)
	case resp.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("hand over evidence: it answers %.80q", resp.Status)
	}
	return nil
}
