package store

import (
	"context"

	"barnraise/score"
)

// Bookkeeper keeps a book of scores that somebody else fills.
type Bookkeeper struct {
	store *Store
	book  func(do func(*score.Book)) // hands it out; nobody else reads or writes it meanwhile
}

// Bookkeeper returns the keeper of a book.
func (s *Store) Bookkeeper(book func(do func(*score.Book))) *Bookkeeper { return &Bookkeeper{s, book} }

// Restore brings back what was kept, and keeps what happens to scores from now on in the log; failed is told where that fails.
// It fails as [Store.Scores] does.
func (k *Bookkeeper) Restore(ctx context.Context, failed func(error)) (err error) {
	k.book(func(b *score.Book) {
		if err = k.store.Scores(ctx, b); err != nil {
			return
		}
		b.Report = func(e score.Event) {
			if err := k.store.AppendScores(context.WithoutCancel(ctx), e); err != nil {
				failed(err)
			}
		}
	})
	return err
}

// Keep keeps what has changed. What could not be kept is kept the next time.
func (k *Bookkeeper) Keep(ctx context.Context) error {
	var delta score.Delta
	k.book(func(b *score.Book) { delta = b.Delta() })
	err := k.store.KeepScores(ctx, delta)
	if err != nil {
		k.book(func(b *score.Book) { b.Unkept(delta) })
	}
	return err
}
