package endpoint

import (
	"container/list"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Bounds of bodies on their way.
const (
	Base     = 16 << 10         // bytes that each of them takes beside its own: an open connection counts for as much as it takes
	Patience = 10 * time.Second // how long a body may be on its way
	Slowest  = 64 << 10         // bytes a second that earn a body more time than that
)

// ErrGaveWay is the error for a body that was broken off to make room.
var ErrGaveWay = errors.New("too many bodies are on their way")

// Transit bounds what requests that arrive and answers that leave take of this machine's memory. Where there is no room for
// one more byte, the body that has been on its way for longest is broken off. A request that comes whole is through in a
// moment; so whoever dawdles gives way to those who come after him, and keeps nobody out, however many dawdle with him.
type Transit struct {
	mu     sync.Mutex
	room   int64
	bodies list.List // of *body, oldest first
}

// NewTransit makes room for so many bytes.
func NewTransit(room int64) *Transit { return &Transit{room: room} }

// body is one on its way.
type body struct {
	transit *Transit
	place   *list.Element // nil once it has left or was broken off
	size    int64
	cut     func() // ends its reading or writing
}

// enter puts a body on its way. The caller makes it leave.
func (t *Transit) enter(size int64, cut func()) *body {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := &body{transit: t, cut: cut}
	b.place = t.bodies.PushBack(b)
	t.take(b, size)
	return b
}

// grow makes a body larger. It fails with [ErrGaveWay] once the body is broken off.
func (b *body) grow(size int64) error {
	t := b.transit
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.place != nil {
		t.take(b, size)
	}
	if b.place == nil {
		return ErrGaveWay
	}
	return nil
}

// leave ends the way of a body, in the same way as grow.
func (b *body) leave() error {
	t := b.transit
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.place == nil {
		return ErrGaveWay
	}
	t.remove(b)
	return nil
}

// take finds room. The lock is held.
func (t *Transit) take(b *body, size int64) {
	b.size += size
	t.room -= size
	for t.room < 0 {
		oldest := t.bodies.Front().Value.(*body)
		t.remove(oldest)
		oldest.cut()
	}
}

func (t *Transit) remove(b *body) {
	t.bodies.Remove(b.place)
	t.room += b.size
	b.place = nil
}

// Read takes in the body of a request, of at most that many bytes. It fails with [ErrGaveWay], an [http.MaxBytesError], or
// what kept the body from arriving whole and in time.
func (t *Transit) Read(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	expected := r.ContentLength
	if expected < 0 {
		expected = most
	}
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(TimeFor(expected)))
	b := t.enter(Base, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	request, err := io.ReadAll(metered{http.MaxBytesReader(w, r.Body, most), b})
	if gaveWay := b.leave(); gaveWay != nil {
		return nil, gaveWay
	}
	return request, err
}

// Write sends an answer.
func (t *Transit) Write(w http.ResponseWriter, answer []byte) {
	c := http.NewResponseController(w)
	size := int64(len(answer))
	_ = c.SetWriteDeadline(time.Now().Add(TimeFor(size)))
	b := t.enter(Base+size, func() { _ = c.SetWriteDeadline(time.Unix(1, 0)) })
	_, _ = w.Write(answer) // who does not take it gets no other
	_ = b.leave()
}

// TimeFor is how long a body may be on its way.
func TimeFor(size int64) time.Duration { return Patience + time.Duration(size)*time.Second/Slowest }

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
