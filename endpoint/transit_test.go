package endpoint

import (
	"errors"
	"fmt"
	"testing"
)

func TestTransit(t *testing.T) {
	road := NewTransit(100)
	var cut []int
	enter := func(i int, size int64) *body { return road.enter(size, func() { cut = append(cut, i) }) }
	expect := func(what string, room int64, want ...int) {
		t.Helper()
		if fmt.Sprint(cut) != fmt.Sprint(want) || road.room != room {
			t.Fatalf("%s: %v are cut, want %v; room for %d, want %d", what, cut, want, road.room, room)
		}
	}
	a, b, c := enter(0, 40), enter(1, 40), enter(2, 20)
	expect("full", 0)
	if err := c.grow(1); err != nil {
		t.Error(err)
	}
	expect("one more", 39, 0)
	if err := errors.Join(a.grow(1), a.leave()); !errors.Is(err, ErrGaveWay) {
		t.Errorf("the oldest: %v", err)
	}
	if err := b.leave(); err != nil {
		t.Error(err)
	}
	expect("one left", 79, 0)
	if err := c.grow(80); !errors.Is(err, ErrGaveWay) {
		t.Errorf("larger than all: %v", err)
	}
	expect("empty", 100, 0, 2)
	if d := enter(3, 101); d.leave() == nil {
		t.Error("larger than all is let in")
	}
	expect("empty", 100, 0, 2, 3)
}
