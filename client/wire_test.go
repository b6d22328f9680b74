package client

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// at has a socket answer so to what is asked below a path.
func at(path string, write func(c net.Conn, head, body string)) func(net.Conn, *http.Request, string, string) bool {
	return func(c net.Conn, r *http.Request, head, body string) bool {
		if !strings.HasPrefix(r.URL.Path, path) {
			return false
		}
		write(c, head, body)
		return true
	}
}

// Bounds of what a bad answer, put twice, may cost on top of what good ones cost: the limits of a header and of the manifest, with
// what readers of it and errors about it need.
const (
	dearest = 4 << 20
	longest = 2 * time.Second
)

// intolerable reports whether that is too long.
func intolerable(took time.Duration) bool { return took > longest && !raced }

// spent measures what f allocates, and how long it takes.
func spent(f func()) (bytes uint64, took time.Duration) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	took = time.Since(start)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, took
}

func containsOne(s, words string) bool {
	return slices.ContainsFunc(strings.Split(words, "|"), func(w string) bool { return strings.Contains(s, w) })
}

// Whatever a server writes on the wire is an answer that it can be held to, or its failure: bounded, no strike, and others are
// asked.
func TestBadAnswersOnTheWire(t *testing.T) {
	for name, v := range wires {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 3, "compare")
			bad := n.onSockets()[2]
			c, kept := n.client(1, loopback(), WithRerunner(honestMachine))
			meet3(t, n, c, kept)
			usual, _ := spent(func() { meet3(t, n, c, kept) })
			bad.misbehave(at("/v1/services/", v.write))
			var got Asked
			cost, took := spent(func() { got = meet3(t, n, c, kept) })
			if v.why == "" && got.Outcome != OutcomeAgreed {
				t.Errorf("it %s: %s; want that it is taken", got.Outcome, got.Why)
			} else if v.why != "" && (got.Outcome != OutcomeFailed || !containsOne(got.Why, v.why)) {
				t.Errorf("it %s: %.300s; want a failure with %q", got.Outcome, got.Why, v.why)
			} else if len(got.Why) > 1000 {
				t.Errorf("its failure is told in %d bytes", len(got.Why))
			}
			if cost > usual+dearest || intolerable(took) {
				t.Errorf("it cost %d kB more than a good answer, and %v", (cost-usual)>>10, took)
			}
		})
	}
}

// The same in place of an introduction: then nothing else is sent there.
func TestBadIntroductionsOnTheWire(t *testing.T) {
	for name, v := range wires {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 1, "spot")
			bad := n.onSockets()[0]
			c, _ := n.client(1, loopback())
			bad.misbehave(at(wellKnown, v.write))
			s, _ := n.Snapshot(t.Context())
			server, _ := s.Server(1)
			var err error
			cost, took := spent(func() { err = c.introduce(t.Context(), s, server) })
			if (err == nil) != (v.why == "") || err != nil && !errors.Is(err, errServer) {
				t.Errorf("%v; want a failure: %t", err, v.why != "")
			}
			if cost > dearest || intolerable(took) {
				t.Errorf("it cost %d kB and %v", cost>>10, took)
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("its failure is told in %d bytes", len(err.Error()))
			}
			if _, err = c.Call(t.Context(), "oracle", "ask", nil); err == nil != (v.why == "") || len(bad.posted()) > 0 != (v.why == "") {
				t.Errorf("called all the same: %v, it was sent %q", err, bad.posted())
			}
		})
	}
}

// The same in answer to evidence that is handed over.
func TestBadReceiversOnTheWire(t *testing.T) {
	for name, v := range wires {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 1, "spot")
			bad := n.onSockets()[0]
			c, _ := n.client(1, loopback())
			bad.misbehave(at("/v1/evidence", v.write))
			s, _ := n.Snapshot(t.Context())
			server, _ := s.Server(1)
			cost, took := spent(func() { c.postEvidence(t.Context(), server, []byte("{}")) })
			if cost > dearest || intolerable(took) {
				t.Errorf("it cost %d kB and %v", cost>>10, took)
			}
		})
	}
}

// A server that sends the asker elsewhere is not followed, wherever it is asked.
func TestProtocol10_2RedirectsAreNotFollowed(t *testing.T) {
	for _, path := range []string{wellKnown, "/v1/services/", "/v1/evidence"} {
		for _, code := range []int{301, 302, 303, 307, 308} {
			n := newNetwork(t, 3, "compare")
			sockets := n.onSockets()
			c, kept := n.client(1, loopback(), WithRerunner(honestMachine))
			sockets[2].misbehave(at(path, func(c net.Conn, _, _ string) {
				fmt.Fprintf(c, "HTTP/1.1 %d Elsewhere\r\nLocation: %s/elsewhere\r\nContent-Length: 0\r\n\r\n", code, n.members[0].base)
			}))
			got := meet3(t, n, c, kept)
			s, _ := n.Snapshot(t.Context())
			server, _ := s.Server(3)
			c.postEvidence(t.Context(), server, []byte("{}"))
			for _, requests := range sockets[0].transcript() {
				if i := slices.IndexFunc(requests, func(r string) bool { return strings.Contains(r, "/elsewhere") }); i >= 0 {
					t.Errorf("%d at %s was followed: %q", code, path, requests[i])
				}
			}
			if path != "/v1/evidence" && (got.Outcome != OutcomeFailed || !strings.Contains(got.Why, fmt.Sprint(code))) {
				t.Errorf("%d at %s: %+v", code, path, got)
			}
		}
	}
}

// One receipt, in the header: two are none, were they the same, and one in a trailer comes too late.
func TestReceiptsInOtherPlaces(t *testing.T) {
	reply := func(head, body string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	}
	for name, v := range map[string]struct {
		write func(head, body string) string
		why   string
	}{
		"twice the same": {func(head, body string) string { return reply(head+head, body) }, "2 receipts"},
		"folded":         {func(head, body string) string { return reply(strings.Replace(head, ".", ".\r\n ", 1), body) }, "base64url"},
		"in a hint": {func(head, body string) string {
			return "HTTP/1.1 103 Early Hints\r\n" + head + "\r\n" + reply("", body)
		}, "0 receipts"},
		"in a trailer": {func(head, body string) string {
			return fmt.Sprintf("HTTP/1.1 200 OK\r\nTrailer: Barnraise-Receipt\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n%s\r\n",
				len(body), body, head)
		}, "0 receipts"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 3, "compare")
			bad := n.onSockets()[2]
			bad.misbehave(at("/v1/services/", func(c net.Conn, head, body string) { io.WriteString(c, v.write(head, body)) }))
			c, kept := n.client(1, loopback(), WithRerunner(honestMachine))
			if got := meet3(t, n, c, kept); got.Outcome != OutcomeFailed || !strings.Contains(got.Why, v.why) {
				t.Errorf("it %s: %s; want a failure with %q", got.Outcome, got.Why, v.why)
			}
		})
	}
}
