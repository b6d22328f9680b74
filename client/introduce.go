package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"barnraise"
	"barnraise/dial"
)

// How long an introduction may take, how long it is believed, and for how long at first nobody is asked for one where it did
// not hold (protocol 10.1).
const (
	introduction  = 5 * time.Second
	introducedFor = time.Hour
	avoidedFor    = time.Minute
)

// door is where servers introduce themselves: a registrable domain, or, in a private network, one server. So whoever registers
// many URLs of somebody else's domain does not send him many visitors.
type door struct {
	turn chan struct{} // whoever takes what is in it may use the rest

	failures int       // no two of them more than an hour apart
	closed   time.Time // until then only servers that have introduced themselves before are asked
	why      error     // the last failure
}

// meeting remembers an introduction that held.
type meeting struct {
	url   string
	until time.Time
}

// introduce makes sure that whoever is behind the URL is the server that registered it, before anything else is sent there
// (protocol 10.1). One introduction is asked for at a time at each door. One that held is believed for an hour; after one that
// did not the door stays closed for a minute, and twice as long each further time, up to an hour. What failed because ctx
// ended is remembered of nobody.
func (c *Client) introduce(ctx context.Context, s *barnraise.Snapshot, v barnraise.Server) error {
	if c.introduced(v) {
		return nil // as nearly always: without a door
	}
	d := c.door(v)
	select {
	case <-d.turn:
		defer func() { d.turn <- struct{}{} }()
	case <-ctx.Done():
		return fmt.Errorf("wait for introduction: %w", context.Cause(ctx))
	}
	switch before, known := c.meeting(v.ID); {
	case c.introduced(v):
		return nil
	case (!known || before.url != v.URL) && c.now().Before(d.closed):
		return d.why
	}
	err := c.meet(ctx, s, v)
	switch {
	case err == nil:
		c.meetings.Store(v.ID, meeting{v.URL, c.now().Add(introducedFor)})
	case ctx.Err() == nil:
		c.meetings.Delete(v.ID)
		d.close(err, c.now())
	}
	return err
}

// Meet makes sure that whoever is behind a server's URL is that server, as for a call, and returns what is registered of it. Nobody
// sends a server anything else before (protocol 10.1). It fails where the server is not there or does not introduce itself.
func (c *Client) Meet(ctx context.Context, id barnraise.ServerID) (barnraise.Server, error) {
	ctx, cancel := c.inTime(ctx)
	defer cancel()
	s, err := c.registry.Snapshot(ctx)
	if err != nil {
		return barnraise.Server{}, fmt.Errorf("meet server %d: read registry: %w", id, err)
	}
	v, _ := s.Server(id)
	if err := dial.CheckURL(v.URL, c.network.Private()); v.Status != barnraise.StatusActive || err != nil {
		return v, fmt.Errorf("meet server %d: it is not active, or has no URL that can be asked: %w", id, errServer)
	}
	if err := c.introduce(ctx, s, v); err != nil {
		return v, fmt.Errorf("meet server %d: %w", id, err)
	}
	return v, nil
}

// door is where a server introduces itself.
func (c *Client) door(v barnraise.Server) *door {
	name := fmt.Sprint(v.ID)
	if !c.network.Private() {
		name = domain(v.URL)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.doors[name]
	if !ok {
		d = &door{turn: make(chan struct{}, 1)}
		d.turn <- struct{}{}
		c.doors[name] = d
	}
	return d
}

func (d *door) close(why error, now time.Time) {
	if now.Sub(d.closed) > introducedFor {
		d.failures = 0
	}
	d.closed, d.why = now.Add(min(avoidedFor<<d.failures, introducedFor)), why
	d.failures = min(d.failures+1, 6) // by then it is an hour
}

// introduced reports whether a server's introduction is believed, without asking anybody.
func (c *Client) introduced(v barnraise.Server) bool {
	m, known := c.meeting(v.ID)
	return known && m.url == v.URL && c.now().Before(m.until)
}

func (c *Client) meeting(id barnraise.ServerID) (meeting, bool) {
	m, known := c.meetings.Load(id)
	if !known {
		return meeting{}, false
	}
	return m.(meeting), true
}

// meet asks for the introduction.
func (c *Client) meet(ctx context.Context, s *barnraise.Snapshot, v barnraise.Server) error {
	ctx, cancel := context.WithTimeout(ctx, introduction)
	defer cancel()
	url := strings.TrimSuffix(v.URL, "/") + "/.well-known/barnraise"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errServer, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", errServer, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %.200q answers %.80q to who asks for its introduction", errServer, url, resp.Status)
	}
	token, err := io.ReadAll(io.LimitReader(resp.Body, barnraise.MaxToken+1))
	if err == nil {
		_, err = barnraise.CheckIntroduction(s, v, strings.TrimSpace(string(token)), c.now().Unix())
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errServer, err)
	}
	return nil
}
