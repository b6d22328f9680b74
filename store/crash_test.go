package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"barnraise"
)

var long = flag.Bool("long", false, "more rounds, and larger floods")

// rounds is how often something is tried.
func rounds(few, many int) int {
	if *long {
		return many
	}
	return few
}

// write changes the store as fast as it can, evidence before what follows from it, and says of each change on standard output
// that it is done.
func write(s *Store, from int) error {
	for i := from; ; i++ {
		if _, err := s.Keep(evidence(i, 2000)); err != nil {
			return err
		}
		do := s.Update
		if i%3 == 0 {
			do = s.UpdateSoon
		}
		err := do(context.Background(), func(tx *Tx) error {
			return errors.Join(tx.Put("step", strconv.Itoa(i), i), tx.Put("step", "last", i),
				tx.Append(Event{At: time.Now(), Kind: "step", Epoch: uint64(i)}))
		})
		if err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// A process that is killed while it writes loses nothing that it was told is kept, and keeps no half of a change.
func TestKilledWhileWriting(t *testing.T) {
	const variable = "BARNRAISE_STORE_TO_WRITE"
	if path := os.Getenv(variable); path != "" {
		s, err := Open(t.Context(), path, Options{Events: 1 << 20})
		must(t, err)
		from, err := strconv.Atoi(os.Getenv(variable + "_FROM"))
		must(t, err)
		t.Fatal(write(s, from))
	}
	path := filepath.Join(t.TempDir(), "store.db")
	random := rand.New(rand.NewPCG(1, 2))
	done := -1 // all up to this one were acknowledged
	for range rounds(4, 100) {
		child := exec.Command(os.Args[0], "-test.run=^TestKilledWhileWriting$")
		child.Env = append(os.Environ(), variable+"="+path, fmt.Sprintf("%s_FROM=%d", variable, done+1))
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		lines := bufio.NewScanner(out)
		for left := 5 + random.IntN(40); lines.Scan(); left-- {
			if n, err := strconv.Atoi(lines.Text()); err != nil || n != done+1 {
				t.Fatalf("the child says %q after %d", lines.Text(), done)
			}
			done++
			if left == 0 {
				must(t, child.Process.Kill()) // what it says until it ends counts
			}
		}
		child.Wait()
		done = max(done, whole(t, path, done))
	}
}

// whole looks whether all up to n is there, no half of what came after, and returns the last that is.
func whole(t *testing.T, path string, n int) (last int) {
	t.Helper()
	s, err := Open(t.Context(), path, Options{})
	must(t, err)
	defer s.Close()
	must(t, s.Get(t.Context(), "step", "last", &last))
	if last < n || last > n+1 {
		t.Errorf("the last change is %d, acknowledged were %d", last, n)
	}
	events := make(map[uint64]bool)
	for f := (EventFilter{Kind: "step"}); ; {
		list, err := s.Events(t.Context(), f)
		must(t, err)
		if len(list) == 0 {
			break
		}
		for _, e := range list {
			events[e.Epoch] = true
		}
		f.Before = list[len(list)-1].ID
	}
	for i := range last + 1 {
		var v int
		if err := s.Get(t.Context(), "step", strconv.Itoa(i), &v); err != nil || v != i || !events[uint64(i)] {
			t.Errorf("change %d: document %v, event %v", i, err, events[uint64(i)])
		}
	}
	if len(events) != last+1 {
		t.Errorf("%d events of %d changes", len(events), last+1)
	}
	for i := range last + 1 {
		if _, _, err := s.Evidence(t.Context(), barnraise.Sum(evidence(i, 2000).Encode())); err != nil {
			t.Error(err)
		}
	}
	return last
}

// A file with anything in it is refused or works; it is never a panic.
func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed.db")
	s, err := Open(f.Context(), path, Options{})
	must(f, err)
	must(f, s.Put(f.Context(), "a", "b", 1))
	_, err = s.Keep(evidence(1, 100))
	must(f, errors.Join(err, s.Close()))
	seed, err := os.ReadFile(path)
	must(f, err)
	f.Add(100, []byte{1})
	f.Add(4096, bytes.Repeat([]byte{255}, 100))
	f.Add(-1, []byte("SQLite format 3\x00"))
	f.Fuzz(func(t *testing.T, at int, patch []byte) {
		b := patch // of nothing
		if at >= 0 {
			b = bytes.Clone(seed)
			copy(b[at%len(b):], patch)
		}
		path := filepath.Join(t.TempDir(), "store.db")
		must(t, os.WriteFile(path, b, 0o600))
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			return
		}
		defer s.Close()
		var v any
		s.Get(t.Context(), "a", "b", &v)
		s.Events(t.Context(), EventFilter{})
		list, _ := s.List(t.Context(), EvidenceFilter{})
		for _, item := range list {
			s.Evidence(t.Context(), item.Digest)
		}
		s.Put(t.Context(), "a", "b", 2)
		s.Prune(t.Context())
	})
}

func benchmarkStores(b *testing.B, f func(b *testing.B, s *Store)) {
	for name, path := range map[string]string{"memory": Memory, "file": filepath.Join(b.TempDir(), "store.db")} {
		b.Run(name, func(b *testing.B) { f(b, opened(b, path, Options{})) })
	}
}

func BenchmarkPut(b *testing.B) {
	benchmarkStores(b, func(b *testing.B, s *Store) {
		for i := 0; b.Loop(); i++ {
			must(b, s.Put(b.Context(), "a", strconv.Itoa(i%1000), i))
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	benchmarkStores(b, func(b *testing.B, s *Store) {
		for b.Loop() {
			must(b, s.Append(b.Context(), Event{At: noon, Kind: "probe", Server: 1, Text: "answered in 5ms"}))
		}
	})
}

// A hundred probes of an epoch are one change.
func BenchmarkAppendHundred(b *testing.B) {
	events := make([]Event, 100)
	for i := range events {
		events[i] = Event{At: noon, Kind: "probe", Server: 1, Text: "answered in 5ms"}
	}
	benchmarkStores(b, func(b *testing.B, s *Store) {
		for b.Loop() {
			must(b, s.Append(b.Context(), events...))
		}
	})
}

func BenchmarkKeep(b *testing.B) {
	benchmarkStores(b, func(b *testing.B, s *Store) {
		for i := 0; b.Loop(); i++ {
			_, err := s.Keep(evidence(i, 10_000))
			must(b, err)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	for name, path := range map[string]string{"memory": Memory, "new": "", "old": filepath.Join(b.TempDir(), "old.db")} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			for i := 0; b.Loop(); i++ {
				path := path
				if path == "" {
					path = filepath.Join(dir, strconv.Itoa(i))
				}
				s, err := Open(b.Context(), path, Options{})
				must(b, err)
				must(b, s.Close())
			}
		})
	}
}
