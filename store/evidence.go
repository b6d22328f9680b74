package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"barnraise"
)

// Retention is how long evidence is kept (protocol 8.3).
const Retention = 30 * 24 * time.Hour

// State says what this machine has found of a piece of evidence.
type State string

// The states of evidence.
const (
	New     State = "new"
	Held    State = "held"    // it holds; only such is served (protocol 8.3)
	Refuted State = "refuted" // it does not
)

// Item is a piece of evidence, without its bytes.
type Item struct {
	Seq      int64                `json:"seq"` // ascending in the order of arrival
	Digest   barnraise.Digest     `json:"digest"`
	Size     int64                `json:"size"`
	Service  barnraise.ServiceID  `json:"service"`
	Revision uint32               `json:"revision"`
	Accused  []barnraise.ServerID `json:"accused"` // who signed an answer in it, ascending
	From     barnraise.ServerID   `json:"from"`    // who sent it; 0 for one's own
	State    State                `json:"state"`
	Proves   []barnraise.ServerID `json:"proves"` // whom it was found to convict
	At       time.Time            `json:"at"`
	Expires  time.Time            `json:"expires"`
}

// Keep keeps one's own evidence and returns its name, which is its digest, once it is on disk. It is a Keeper for a client.
func (s *Store) Keep(e barnraise.Evidence) (name string, err error) {
	item, _, err := s.Add(context.Background(), e, 0)
	if err != nil {
		return "", err
	}
	return item.Digest.String(), nil
}

// Add keeps evidence that a server sent, or one's own from 0, and tells whether it is new. Evidence that is here stays as it
// is, except that it becomes one's own. Where the budget is used up, other evidence goes: what does not hold first, then others',
// one's own last and only for one's own. It fails with [ErrFull] where nothing may go for this one, and with [ErrTooLarge] where
// it does not fit into the budget at all.
func (s *Store) Add(ctx context.Context, e barnraise.Evidence, from barnraise.ServerID) (item Item, added bool, err error) {
	body := e.Encode()
	now := s.options.Now()
	item = Item{
		Digest: barnraise.Sum(body), Size: int64(len(body)), Service: e.Service, Revision: e.Revision, Accused: accused(e),
		From: from, State: New, At: now, Expires: now.Add(Retention),
	}
	err = s.Update(ctx, func(tx *Tx) error {
		known, err := find(tx.ctx, tx.tx, item.Digest)
		switch {
		case err == nil:
			item = known
			return tx.own(&item, from)
		case !errors.Is(err, ErrNotFound):
			return err
		}
		if err := tx.makeRoom(item); err != nil {
			return err
		}
		added = true
		return tx.insert(&item, body)
	})
	if err != nil {
		return Item{}, false, fmt.Errorf("keep evidence: %w", err)
	}
	return item, added, nil
}

// accused lists who signed an answer.
func accused(e barnraise.Evidence) (ids []barnraise.ServerID) {
	for _, a := range e.Answers {
		ids = append(ids, a.Server)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// own makes evidence one's own that somebody else had sent before.
func (tx *Tx) own(item *Item, from barnraise.ServerID) error {
	if from != 0 || item.From == 0 {
		return nil
	}
	item.From = 0
	_, err := tx.tx.ExecContext(tx.ctx, "UPDATE evidence SET origin = 0 WHERE seq = ?", item.Seq)
	return err
}

func (tx *Tx) insert(item *Item, body []byte) error {
	result, err := tx.tx.ExecContext(tx.ctx, `INSERT INTO evidence
		(digest, size, service, revision, origin, state, at, expires, accused, proves, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		item.Digest[:], item.Size, item.Service, item.Revision, item.From, item.State, item.At.UnixMilli(),
		item.Expires.UnixMilli(), encodeIDs(item.Accused), encodeIDs(item.Proves), body)
	if err == nil {
		item.Seq, err = result.LastInsertId()
	}
	return err
}

// Judge keeps what this machine has found of a piece of evidence, and whom it convicts. It fails with [ErrNotFound] where it
// is not here any more.
func (s *Store) Judge(ctx context.Context, digest barnraise.Digest, state State, proves []barnraise.ServerID) error {
	return s.Update(ctx, func(tx *Tx) error { return tx.Judge(digest, state, proves) })
}

// Judge is [Store.Judge] as a part of a change.
func (tx *Tx) Judge(digest barnraise.Digest, state State, proves []barnraise.ServerID) error {
	result, err := tx.tx.ExecContext(tx.ctx, "UPDATE evidence SET state = ?, proves = ? WHERE digest = ?",
		state, encodeIDs(proves), digest[:])
	if err == nil {
		if n, _ := result.RowsAffected(); n == 0 {
			err = ErrNotFound
		}
	}
	if err != nil {
		return fmt.Errorf("judge evidence %s: %w", digest, err)
	}
	return nil
}

const itemColumns = "seq, digest, size, service, revision, origin, state, at, expires, accused, proves"

// Evidence returns a piece of evidence with the file's bytes. It fails with [ErrNotFound], and with [ErrDamaged] where
// they are not those that were kept.
func (s *Store) Evidence(ctx context.Context, digest barnraise.Digest) (Item, []byte, error) {
	item, err := find(ctx, s.db, digest)
	var body []byte
	if err == nil {
		err = s.db.QueryRowContext(ctx, "SELECT body FROM evidence WHERE seq = ?", item.Seq).Scan(&body)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = ErrNotFound // it went between the two
	case err == nil && barnraise.Sum(body) != digest:
		err = ErrDamaged
	}
	if err != nil {
		return Item{}, nil, fmt.Errorf("read evidence %s: %w", digest, s.explain(err))
	}
	return item, body, nil
}

// Forget drops a piece of evidence. It fails with [ErrNotFound] where it is not here. Who sent it may send it again.
func (s *Store) Forget(ctx context.Context, digest barnraise.Digest) error {
	err := s.Update(ctx, func(tx *Tx) error {
		result, err := tx.tx.ExecContext(tx.ctx, "DELETE FROM evidence WHERE digest = ?", digest[:])
		if err == nil {
			if n, _ := result.RowsAffected(); n == 0 {
				err = ErrNotFound
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("forget evidence %s: %w", digest, err)
	}
	return nil
}

// find looks a piece of evidence up. It fails with [ErrNotFound].
func find(ctx context.Context, q querier, digest barnraise.Digest) (Item, error) {
	list, err := collect(ctx, q, scanItem, "SELECT "+itemColumns+" FROM evidence WHERE digest = ?", digest[:])
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Item{}, err
	}
	return list[0], nil
}

// EvidenceFilter chooses evidence. Zero chooses all.
type EvidenceFilter struct {
	After   int64 // seq: go on from the last one of the list before
	State   State
	Service barnraise.ServiceID
	Server  barnraise.ServerID // that signed an answer in it
	Limit   int                // 0 and more than 1000: 1000
}

// List lists the evidence that a filter chooses, in the order in which it came.
func (s *Store) List(ctx context.Context, f EvidenceFilter) ([]Item, error) {
	var where conditions
	where.add(f.After != 0, "seq > ?", f.After)
	where.add(f.State != "", "state = ?", f.State)
	where.add(f.Service != 0, "service = ?", f.Service)
	where.add(f.Server != 0, "EXISTS (SELECT 1 FROM json_each(accused) WHERE value = ?)", f.Server)
	list, err := collect(ctx, s.db, scanItem,
		"SELECT "+itemColumns+" FROM evidence "+where.String()+" ORDER BY seq LIMIT ?", append(where.args, limit(f.Limit))...)
	if err != nil {
		return nil, fmt.Errorf("list evidence: %w", s.explain(err))
	}
	return list, nil
}

func scanItem(rows *sql.Rows) (i Item, err error) {
	var digest, accused, proves []byte
	var at, expires int64
	err = rows.Scan(&i.Seq, &digest, &i.Size, &i.Service, &i.Revision, &i.From, &i.State, &at, &expires, &accused, &proves)
	if err != nil {
		return Item{}, err
	}
	if len(digest) != len(i.Digest) {
		return Item{}, fmt.Errorf("evidence %d: %w: a digest of %d bytes", i.Seq, ErrDamaged, len(digest))
	}
	copy(i.Digest[:], digest)
	i.At, i.Expires = time.UnixMilli(at), time.UnixMilli(expires)
	if i.Accused, err = decodeIDs(accused); err == nil {
		i.Proves, err = decodeIDs(proves)
	}
	if err != nil {
		return Item{}, fmt.Errorf("evidence %d: %w", i.Seq, err)
	}
	return i, nil
}

func encodeIDs(ids []barnraise.ServerID) []byte {
	b, err := json.Marshal(append([]barnraise.ServerID{}, ids...))
	if err != nil {
		panic(err) // numbers cannot fail
	}
	return b
}

func decodeIDs(b []byte) (ids []barnraise.ServerID, err error) {
	if err := json.Unmarshal(b, &ids); err != nil || len(ids) > barnraise.MaxAnswers {
		return nil, fmt.Errorf("a list of servers: %w", ErrDamaged)
	}
	return ids, nil
}
