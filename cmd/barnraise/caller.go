package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"barnraise/client"
	"barnraise/outbox"
	"barnraise/registry"
	"barnraise/store"
)

// What this user's clients keep in a network's directory: what they think of its servers, and what waits to be delivered.
const (
	scoresFile = "scores.db"
	outboxDir  = "outbox"
)

// deliverWithin is how long each recipient of evidence waits for it at most, where somebody calls meanwhile.
const deliverWithin = time.Hour

// pruneEvery is how often a caller that goes on drops what is past its time.
const pruneEvery = time.Hour

// caller is a client that begins with what this user has learnt of a network, and adds to it.
type caller struct {
	machineClient
	scores *store.Store // nil where it could not be opened
	stop   func()       // ends what goes on beside calls
}

// caller opens a client for this user.
func (a *app) caller(ctx context.Context, options ...client.Option) (caller, registry.Network, error) {
	network, err := a.readNetwork()
	if err != nil {
		return caller{}, network, err
	}
	dir, err := client.NetworkDirectory(network)
	if err != nil {
		return caller{}, network, err
	}
	c := caller{stop: func() {}}
	if c.scores, err = openScores(ctx, dir); err != nil {
		a.say("scores: %v; what was learnt of servers is not used, and not kept", err)
	} else {
		options = append(options, client.WithScores(c.scores, func(err error) { a.say("scores: %v", err) }))
	}
	options = append(options, client.WithDelivery(deliverWithin), client.WithOutbox(filepath.Join(dir, outboxDir)))
	if c.machineClient, network, err = a.client(ctx, options...); err != nil {
		return caller{}, network, errors.Join(err, c.closeScores())
	}
	if c.scores != nil {
		c.stop = goOn(ctx, c.prune)
	}
	return c, network, nil
}

// goOn does something until it is told to stop, or the context ends; stop waits for that.
func goOn(ctx context.Context, do func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// prune drops what is past its time of the scores' events, once an hour: a proxy may run for months. Where another process is
// writing, or the disk is full, the next time will do.
func (c caller) prune(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pruneEvery):
			_ = c.scores.Prune(ctx)
		}
	}
}

// openScores opens a user's scores of a network. What is damaged is left as it is, and is an error.
func openScores(ctx context.Context, dir string) (*store.Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, filepath.Join(dir, scoresFile), store.Options{Busy: time.Second}) // a call waits no longer
	if err != nil {
		return nil, err
	}
	if _, err := s.Tell(ctx, nil); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// unsend keeps evidence from being delivered to anybody from here.
func unsend(digest string) error {
	data, err := client.DataDirectory()
	if err != nil {
		return err
	}
	networks := filepath.Join(data, "networks")
	entries, err := os.ReadDir(networks)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		err = errors.Join(err, outbox.Box(filepath.Join(networks, e.Name(), outboxDir)).Forget(digest))
	}
	return err
}

// Close ends all of it, and keeps what was learnt.
func (c caller) Close() error {
	c.stop()
	return errors.Join(c.machineClient.Close(), c.closeScores())
}

// closeScores drops what is past its time and closes. Where it cannot be dropped now the next caller does it.
func (c caller) closeScores() error {
	if c.scores == nil {
		return nil
	}
	_ = c.scores.Prune(context.Background())
	return c.scores.Close()
}
