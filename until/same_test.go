package until

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// steps are after how many seconds something ends a context, zero for never.
type steps struct{ parent, own, end, parentEnds time.Duration }

// ends is how many there are.
func (s steps) ends() (n int) {
	for _, at := range []time.Duration{s.parent, s.own, s.end, s.parentEnds} {
		if at != 0 {
			n++
		}
	}
	return n
}

// What a context says, at every moment of its life, is what one of the library says that was made and ended in the same way.
func TestSaysWhatTheLibrarys(t *testing.T) {
	type key struct{}
	for _, s := range []steps{
		{}, {own: 2}, {parent: 2}, {own: 2, parent: 2}, {own: 2, parent: 4}, {own: 4, parent: 2}, {end: 1}, {parentEnds: 1}, {end: 1, parentEnds: 3},
		{end: 3, parentEnds: 1}, {own: 2, end: 1}, {own: 2, end: 3}, {parent: 2, end: 1}, {own: 2, parentEnds: 1}, {own: 1, parentEnds: 2},
		{parent: 2, own: 4, end: 1, parentEnds: 3}, {own: -1}, {own: -1, parentEnds: 1}, {parent: -1},
	} {
		for look := range 2 { // from the beginning, or at the end alone
			synctest.Test(t, func(t *testing.T) {
				parent, cancelParent := context.WithCancelCause(context.WithValue(t.Context(), key{}, 1))
				var other context.CancelFunc = func() {}
				if s.parent != 0 {
					parent, other = context.WithTimeout(parent, s.parent*time.Second)
				}
				defer other()
				late := time.Time{}
				library, end := context.WithCancel(parent)
				if s.own != 0 {
					late = time.Now().Add(s.own * time.Second)
					library, end = context.WithDeadline(parent, late)
				}
				ours := New(parent, late)
				defer ours.End()
				defer end()
				for at := range time.Duration(6) {
					if at > 0 && at == s.end {
						ours.End()
						end()
					}
					if at > 0 && at == s.parentEnds {
						cancelParent(errOver)
					}
					synctest.Wait()
					if look == 0 || at == 5 {
						compare(t, library, ours, look == 0 || s.ends() < 2)
						if ours.Value(key{}) != 1 {
							t.Error("a value is lost")
						}
					}
					time.Sleep(time.Second)
					synctest.Wait()
				}
				if t.Failed() {
					t.Fatalf("%+v, %d", s, look)
				}
				cancelParent(nil)
			})
		}
	}
}

func compare(t *testing.T, library, ours context.Context, why bool) {
	t.Helper()
	due, bound := library.Deadline()
	if d, ok := ours.Deadline(); ok != bound || !d.Equal(due) {
		t.Errorf("due at %v %t, want %v %t", d, ok, due, bound)
	}
	if !why && (ours.Err() == nil) != (library.Err() == nil) {
		t.Errorf("ended with %v, want %v", ours.Err(), library.Err())
	}
	if why && (ours.Err() != library.Err() || context.Cause(ours) != context.Cause(library)) {
		t.Errorf("ended with %v for %v, want %v for %v", ours.Err(), context.Cause(ours), library.Err(), context.Cause(library))
	}
	select {
	case <-ours.Done():
		if library.Err() == nil {
			t.Error("done, and not ended")
		}
	default:
		if library.Err() != nil {
			t.Error("ended, and not done")
		}
	}
}

// Contexts of the library that are made from one of these take no goroutine to wait for it.
func TestChildrenTakeNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, other := New(context.Background(), time.Now().Add(time.Hour)), New(context.Background(), time.Time{})
		c := Either(parent, other, errOver, time.Now().Add(time.Minute))
		defer c.End()
		before := runtime.NumGoroutine()
		for range 100 {
			child, cancel := context.WithCancel(context.WithValue(c, told(nil), 1))
			defer cancel()
			defer context.AfterFunc(child, func() {})()
			grandchild, cancel := context.WithTimeout(New(child, time.Time{}), time.Second)
			defer cancel()
			_ = grandchild.Done()
		}
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > before+10 { // others may come and go
			t.Errorf("%d goroutines, before there were %d", n, before)
		}
	})
}
