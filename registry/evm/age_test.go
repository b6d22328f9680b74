package evm

import (
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// switched is an endpoint that can be switched off.
func switched(t *testing.T, r *Registry) (url string, off *atomic.Bool) {
	off = new(atomic.Bool)
	return tamper(t, r.Network().RPC[0], func(_ string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if off.Load() {
			return nil, answer{status: 503}
		}
		return result, nil
	}), off
}

// TestOldView: while nobody can be asked, what was read last is good for a day, and from an hour on with a warning in each; over a
// restart as well. Then it fails, and so does at once whoever did not ask for that.
func TestOldView(t *testing.T) {
	r := grown(t)
	url, off := switched(t, r)
	n := r.Network()
	n.RPC = []string{url, "http://127.0.0.1:1"}
	start := time.Unix(1_800_000_000, 0)
	now := start
	var told []string
	keeper := &shelf{}
	options := []Option{
		WithKeeper(keeper), WithClock(func() time.Time { return now }), WithLastView(), WithWarn(func(s string) { told = append(told, s) }),
	}
	followed, err := Dial(t.Context(), n, options...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { followed.Close() }()
	strict, err := Dial(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	defer strict.Close()
	for _, r := range []*Registry{followed, strict} {
		if _, err := r.Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Confirmed(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	off.Store(true)
	if _, err := strict.Snapshot(t.Context()); err == nil || errors.Is(err, ErrOldView) {
		t.Errorf("without the option: error is %v, want that of the endpoints", err)
	}
	look := func(age time.Duration, good bool, warnings int) {
		t.Helper()
		now = start.Add(age)
		s, err := followed.Snapshot(t.Context())
		confirmed, err2 := followed.Confirmed(t.Context())
		if good && (err != nil || err2 != nil || len(s.Servers()) != 2 || len(confirmed.Servers()) != 2) {
			t.Errorf("after %s: %v, %v, want two servers", age, err, err2)
		}
		if !good && (!errors.Is(err, ErrOldView) || !errors.Is(err2, ErrOldView)) {
			t.Errorf("after %s: errors are %v, %v; want ErrOldView", age, err, err2)
		}
		if len(told) != warnings {
			t.Errorf("after %s: told %q, want %d warnings", age, told, warnings)
		}
		told = nil
	}
	look(0, true, 0)
	look(time.Hour-1, true, 0)
	look(time.Hour, true, 1)
	look(time.Hour+time.Minute, true, 0)
	look(2*time.Hour, true, 1)
	look(MaxAge-1, true, 1)
	look(MaxAge, false, 0)
	look(-time.Second, false, 0)

	now = start.Add(MaxAge / 2)
	again, err := Dial(t.Context(), n, options...)
	if err != nil {
		t.Fatal(err)
	}
	followed.Close()
	followed, told = again, nil
	look(MaxAge-time.Second, true, 1)
}

// TestOldViewRestarts: a restart while nobody can be asked goes on by what was kept, unless that is too old; and once somebody
// answers again, by that.
func TestOldViewRestarts(t *testing.T) {
	r := grown(t)
	url, off := switched(t, r)
	n := r.Network()
	n.RPC = []string{url}
	now := time.Unix(1_800_000_000, 0)
	keeper := &shelf{}
	start := func() (*Registry, error) {
		return Dial(t.Context(), n, WithKeeper(keeper), WithClock(func() time.Time { return now }), WithLastView())
	}
	first, err := start()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := first.Confirmed(t.Context()); err != nil {
		t.Fatal(err)
	}
	off.Store(true)
	now = now.Add(MaxAge - time.Second)
	second, err := start()
	if err != nil {
		t.Fatalf("restart: %v", err)
	}
	defer second.Close()
	if s, err := second.Snapshot(t.Context()); err != nil || len(s.Servers()) != 2 || !second.Asked().Equal(first.Asked()) {
		t.Errorf("snapshot %v, %v, asked %s; want two servers, asked at %s", s, err, second.Asked(), first.Asked())
	}
	now = now.Add(time.Second)
	if _, err := second.Snapshot(t.Context()); !errors.Is(err, ErrOldView) {
		t.Errorf("a day later: %v, want ErrOldView", err)
	}
	if _, err := start(); err == nil || !strings.Contains(err.Error(), "no RPC endpoint of the network file will do") {
		t.Errorf("a restart a day later: %v, want what is wrong with the endpoints", err)
	}
	off.Store(false)
	topUp(t, r)
	same(t, "back", second, plainly(t, r))
	if second.params.Grace != r.params.Grace {
		t.Errorf("grace is %d, want %d", second.params.Grace, r.params.Grace)
	}
}
