package docker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"barnraise/runtime"
)

// script is a server that does to each connection, in their order, what the test says.
func script(t *testing.T, connections ...func(c net.Conn, next func() string)) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for _, act := range connections {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				act(c, func() string {
					q, err := http.ReadRequest(in)
					if err != nil {
						return err.Error()
					}
					b, _ := io.ReadAll(q.Body)
					return string(b)
				})
			}()
		}
	}()
	l := &line{dial: func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
	}}
	t.Cleanup(l.close)
	return l
}

func say(c net.Conn, body string) {
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body)
}

func soon() time.Time { return time.Now().Add(10 * time.Second) }

// The bytes of a request are the same everywhere: nothing in them tells one host from another.
func TestPost(t *testing.T) {
	want := "POST / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\nAccept: application/json\r\n" +
		"Content-Length: 2\r\n\r\n{}"
	if got := string(post([]byte("{}"))); got != want {
		t.Errorf("%q", got)
	}
	q, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(post([]byte("{}")))))
	if err != nil || q.ContentLength != 2 || q.URL.Path != "/" {
		t.Errorf("%+v, %v", q, err)
	}
}

func TestLineKeepsConnections(t *testing.T) {
	l := script(t,
		func(c net.Conn, next func() string) {
			for range 3 {
				say(c, next())
			}
			say(c, next())
			say(c, "more") // than it was asked for: the connection is not used again
		},
		func(c net.Conn, next func() string) {
			say(c, next())
			time.Sleep(20 * time.Millisecond)
			say(c, "late") // to nobody
			time.Sleep(time.Minute)
		},
		func(c net.Conn, next func() string) { say(c, next()) }, // and closes
		func(c net.Conn, next func() string) {
			say(c, next())
			next() // takes the next one and closes: it is sent again
		},
		func(c net.Conn, next func() string) { say(c, next()) },
	)
	for n, request := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		answer, wait, sound, err := l.call(t.Context(), soon(), []byte(request), 100)
		if string(answer) != request || wait != nil || !sound || err != nil {
			t.Errorf("%d: %q, %t, %v", n, answer, sound, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestLineBounds(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		says   string
		sound  bool
	}{
		"longest":           {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", "", true},
		"chunked":           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", "", true},
		"until the end":     {"HTTP/1.0 200 OK\r\n\r\n0123456789", "", true},
		"after interim":     {"HTTP/1.1 103 X\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", "", true},
		"declared too long": {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890", "11 bytes", true},
		"too long":          {"HTTP/1.0 200 OK\r\n\r\n01234567890", "more than 10", true},
		"many chunks":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", 11), "more than 10", true},
		"long chunk lines":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 1<<16), "", false},
		"long header":       {"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 1<<20), "too long", true},
		"only interim":      {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 10), "to the point", false},
		"half":              {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234", "EOF", false},
		"half of a header":  {"HTTP/1.1 200 OK\r\nConte", "malformed", false},
		"nothing":           {"", "EOF", false},
		"no HTTP":           {"SSH-2.0-OpenSSH_9.2\r\n", "malformed", false},
		"redirect":          {"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n", "302", true},
		"other protocol":    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "101", true},
	} {
		l := script(t, func(conn net.Conn, next func() string) {
			next()
			_, _ = io.WriteString(conn, c.answer)
		})
		answer, wait, sound, err := l.call(t.Context(), soon(), []byte("{}"), 10)
		if c.says == "" && c.sound {
			if string(answer) != "0123456789" || err != nil {
				t.Errorf("%s: %q, %v", name, answer, err)
			}
			continue
		}
		as := errors.Is(err, runtime.ErrBroke) && strings.Contains(err.Error(), c.says) && sound == c.sound
		if !as || wait != nil || answer != nil {
			t.Errorf("%s: %q, sound %t, %v", name, answer, sound, err)
		}
	}
}

// A body in the smallest of chunks is kept as it came, so what may come of it is bounded by more than what it may be.
func TestLineKeepsLittle(t *testing.T) {
	const most = 8 << 20
	here, there := net.Pipe()
	l := &line{dial: func(context.Context) (net.Conn, error) { return here, nil }}
	sent := make(chan int)
	go func() {
		_, _ = http.ReadRequest(bufio.NewReader(there))
		n, err := io.WriteString(there, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for chunks := strings.Repeat("1;0123456789\r\nx\r\n", 1<<10); err == nil; {
			var m int
			m, err = io.WriteString(there, chunks)
			n += m
		}
		sent <- n
	}()
	if _, _, sound, err := l.call(t.Context(), soon(), nil, most); !errors.Is(err, errLong) || !sound {
		t.Errorf("sound %t, %v", sound, err)
	}
	if n := <-sent; n > 2*most+2<<20 {
		t.Errorf("%d bytes were read for an answer of at most %d", n, most)
	}
}

// A caller that leaves returns at once; the request goes on, and it shows when it is through.
func TestLineWhenTheCallerLeaves(t *testing.T) {
	half := "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"
	for name, c := range map[string]struct {
		after time.Duration // comes the rest
		until time.Duration
		late  bool
	}{"in time": {200 * time.Millisecond, 5 * time.Second, false}, "too late": {5 * time.Second, 300 * time.Millisecond, true}} {
		l := script(t, func(conn net.Conn, next func() string) {
			next()
			_, _ = io.WriteString(conn, half)
			time.Sleep(c.after)
			_, _ = io.WriteString(conn, "cd")
		})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		begun := time.Now()
		answer, wait, _, err := l.call(ctx, begun.Add(c.until), []byte("{}"), 10)
		if answer != nil || wait == nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%s: %q, %v", name, answer, err)
		}
		if err := wait(); (err != nil) != c.late || time.Since(begun) > time.Second {
			t.Errorf("%s: %v after %s", name, err, time.Since(begun))
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	l := script(t, func(net.Conn, func() string) {})
	if _, wait, sound, err := l.call(gone, soon(), []byte("{}"), 10); wait != nil || !sound || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("gone before: sound %t, %v", sound, err)
	}
	slow := script(t, func(_ net.Conn, next func() string) {
		next()
		time.Sleep(5 * time.Second)
	})
	_, wait, sound, err := slow.call(t.Context(), time.Now().Add(100*time.Millisecond), []byte("{}"), 10)
	if wait == nil || sound || !errors.Is(err, context.DeadlineExceeded) || wait() == nil {
		t.Errorf("over the limit: sound %t, %v", sound, err)
	}
	deaf := &line{dial: func(ctx context.Context) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	for limit, sound := range map[time.Duration]bool{50 * time.Millisecond: false, time.Minute: true} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, wait, got, err := deaf.call(ctx, time.Now().Add(limit), []byte("{}"), 10)
		if cancel(); wait != nil || got != sound || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nobody takes connections within %s: sound %t, %v", limit, got, err)
		}
	}
}

// Whatever a service answers, it is read within the bounds.
func FuzzReceive(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n" +
		"2\r\n{}\r\n0\r\nA: b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := &wire{}
		r, err := w.receive(bytes.NewReader(b), 100)
		if len(r.body) > 100 || err == nil && r.status/100 == 1 && r.status != 101 || len(w.raw) > 2*maxHeader+100*chunked {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
