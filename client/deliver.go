package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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
// verifies (protocol 8.4). What is not delivered when the client is closed never is, save with [WithOutbox].
func WithDelivery(within time.Duration) Option { return func(c *Client) { c.deliverWithin = within } }

// deliver sends evidence on its way to those who are no party to it and are not struck.
func (r *round) deliver(e barnraise.Evidence) {
	c := r.c
	switch {
	case c.deliverWithin <= 0 || r.manifest.Evidence == manifest.EvidenceLocal:
		return
	case c.outbox != "":
		c.putOff(e)
		return
	}
	body := e.Encode() // before the lock: it may be long
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.recipients(r.target, e, nil) {
		delays := make([]time.Duration, deliverTries)
		for i := range delays {
			delays[i] = c.delay() << i
		}
		select {
		case c.delivering <- struct{}{}:
			go c.deliverTo(r.snapshot, v, body, delays)
		default:
		}
	}
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
		ctx, cancel := context.WithTimeout(c.life, deliverTakes)
		err := c.handOver(ctx, s, v, body)
		cancel()
		if !errors.Is(err, errBusy) {
			return
		}
	}
}

// errBusy is the error of a server that has no room at the moment, or is not there: it is worth trying again.
var errBusy = errors.New("no room")

// handOver hands evidence to a server that has introduced itself.
func (c *Client) handOver(ctx context.Context, s *barnraise.Snapshot, v barnraise.Server, body []byte) error {
	if err := c.introduce(ctx, s, v); err != nil {
		return fmt.Errorf("hand over evidence: %w: %w", errBusy, err)
	}
	return c.postEvidence(ctx, v, body)
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
	switch s := resp.StatusCode; {
	case s >= 200 && s < 300:
		return nil
	case s >= 400 && s < 500 && s != http.StatusTooManyRequests && s != http.StatusRequestTimeout:
		return fmt.Errorf("hand over evidence: it answers %.80q", resp.Status) // it will not have it
	}
	return fmt.Errorf("hand over evidence: it answers %.80q: %w", resp.Status, errBusy) // nor does it have it where it sends us elsewhere
}
