package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// The longest names and values of documents, in bytes.
const (
	MaxName     = 256
	MaxDocument = 8 << 20
)

// querier is what reads: the store or a change under way.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Put keeps v, as JSON, under a kind and a key, in place of what was there. It is on disk then. It fails with [ErrTooLarge]
// above [MaxName] and [MaxDocument].
func (s *Store) Put(ctx context.Context, kind, key string, v any) error {
	return s.Update(ctx, func(tx *Tx) error { return tx.Put(kind, key, v) })
}

// Put is [Store.Put] as a part of a change.
func (tx *Tx) Put(kind, key string, v any) error {
	value, err := json.Marshal(v)
	if err == nil && (len(kind) > MaxName || len(key) > MaxName || len(value) > MaxDocument) {
		err = ErrTooLarge
	}
	if err == nil {
		_, err = tx.tx.ExecContext(tx.ctx, `INSERT INTO documents (kind, key, value) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET value = excluded.value`, kind, key, value)
	}
	if err != nil {
		return fmt.Errorf("put %s %.80q: %w", kind, key, err)
	}
	return nil
}

// Get reads what is kept under a kind and a key into v. It fails with [ErrNotFound] where there is nothing.
func (s *Store) Get(ctx context.Context, kind, key string, v any) error {
	return s.explain(get(ctx, s.db, kind, key, v))
}

// Get is [Store.Get] as a part of a change, which it sees.
func (tx *Tx) Get(kind, key string, v any) error { return get(tx.ctx, tx.tx, kind, key, v) }

func get(ctx context.Context, q querier, kind, key string, v any) error {
	var value []byte
	err := q.QueryRowContext(ctx, "SELECT value FROM documents WHERE kind = ? AND key = ?", kind, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal(value, v)
	}
	if err != nil {
		return fmt.Errorf("get %s %.80q: %w", kind, key, err)
	}
	return nil
}

// Delete drops what is kept under a kind and a key, where there is anything. That is on disk then.
func (s *Store) Delete(ctx context.Context, kind, key string) error {
	return s.Update(ctx, func(tx *Tx) error { return tx.Delete(kind, key) })
}

// Delete is [Store.Delete] as a part of a change.
func (tx *Tx) Delete(kind, key string) error {
	if _, err := tx.tx.ExecContext(tx.ctx, "DELETE FROM documents WHERE kind = ? AND key = ?", kind, key); err != nil {
		return fmt.Errorf("delete %s %.80q: %w", kind, key, err)
	}
	return nil
}

// page is how many documents are read at once.
const page = 256

// Document is one that was put.
type Document struct {
	Key   string
	Value json.RawMessage
}

// Decode reads the value into v.
func (d Document) Decode(v any) error {
	if err := json.Unmarshal(d.Value, v); err != nil {
		return fmt.Errorf("decode %.80q: %w", d.Key, err)
	}
	return nil
}

// Each calls f for the documents of a kind, by key, until it fails, and then fails with its error. F may use the store; what is
// put meanwhile may or may not be met.
func (s *Store) Each(ctx context.Context, kind string, f func(Document) error) error {
	return s.explain(each(ctx, s.db, kind, f))
}

// Each is [Store.Each] as a part of a change.
func (tx *Tx) Each(kind string, f func(Document) error) error { return each(tx.ctx, tx.tx, kind, f) }

func each(ctx context.Context, q querier, kind string, f func(Document) error) error {
	const first = "SELECT key, value FROM documents WHERE kind = ? AND key >= ? ORDER BY key LIMIT ?"
	const next = "SELECT key, value FROM documents WHERE kind = ? AND key > ? ORDER BY key LIMIT ?"
	for query, after := first, ""; ; query = next {
		list, err := collect(ctx, q, func(rows *sql.Rows) (d Document, err error) {
			return d, rows.Scan(&d.Key, (*[]byte)(&d.Value))
		}, query, kind, after, page)
		if err != nil {
			return fmt.Errorf("read %s: %w", kind, err)
		}
		for _, d := range list {
			if err := f(d); err != nil {
				return err
			}
		}
		if len(list) < page {
			return nil
		}
		after = list[page-1].Key
	}
}

// collect reads all rows of a query, so that the connection is free again.
func collect[T any](
	ctx context.Context, q querier, scan func(*sql.Rows) (T, error), query string, args ...any,
) (list []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
