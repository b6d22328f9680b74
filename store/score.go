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
	if err := s.UpdateSoon(ctx, func(tx *Tx) error { return tx.keepScores(d) }); err != nil {
		return fmt.Errorf("keep scores: %w", err)
	}
	return nil
}

func (tx *Tx) keepScores(d score.Delta) error {
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
}

// Tell tells the scores that are kept what somebody has seen, all of it or nothing, and returns a book of what is kept then. So
// several processes of one caller keep their scores in one store, and each learns what the others have seen. What happened to
// scores is appended to the log. With nothing to tell it only reads. It fails as [Store.Scores] and [Store.KeepScores] do.
func (s *Store) Tell(ctx context.Context, told []score.Told) (*score.Book, error) {
	b := new(score.Book)
	if len(told) == 0 {
		return b, s.Scores(ctx, b)
	}
	err := s.UpdateSoon(ctx, func(tx *Tx) error {
		if err := s.scores(ctx, tx.tx, b); err != nil {
			return err
		}
		var events []score.Event
		b.Report = func(e score.Event) { events = append(events, e) }
		for _, v := range told {
			v.To(b)
		}
		b.Report = nil
		return errors.Join(tx.keepScores(b.Delta()), tx.Append(logged(events)...))
	})
	if err != nil {
		return nil, fmt.Errorf("keep scores: %w", err)
	}
	return b, nil
}

// Scores restores a book from what was kept; from an empty store, an empty one. It fails with [ErrDamaged] where that
// is no score, and leaves the book as it is.
func (s *Store) Scores(ctx context.Context, b *score.Book) error {
	err := s.scores(ctx, s.db, b)
	if err != nil {
		return fmt.Errorf("read scores: %w", s.explain(err))
	}
	return nil
}

func (s *Store) scores(ctx context.Context, q querier, b *score.Book) error {
	var g score.General
	var rows []score.Row
	err := get(ctx, q, generalKind, "", &g)
	if err == nil || errors.Is(err, ErrNotFound) {
		err = each(ctx, q, scoreKind, func(d Document) error {
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
	return err
}

// AppendScores adds what a book reported to the log.
func (s *Store) AppendScores(ctx context.Context, events ...score.Event) error {
	return s.Append(ctx, logged(events)...)
}

// logged are a book's events as the log has them.
func logged(events []score.Event) []Event {
	list := make([]Event, 0, len(events))
	for _, e := range events {
		list = append(list, Event{
			At: e.At, Epoch: e.Epoch, Kind: string(e.Kind), Server: e.Server, Service: e.Service, Revision: e.Revision,
			Text: e.Why, Evidence: e.Evidence,
		})
	}
	return list
}
