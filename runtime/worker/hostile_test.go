package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"barnraise/runtime"
)

// undying is a child that neither ends nor is a process.
type undying struct{ ended chan struct{} }

func (u undying) Wait() error { <-u.ended; return errors.New("asked to") }
func (u undying) End()        { close(u.ended) }

// beside makes a runtime whose child is whoever listens.
func beside(t *testing.T, l net.Listener) *Runtime {
	t.Helper()
	spawn := func(context.Context) (process, error) { return undying{make(chan struct{})}, nil }
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", l.Addr().String())
	}
	r, err := open(t.Context(), spawn, transport(dial), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(config(t, "").Dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// late is a runtime that has made a service run just when nobody wants it any more.
type late struct{ stopped chan struct{} }

func (l late) Platforms(context.Context) []string { return nil }

func (l late) Start(ctx context.Context, _ runtime.Spec) (runtime.Instance, error) {
	<-ctx.Done()
	return &lateInstance{l: l}, nil
}

type lateInstance struct {
	moodyInstance
	l late
}

func (l *lateInstance) Stop(context.Context) error { close(l.l.stopped); return nil }

func TestStartGivenUpLeavesNothing(t *testing.T) {
	l, service := listen(t), late{make(chan struct{})}
	served := make(chan error, 1)
	life, end := io.Pipe()
	go func() { served <- Serve(t.Context(), l, life, service) }()
	defer func() {
		end.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if i, err := beside(t, l).Start(soon, runtime.Spec{}); i != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", i, err)
	}
	select {
	case <-service.stopped:
	case <-time.After(10 * time.Second):
		t.Error("what nobody knows of runs on")
	}
}

// Whatever a child says, the parent has its time and its memory.
func TestHostileChild(t *testing.T) {
	for name, c := range map[string]struct {
		says string
		err  error
	}{
		"nothing":           {"", runtime.ErrTimeout},
		"garbage":           {"\x00\x01\x02\r\n\r\n", runtime.ErrBroke},
		"another protocol":  {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", runtime.ErrBroke},
		"headers for ever":  {"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 4<<10), runtime.ErrBroke},
		"interim for ever":  {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 4<<10), runtime.ErrBroke},
		"a length and less": {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", runtime.ErrTimeout},
		"another's answer":  {"HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n" + `{"jsonrpc":"2.0","id":2,"result":1} `, runtime.ErrBroke},
		"too much":          {"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 5<<10), runtime.ErrBroke},
		"too much wrong":    {"HTTP/1.1 500 Oh\r\n\r\n" + strings.Repeat("x", maxMessage+1<<10), runtime.ErrBroke},
		"itself, elsewhere": {"HTTP/1.1 307 There\r\nLocation: http://example.com/\r\nContent-Length: 0\r\n\r\n", runtime.ErrBroke},
	} {
		l := listen(t)
		go answerAll(l, c.says)
		r := beside(t, l)
		i := r.instance(runtime.Spec{Limits: moodyLimits})
		run, err := r.wait(t.Context())
		if err != nil || !r.admit(i, run) {
			t.Fatal(err)
		}
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		done := make(chan error, 1)
		go func() {
			got, err := i.Call(soon, request("x"))
			if got != nil {
				err = fmt.Errorf("%.40q, %w", got, err)
			}
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, c.err) {
				t.Errorf("%s: %.200v, want %v", name, err, c.err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: the call does not return", name)
		}
		cancel()
	}
}

// answerAll says the same to whoever comes, and then nothing.
func answerAll(l net.Listener, says string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.WriteString(conn, says)
			}
			_, _ = io.Copy(io.Discard, conn)
		}()
	}
}

// Whoever opens a directory that another uses leaves that one alone.
func TestTwoParents(t *testing.T) {
	c := config(t, "moody")
	first, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	i := start(t, first, runtime.Surroundings{})
	if second, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "another") {
		t.Errorf("the second: %v", err)
		if second != nil {
			_ = second.Close()
		}
	}
	first.http.CloseIdleConnections()
	if _, err := i.Call(t.Context(), request("pid")); err != nil {
		t.Errorf("the first: %v", err)
	}
}
