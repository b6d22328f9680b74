package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// application marks a file as a store of ours: "BRNS".
const application = 0x42524e53

// migrations bring the schema from each version to the next. What was released is never changed: append.
var migrations = []string{`
CREATE TABLE documents (
	kind TEXT NOT NULL,
	key TEXT NOT NULL,
	value BLOB NOT NULL,
	PRIMARY KEY (kind, key)
) WITHOUT ROWID;

CREATE TABLE events (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL,
	epoch INTEGER NOT NULL,
	kind TEXT NOT NULL,
	server INTEGER NOT NULL,
	service INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	text TEXT NOT NULL,
	evidence TEXT NOT NULL
);
CREATE INDEX events_kind ON events (kind);
CREATE INDEX events_server ON events (server);
CREATE INDEX events_service ON events (service);

CREATE TABLE evidence (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	digest BLOB NOT NULL UNIQUE,
	size INTEGER NOT NULL,
	service INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	origin INTEGER NOT NULL,
	state TEXT NOT NULL,
	at INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	accused TEXT NOT NULL,
	proves TEXT NOT NULL,
	body BLOB NOT NULL
);
CREATE INDEX evidence_state ON evidence (state);
CREATE INDEX evidence_origin ON evidence (origin, state);
CREATE INDEX evidence_service ON evidence (service);
CREATE INDEX evidence_expires ON evidence (expires);

CREATE TABLE evidence_use (
	state TEXT NOT NULL,
	origin INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	PRIMARY KEY (state, origin)
) WITHOUT ROWID;
CREATE INDEX evidence_use_bytes ON evidence_use (state, bytes);
CREATE TRIGGER evidence_comes AFTER INSERT ON evidence BEGIN
	INSERT INTO evidence_use VALUES (new.state, new.origin, new.size + 512)
		ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER evidence_goes AFTER DELETE ON evidence BEGIN
	UPDATE evidence_use SET bytes = bytes - old.size - 512 WHERE state = old.state AND origin = old.origin;
	DELETE FROM evidence_use WHERE state = old.state AND origin = old.origin AND bytes <= 0;
END;
CREATE TRIGGER evidence_turns AFTER UPDATE OF state, origin ON evidence BEGIN
	UPDATE evidence_use SET bytes = bytes - old.size - 512 WHERE state = old.state AND origin = old.origin;
	DELETE FROM evidence_use WHERE state = old.state AND origin = old.origin AND bytes <= 0;
	INSERT INTO evidence_use VALUES (new.state, new.origin, new.size + 512)
		ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
`}

// check looks whether the file is whole.
func (s *Store) check(ctx context.Context) error {
	var result string
	if err := s.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil {
		return err
	}
	if result != "ok" {
		return s.damaged(errors.New(result))
	}
	return nil
}

// version is that of the schema; 0 for an empty file. It fails with [ErrVersion] for a file that is of another program. What
// marks a file is read at one moment: another process may be about to make this one a store.
func (s *Store) version(ctx context.Context) (version int, err error) {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	var id, tables int
	for pragma, v := range map[string]*int{"user_version": &version, "application_id": &id, "schema_version": &tables} {
		if err := tx.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(v); err != nil {
			return 0, err
		}
	}
	if empty := version == 0 && id == 0 && tables == 0; !empty && id != application {
		return 0, fmt.Errorf("%s is of another program: %w", s.path, ErrVersion)
	}
	return version, nil
}

// migrate brings the schema up to date, all of it or nothing. Several processes may be at it.
func (s *Store) migrate(ctx context.Context) error {
	version, err := s.version(ctx)
	if err != nil || version == len(migrations) {
		return err
	}
	if version < 0 || version > len(migrations) {
		return fmt.Errorf("%s is of version %d, this program knows %d: use the program that wrote it: %w",
			s.path, version, len(migrations), ErrVersion)
	}
	if err := s.writeAhead(ctx); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		if err := tx.tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version >= len(migrations) {
			return err
		}
		for _, m := range migrations[version:] {
			if _, err := tx.tx.ExecContext(ctx, m); err != nil {
				return err
			}
		}
		done := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", application, len(migrations))
		_, err := tx.tx.ExecContext(ctx, done)
		return err
	})
}

// writeAhead lets others read while one writes; the file remembers it. For this change SQLite itself waits for nobody.
func (s *Store) writeAhead(ctx context.Context) error {
	const pause = 10 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		_, err := s.db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		var e *sqlite.Error
		if !errors.As(err, &e) || e.Code()&0xff != codes.SQLITE_BUSY || waited >= s.options.Busy {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
