package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"barnraise/audit"
	"barnraise/client"
	"barnraise/server"
	"barnraise/store"
)

// storeFile is where a server keeps what it must not forget, below its data directory.
const storeFile = "barnraise.db"

// openStore opens the store of a server that runs, or is about to. It makes the data directory where there is none.
func openStore(ctx context.Context, c server.Config) (*store.Store, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return store.Open(ctx, filepath.Join(c.Data, storeFile), store.Options{EvidenceBytes: int64(c.Budgets.Evidence)})
}

// readStore opens the store of a server, which may be running, for reading. It fails with fs.ErrNotExist where it never ran.
func readStore(ctx context.Context, c server.Config) (*store.Store, error) {
	return store.OpenReadOnly(ctx, filepath.Join(c.Data, storeFile), store.Options{})
}

// diary keeps what happens to a server's scores and hosting, as it happens.
type diary struct {
	store *store.Store
	log   *slog.Logger

	client  *client.Client // once it is open, as is what follows
	scores  *store.Bookkeeper
	machine *audit.Machine
}

// close ends what asks others, and keeps what it has found.
func (d *diary) close() {
	if d.client != nil {
		d.note(d.scores.Keep(context.Background()))
		d.note(d.client.Close())
	}
	if d.machine != nil {
		d.note(d.machine.Close())
	}
}

// tell keeps a step, and the scores that changed with it.
func (d *diary) tell(s server.Step) {
	ctx := context.Background()
	d.note(d.store.Append(ctx, s.Event()))
	d.note(d.scores.Keep(ctx))
}

// happened keeps what evidence has shown.
func (d *diary) happened(e store.Event) { d.note(d.store.Append(context.Background(), e)) }

// prune drops what is past its time, again and again until the context ends.
func (d *diary) prune(ctx context.Context) {
	for {
		d.note(d.store.Prune(ctx))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
	}
}

func (d *diary) note(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		d.log.Error("keep what happened", "err", err)
	}
}
