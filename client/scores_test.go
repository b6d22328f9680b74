package client

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise/score"
)

// ledger keeps scores for several clients.
type ledger struct {
	mu    sync.Mutex
	book  score.Book
	err   error
	tells int
}

func (l *ledger) Tell(_ context.Context, told []score.Told) (*score.Book, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tells++; l.err != nil {
		return nil, l.err
	}
	for _, v := range told {
		v.To(&l.book)
	}
	copied := new(score.Book)
	return copied, copied.Restore(l.book.Rows())
}

func (l *ledger) strikes() int { l.mu.Lock(); defer l.mu.Unlock(); return len(l.book.Standing(0)) }

func strikes(c *Client) (n int) {
	c.Book(func(b *score.Book) { n = len(b.Standing(0)) })
	return n
}

// What one client has seen the next one knows; a strike is kept before the call returns, the rest when the client is closed.
func TestScoresSurviveTheClient(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	kept := new(ledger)
	first, _ := n.client(1, WithRerunner(honestMachine), WithScores(kept, nil))
	call(t, first)
	if kept.book.Requests() > 0 {
		t.Error("single answers are kept one by one")
	}
	n.members[1].answer = func([]byte) []byte { return lie }
	for kept.strikes() == 0 {
		if call(t, first); strikes(first) != kept.strikes() {
			t.Fatal("a call has returned, and its strike is not kept")
		}
	}
	call(t, first)
	first.Close()
	second, _ := n.client(2, WithScores(kept, nil))
	var a, b []score.Row
	first.Book(func(v *score.Book) { _, a = v.Rows() })
	second.Book(func(v *score.Book) { _, b = v.Rows() })
	if len(a) != len(b) || second.book.Requests() != first.book.Requests() || second.book.Clean(2, second.epoch()) {
		t.Errorf("the second knows %+v, want %+v", b, a)
	}
}

// Two at once lose nothing of each other's, and learn from each other.
func TestScoresAreSharedWhileClientsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 4, "compare")
		kept := new(ledger)
		a, _ := n.client(1, WithRerunner(honestMachine), WithScores(kept, nil))
		b, _ := n.client(2, WithScores(kept, nil))
		a.Book(func(v *score.Book) { v.Strike(score.Strike{Server: 2, Service: 1, Revision: 1, Epoch: a.epoch()}) })
		b.Book(func(v *score.Book) { v.Strike(score.Strike{Server: 3, Service: 1, Revision: 2, Epoch: a.epoch()}) })
		time.Sleep(2 * keptEvery)
		synctest.Wait()
		call(t, a)
		call(t, b)
		time.Sleep(2 * keptEvery)
		synctest.Wait()
		for _, c := range []*Client{a, b} {
			if got := strikes(c); got != 2 {
				t.Errorf("one knows of %d strikes, want 2", got)
			}
		}
		a.Close()
		b.Close()
	})
}

// hanging is a Scores that is not through before its time is up, and has the book hear of something meanwhile.
type hanging struct {
	ledger
	meanwhile func()
}

func (s *hanging) Tell(ctx context.Context, told []score.Told) (*score.Book, error) {
	if s.meanwhile == nil {
		return s.ledger.Tell(ctx, told)
	}
	s.meanwhile()
	<-ctx.Done()
	return nil, ctx.Err()
}

// Scores that hang hold up no call for long, and lose nothing.
func TestScoresThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 3, "compare")
		kept := new(hanging)
		failures := 0
		c, _ := n.client(1, WithScores(kept, func(error) { failures++ }))
		call(t, c)
		kept.meanwhile = func() { c.Book(func(b *score.Book) { b.Failed(2, c.now()) }) }
		start := time.Now()
		if c.keepScores(); time.Since(start) != keptWithin || failures != 1 {
			t.Errorf("took %v, %d failures", time.Since(start), failures)
		}
		kept.meanwhile = nil
		c.Close()
		if got := kept.book.Requests(); got != 4 {
			t.Errorf("kept are %d requests, want 4", got)
		}
	})
}

// What a client learns while its scores are kept is reported once.
func TestWhatIsLearntMeanwhileIsReportedOnce(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	var told []score.Event
	c, _ := n.client(1, WithScores(new(ledger), nil))
	c.Book(func(b *score.Book) { b.Report = func(e score.Event) { told = append(told, e) } })
	c.Book(func(b *score.Book) { b.Strike(score.Strike{Server: 2, Service: 1, Revision: 1, Epoch: 1}) })
	c.keptScores(nil, new(score.Book), nil) // the strike came after what was kept
	if len(told) != 1 || strikes(c) != 1 {
		t.Errorf("told of %+v, %d strikes", told, strikes(c))
	}
}

// A disk that is full stops no call; what could not be kept is kept later.
func TestScoresThatCannotBeKept(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	kept := new(ledger)
	failures := 0
	var c *Client
	c, _ = n.client(1, WithScores(kept, func(error) {
		failures++
		c.Book(func(*score.Book) {}) // whoever is told may look
	}))
	kept.err = errors.New("disk is full")
	call(t, c)
	c.keepScores()
	call(t, c)
	if failures != 1 {
		t.Errorf("told of %d failures", failures)
	}
	kept.err = nil
	c.Close()
	if kept.book.Requests() != c.book.Requests() {
		t.Errorf("kept are %d requests of %d", kept.book.Requests(), c.book.Requests())
	}
	kept.err = errors.New("damaged")
	if _, err := Open(t.Context(), n.config, WithRegistry(n), WithCache(t.TempDir()), WithKeeper(new(memory)), WithScores(kept, nil)); !errors.Is(err, kept.err) {
		t.Errorf("scores that cannot be read: %v", err)
	}
}
