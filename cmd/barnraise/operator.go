package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/registry"
	"barnraise/registry/evm"
	"barnraise/score"
	"barnraise/server"
	"barnraise/store"

	"github.com/spf13/cobra"
)

// desk is where an operator looks at his server from: another process, while the server runs or not.
type desk struct {
	app    *app
	file   string // server.yaml
	config server.Config
	store  *store.Store
	now    time.Time
}

// configFlag is the flag by which an operator says which server he means.
func configFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "config", "", "the server's configuration")
}

// at opens the desk of a server, for reading, does something, and closes it.
func (a *app) at(ctx context.Context, file string, do func(*desk) error) error {
	return a.openDesk(file, func(d *desk) (err error) {
		if d.store, err = readStore(ctx, d.config); err != nil {
			return d.hint(err)
		}
		return errors.Join(do(d), d.store.Close())
	})
}

// telling is [app.at] for what an operator says to his server.
func (a *app) telling(ctx context.Context, file string, do func(*desk) error) error {
	return a.openDesk(file, func(d *desk) (err error) {
		if _, err := os.Stat(filepath.Join(d.config.Data, storeFile)); err != nil {
			return d.hint(fmt.Errorf("open store: %w", err))
		}
		if d.store, err = openStore(ctx, d.config); err != nil {
			return err
		}
		return errors.Join(do(d), d.store.Close())
	})
}

func (a *app) openDesk(file string, do func(*desk) error) error {
	if file == "" {
		return fmt.Errorf("%w: name the server's configuration with --config server.yaml", errUsage)
	}
	config, err := server.ReadConfig(file)
	if err != nil {
		return err
	}
	if config.Network != "" && a.network == "" {
		a.network = config.Network
	}
	return do(&desk{app: a, file: file, config: config, now: time.Now()})
}

// hint says what to do where there is no store.
func (d *desk) hint(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w; this server has never run: start it with: barnraise serve --config %s", err, d.file)
}

// view is what a desk sees of the registry.
type view struct {
	network         registry.Network
	head, confirmed *barnraise.Snapshot
	self            barnraise.ServerID
}

// look reads the registry, and finds the server in it.
func (d *desk) look(ctx context.Context) (v view, err error) {
	if v.network, err = d.app.readNetwork(); err != nil {
		return v, err
	}
	reader, err := d.app.dial(ctx, v.network)
	if err != nil {
		return v, err
	}
	defer reader.Close()
	if err := v.read(ctx, reader); err != nil {
		return v, err
	}
	if _, err := server.ReadKey(d.config.Key); err != nil {
		return v, err
	}
	v.self, err = registered(v.head, d.config)
	return v, err
}

func (v *view) read(ctx context.Context, r *evm.Registry) (err error) {
	if v.head, err = r.Snapshot(ctx); err != nil {
		return err
	}
	v.confirmed, err = r.Confirmed(ctx)
	return err
}

// foresee makes what the server would plan with now, by what it has kept.
func (d *desk) foresee(ctx context.Context, v view) (server.Foresight, error) {
	book, err := d.book(ctx)
	if err != nil {
		return server.Foresight{}, err
	}
	return server.Foresee(d.config, server.Outlook{
		Memory: d.store.Documents(server.MemoryKind), Self: v.self, Confirmed: v.confirmed, Now: d.now,
		Weight: func(id barnraise.ServerID) float64 { return book.Weight(id, d.epoch(), d.now) },
	})
}

// book is what the server thinks of others, as it kept it last.
func (d *desk) book(ctx context.Context) (*score.Book, error) {
	var b score.Book
	if err := d.store.Scores(ctx, &b); err != nil {
		return nil, err
	}
	b.Advance(d.now)
	return &b, nil
}

// epoch is the one that strikes are counted in.
func (d *desk) epoch() uint64 { return epochOf(d.now) }

func epochOf(now time.Time) uint64 { return uint64(now.Unix() / int64(client.Epoch/time.Second)) }

// events lists all events that a filter chooses, newest last.
func (d *desk) events(ctx context.Context, f store.EventFilter) ([]store.Event, error) {
	return eventsOf(ctx, d.store, f)
}

func eventsOf(ctx context.Context, s *store.Store, f store.EventFilter) ([]store.Event, error) {
	list := []store.Event{}
	for {
		some, err := s.Events(ctx, f)
		if err != nil {
			return nil, err
		}
		if list = append(list, some...); len(some) == 0 {
			slices.Reverse(list)
			return list, nil
		}
		f.Before = some[len(some)-1].ID
	}
}

// ago says how long ago that was, roughly.
func ago(now, then time.Time) string {
	d := max(0, now.Sub(then))
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days ago", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours ago", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes ago", d/time.Minute)
	}
	return fmt.Sprintf("%d seconds ago", d/time.Second)
}
