package client

import (
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// The faults of a server.
const (
	healthy = iota
	dead    // connections are reset, old and new
	paused  // what comes in is taken, and nothing comes out
	cutting // each answer is cut off in its middle
	faults  // how many there are
)

// faulty stands between the client and a member on a socket, and does to their connection what networks and machines do.
type faulty struct {
	to     string
	slow   float64 // share of answers that are delayed
	by     time.Duration
	listen net.Listener
	group  sync.WaitGroup

	mu     sync.Mutex
	random *rand.Rand
	fault  int
	open   map[net.Conn]bool // towards the client
}

// behindFaults puts every member behind a faulty proxy.
func (n *network) behindFaults(t *testing.T, seed uint64, slow float64, by time.Duration) (list []*faulty) {
	for _, m := range n.members {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.handle(m, w, r) }))
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f := &faulty{
			to: server.Listener.Addr().String(), slow: slow, by: by, listen: l,
			random: rand.New(rand.NewPCG(seed, uint64(m.id))), open: make(map[net.Conn]bool),
		}
		m.base = "http://" + l.Addr().String()
		f.group.Go(f.accept)
		t.Cleanup(func() {
			f.close()
			server.Close()
		})
		list = append(list, f)
	}
	return list
}

func (f *faulty) close() {
	f.listen.Close()
	f.set(dead)
	f.group.Wait()
}

// set changes what is wrong, also with connections that are open.
func (f *faulty) set(fault int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
	for c := range f.open {
		if fault == dead {
			reset(c)
			c.Close()
		}
	}
}

// connections counts those that are open towards the client.
func (f *faulty) connections() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.open)
}

// fate is what is wrong right now, and how long this answer is delayed.
func (f *faulty) fate() (fault int, delay time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.random.Float64() < f.slow {
		delay = time.Duration(f.random.Int64N(int64(f.by)))
	}
	return f.fault, delay
}

func (f *faulty) accept() {
	for {
		c, err := f.listen.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.open[c] = true
		f.mu.Unlock()
		f.group.Go(func() { f.carry(c) })
	}
}

func (f *faulty) carry(c net.Conn) {
	defer func() {
		c.Close()
		f.mu.Lock()
		delete(f.open, c)
		f.mu.Unlock()
	}()
	if fault, _ := f.fate(); fault == dead {
		reset(c)
		return
	}
	server, err := net.Dial("tcp", f.to)
	if err != nil {
		return
	}
	defer server.Close()
	back := make(chan struct{})
	go func() {
		defer close(back)
		f.answers(c, server)
		c.Close()
	}()
	io.Copy(struct{ io.Writer }{server}, c) // not spliced: that would leave pipes behind until memory is tidied up
	server.Close()
	<-back
}

// answers carries what the server writes, or some of it.
func (f *faulty) answers(to, from net.Conn) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 && !f.pass(to, b[:n]) || err != nil {
			return
		}
	}
}

func (f *faulty) pass(to net.Conn, b []byte) (more bool) {
	fault, delay := f.fate()
	time.Sleep(delay)
	switch fault {
	case dead:
		reset(to)
		return false
	case paused:
		return true
	case cutting:
		to.Write(b[:len(b)/2])
		return false
	}
	_, err := to.Write(b)
	return err == nil
}
