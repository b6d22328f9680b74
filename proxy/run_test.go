package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise/client"
)

// wire is a listener whose connections are pipes, so that time can stand still.
type wire struct {
	dialled chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newWire() *wire { return &wire{dialled: make(chan net.Conn), closed: make(chan struct{})} }

func (l *wire) Accept() (net.Conn, error) {
	select {
	case c := <-l.dialled:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *wire) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *wire) Addr() net.Addr { return &net.UnixAddr{Name: "wire"} }

func (l *wire) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.dialled <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, errors.New("refused")
	}
}

func (l *wire) get(t *testing.T, h *http.Client, path string) string {
	t.Helper()
	return outcome(h.Get("http://localhost" + path))
}

func outcome(resp *http.Response, err error) string {
	if err != nil {
		return "refused"
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return fmt.Sprint(resp.StatusCode, " ", strings.TrimSpace(string(body)))
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newProxy(t, func(ctx context.Context, s, m string, params []byte) (*client.Answer, error) {
			wait := map[string]time.Duration{"quick": time.Second, "slow": 8 * time.Second, "stuck": time.Hour}[m]
			select {
			case <-time.After(wait):
				return echo(ctx, s, m, params)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}, Config{Limits: Limits{Drain: 10 * time.Second, Timeout: 2 * time.Hour}, Admin: true})
		public, admin := newWire(), newWire()
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- p.Run(ctx, public, admin) }()
		h := &http.Client{Transport: &http.Transport{DialContext: public.dial}}
		watch := &http.Client{Transport: &http.Transport{DialContext: admin.dial}}
		call := func(method string) string {
			body := strings.Replace(ping, `"m"`, `"`+method+`"`, 1)
			return outcome(h.Post("http://localhost/3", "application/json", strings.NewReader(body)))
		}
		if got := public.get(t, h, "/readyz") + admin.get(t, watch, "/readyz") + call("quick"); got != `200 ok200 ok200 {"jsonrpc":"2.0","id":1,"result":[]}` {
			t.Error(got)
		}
		if got := public.get(t, h, "/metrics")[:3] + admin.get(t, watch, "/metrics")[:3]; got != "405200" {
			t.Error("metrics:", got)
		}
		began := time.Now()
		var group sync.WaitGroup
		group.Go(func() {
			if got := call("slow"); got != `200 {"jsonrpc":"2.0","id":1,"result":[]}` || time.Since(began) != 8*time.Second {
				t.Errorf("slow: %s after %v", got, time.Since(began))
			}
		})
		group.Go(func() {
			if got := call("stuck"); !strings.Contains(got, `"code":-32002`) || !strings.Contains(got, `"cut-off"`) || time.Since(began) != 11*time.Second {
				t.Errorf("stuck: %s after %v", got, time.Since(began))
			}
		})
		time.Sleep(time.Second)
		stop()
		synctest.Wait()
		if got := public.get(t, h, "/livez") + public.get(t, h, "/readyz")[:3] + call("quick")[:3] + admin.get(t, watch, "/readyz")[:3]; got != "200 ok503503503" {
			t.Error("while it drains:", got)
		}
		group.Wait()
		if err := <-ran; err != nil || time.Since(began) > 13*time.Second {
			t.Errorf("it ends with %v after %v", err, time.Since(began))
		}
		if got := call("quick"); got != "refused" {
			t.Error("after its end:", got)
		}
		h.CloseIdleConnections()
		watch.CloseIdleConnections()
	})
}

func TestIdleProxyEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newProxy(t, echo, Config{})
		ctx, stop := context.WithCancel(t.Context())
		stop()
		began := time.Now()
		if err := p.Run(ctx, newWire(), nil); err != nil || time.Since(began) > 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestListenerThatFails(t *testing.T) {
	p, _ := newProxy(t, echo, Config{})
	l := newWire()
	l.Close()
	if err := p.Run(t.Context(), l, nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}

// Over a real port: what comes in pieces, what is never finished, and whoever goes away leave nothing behind.
func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	arrived, gone := make(chan struct{}), make(chan struct{})
	p, _ := newProxy(t, func(ctx context.Context, s, m string, params []byte) (*client.Answer, error) {
		if m == "wait" {
			close(arrived)
			<-ctx.Done()
			close(gone)
			return nil, ctx.Err()
		}
		return echo(ctx, s, m, params)
	}, Config{Limits: Limits{Body: 1000}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx, l, nil) }()
	url := "http://" + l.Addr().String() + "/3"
	h := &http.Client{Transport: new(http.Transport)}
	pieces := func(body string) io.Reader {
		return io.MultiReader(strings.NewReader(body[:9]), strings.NewReader(body[9:]))
	} // of no known length
	if got := outcome(h.Post(url, "application/json", pieces(ping))); got != `200 {"jsonrpc":"2.0","id":1,"result":[]}` {
		t.Error("in pieces:", got)
	}
	if got := outcome(h.Post(url, "application/json", pieces(strings.Repeat(" ", 2000)))); !strings.HasPrefix(got, "413") {
		t.Error("too much, in pieces:", got)
	}
	if got := outcome(h.Post(url, "application/json", bytes.NewReader(make([]byte, 2000)))); !strings.HasPrefix(got, "413") {
		t.Error("too much:", got)
	}
	leaving, leave := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(leaving, "POST", url, strings.NewReader(strings.Replace(ping, `"m"`, `"wait"`, 1)))
	r.Header.Set("Content-Type", "application/json")
	go func() {
		<-arrived
		leave()
	}()
	if got := outcome(h.Do(r)); got != "refused" {
		t.Error("who leaves gets", got)
	}
	<-gone // the call ends with its caller
	half, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(half, "POST /3 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{")
	half.Close()
	h.CloseIdleConnections()
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines are left of %d", runtime.NumGoroutine(), before)
}

// A caller who has sent all of his request waits as long as the call may take, however soon he had to have sent it.
func TestCallsMayTakeLongerThanSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newProxy(t, func(ctx context.Context, s, m string, params []byte) (*client.Answer, error) {
			select {
			case <-time.After(50 * time.Second):
				return echo(ctx, s, m, params)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}, Config{Limits: Limits{Timeout: time.Minute}})
		public := newWire()
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- p.Run(ctx, public, nil) }()
		h := &http.Client{Transport: &http.Transport{DialContext: public.dial}}
		if got := outcome(h.Post("http://localhost/3", "application/json", strings.NewReader(ping))); got != `200 {"jsonrpc":"2.0","id":1,"result":[]}` {
			t.Error(got)
		}
		h.CloseIdleConnections()
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}

// Whoever has connected and said nothing yet, or not all, does not make an end a disorderly one: nothing of his is under way.
func TestSilentConnectionsDoNotSpoilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newProxy(t, echo, Config{})
		public := newWire()
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- p.Run(ctx, public, nil) }()
		for _, said := range []string{"", "POST /3 HT"} {
			c, err := public.dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprint(c, said)
		}
		synctest.Wait()
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}
