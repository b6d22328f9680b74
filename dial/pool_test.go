package dial

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

func TestPoolKeepsNoMoreThanItMay(t *testing.T) {
	p := newPool()
	var conns []net.Conn
	open := func(host string) *wire {
		a, b := net.Pipe()
		conns = append(conns, b)
		return &wire{at: place{"http", host}, bare: a, conn: a}
	}
	closed := func(c net.Conn) bool {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		return errors.Is(err, io.EOF)
	}
	for range maxIdleAt + 1 {
		p.put(open("one"))
	}
	if !closed(conns[0]) || closed(conns[1]) || p.count != maxIdleAt {
		t.Errorf("%d are kept at one place; want %d, and the oldest closed", p.count, maxIdleAt)
	}
	for n := range maxIdle {
		p.put(open(fmt.Sprint(n)))
	}
	if p.count != maxIdle || len(p.at) != maxIdle || p.take(place{"http", "one"}) != nil {
		t.Errorf("%d are kept at %d places; want %d", p.count, len(p.at), maxIdle)
	}
	p.closeIdle(time.Now().Add(idleTimeout))
	if p.count != 0 || len(p.at) != 0 || !closed(conns[len(conns)-1]) {
		t.Errorf("%d are kept after their time", p.count)
	}
}
