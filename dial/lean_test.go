package dial

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func leanClient(t *testing.T) *http.Client {
	t.Helper()
	c := &http.Client{Transport: Lean(true), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// counted counts the connections of a server.
func counted(t *testing.T, h http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	made := new(atomic.Int32)
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			made.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s, made
}

func TestLeanUsesConnectionsAgain(t *testing.T) {
	s, made := counted(t, func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, got)
		if r.URL.Path == "/chunks" {
			w.(http.Flusher).Flush()
			io.WriteString(w, strings.Repeat("x", 100_000))
		}
	})
	c := leanClient(t)
	for _, x := range []struct{ path, body, want string }{
		{"/a", "one", "POST /a one"}, {"/b", "", "POST /b "}, {"/chunks", "two", "POST /chunks two" + strings.Repeat("x", 100_000)},
		{"/c", strings.Repeat("y", 1<<20), "POST /c " + strings.Repeat("y", 1<<20)},
	} {
		resp, err := c.Post(s.URL+x.path, "text/plain", strings.NewReader(x.body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(got) != x.want {
			t.Errorf("%s: %.100q, %v", x.path, got, err)
		}
	}
	if n := made.Load(); n != 1 {
		t.Errorf("%d connections for four requests one after the other", n)
	}
	c.CloseIdleConnections()
	if resp, err := c.Get(s.URL); err != nil || resp.Body.Close() != nil || made.Load() != 2 {
		t.Errorf("after all were closed: %v, %d connections", err, made.Load())
	}
	if resp, err := c.Get(s.URL); err != nil || resp.Body.Close() != nil || made.Load() != 3 {
		t.Errorf("after a body was left unread: %v, %d connections; want a new one", err, made.Load())
	}
}

func TestLeanManyAtOnce(t *testing.T) {
	s, made := counted(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	c := leanClient(t)
	var all sync.WaitGroup
	for n := range 32 {
		all.Go(func() {
			for i := range 20 {
				want := fmt.Sprint(n, i)
				resp, err := c.Post(s.URL, "text/plain", strings.NewReader(want))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if string(got) != want || err != nil {
					t.Errorf("sent %s, got %q, %v", want, got, err)
				}
			}
		})
	}
	all.Wait()
	if n := made.Load(); n > 32 {
		t.Errorf("%d connections for 32 callers", n)
	}
}

// A server that has ended a connection, or that sends what nobody asked for, is asked over a new one.
func TestLeanLooksBeforeItWrites(t *testing.T) {
	for _, unasked := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nlie"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 2 {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					t.Error(err)
				}
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntruth")
				time.Sleep(10 * time.Millisecond) // so that it comes apart from the answer
				io.WriteString(conn, unasked)
				if unasked == "" {
					conn.Close()
				}
				defer conn.Close()
			}
		}()
		c := leanClient(t)
		for range 2 {
			resp, err := c.Get("http://" + l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || string(got) != "truth" {
				t.Errorf("got %q, %v", got, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		l.Close()
		<-done
	}
}

// What a peer may do, and what it costs at most.
func TestLeanBounds(t *testing.T) {
	for name, c := range map[string]struct{ answer, want string }{
		"endless header":  {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", MaxHeader) + "\r\n\r\n", "header"},
		"endless headers": {"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", MaxHeader/6+1) + "\r\n", "header"},
		"interim only":    {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 10), "header"},
		"upgrade":         {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "header"},
		"no HTTP":         {"SSH-2.0-OpenSSH_9.2p1\r\n", "malformed"},
		"two lengths":     {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "Content-Length"},
		"cut short":       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxx", "unexpected EOF"},
		"nothing":         {"", "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, c.answer)
			}()
			resp, err := leanClient(t).Get("http://" + l.Addr().String())
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want an error with %q", err, c.want)
			}
		})
	}
}

func TestLeanPassesOverInterimResponses(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "done")
	}))
	defer s.Close()
	resp, err := leanClient(t).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || string(got) != "done" {
		t.Errorf("%s %q", resp.Status, got)
	}
}

// A context ends an exchange wherever it is, with its own cause.
func TestLeanEndsWithItsContext(t *testing.T) {
	why := errors.New("nobody waits any more")
	for _, place := range []string{"header", "body"} {
		ended := make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else the end of the connection is not seen
			if place == "body" {
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
			close(ended)
		}))
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(20*time.Millisecond, func() { cancel(why) })
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := Lean(true).RoundTrip(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if !errors.Is(err, why) {
			t.Errorf("in the %s: %v", place, err)
		}
		<-ended // the connection is closed
		s.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:1", nil)
	if _, err := Lean(true).RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before it began: %v", err)
	}
}

func TestLeanSpeaksTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	defer s.Close()
	s.Config.ErrorLog = nil
	if _, err := leanClient(t).Get(s.URL); err == nil {
		t.Error("a certificate of nobody was taken")
	}
	lean := newLean(dialer(true))
	lean.tls = &tls.Config{RootCAs: x509.NewCertPool(), NextProtos: []string{"http/1.1"}}
	lean.tls.RootCAs.AddCert(s.Certificate())
	defer lean.CloseIdleConnections()
	for range 2 {
		resp, err := (&http.Client{Transport: lean}).Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(got) != "HTTP/1.1" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if n := lean.count; n != 1 {
		t.Errorf("%d connections are kept", n)
	}
}

func TestLeanDialsPublicAddressesOnly(t *testing.T) {
	c := &http.Client{Transport: Lean(false)}
	for _, url := range []string{"http://127.0.0.1:1", "https://[::1]", "http://localhost", "http://169.254.169.254/latest"} {
		if _, err := c.Get(url); !errors.Is(err, ErrAddress) {
			t.Errorf("GET %s: %v, want ErrAddress", url, err)
		}
	}
	if _, err := c.Get("ftp://example.com"); !errors.Is(err, ErrURL) {
		t.Errorf("another scheme: %v, want ErrURL", err)
	}
}

// Whatever a peer sends, an exchange ends with a response or an error, and the next one does not get what is left.
func FuzzLean(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxx"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nmore"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		here, there := net.Pipe()
		go func() {
			_, _ = http.ReadRequest(bufio.NewReader(there))
			_, _ = there.Write(answer)
			there.Close()
		}()
		l := &lean{dial: func(context.Context, string, string) (net.Conn, error) { return here, nil }, pool: newPool()}
		req, _ := http.NewRequest(http.MethodGet, "http://a.example/", nil)
		resp, err := l.RoundTrip(req)
		if err != nil {
			return
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		for w := l.take(place{"http", "a.example"}); w != nil; w = nil {
			if err != nil || w.in.Buffered() > 0 {
				t.Errorf("kept after %v, with %d bytes left", err, w.in.Buffered())
			}
		}
	})
}
