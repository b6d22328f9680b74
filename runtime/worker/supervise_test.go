package worker

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise/runtime"
)

// scene is a child that does what a test says, by the clock of a synctest bubble.
type scene struct {
	mu     sync.Mutex
	begun  time.Time
	spawns []time.Duration // since then, failed ones included
	starts []time.Duration
	fails  int // spawns, next
	lives  chan error
	answer func(*http.Request) (int, string)
}

func (s *scene) spawn(context.Context) (process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spawns = append(s.spawns, time.Since(s.begun))
	if s.fails > 0 {
		s.fails--
		return nil, errors.New("as told")
	}
	s.lives = make(chan error, 1)
	return s, nil
}

func (s *scene) current() chan error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lives
}

func (s *scene) Wait() error { return <-s.current() }
func (s *scene) End()        { s.crash() }
func (s *scene) crash()      { s.current() <- errors.New("crashed") }

func (s *scene) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := http.StatusNoContent, ""
	if r.Method == http.MethodPut {
		s.mu.Lock()
		s.starts = append(s.starts, time.Since(s.begun))
		s.mu.Unlock()
	}
	if s.answer != nil {
		status, body = s.answer(r)
	}
	if status == 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: status, Header: http.Header{failureHeader: {"broke"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func play(t *testing.T, s *scene, story func(*testing.T, *Runtime)) {
	synctest.Test(t, func(t *testing.T) {
		s.begun = time.Now()
		r, err := open(t.Context(), s.spawn, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		story(t, r)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestBackoff(t *testing.T) {
	s := &scene{}
	play(t, s, func(*testing.T, *Runtime) {
		s.crash()
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		s.fails = 2
		s.crash()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		time.Sleep(calm)
		s.crash()
		time.Sleep(time.Second)
	})
	ms := time.Millisecond
	want := []time.Duration{0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms, 2100*ms + calm + 100*ms}
	if !slices.Equal(s.spawns, want) {
		t.Errorf("children were started at %v, want %v", s.spawns, want)
	}
	if got := backoff(1000); got != time.Minute {
		t.Errorf("after a thousand crashes %v", got)
	}
}

// Who is being called when the process ends is started later than who is not, the more so the more often that happened.
func TestSuspects(t *testing.T) {
	s := &scene{answer: func(r *http.Request) (int, string) {
		if strings.HasSuffix(r.URL.Path, "/call") {
			return 0, ""
		}
		return http.StatusNoContent, ""
	}}
	play(t, s, func(t *testing.T, r *Runtime) {
		ctx, cancel := context.WithCancel(t.Context())
		i, err := r.Start(ctx, runtime.Spec{Limits: moodyLimits})
		if err != nil {
			t.Fatal(err)
		}
		crash := func() {
			ended := make(chan struct{})
			go func() {
				_, _ = i.Call(ctx, request("x"))
				close(ended)
			}()
			synctest.Wait()
			s.crash()
			time.Sleep(30 * time.Second) // the call is out of time by then too
			synctest.Wait()
			<-time.After(time.Second)
		}
		crash()
		crash()
		cancel()
	})
	if len(s.starts) != 3 || len(s.spawns) != 3 {
		t.Fatalf("started at %v, children at %v, want three each", s.starts, s.spawns)
	}
	for n, later := range []time.Duration{0, backoff(1), backoff(2)} {
		if got := s.starts[n] - s.spawns[n]; got != later {
			t.Errorf("start %d was %v after the child's, want %v", n, got, later)
		}
	}
}

// A service that does not start again says why, is tried again, and can be stopped meanwhile.
func TestDoesNotStartAgain(t *testing.T) {
	var broken bool
	s := &scene{}
	s.answer = func(r *http.Request) (int, string) {
		if broken && r.Method == http.MethodPut {
			return http.StatusInternalServerError, "no more"
		}
		return http.StatusNoContent, ""
	}
	play(t, s, func(t *testing.T, r *Runtime) {
		i, err := r.Start(t.Context(), runtime.Spec{Limits: moodyLimits})
		if err != nil {
			t.Fatal(err)
		}
		broken = true
		s.crash()
		synctest.Wait()
		if err := i.Health(t.Context()); !errors.Is(err, runtime.ErrNotReady) {
			t.Errorf("meanwhile: %v", err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if err := i.Health(t.Context()); !errors.Is(err, runtime.ErrBroke) || !strings.Contains(err.Error(), "no more") {
			t.Errorf("health: %v", err)
		}
		if _, err := i.Call(t.Context(), request("x")); !errors.Is(err, runtime.ErrNotReady) {
			t.Errorf("call: %v", err)
		}
		if len(s.starts) < 4 {
			t.Errorf("started at %v", s.starts)
		}
		if err := i.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		tried := len(s.starts)
		time.Sleep(5 * time.Minute)
		if synctest.Wait(); len(s.starts) != tried {
			t.Error("it is tried though it was stopped")
		}
	})
}
