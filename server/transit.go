package server

import (
	"container/list"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Bounds of bodies on their way. An open connection counts for as much as it takes without any body.
const (
	transitRoom = 256 << 20 // bytes that all of them take
	transitBase = 16 << 10  // bytes that each of them takes
	patience    = 10 * time.Second
	slowest     = 64 << 10 // bytes a second that earn a body more time than that
)

// errGaveWay is the error for a body that was broken off to make room.
var errGaveWay = errors.New("too many bodies are on their way")

// transit bounds what requests that arrive and answers that leave take of this machine's memory. Where there is no room for
// one more byte, the body that has been on its way for longest is broken off. A request that comes whole is through in a
// moment; so whoever dawdles gives way to those who come after him, and keeps nobody out, however many dawdle with him.
type transit struct {
	mu     sync.Mutex
	room   int64
	bodies list.List // of *body, oldest first
}

// body is one on its way.
type body struct {
	transit *transit
	place   *list.Element // nil once it has left or was broken off
	size    int64
	cut     func() // ends its reading or writing
}

// enter puts a body on its way. The caller makes it leave.
func (t *transit) enter(size int64, cut func()) *body {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := &body{transit: t, cut: cut}
	b.place = t.bodies.PushBack(b)
	t.take(b, size)
	return b
}

// grow makes a body larger. It fails with [errGaveWay] once the body is broken off.
func (b *body) grow(size int64) error {
	t := b.transit
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.place != nil {
		t.take(b, size)
	}
	if b.place == nil {
		return errGaveWay
	}
	return nil
}

// leave ends the way of a body, in the same way as grow.
func (b *body) leave() error {
	t := b.transit
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.place == nil {
		return errGaveWay
	}
	t.remove(b)
	return nil
}

// take finds room. The lock is held.
func (t *transit) take(b *body, size int64) {
	b.size += size
	t.room -= size
	for t.room < 0 {
		oldest := t.bodies.Front().Value.(*body)
		t.remove(oldest)
		oldest.cut()
	}
}

func (t *transit) remove(b *body) {
	t.bodies.Remove(b.place)
	t.room += b.size
	b.place = nil
}

// read takes in the body of a request, of at most that many bytes. It fails with [errGaveWay], an [http.MaxBytesError], or
// what kept the body from arriving whole and in time.
func (t *transit) read(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	expected := r.ContentLength
	if expected < 0 {
		expected = most
	}
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(timeFor(expected)))
	b := t.enter(transitBase, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	request, err := io.ReadAll(metered{http.MaxBytesReader(w, r.Body, most), b})
	if gaveWay := b.leave(); gaveWay != nil {
		return nil, gaveWay
	}
	return request, err
}

// write sends an answer.
func (t *transit) write(w http.ResponseWriter, answer []byte) {
	c := http.NewResponseController(w)
	size := int64(len(answer))
	_ = c.SetWriteDeadline(time.Now().Add(timeFor(size)))
	b := t.enter(transitBase+size, func() { _ = c.SetWriteDeadline(time.Unix(1, 0)) })
	_, _ = w.Write(answer) // who does not take it gets no other
	_ = b.leave()
}

// timeFor is how long a body may be on its way.
func timeFor(size int64) time.Duration { return patience + time.Duration(size)*time.Second/slowest }

// metered reads a body that grows as it arrives.
type metered struct {
	io.Reader
	body *body
}

func (m metered) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if gaveWay := m.body.grow(int64(n)); gaveWay != nil {
		return 0, gaveWay
	}
	return n, err
}
