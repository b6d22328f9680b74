package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// rowBytes is what a piece of evidence takes beside its bytes. The schema says it, too.
const rowBytes = 512

// makeRoom drops evidence until there is room for one more piece. First goes what does not hold. Then others' goes, oldest
// first: what nobody has looked at, from whoever sent most of that, while it takes more than a quarter of the budget; else what
// holds. So a flood takes along neither what was found nor what others sent. One's own goes last, and only for one's own.
func (tx *Tx) makeRoom(item Item) error {
	budget := tx.store.options.EvidenceBytes
	if item.Size+rowBytes > budget {
		return fmt.Errorf("%d bytes of %d: %w", item.Size, budget, ErrTooLarge)
	}
	for {
		used, err := tx.number("SELECT sum(bytes) FROM evidence_use")
		if err != nil || used+item.Size+rowBytes <= budget {
			return err
		}
		seq, err := tx.victim(item)
		if err != nil {
			return err
		}
		if _, err := tx.tx.ExecContext(tx.ctx, "DELETE FROM evidence WHERE seq = ?", seq); err != nil {
			return err
		}
	}
}

const (
	oldestRefuted = "SELECT seq FROM evidence WHERE state = 'refuted' ORDER BY seq LIMIT 1"
	oldestHeld    = "SELECT seq FROM evidence WHERE state = 'held' AND origin != 0 ORDER BY seq LIMIT 1"
	oldestNew     = `SELECT seq FROM evidence WHERE state = 'new' AND origin = (SELECT origin FROM evidence_use
		WHERE state = 'new' AND origin != 0 ORDER BY bytes DESC LIMIT 1) ORDER BY seq LIMIT 1`
	oldestOwn = "SELECT seq FROM evidence WHERE origin = 0 ORDER BY seq LIMIT 1"
)

// victim is what goes next for an item. It fails with [ErrFull] where nothing may.
func (tx *Tx) victim(item Item) (seq int64, err error) {
	unseen, err := tx.number("SELECT sum(bytes) FROM evidence_use WHERE state = 'new' AND origin != 0")
	if err != nil {
		return 0, err
	}
	if item.From != 0 {
		unseen += item.Size + rowBytes
	}
	order := []string{oldestRefuted, oldestHeld, oldestNew}
	if unseen > tx.store.options.EvidenceBytes/4 {
		order = []string{oldestRefuted, oldestNew, oldestHeld}
	}
	if item.From == 0 {
		order = append(order, oldestOwn)
	}
	for _, query := range order {
		if seq, err = tx.number(query); err != nil || seq != 0 {
			return seq, err
		}
	}
	return 0, ErrFull
}

// number reads one, 0 for none.
func (tx *Tx) number(query string) (int64, error) {
	var n sql.NullInt64
	err := tx.tx.QueryRowContext(tx.ctx, query).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return n.Int64, err
}

// EvidenceBytes is how much of the budget is used, one's own and others'.
func (s *Store) EvidenceBytes(ctx context.Context) (own, others int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT coalesce(sum(bytes) FILTER (WHERE origin = 0), 0),
		coalesce(sum(bytes) FILTER (WHERE origin != 0), 0) FROM evidence_use`).Scan(&own, &others)
	if err != nil {
		return 0, 0, fmt.Errorf("count evidence: %w", s.explain(err))
	}
	return own, others, nil
}

// expire drops evidence that is past its time.
func (tx *Tx) expire() error {
	_, err := tx.tx.ExecContext(tx.ctx, "DELETE FROM evidence WHERE expires <= ?", tx.store.options.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("expire evidence: %w", err)
	}
	return nil
}
