package quick

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise/until"
)

// world is a server on a real port. Both handlers say who they are and what they got.
type world struct {
	*Server
	address string
	ran     chan error
	log     lines
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// quickly answers requests.
type quickly func(r *Request) bool

func (q quickly) Quick(r *Request) bool { return q(r) }

func respond(r *Request, body string) bool {
	b := AppendField(r.Begin(nil, http.StatusOK), "Content-Length", fmt.Sprint(len(body)))
	r.Send(append(append(b, "\r\n"...), body...))
	return true
}

func echo(r *Request) bool {
	if _, n := r.Fields.Get("Slowly"); n > 0 {
		return false
	}
	return respond(r, "quick "+r.Path+" "+r.Host+" "+string(r.Body))
}

func newWorld(t *testing.T, h quickly) *world {
	t.Helper()
	w := &world{ran: make(chan error, 1)}
	w.Server = &Server{Handler: h, Life: until.New(context.Background(), time.Time{}), HTTP: &http.Server{
		Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			fmt.Fprintf(out, "slow %s %s %s %s %v", r.Method, r.URL.Path, r.Host, body, err)
		}),
		ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, WriteTimeout: time.Minute, ErrorLog: log.New(&w.log, "", 0),
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.address = l.Addr().String()
	go func() { w.ran <- w.Serve(l) }()
	t.Cleanup(func() { w.Close() })
	return w
}

func (w *world) dial(t *testing.T) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c, bufio.NewReader(c)
}

// body reads a response.
func body(in *bufio.Reader) string {
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return err.Error()
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.Header.Get("Date") == "" {
		return fmt.Sprint(err, resp.Header)
	}
	return string(b)
}

func post(path, fields, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n%s\r\n%s", path, len(body), fields, body)
}

// What is plain is answered at once, and whatever is not comes to net/http's server as it is.
func TestWhoAnswers(t *testing.T) {
	w := newWorld(t, echo)
	long := strings.Repeat("x", room)
	for _, c := range []struct{ request, want string }{
		{post("/a-b_c@2/d", "A: b\r\n", "{}"), "quick /a-b_c@2/d here {}"},
		{post("/", "Connection: keep-alive\r\n", ""), "quick / here "},
		{post("/a", "", long[:room-60]), "quick /a here " + long[:room-60]},
		{post("/a", "", long), "slow POST /a here " + long + " <nil>"},
		{post("/a", "A: "+long+"\r\n", "b"), "slow POST /a here b <nil>"},
		{post("/a", "Slowly: yes\r\n", "b"), "slow POST /a here b <nil>"},
		{post("/%61", "", "b"), "slow POST /a here b <nil>"}, {post("/a?b", "", "b"), "slow POST /a here b <nil>"},
		{post("http://there/a", "", "b"), "slow POST /a there b <nil>"},
		{post("/a", "Expect: 100-continue\r\n", "b"), ""}, // which comes first
		{post("/a", "Connection: close\r\n", "b"), "slow POST /a here b <nil>"},
		{"GET /a HTTP/1.1\r\nHost: here\r\n\r\n", "slow GET /a here  <nil>"},
		{"POST /a HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n", "slow POST /a here b <nil>"},
		{"POST /a HTTP/1.0\r\nHost: here\r\nContent-Length: 1\r\n\r\nb", "slow POST /a here b <nil>"},
		{"POST /a HTTP/1.1\r\nContent-Length: 1\r\n\r\nb", "400 Bad Request: missing required Host header"},
		{"POST /a HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1\r\n\r\nb", "400 Bad Request"},
		{"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nbc", "400 Bad Request"},
		{"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\nbc", "400 Bad Request"},
		{"SSH-2.0-x\r\n\r\n", "400 Bad Request"},
	} {
		conn, in := w.dial(t)
		io.WriteString(conn, post("/before", "", "1"))
		if got := body(in); got != "quick /before here 1" {
			t.Errorf("before it: %q", got)
		}
		io.WriteString(conn, c.request)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Errorf("%.80q: %v", c.request, err)
			continue
		}
		if b, _ := io.ReadAll(resp.Body); string(b) != c.want {
			t.Errorf("%.80q: %.80q, want %.80q", c.request, b, c.want)
		}
		conn.Close()
	}
}

// A connection is quick until something comes in pieces, and several requests at once are answered in their order.
func TestPieces(t *testing.T) {
	w := newWorld(t, echo)
	conn, in := w.dial(t)
	for range 3 {
		io.WriteString(conn, post("/1", "", "a")+post("/2", "", "b"))
		if got := body(in) + ", " + body(in); got != "quick /1 here a, quick /2 here b" {
			t.Error(got)
		}
	}
	request := post("/3", "", "cc")
	io.WriteString(conn, post("/2", "", "b")+request[:len(request)-1])
	if got := body(in); got != "quick /2 here b" {
		t.Error(got)
	}
	io.WriteString(conn, request[len(request)-1:]+post("/4", "", "d"))
	if got := body(in) + ", " + body(in); got != "slow POST /3 here cc <nil>, slow POST /4 here d <nil>" {
		t.Error(got)
	}
}

// No field that is set says anything of another one.
func TestFieldsStayOnTheirLine(t *testing.T) {
	if got := string(AppendField(nil, "A", "b\r\nC: d\x00ä")); got != "A: b  C: d ä\r\n" {
		t.Errorf("%q", got)
	}
}

func TestPanic(t *testing.T) {
	w := newWorld(t, func(r *Request) bool {
		r.Context(time.Minute)
		panic("in the handler")
	})
	conn, in := w.dial(t)
	io.WriteString(conn, post("/", "", ""))
	if got := body(in); got != "unexpected EOF" {
		t.Error(got)
	}
	if conn, in = w.dial(t); !strings.Contains(w.log.String(), "in the handler") {
		t.Error("it is not in the log:", w.log.String())
	}
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: here\r\n\r\n")
	if got := body(in); got != "slow GET / here  <nil>" {
		t.Error("after it:", got)
	}
}

// A call ends with its caller, with its time, and with the server.
func TestContexts(t *testing.T) {
	ended := make(chan error, 1)
	arrived := make(chan struct{}, 1)
	h := func(r *Request) bool {
		within := time.Hour
		if r.Path == "/short" {
			within = time.Millisecond
		}
		ctx := r.Context(within)
		arrived <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return respond(r, "ended")
	}
	w := newWorld(t, h)
	conn, in := w.dial(t)
	io.WriteString(conn, post("/short", "", ""))
	<-arrived
	if err := <-ended; err != context.DeadlineExceeded || body(in) != "ended" {
		t.Errorf("its time: %v", err)
	}
	io.WriteString(conn, post("/left", "", ""))
	<-arrived
	conn.Close()
	if err := <-ended; err != context.Canceled {
		t.Errorf("its caller: %v", err)
	}
	conn, in = w.dial(t)
	io.WriteString(conn, post("/", "", "")+post("/next", "", ""))
	<-arrived
	w.Life.(*until.Context).End()
	if err := <-ended; err != context.Canceled || body(in) != "ended" {
		t.Errorf("the server: %v", err)
	}
}

// Idle connections do not hold up the end of a server, and those in use are waited for.
func TestShutdown(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(r *Request) bool {
		if r.Path == "/wait" {
			close(arrived)
			<-leave
		}
		return echo(r)
	})
	idle, in := w.dial(t)
	io.WriteString(idle, post("/", "", ""))
	if got := body(in); got != "quick / here " {
		t.Error(got)
	}
	used, answer := w.dial(t)
	io.WriteString(used, post("/wait", "", ""))
	<-arrived
	done := make(chan error)
	go func() { done <- w.Shutdown(t.Context()) }()
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("who is idle sees %v", err)
	}
	if err := <-w.ran; err != http.ErrServerClosed {
		t.Errorf("it served until %v", err)
	}
	if _, err := net.Dial("tcp", w.address); err == nil {
		t.Error("it still listens")
	}
	select {
	case err := <-done:
		t.Errorf("it did not wait: %v", err)
	default:
	}
	close(leave)
	resp, err := http.ReadResponse(answer, nil)
	if err != nil || !resp.Close {
		t.Errorf("who is served last gets %+v, %v", resp, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Who has just had an answer is idle, or about to be: either way nobody waits for him.
func TestShutdownAfterAnswers(t *testing.T) {
	for range 200 {
		l := make(pipes, 1)
		s := &Server{Handler: quickly(echo), Life: t.Context(), HTTP: &http.Server{
			ReadHeaderTimeout: time.Minute, IdleTimeout: time.Minute, WriteTimeout: time.Minute,
		}}
		ran := make(chan error)
		go func() { ran <- s.Serve(l) }()
		ours, theirs := net.Pipe()
		l <- theirs
		io.WriteString(ours, post("/", "", ""))
		if got := body(bufio.NewReader(ours)); got != "quick / here " {
			t.Fatal(got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if err := s.Shutdown(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		close(l)
		<-ran
	}
}

// A connection that becomes idle while the server ends sees to its own end.
func TestNobodyRestsAfterTheEnd(t *testing.T) {
	c := &conn{server: &Server{HTTP: new(http.Server)}}
	c.state.Store(busy)
	if !c.rests() || c.state.Load() != idle {
		t.Error("it does not rest")
	}
	c.state.Store(busy)
	_ = c.server.Close()
	if c.rests() {
		t.Error("it rests though the server is over")
	}
}

func TestShutdownInTime(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(r *Request) bool {
		close(arrived)
		<-leave
		return echo(r)
	})
	conn, _ := w.dial(t)
	io.WriteString(conn, post("/", "", ""))
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Shutdown(ctx); err != context.Canceled {
		t.Errorf("%v", err)
	}
	close(leave)
}

// pipes is a listener whose connections are pipes, so that time can stand still.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	if c == nil {
		return nil, full{}
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// full is the error of a listener that has no room for the moment.
type full struct{}

func (full) Error() string   { return "full" }
func (full) Temporary() bool { return true }

// Who says nothing is waited for no longer than net/http's server would, or twice as long between two requests; and a listener that is
// full for a moment is none that failed.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := make(pipes)
		h := func(r *Request) bool {
			if r.Path == "/long" {
				time.Sleep(5 * time.Minute)
			}
			return echo(r)
		}
		s := &Server{Handler: quickly(h), Life: t.Context(), HTTP: &http.Server{
			ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, WriteTimeout: 10 * time.Minute,
		}}
		ran := make(chan error)
		go func() { ran <- s.Serve(l) }()
		l <- nil
		for said, least := range map[string]time.Duration{"": 5 * time.Second, post("/", "", ""): time.Minute} {
			ours, theirs := net.Pipe()
			l <- theirs
			began := time.Now()
			in := bufio.NewReader(ours)
			if said != "" {
				io.WriteString(ours, said)
				if got := body(in); got != "quick / here " {
					t.Error(got)
				}
			}
			_, err := in.ReadByte()
			if took := time.Since(began); err != io.EOF || took < least || took > 2*least {
				t.Errorf("%q: %v after %v", said, err, took)
			}
		}
		ours, theirs := net.Pipe() // who waits long for an answer has as long as anybody for his next request
		l <- theirs
		in := bufio.NewReader(ours)
		for range 3 {
			io.WriteString(ours, post("/long", "", ""))
			if got := body(in); got != "quick /long here " {
				t.Error(got)
			}
			time.Sleep(59 * time.Second)
		}
		ours.Close()
		close(l)
		if err := <-ran; err != net.ErrClosed {
			t.Error(err)
		}
	})
}
