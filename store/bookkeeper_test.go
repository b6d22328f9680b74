package store

import (
	"context"
	"testing"
	"time"

	"barnraise/score"
)

// What a book has learnt is there again after the store was opened anew, with what happened to it; also where a first try to keep
// it failed.
func TestBookkeeper(t *testing.T) {
	path := t.TempDir() + "/db"
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var book score.Book
	keeper := s.Bookkeeper(func(do func(*score.Book)) { do(&book) })
	if err := keeper.Restore(t.Context(), func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	book.Answered(3, time.Second, time.Unix(1_800_000_000, 0))
	book.Strike(score.Strike{Server: 3, Service: 1, Revision: 1, Epoch: 5, Conclusive: true})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if keeper.Keep(gone) == nil {
		t.Error("it was kept for nobody")
	}
	if err := keeper.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), path, Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var again score.Book
	if err := s.Bookkeeper(func(do func(*score.Book)) { do(&again) }).Restore(t.Context(), func(error) {}); err != nil {
		t.Fatal(err)
	}
	if !again.Convicted(3, 5) || again.Latency(3) != time.Second {
		t.Error("the strike, or the latency, is forgotten")
	}
	if events, err := s.Events(t.Context(), EventFilter{Server: 3}); err != nil || len(events) != 1 {
		t.Errorf("%d events, %v", len(events), err)
	}
}
