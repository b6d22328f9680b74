package store

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"barnraise"
	"barnraise/score"
)

// told is what a book is told of a server: so many answers, and a strike.
func told(server barnraise.ServerID, answers int) []score.Told {
	var b score.Book
	b.Record()
	for range answers {
		b.Answered(server, time.Second, noon)
	}
	b.Strike(score.Strike{Server: server, Service: 1, Revision: 1, Epoch: 5, Conclusive: true, Evidence: "lie"})
	return b.Told()
}

// Two who have the same file open lose nothing of each other's.
func TestTwoTellOneStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	a, b := opened(t, path, Options{}), opened(t, path, Options{})
	for _, s := range []*Store{a, b} {
		if book, err := s.Tell(t.Context(), nil); err != nil || book.Requests() > 0 {
			t.Fatalf("at first: %v", err)
		}
	}
	for i, s := range []*Store{a, b, a, b} {
		book, err := s.Tell(t.Context(), told(3, 2))
		must(t, err)
		if strikes := len(book.Standing(5)); strikes != i+1 || book.Requests() != uint64(2*(i+1)) {
			t.Errorf("after %d: %d strikes, %d requests", i, strikes, book.Requests())
		}
		if len(book.Delta().Rows) > 0 {
			t.Error("what is kept waits to be kept")
		}
	}
	events, err := b.Events(t.Context(), EventFilter{Kind: string(score.Struck)})
	if err != nil || len(events) != 4 || events[0].Evidence != "lie" {
		t.Errorf("events are %v, %v", events, err)
	}
	r, err := OpenReadOnly(t.Context(), path, Options{})
	must(t, err)
	defer r.Close()
	if _, err := r.Tell(t.Context(), told(3, 1)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a reader is told: %v", err)
	}
	if book, err := r.Tell(t.Context(), nil); err != nil || !book.Convicted(3, 5) {
		t.Errorf("a reader reads: %v", err)
	}
}

func TestTellRefusesDamagedScores(t *testing.T) {
	s := opened(t, Memory, Options{})
	must(t, s.Put(t.Context(), scoreKind, "3", score.Row{}))
	if _, err := s.Tell(t.Context(), told(3, 1)); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v, want ErrDamaged", err)
	}
	var row score.Row
	if err := s.Get(t.Context(), scoreKind, "3", &row); err != nil || row.Server != 0 {
		t.Errorf("it was changed: %+v, %v", row, err)
	}
}

// Many processes that begin at once, on a file that is not there yet, lose nothing either.
func TestManyProcessesTell(t *testing.T) {
	const variable, processes, times = "BARNRAISE_STORE_TO_TELL", 6, 5
	if path := os.Getenv(variable); path != "" {
		for range times {
			s, err := Open(t.Context(), path, Options{})
			must(t, err)
			_, err = s.Tell(t.Context(), told(barnraise.ServerID(os.Getpid()), 1))
			must(t, errors.Join(err, s.Close()))
		}
		return
	}
	path := filepath.Join(t.TempDir(), "store.db")
	var group sync.WaitGroup
	for range processes {
		group.Go(func() {
			child := exec.Command(os.Args[0], "-test.run=^TestManyProcessesTell$")
			child.Env = append(os.Environ(), fmt.Sprintf("%s=%s", variable, path))
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	group.Wait()
	book, err := opened(t, path, Options{}).Tell(t.Context(), nil)
	must(t, err)
	if strikes := len(book.Standing(5)); strikes != processes*times || book.Requests() != processes*times {
		t.Errorf("%d strikes, %d requests", strikes, book.Requests())
	}
}
