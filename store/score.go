package store

import (
	"context"
	"errors"
	"fmt"

	"barnraise/score"
)

// The kinds of documents that scores are kept as.
const (
	scoreKind   = "score"
	generalKind = "score-general"
)

// KeepScores keeps what has changed in a book. Where it fails, give the delta back to the book: [score.Book.Unkept].
func (s *Store) KeepScores(ctx context.Context, d score.Delta) error {
	err := s.UpdateSoon(ctx, func(tx *Tx) error {
		for _, r := range d.Rows {
			if err := tx.Put(scoreKind, r.Server.String(), r); err != nil {
				return err
			}
		}
		for _, id := range d.Gone {
			if err := tx.Delete(scoreKind, id.String()); err != nil {
				return err
			}
		}
		return tx.Put(generalKind, "", d.General)
	})
	if err != nil {
		return fmt.Errorf("keep scores: %w", err)
	}
	return nil
}

// Scores restores a book from what was kept; from an empty store, an empty one. It fails with [ErrDamaged] where that
// is no score, and leaves the book as it is.
func (s *Store) Scores(ctx context.Context, b *score.Book) error {
	var g score.General
	var rows []score.Row
	err := s.Get(ctx, generalKind, "", &g)
	if err == nil || errors.Is(err, ErrNotFound) {
		err = s.Each(ctx, scoreKind, func(d Document) error {
			var r score.Row
			if err := d.Decode(&r); err != nil {
				return s.damaged(err)
			}
			rows = append(rows, r)
			return nil
		})
	}
	if err == nil {
		if err = b.Restore(g, rows); err != nil {
			err = s.damaged(err)
		}
	}
	if err != nil {
		return fmt.Errorf("read scores: %w", err)
	}
	return nil
}

// AppendScores adds what a book reported to the log.
func (s *Store) AppendScores(ctx context.Context, events ...score.Event) error {
	list := make([]Event, 0, len(events))
	for _, e := range events {
		list = append(list, Event{
			At: e.At, Epoch: e.Epoch, Kind: string(e.Kind), Server: e.Server, Service: e.Service, Revision: e.Revision,
			Text: e.Why, Evidence: e.Evidence,
		})
	}
	return s.Append(ctx, list...)
}
