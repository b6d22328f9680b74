package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var noon = time.Unix(1_800_000_000, 0)

// opened is a store at a path, or in memory, by a clock that a test can set.
func opened(t testing.TB, path string, o Options) *Store {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return noon }
	}
	s, err := Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestStoreIsThereAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "with space?and#more.db")
	for i := range 3 {
		s, err := Open(t.Context(), path, Options{})
		must(t, err)
		var last int
		if err := s.Get(t.Context(), "step", "3", &last); i > 0 && (err != nil || last != i-1) {
			t.Errorf("round %d finds %d: %v", i, last, err)
		}
		must(t, s.Put(t.Context(), "step", "3", i))
		must(t, s.Append(t.Context(), Event{Kind: "start", Text: "x"}))
		must(t, s.Close())
	}
	s := opened(t, path, Options{})
	if list, err := s.Events(t.Context(), EventFilter{}); err != nil || len(list) != 3 {
		t.Errorf("%d events: %v", len(list), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
}

func TestOpenRefusesAndLeavesWhatItDoesNotKnow(t *testing.T) {
	whole := func(t *testing.T, path string) *Store {
		s, err := Open(t.Context(), path, Options{})
		must(t, err)
		for i := range 200 {
			must(t, s.Append(t.Context(), Event{Kind: "x", Text: strings.Repeat("y", 100), Epoch: uint64(i)}))
		}
		return s
	}
	for _, c := range []struct {
		name  string
		make  func(t *testing.T, path string)
		want  error
		words string
	}{
		{"text", func(t *testing.T, path string) {
			must(t, os.WriteFile(path, bytes.Repeat([]byte("text "), 500), 0o600))
		}, ErrDamaged, "backup"},
		{"damaged", func(t *testing.T, path string) {
			must(t, whole(t, path).Close())
			b, err := os.ReadFile(path)
			must(t, err)
			for i := 4096; i < len(b); i += 4096 {
				copy(b[i:], bytes.Repeat([]byte{0xa5}, 64))
			}
			must(t, os.WriteFile(path, b, 0o600))
		}, ErrDamaged, "backup"},
		{"newer", func(t *testing.T, path string) {
			s := whole(t, path)
			_, err := s.db.Exec("PRAGMA user_version = 99")
			must(t, err)
			must(t, s.Close())
		}, ErrVersion, "99"},
		{"another program's", func(t *testing.T, path string) {
			s, err := open(path, "rwc", Options{})
			must(t, err)
			_, err = s.db.Exec("CREATE TABLE x (y)")
			must(t, err)
			must(t, s.Close())
		}, ErrVersion, "another program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store.db")
			c.make(t, path)
			before, err := os.ReadFile(path)
			must(t, err)
			for i, open := range []func(context.Context, string, Options) (*Store, error){Open, OpenReadOnly} {
				if i == 1 && c.name == "damaged" {
					continue // a reader may see what is still whole
				}
				_, err := open(t.Context(), path, Options{})
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.words) {
					t.Errorf("%v; want %v and %q", err, c.want, c.words)
				}
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file is another than before: %v", err)
			}
		})
	}
}

func TestEarlierSchemasAreBroughtUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	for n := range len(migrations) + 1 {
		all := migrations
		migrations = all[:n]
		s, err := Open(t.Context(), path, Options{})
		migrations = all
		must(t, err)
		must(t, s.Close())
	}
	must(t, opened(t, path, Options{}).Put(t.Context(), "a", "b", 1))
}

func TestReadersBesideAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	if _, err := OpenReadOnly(t.Context(), path, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v, want fs.ErrNotExist", err)
	}
	s := opened(t, path, Options{})
	must(t, s.Put(t.Context(), "a", "b", 1))
	r, err := OpenReadOnly(t.Context(), path, Options{})
	must(t, err)
	defer r.Close()
	read := func() (v int) { must(t, r.Get(t.Context(), "a", "b", &v)); return v }
	must(t, s.Update(t.Context(), func(tx *Tx) error {
		must(t, tx.Put("a", "b", 2))
		if got := read(); got != 1 {
			t.Errorf("while 2 is being written a reader finds %d, want 1", got)
		}
		return nil
	}))
	if got := read(); got != 2 {
		t.Errorf("a reader finds %d, want 2", got)
	}
	if err := r.Put(t.Context(), "a", "b", 3); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a reader writes: %v", err)
	}
	if _, err := r.db.Exec("DELETE FROM documents"); !errors.Is(r.explain(err), ErrReadOnly) {
		t.Errorf("a reader deletes: %v", err)
	}
}

func TestReaderAfterAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	must(t, s.Put(t.Context(), "a", "b", 1))
	must(t, s.Close())
	r, err := OpenReadOnly(t.Context(), path, Options{})
	must(t, err)
	defer r.Close()
	var v int
	if err := r.Get(t.Context(), "a", "b", &v); err != nil || v != 1 {
		t.Errorf("%d, %v", v, err)
	}
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	for _, path := range []string{Memory, filepath.Join(t.TempDir(), "store.db")} {
		s := opened(t, path, Options{})
		must(t, s.Put(t.Context(), "a", "1", "old"))
		wrong := errors.New("wrong")
		ctx, cancel := context.WithCancel(t.Context())
		for name, c := range map[string]struct {
			ctx  context.Context
			do   func(*Tx) error
			want error
		}{
			"fails":     {t.Context(), func(*Tx) error { return wrong }, wrong},
			"cancelled": {ctx, func(tx *Tx) error { cancel(); return tx.Put("a", "3", "new") }, context.Canceled},
		} {
			err := s.Update(c.ctx, func(tx *Tx) error {
				must(t, tx.Put("a", "1", "new"))
				must(t, tx.Put("a", "2", "new"))
				must(t, tx.Append(Event{Kind: "x"}))
				return c.do(tx)
			})
			var v string
			if !errors.Is(err, c.want) || s.Get(t.Context(), "a", "1", &v) != nil || v != "old" {
				t.Errorf("%s, %s: %v, and finds %q", path, name, err, v)
			}
			if err := s.Get(t.Context(), "a", "2", &v); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s, %s: half of it is there: %v", path, name, err)
			}
		}
		must(t, s.Put(t.Context(), "a", "2", "new")) // the connection is still good
	}
}

func TestBackupIsAStore(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, filepath.Join(dir, "store.db"), Options{})
	must(t, s.Put(t.Context(), "a", "b", 7))
	r, err := OpenReadOnly(t.Context(), filepath.Join(dir, "store.db"), Options{})
	must(t, err)
	must(t, r.Backup(t.Context(), filepath.Join(dir, "other.db")))
	must(t, r.Close())
	must(t, s.Backup(t.Context(), filepath.Join(dir, "copy.db")))
	if err := s.Backup(t.Context(), filepath.Join(dir, "copy.db")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	for _, name := range []string{"copy.db", "other.db"} {
		var v int
		if err := opened(t, filepath.Join(dir, name), Options{}).Get(t.Context(), "a", "b", &v); err != nil || v != 7 {
			t.Errorf("%s has %d: %v", name, v, err)
		}
	}
}

// A whole network can be played in a bubble: waiting for the connection is waiting for another goroutine of the bubble.
func TestInABubble(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{Memory, filepath.Join(dir, "store.db")} {
		synctest.Test(t, func(t *testing.T) {
			s, err := Open(t.Context(), path, Options{})
			must(t, err)
			defer s.Close()
			var group sync.WaitGroup
			for range 5 {
				group.Go(func() {
					for range 5 {
						err := s.Update(t.Context(), func(tx *Tx) error {
							time.Sleep(time.Hour)
							var n int
							if err := tx.Get("a", "n", &n); err != nil && !errors.Is(err, ErrNotFound) {
								return err
							}
							return tx.Put("a", "n", n+1)
						})
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			synctest.Wait()
			if err := s.Put(ctx, "a", "b", 1); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a write that waits an hour with a minute's patience: %v", err)
			}
			start := time.Now()
			group.Wait()
			var n int
			err = s.Get(t.Context(), "a", "n", &n)
			if err != nil || n != 25 || time.Since(start) > 25*time.Hour {
				t.Errorf("%d changes in %v: %v", n, time.Since(start), err)
			}
		})
	}
}
