package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Tx is a change under way. It is for the function that it was given to, and one goroutine.
type Tx struct {
	ctx   context.Context
	tx    *sql.Tx
	store *Store
}

// Update makes several changes at once: all of them where f returns nil, none where it fails, and then with its error. When it
// returns they are on disk, and survive that power fails.
//
// Inside f the store itself is not used, only tx: one waits for the other.
func (s *Store) Update(ctx context.Context, f func(tx *Tx) error) error {
	return s.update(ctx, false, f)
}

// UpdateSoon is [Store.Update] for what would be a pity to lose and no more: it survives the end of the process, but power that
// fails may take the last of them along. It is much quicker.
func (s *Store) UpdateSoon(ctx context.Context, f func(tx *Tx) error) error {
	return s.update(ctx, true, f)
}

func (s *Store) update(ctx context.Context, relaxed bool, f func(tx *Tx) error) error {
	if s.readOnly {
		return fmt.Errorf("write to store: %w", ErrReadOnly)
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("write to store: %w", s.explain(err))
	}
	defer conn.Close()
	if err := s.relax(ctx, conn, relaxed); err != nil {
		return fmt.Errorf("write to store: %w", s.explain(err))
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write to store: %w", s.explain(err))
	}
	defer tx.Rollback() // nothing is left to take back where it was committed
	if err := f(&Tx{ctx, tx, s}); err != nil {
		return s.explain(err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write to store: %w", s.explain(err))
	}
	return nil
}

// relax says whether a commit waits for the disk. A new connection does.
func (s *Store) relax(ctx context.Context, conn *sql.Conn, relaxed bool) error {
	if s.relaxed == relaxed {
		return nil
	}
	level := "FULL"
	if relaxed {
		level = "NORMAL"
	}
	_, err := conn.ExecContext(ctx, "PRAGMA synchronous = "+level)
	if err == nil {
		s.relaxed = relaxed
	}
	return err
}
