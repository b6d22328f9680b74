package compared

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// load is what comes of calling a row for a while.
type load struct {
	took    time.Duration
	waits   []time.Duration // of the right answers
	failed  int
	wrong   int
	ticks   int
	problem string // one of the failures
}

// merge adds what another caller saw.
func (l *load) merge(o load) {
	l.waits = append(l.waits, o.waits...)
	l.failed, l.wrong = l.failed+o.failed, l.wrong+o.wrong
	if o.problem != "" {
		l.problem = o.problem
	}
}

func (l *load) perSecond() float64 { return float64(len(l.waits)) / l.took.Seconds() }

// cpu is processor seconds in ten thousand requests.
func (l *load) cpu() float64 {
	if len(l.waits) == 0 {
		return 0
	}
	return float64(l.ticks) / 100 * 10_000 / float64(len(l.waits))
}

func (l *load) quantile(q float64) time.Duration {
	if len(l.waits) == 0 {
		return 0
	}
	return l.waits[int(q*float64(len(l.waits)-1))]
}

// press calls a target with so many callers, each one call at a time, and measures after a while of warming up.
func press(t testing.TB, x target, callers int, method string, warm, window time.Duration) load {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	var total load
	begin := time.Now().Add(warm)
	end := begin.Add(window)
	for n := range callers {
		all.Go(func() {
			c := caller{target: x, next: n << 40}
			defer c.close()
			l := c.press(method, begin, end)
			mu.Lock()
			defer mu.Unlock()
			total.merge(l)
		})
	}
	time.Sleep(time.Until(begin))
	before := ticks(t, x.pid)
	time.Sleep(time.Until(end))
	total.ticks = ticks(t, x.pid) - before
	all.Wait()
	total.took = window
	slices.Sort(total.waits)
	return total
}

// target is where a row is called.
type target struct {
	address, path string
	pid           int
}

// caller has one connection and uses it again and again.
type caller struct {
	target
	conn net.Conn
	in   *bufio.Reader
	body []byte
	next int
}

func (c *caller) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func (c *caller) press(method string, begin, end time.Time) (l load) {
	for {
		started := time.Now()
		if started.After(end) {
			return l
		}
		right, err := c.call(method)
		took := time.Since(started)
		if err != nil {
			c.close()
		}
		switch {
		case started.Before(begin):
		case err != nil:
			l.failed, l.problem = l.failed+1, err.Error()
		case !right:
			l.wrong++
		default:
			l.waits = append(l.waits, took)
		}
	}
}

// call asks what nobody has asked before, and knows the answer.
func (c *caller) call(method string) (right bool, err error) {
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.address); err != nil {
			time.Sleep(time.Millisecond)
			return false, err
		}
		c.in = bufio.NewReaderSize(c.conn, 64<<10)
	}
	c.next++
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"%s","params":["0x52908400098527886E0F7030069857D2E4169EE7",%d]}`, c.next, method, c.next)
	_ = c.conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, err = fmt.Fprintf(c.conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", c.path, c.address, len(body), body)
	if err != nil {
		return false, err
	}
	if err := c.read(); err != nil {
		return false, err
	}
	want, ok := bytes.CutPrefix(c.body, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":`, c.next))
	if !ok {
		return false, fmt.Errorf("answer is %.1200q", c.body)
	}
	return bytes.Equal(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(want), []byte("}"))), results[method]), nil
}

// read reads one response.
func (c *caller) read() error {
	status, err := c.in.ReadString('\n')
	if err != nil {
		return err
	}
	size, chunked := -1, false
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ":")
		switch strings.ToLower(name) {
		case "content-length":
			size, err = strconv.Atoi(strings.TrimSpace(value))
		case "transfer-encoding":
			chunked = true
		}
		if err != nil {
			return err
		}
	}
	c.body = c.body[:0]
	if chunked {
		return c.readChunks()
	}
	if err := c.take(size); err != nil {
		return err
	}
	if !strings.Contains(status, " 200 ") {
		return fmt.Errorf("it answers %s: %.200q", strings.TrimSpace(status), c.body)
	}
	return nil
}

// take reads so many bytes of body.
func (c *caller) take(size int) error {
	if size < 0 {
		return fmt.Errorf("no length")
	}
	at := len(c.body)
	c.body = slices.Grow(c.body, size)[:at+size]
	_, err := io.ReadFull(c.in, c.body[at:])
	return err
}

func (c *caller) readChunks() error {
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(line), 16, 32)
		if err != nil {
			return err
		}
		if err := c.take(int(size)); err != nil {
			return err
		}
		if _, err := c.in.Discard(2); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}
