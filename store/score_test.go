package store

import (
	"errors"
	"testing"
	"time"

	"barnraise"
	"barnraise/score"
)

func TestScoresSurvive(t *testing.T) {
	s := opened(t, Memory, Options{})
	var b, c score.Book
	b.Report = func(e score.Event) { must(t, s.AppendScores(t.Context(), e)) }
	must(t, s.Scores(t.Context(), &b))
	for id := range barnraise.ServerID(300) {
		b.Audited(id+1, 3)
		b.Answered(id+1, time.Second, noon)
	}
	b.Strike(score.Strike{Server: 5, Service: 3, Revision: 1, Epoch: 7, Evidence: "sha256:x"})
	must(t, s.KeepScores(t.Context(), b.Delta()))
	b.Forget(9)
	must(t, s.KeepScores(t.Context(), b.Delta()))
	must(t, s.Scores(t.Context(), &c))
	if c.History(300, 3) != 1 || c.History(9, 3) != 0 || c.Clean(5, 7) || c.Requests() != 300 {
		t.Errorf("history %v and %v, %d requests", c.History(300, 3), c.History(9, 3), c.Requests())
	}
	list, err := s.Events(t.Context(), EventFilter{Server: 5})
	if err != nil || len(list) != 1 || list[0].Evidence != "sha256:x" {
		t.Errorf("events %+v, %v", list, err)
	}
	for _, v := range []any{"text", score.Row{Server: 7, Latency: -1}} {
		must(t, s.Put(t.Context(), scoreKind, "7", v))
		if err := s.Scores(t.Context(), &c); !errors.Is(err, ErrDamaged) || c.History(300, 3) != 1 {
			t.Errorf("%v: %v, want ErrDamaged and the book as it was", v, err)
		}
	}
}
