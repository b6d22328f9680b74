// Package store keeps in one file what a server must not forget: how far it is with what it hosts, what it has confirmed, its
// scores with what happened to them, and evidence with its bytes.
//
// The file is SQLite, in pure Go. Writing is one at a time and safe against a crash at any moment; other processes may read
// meanwhile ([OpenReadOnly]). Nobody's bytes are interpreted here: who keeps something knows what it is.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// Errors to branch on.
var (
	ErrNotFound = errors.New("not kept here")
	ErrDamaged  = errors.New("the store is damaged")
	ErrVersion  = errors.New("the store is of another version")
	ErrTooLarge = errors.New("too large to be kept")
	ErrFull     = errors.New("the budget for evidence is used up")
	ErrReadOnly = errors.New("the store is open for reading only")
)

// Memory is the path of a store that is in memory and ends with Close.
const Memory = ":memory:"

// journal is a pragma: how long the journal stays after a large change.
const journal = "journal_size_limit(16777216)"

// Options change a store from its defaults, which are what 0 and nil stand for.
type Options struct {
	Now           func() time.Time // the clock, by which retention goes; time.Now
	EvidenceBytes int64            // budget for evidence; 1 GiB
	Events        int              // how many events of each kind are kept; 10,000
	EventsAge     time.Duration    // how long; 90 days
	Busy          time.Duration    // how long a write waits for another process; 5 s
}

func (o *Options) defaults() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.EvidenceBytes == 0 {
		o.EvidenceBytes = 1 << 30
	}
	if o.Events == 0 {
		o.Events = 10_000
	}
	if o.EventsAge == 0 {
		o.EventsAge = 90 * 24 * time.Hour
	}
	if o.Busy == 0 {
		o.Busy = 5 * time.Second
	}
}

// Store is an open store. It is safe for concurrent use. Close it when done.
//
// It starts goroutines that end with Close. In a bubble of testing/synctest it is opened, used and closed inside the bubble.
type Store struct {
	db       *sql.DB
	options  Options
	path     string
	readOnly bool
	relaxed  bool // the connection does not wait for the disk; belongs to whoever has the connection
}

// Open opens the store at a path, and makes it where there is none; its directory must be there. What an older version wrote is
// brought up to date. It fails with [ErrDamaged] for a file that is not whole, and with [ErrVersion] for one that is
// of a newer version or of another program; such a file is left as it is.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	o.defaults()
	if path != Memory {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // nobody else reads requests of others
		if err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
		if err := f.Close(); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	s, err := open(path, "rwc", o, "synchronous(FULL)", "secure_delete(ON)", journal)
	if err != nil {
		return nil, err
	}
	if err = s.check(ctx); err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", errors.Join(s.explain(err), s.db.Close()))
	}
	return s, nil
}

// OpenReadOnly opens a store that is there for reading, also while a server has it open: what the server has written by
// then is seen, and nothing is changed. It fails with fs.ErrNotExist where there is none, and otherwise as [Open].
func OpenReadOnly(ctx context.Context, path string, o Options) (*Store, error) {
	o.defaults()
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s, err := open(path, "ro", o)
	if err != nil {
		return nil, err
	}
	s.readOnly = true
	version, err := s.version(ctx)
	if err == nil && version != len(migrations) {
		err = fmt.Errorf("%s is of version %d, this program reads %d: %w", path, version, len(migrations), ErrVersion)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", errors.Join(s.explain(err), s.db.Close()))
	}
	return s, nil
}

// open makes the one connection: SQLite writes one at a time, and a store in memory is its connection.
func open(path, mode string, o Options, pragmas ...string) (*Store, error) {
	dsn := Memory
	if path != Memory {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
		dsn = (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(absolute)}).String()
	}
	query := url.Values{"_txlock": {"immediate"}, "mode": {mode}}
	if path == Memory {
		query.Del("mode")
	}
	query.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", o.Busy.Milliseconds()))
	query.Add("_pragma", "trusted_schema(OFF)")
	for _, p := range pragmas {
		query.Add("_pragma", p)
	}
	db, err := sql.Open("sqlite", dsn+"?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db.SetMaxOpenConns(1)
	return &Store{db: db, options: o, path: path}, nil
}

// Close ends the store, once what is under way has ended.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// Backup writes a copy of the store, as it is at one moment, to a new file, while it is in use. A store that is open for reading
// can do so, too.
func (s *Store) Backup(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	if _, err := s.db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("back up store: %w", errors.Join(s.explain(err), os.Remove(path)))
	}
	return nil
}

// Prune drops what is past its time: evidence after thirty days (protocol 8.3), events by age and number. Call it once in a
// while.
func (s *Store) Prune(ctx context.Context) error {
	return s.UpdateSoon(ctx, func(tx *Tx) error {
		return errors.Join(tx.age(), tx.trim(), tx.expire())
	})
}

// explain turns SQLite's own errors into those of this package.
func (s *Store) explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return s.damaged(err)
	case codes.SQLITE_READONLY:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case codes.SQLITE_BUSY:
		return fmt.Errorf("another process is writing to %s: %w", s.path, err)
	case codes.SQLITE_FULL:
		return fmt.Errorf("the disk of %s is full: %w", s.path, err)
	}
	return err
}

// damaged says what can be done about it. The file is never deleted here: there may be more in it than nothing.
func (s *Store) damaged(err error) error {
	const hint = "restore it from a backup, or move it away to begin with an empty one; it is left as it is"
	return fmt.Errorf("%s: %w: %w\nhint: %s", s.path, ErrDamaged, err, hint)
}
