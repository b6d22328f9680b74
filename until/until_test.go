package until

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

type told chan struct{}

func (t told) Ended() { close(t) }

func (t told) was() bool {
	select {
	case <-t:
		return true
	default:
		return false
	}
}

var errOver = errors.New("over")

// ending is a way in which a context ends.
type ending struct {
	name       string
	begin      func() (c context.Context, end func())
	err, cause error
}

var endings = []ending{
	{"told", func() (context.Context, func()) {
		c := New(context.Background(), time.Time{})
		return c, c.End
	}, context.Canceled, context.Canceled},
	{"in time", func() (context.Context, func()) {
		return New(context.Background(), time.Now().Add(time.Second)), func() { time.Sleep(time.Second) }
	}, context.DeadlineExceeded, context.DeadlineExceeded},
	{"parent's time", func() (context.Context, func()) {
		p, cancel := context.WithTimeout(context.Background(), time.Second)
		return New(p, time.Now().Add(time.Hour)), func() { time.Sleep(time.Second); synctest.Wait(); cancel() }
	}, context.DeadlineExceeded, context.DeadlineExceeded},
	{"parent", func() (context.Context, func()) {
		p, cancel := context.WithCancelCause(context.Background())
		return New(p, time.Now().Add(time.Hour)), func() { cancel(errOver) }
	}, context.Canceled, errOver},
	{"parent of this kind", func() (context.Context, func()) {
		p := New(context.Background(), time.Time{})
		return New(New(p, time.Time{}), time.Now().Add(time.Hour)), p.End
	}, context.Canceled, context.Canceled},
	{"time of a parent of this kind", func() (context.Context, func()) {
		p := New(context.Background(), time.Now().Add(time.Second))
		return New(p, time.Now().Add(time.Hour)), func() { time.Sleep(time.Second) }
	}, context.DeadlineExceeded, context.DeadlineExceeded},
	{"the other", func() (context.Context, func()) {
		o, cancel := context.WithCancel(context.Background())
		return Either(context.Background(), o, errOver, time.Now().Add(time.Hour)), cancel
	}, context.Canceled, errOver},
	{"the other, of this kind", func() (context.Context, func()) {
		o := New(context.Background(), time.Time{})
		return New(Either(context.Background(), o, errOver, time.Time{}), time.Time{}), o.End
	}, context.Canceled, errOver},
	{"child of the library's", func() (context.Context, func()) {
		p := New(context.Background(), time.Time{})
		c, cancel := context.WithTimeout(p, time.Hour)
		return New(c, time.Time{}), func() { p.End(); cancel() }
	}, context.Canceled, context.Canceled},
}

// What waits, and how it is looked at, makes no difference to how a context ends.
func TestEnds(t *testing.T) {
	for _, e := range endings {
		for _, early := range []string{"nobody", "hook", "done", "func", "child"} {
			t.Run(e.name+"/"+early, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { ends(t, e, early) })
			})
		}
	}
}

func ends(t *testing.T, e ending, early string) {
	c, end := e.begin()
	called := make(told)
	var hook Hook
	switch early {
	case "hook":
		hook.Watch(c, called)
	case "done":
		go func() {
			<-c.Done()
			close(called)
		}()
	case "func":
		context.AfterFunc(c, called.Ended)
	case "child":
		child, cancel := context.WithCancel(c)
		defer cancel()
		context.AfterFunc(child, called.Ended)
	}
	synctest.Wait()
	if c.Err() != nil || context.Cause(c) != nil || called.was() {
		t.Fatalf("before its end: %v, %v, told %t", c.Err(), context.Cause(c), called.was())
	}
	end()
	synctest.Wait()
	if c.Err() != e.err || context.Cause(c) != e.cause {
		t.Errorf("it ended with %v for %v, want %v for %v", c.Err(), context.Cause(c), e.err, e.cause)
	}
	if early != "nobody" && !called.was() {
		t.Error("nobody was told")
	}
	if early == "hook" && hook.Stop() {
		t.Error("who was told could be stopped")
	}
	<-c.Done()
	after := make(told)
	new(Hook).Watch(c, after)
	<-after
}

// Who has stopped waiting is not told, and may wait for another; of others one more or less makes no difference.
func TestHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(context.Background(), time.Now().Add(time.Second))
		var hooks [5]Hook
		var calls [5]told
		for i := range hooks {
			calls[i] = make(told)
			hooks[i].Watch(c, calls[i])
		}
		for _, i := range []int{0, 3} {
			if !hooks[i].Stop() || hooks[i].Stop() {
				t.Error("a hook is not stopped once")
			}
		}
		other := New(context.Background(), time.Time{})
		hooks[3].Watch(other, calls[3])
		time.Sleep(time.Second)
		synctest.Wait()
		for i := range calls {
			if calls[i].was() != (i != 0 && i != 3) {
				t.Errorf("hook %d: told %t", i, calls[i].was())
			}
		}
		other.End()
		if !calls[3].was() {
			t.Error("a hook that is used again is not told")
		}
		if (&Hook{}).Stop() != true {
			t.Error("what waits for nothing cannot be stopped")
		}
	})
}

// A context that ended leaves nothing behind with what it depended on: no hook, no timer.
func TestLeavesNothing(t *testing.T) {
	parent, other := New(context.Background(), time.Time{}), New(context.Background(), time.Time{})
	for range 10 {
		c := Either(parent, other, errOver, time.Now().Add(time.Hour))
		var h Hook
		h.Watch(c, make(told))
		h.Stop()
		c.End()
		if c.timer.Stop() {
			t.Error("the timer runs on")
		}
	}
	if len(parent.hooks) != 0 || len(other.hooks) != 0 {
		t.Errorf("%d and %d hooks are left", len(parent.hooks), len(other.hooks))
	}
}
