package docker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise/jsonrpc"
	"barnraise/manifest"
	"barnraise/runtime"
)

// puppet is a worker that does what the test says.
type puppet struct {
	name    int
	ends    chan error
	takes   time.Duration // to answer
	answer  []byte
	err     error
	fit     bool
	mu      sync.Mutex
	calls   int
	removed int // attempts
	sticky  int // attempts that fail
}

func (p *puppet) exchange(ctx context.Context, until time.Time, _ []byte, _ int64) (outcome, error) {
	p.mu.Lock()
	p.calls++
	through := time.After(p.takes)
	p.mu.Unlock()
	late := time.After(time.Until(until))
	select {
	case <-through:
		return outcome{answer: p.answer, fit: p.fit}, p.err
	case <-ctx.Done():
		return outcome{wait: func() bool {
			select {
			case <-through:
				return true
			case <-late:
				return false
			}
		}}, context.Cause(ctx)
	}
}

func (p *puppet) gone() <-chan error { return p.ends }

func (p *puppet) remove(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.removed++; p.removed <= p.sticky {
		return errors.New("sticky")
	}
	return nil
}

func (p *puppet) attempts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.removed
}

// stage makes puppets.
type stage struct {
	mu     sync.Mutex
	all    []*puppet
	begun  []time.Time
	takes  time.Duration
	refuse error
}

var pong = []byte(`{"jsonrpc":"2.0","id":1,"result":1}`)

func (s *stage) make(ctx context.Context) (worker, error) {
	s.mu.Lock()
	s.begun = append(s.begun, time.Now())
	s.mu.Unlock()
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		return nil, s.refuse
	}
	p := &puppet{name: len(s.all), ends: make(chan error, 1), takes: time.Millisecond, answer: pong, fit: true}
	s.all = append(s.all, p)
	return p, nil
}

func (s *stage) refusing(err error) {
	s.mu.Lock()
	s.refuse = err
	s.mu.Unlock()
}

// play runs a pool of puppets in a bubble, and closes it.
func play(t *testing.T, size int, p *pool, act func(*testing.T, *stage, *pool)) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{takes: 100 * time.Millisecond}
		p.make, p.chance = s.make, func() float64 { return 0.5 }
		first, err := s.make(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		newPool(first, size, p)
		act(t, s, p)
		p.close()
		for _, w := range s.all {
			if w.attempts() <= w.sticky {
				t.Errorf("worker %d is not removed", w.name)
			}
		}
	})
}

// ask makes a call straight to the pool.
func ask(p *pool) (name int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	m, err := p.take(ctx)
	if err != nil {
		return 0, err
	}
	o, err := m.exchange(ctx, time.Now().Add(time.Hour), nil, 0)
	p.give(m, err == nil, o.fit)
	return m.worker.(*puppet).name, err
}

// pass lets time go by, and everybody do what they do in it.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestPoolFillsAndWearsOut(t *testing.T) {
	play(t, 3, &pool{answers: 10}, func(t *testing.T, s *stage, p *pool) {
		pass(time.Second)
		if n := len(p.workers()); n != 3 {
			t.Errorf("%d are ready", n)
		}
		for range 100 { // all to the second of three, whatever stands there
			if _, err := ask(p); err != nil {
				t.Error(err)
			}
			if n := len(p.workers()); n < 3 || n > 4 {
				t.Errorf("%d are ready", n)
			}
			pass(20 * time.Millisecond)
		}
		for i := 4; i < len(s.begun); i++ { // the first three filled the pool
			if gap := s.begun[i].Sub(s.begun[i-1]); gap < (rest+1)*s.takes {
				t.Errorf("replaced again after %s", gap)
			}
		}
		if len(s.all) < 5 || p.restarted() != 0 {
			t.Errorf("%d made, %d restarts", len(s.all), p.restarted())
		}
	})
}

func TestPoolAges(t *testing.T) {
	play(t, 2, &pool{age: time.Minute}, func(t *testing.T, s *stage, p *pool) {
		for range 30 {
			pass(10 * time.Second)
			if n := len(p.workers()); n < 2 {
				t.Errorf("%d are ready", n)
			}
		}
		if n := len(s.all); n < 10 || n > 14 {
			t.Errorf("%d made in five minutes", n)
		}
	})
}

func TestPoolSpreadsByChance(t *testing.T) {
	play(t, 2, &pool{}, func(t *testing.T, s *stage, p *pool) {
		pass(time.Second)
		turn := 0.0
		p.chance = func() float64 { turn = 0.999 - turn; return turn }
		for range 10 {
			if _, err := ask(p); err != nil {
				t.Error(err)
			}
		}
		if s.all[0].calls != 5 || s.all[1].calls != 5 {
			t.Errorf("%d and %d calls", s.all[0].calls, s.all[1].calls)
		}
	})
}

// One failure costs nothing, and those after it ever more, up to half a minute; an answer makes good for all.
func TestPoolBacksOff(t *testing.T) {
	play(t, 1, &pool{}, func(t *testing.T, s *stage, p *pool) {
		s.refusing(errors.New("no engine"))
		s.all[0].ends <- errors.New("crashed")
		synctest.Wait()
		if err := p.health(); !errors.Is(err, runtime.ErrNotReady) {
			t.Errorf("health after one failure: %v", err)
		}
		pass(150 * time.Millisecond)
		if _, err := ask(p); !errors.Is(err, runtime.ErrNotReady) || !strings.Contains(err.Error(), "no engine") {
			t.Errorf("call: %v", err)
		}
		if err := p.health(); !errors.Is(err, runtime.ErrBroke) || !strings.Contains(err.Error(), "no engine") {
			t.Errorf("health: %v", err)
		}
		pass(5 * time.Minute)
		last := len(s.begun) - 1
		if gap := s.begun[last].Sub(s.begun[last-1]); gap < lastDelay || gap > lastDelay+s.takes {
			t.Errorf("attempts %s apart", gap)
		}
		if gap := s.begun[3].Sub(s.begun[2]); gap > time.Second {
			t.Errorf("first attempts %s apart", gap)
		}
		s.refusing(nil)
		pass(time.Minute)
		if _, err := ask(p); err != nil || p.health() != nil {
			t.Errorf("%v, %v", err, p.health())
		}
		at := time.Now()
		s.all[1].ends <- errors.New("crashed")
		synctest.Wait()
		if _, err := ask(p); err != nil || time.Since(at) > 2*s.takes {
			t.Errorf("after an answer: %v, %s", err, time.Since(at))
		}
		if p.restarted() != 2 {
			t.Errorf("%d restarts", p.restarted())
		}
	})
}

// A worker that is not fit gets no more calls, those in it are answered, and it is removed after them, however often it takes.
func TestPoolDropsTheUnfit(t *testing.T) {
	play(t, 2, &pool{}, func(t *testing.T, s *stage, p *pool) {
		pass(time.Second)
		unfit := s.all[1]
		unfit.takes, unfit.sticky = 3*time.Second, 3
		slow := make(chan error, 1)
		go func() {
			_, err := ask(p)
			slow <- err
		}()
		synctest.Wait()
		p.give(take(t, p, unfit), false, false)
		for range 5 {
			if name, err := ask(p); err != nil || name == unfit.name {
				t.Errorf("call came to %d, %v", name, err)
			}
		}
		pass(time.Second)
		if unfit.attempts() != 0 {
			t.Error("removed with a call in it")
		}
		if err := <-slow; err != nil {
			t.Error(err)
		}
		pass(10 * time.Second)
		if unfit.attempts() != 4 || len(p.workers()) != 2 || p.restarted() != 1 {
			t.Errorf("%d attempts to remove, %d ready, %d restarts", unfit.attempts(), len(p.workers()), p.restarted())
		}
	})
}

// take takes a certain worker.
func take(t *testing.T, p *pool, w worker) *member {
	t.Helper()
	m, err := p.take(t.Context())
	if err != nil || m.worker != w {
		t.Fatalf("took %v, %v", m, err)
	}
	return m
}

// One that waits for its turn to be replaced and ends meanwhile is replaced at once.
func TestPoolWornAndGone(t *testing.T) {
	play(t, 1, &pool{answers: 1}, func(t *testing.T, s *stage, p *pool) {
		for n := range 2 { // the second one has to wait, since the first was replaced just now
			if name, err := ask(p); name != n || err != nil {
				t.Errorf("%d, %v", name, err)
			}
			pass(300 * time.Millisecond)
		}
		at := time.Now()
		s.all[1].ends <- errors.New("crashed")
		synctest.Wait()
		if name, err := ask(p); name != 2 || err != nil || time.Since(at) > 2*s.takes {
			t.Errorf("%d, %v, after %s", name, err, time.Since(at))
		}
	})
}

// Closed in the middle of everything, the pool leaves nothing.
func TestPoolCloses(t *testing.T) {
	for wait := range 12 {
		play(t, 3, &pool{answers: 1, age: time.Second}, func(t *testing.T, s *stage, p *pool) {
			go func() { _, _ = ask(p) }()
			pass(time.Duration(wait) * 50 * time.Millisecond)
			p.close()
			_, err := ask(p)
			if len(p.workers()) != 0 || !errors.Is(err, runtime.ErrNotReady) || !errors.Is(p.health(), runtime.ErrNotReady) {
				t.Errorf("%d are ready after closing, %v, %v", len(p.workers()), err, p.health())
			}
		})
	}
}

// A caller that goes early is told at once, while the service may go on until the limit and then loses its container.
func TestInstanceOutOfTime(t *testing.T) {
	play(t, 2, &pool{}, func(t *testing.T, s *stage, p *pool) {
		pass(time.Second)
		limits := manifest.Limits{Request: 100, Response: 100, Timeout: manifest.Duration(4 * time.Second)}
		i := newInstance(&service{limits: limits}, p, 1)
		request := []byte(`{"jsonrpc":"2.0","id":1,"method":"x"}`)
		if got, err := i.Call(t.Context(), request); string(got) != string(pong) || err != nil {
			t.Errorf("%s, %v", got, err)
		}
		s.all[1].takes = time.Hour
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		at := time.Now()
		if _, err := i.Call(impatient, request); !errors.Is(err, runtime.ErrTimeout) || time.Since(at) != time.Second {
			t.Errorf("%v after %s", err, time.Since(at))
		}
		if n := i.running.Load(); n != 1 || len(p.workers()) != 2 {
			t.Errorf("%d run, %d ready", n, len(p.workers()))
		}
		if got, err := i.Call(t.Context(), request); string(got) != string(pong) || err != nil || time.Since(at) < 4*time.Second {
			t.Errorf("for want of a slot %s, %v, after %s", got, err, time.Since(at))
		}
		if p.restarted() != 1 || i.calls.Load() != 3 || i.answers.Load() != 2 {
			t.Errorf("%d restarts, %d calls", p.restarted(), i.calls.Load())
		}
		for _, bad := range []string{`[]`, `{`, `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("x", 100) + `"}`} {
			_, err := i.Call(t.Context(), []byte(bad))
			if err == nil || errors.Is(err, runtime.ErrBroke) || i.calls.Load() != 3 {
				t.Errorf("%s: %v", bad, err)
			}
		}
		pass(time.Second)
		s.all[0].answer, s.all[2].answer = []byte("{}"), []byte("{}")
		if _, err := i.Call(t.Context(), request); !errors.Is(err, runtime.ErrBroke) || errors.Is(err, jsonrpc.ErrBatch) {
			t.Errorf("%v", err)
		}
	})
}

func TestLastWords(t *testing.T) {
	frame := func(s string) string {
		return "\x02\x00\x00\x00" + string(binary.BigEndian.AppendUint32(nil, uint32(len(s)))) + s
	}
	for _, c := range []struct{ logs, want string }{
		{"", ""}, {"\x01", ""}, {frame("one\n") + frame("two\n"), "one\ntwo\n"}, {frame("cut")[:10], "cu"},
		{frame(strings.Repeat("x", 1000)) + frame("y"), strings.Repeat("x", 499) + "y"}, {"\x01\x00\x00\x00\xff\xff\xff\xffx", "x"},
	} {
		if got := lastWords(strings.NewReader(c.logs)); got != c.want {
			t.Errorf("%q: %q, want %q", c.logs, got, c.want)
		}
	}
}

func FuzzLastWords(f *testing.F) {
	f.Add("\x01\x00\x00\x00\x00\x00\x00\x01x")
	f.Fuzz(func(t *testing.T, logs string) {
		if got := lastWords(strings.NewReader(logs)); len(got) > 500 || len(got) > len(logs) {
			t.Errorf("%d bytes of %d", len(got), len(logs))
		}
	})
}

func TestLoaded(t *testing.T) {
	for _, c := range []struct{ stream, says string }{
		{"", ""}, {`{"stream":"Loaded image ID: sha256:12"}`, ""},
		{`{"status":"1"}{"errorDetail":{},"error":"invalid diffID"}`, "invalid diffID"},
		{`{"error":`, "answer"}, {"<html>", "answer"},
	} {
		err := loaded(strings.NewReader(c.stream))
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.stream, err, c.says)
		}
	}
}

func FuzzLoaded(f *testing.F) {
	f.Add(`{"error":"x"}`)
	f.Fuzz(func(t *testing.T, stream string) {
		if err := loaded(strings.NewReader(stream)); err != nil && len(fmt.Sprint(err)) > 4000 {
			t.Errorf("an error of %d bytes", len(fmt.Sprint(err)))
		}
	})
}
