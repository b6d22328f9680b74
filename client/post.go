package client

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"barnraise"
	"barnraise/outbox"
)

// How long evidence waits to be delivered at most, how long one process has to deliver a piece, and how often is looked for what
// others have left.
const (
	deliveredBy = 72 * time.Hour
	claimedFor  = 5 * time.Minute
	lookedAfter = 10 * time.Minute
)

// WithOutbox has evidence wait in a directory until it is delivered, for who may end before that. What waits there this client
// delivers as it becomes due, whoever left it: each recipient once, for three days at most. It delays no call and not Close. The
// directory is for clients of one network, any number of them at once; [WithDelivery] says how long the delays are.
func WithOutbox(dir string) Option { return func(c *Client) { c.outbox = outbox.Box(dir) } }

// putOff puts evidence into the outbox.
func (c *Client) putOff(e barnraise.Evidence) {
	c.mu.Lock()
	due := c.now().Add(c.delay())
	c.mu.Unlock()
	// What does not fit is not delivered; it is kept all the same.
	_ = c.outbox.Put(e.Encode(), due, c.now().Add(deliveredBy))
}

// delay is drawn anew for each recipient. The lock is held.
func (c *Client) delay() time.Duration { return time.Duration(c.random.Int64N(int64(c.deliverWithin))) }

// workOff delivers what waits in the outbox, as it becomes due, until the client ends.
func (c *Client) workOff() {
	for {
		t := time.NewTimer(c.deliverDue())
		select {
		case <-t.C:
		case <-c.life.Done():
			t.Stop()
			return
		}
	}
}

// deliverDue delivers what is due, and returns how long there is nothing to do.
func (c *Client) deliverDue() time.Duration {
	idle := min(lookedAfter, c.deliverWithin)
	letters, err := c.outbox.Letters(c.now())
	if err != nil || len(letters) == 0 {
		return idle
	}
	for _, l := range letters {
		if now := c.now(); l.Due.After(now) {
			return min(l.Due.Sub(now), idle)
		}
		if c.life.Err() != nil {
			break
		}
		if mine, ok := c.outbox.Claim(l, c.now().Add(claimedFor)); ok {
			c.deliverLetter(mine)
		}
	}
	return time.Second
}

// deliverLetter hands a claimed letter to one of those who are to have it, and lets it wait for the next. What could not be done
// because the client ended is tried again at once by whoever comes next.
func (c *Client) deliverLetter(l outbox.Letter) {
	ctx, cancel := context.WithTimeout(c.life, deliverTakes)
	defer cancel()
	to, left, body, err := c.recipient(ctx, l)
	switch {
	case err == nil:
		err = c.handOver(ctx, to.snapshot, to.Server, body)
	case !errors.Is(err, errBusy):
		_ = c.outbox.Drop(l) // nobody will ever have it
		return
	}
	c.mu.Lock()
	later := c.now().Add(c.delay())
	c.mu.Unlock()
	switch {
	case err != nil && c.life.Err() != nil:
		_ = c.outbox.Defer(l, c.now())
	case errors.Is(err, errBusy) && later.Before(l.Until):
		_ = c.outbox.Defer(l, later)
	case errors.Is(err, errBusy) || left == 0 || !later.Before(l.Until):
		_ = c.outbox.Drop(l)
	default:
		_ = c.outbox.Defer(l, later, to.ID)
	}
}

// addressee is who is to have a letter.
type addressee struct {
	barnraise.Server
	snapshot *barnraise.Snapshot
}

// recipient draws who is to have a letter next, and says how many are left after that. It fails with errBusy where that cannot be
// told at the moment; else nobody is to have it.
func (c *Client) recipient(ctx context.Context, l outbox.Letter) (to addressee, left int, body []byte, err error) {
	switch body, err = c.outbox.Read(l); {
	case errors.Is(err, outbox.ErrDamaged), errors.Is(err, fs.ErrNotExist):
		return to, 0, nil, err
	case err != nil:
		return to, 0, nil, fmt.Errorf("%w: %w", errBusy, err) // the disk's fault, or of who has opened too much: that passes
	}
	e, err := barnraise.ParseEvidence(body)
	if err != nil || e.Registry != c.network.Registry() || !c.now().Before(l.Until) {
		return to, 0, nil, errNobody
	}
	s, err := c.registry.Snapshot(ctx)
	if err != nil {
		return to, 0, nil, errBusy
	}
	service, _ := s.Service(e.Service)
	revision, ok := service.Revision(e.Revision)
	if !ok {
		return to, 0, nil, errNobody
	}
	t := target{snapshot: s, service: service, revision: revision, hosts: c.candidates(s, e.Service)}
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.recipients(t, e, l.Done)
	if len(list) == 0 {
		return to, 0, nil, errNobody
	}
	return addressee{list[c.random.IntN(len(list))], s}, len(list) - 1, body, nil
}

// errNobody is the error where nobody is to have a letter.
var errNobody = errors.New("nobody is to have it")

// recipients are those who are to have evidence, beside those who are done: the home, and hosts drawn by chance until there are two.
// None is a party to it or struck, but the home may be a party. The lock is held.
func (c *Client) recipients(t target, e barnraise.Evidence, done []barnraise.ServerID) (list []barnraise.Server) {
	home := t.home()
	var others []barnraise.Server
	for _, v := range t.hosts {
		party := slices.ContainsFunc(e.Answers, func(a barnraise.Answer) bool { return a.Server == v.ID })
		switch {
		case v.why != "" || !c.book.Clean(v.ID, c.epoch()) || slices.Contains(done, v.ID):
		case v.ID == home:
			list = append(list, v.Server)
		case !party:
			others = append(others, v.Server)
		}
	}
	hosts := deliveredTo
	for _, id := range done {
		if id != home {
			hosts--
		}
	}
	for range min(hosts, len(others)) {
		i := c.random.IntN(len(others))
		list = append(list, others[i])
		others = slices.Delete(others, i, i+1)
	}
	return list
}
