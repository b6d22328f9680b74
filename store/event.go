package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"barnraise"
)

// maxText is how much of an event's text is kept, in bytes.
const maxText = 2048

// Event is something that happened. Zero stands for what an event is not about.
type Event struct {
	ID       int64               `json:"id"` // given by the store, ascending
	At       time.Time           `json:"at"` // in milliseconds; when it is appended, where it is zero
	Epoch    uint64              `json:"epoch"`
	Kind     string              `json:"kind"`
	Server   barnraise.ServerID  `json:"server,omitempty"`
	Service  barnraise.ServiceID `json:"service,omitempty"`
	Revision uint32              `json:"revision,omitempty"`
	Text     string              `json:"text"`
	Evidence string              `json:"evidence,omitempty"` // the name under which it is kept
}

// Append adds events to the log. They survive the end of the process, as [Store.UpdateSoon] says. Of a long text the beginning
// is kept.
func (s *Store) Append(ctx context.Context, events ...Event) error {
	return s.UpdateSoon(ctx, func(tx *Tx) error { return tx.Append(events...) })
}

// Append is [Store.Append] as a part of a change, and as safe as that.
func (tx *Tx) Append(events ...Event) error {
	for _, e := range events {
		if e.At.IsZero() {
			e.At = tx.store.options.Now()
		}
		result, err := tx.tx.ExecContext(tx.ctx, `INSERT INTO events
			(at, epoch, kind, server, service, revision, text, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			e.At.UnixMilli(), int64(e.Epoch), clip(e.Kind, MaxName), e.Server, e.Service, e.Revision, clip(e.Text, maxText),
			clip(e.Evidence, MaxName))
		if err != nil {
			return fmt.Errorf("append event: %w", err)
		}
		if id, err := result.LastInsertId(); err == nil && id%page == 0 {
			if err := tx.trim(); err != nil {
				return err
			}
		}
	}
	return nil
}

// clip shortens a stranger's text to n bytes of sound UTF-8.
func clip(s string, n int) string {
	return strings.ToValidUTF8(s[:min(len(s), n)], "")
}

// age drops events that are too old.
func (tx *Tx) age() error {
	o := tx.store.options
	if _, err := tx.tx.ExecContext(tx.ctx, "DELETE FROM events WHERE at < ?", o.Now().Add(-o.EventsAge).UnixMilli()); err != nil {
		return fmt.Errorf("trim events: %w", err)
	}
	return nil
}

// trim drops the oldest events of each kind of which there are too many: a flood of one kind takes nothing from another.
func (tx *Tx) trim() error {
	o := tx.store.options
	kinds, err := collect(tx.ctx, tx.tx, func(rows *sql.Rows) (kind string, err error) { return kind, rows.Scan(&kind) },
		"SELECT kind FROM events GROUP BY kind HAVING count(*) > ?", o.Events)
	if err != nil {
		return fmt.Errorf("trim events: %w", err)
	}
	for _, kind := range kinds {
		_, err := tx.tx.ExecContext(tx.ctx, `DELETE FROM events WHERE kind = ? AND id <=
			(SELECT id FROM events WHERE kind = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`, kind, kind, o.Events)
		if err != nil {
			return fmt.Errorf("trim events: %w", err)
		}
	}
	return nil
}

// EventFilter chooses events. Zero chooses all.
type EventFilter struct {
	Server  barnraise.ServerID
	Service barnraise.ServiceID
	Kind    string
	Before  int64 // id: go on from the last one of the list before
	Limit   int   // 0 and more than 1000: 1000
}

const eventColumns = "id, at, epoch, kind, server, service, revision, text, evidence"

// Events lists the newest events that a filter chooses, newest first.
func (s *Store) Events(ctx context.Context, f EventFilter) ([]Event, error) {
	var where conditions
	where.add(f.Server != 0, "server = ?", f.Server)
	where.add(f.Service != 0, "service = ?", f.Service)
	where.add(f.Kind != "", "kind = ?", f.Kind)
	where.add(f.Before != 0, "id < ?", f.Before)
	list, err := collect(ctx, s.db, scanEvent,
		"SELECT "+eventColumns+" FROM events "+where.String()+" ORDER BY id DESC LIMIT ?", append(where.args, limit(f.Limit))...)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", s.explain(err))
	}
	return list, nil
}

func scanEvent(rows *sql.Rows) (e Event, err error) {
	var at, epoch int64
	err = rows.Scan(&e.ID, &at, &epoch, &e.Kind, &e.Server, &e.Service, &e.Revision, &e.Text, &e.Evidence)
	e.At, e.Epoch = time.UnixMilli(at), uint64(epoch)
	return e, err
}

// conditions are put together to the WHERE of a query.
type conditions struct {
	list []string
	args []any
}

func (c *conditions) add(wanted bool, condition string, args ...any) {
	if wanted {
		c.list, c.args = append(c.list, condition), append(c.args, args...)
	}
}

// String is empty where nothing is to hold.
func (c *conditions) String() string {
	if len(c.list) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(c.list, " AND ")
}

func limit(n int) int {
	if n <= 0 || n > 1000 {
		return 1000
	}
	return n
}
