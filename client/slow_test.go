package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise/dial/doors"
)

// drip writes a byte a second.
func drip(c net.Conn, s string) {
	for i := range len(s) {
		if _, err := io.WriteString(c, s[i:i+1]); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// Who writes a byte a second is given up when his time is over, wherever he does it.
func TestAByteASecond(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for name, write := range map[string]func(c net.Conn, head, body string){
		"status line": func(c net.Conn, _, _ string) { drip(c, "HTTP/1.1 200 "+long) },
		"header":      func(c net.Conn, _, _ string) { io.WriteString(c, "HTTP/1.1 200 OK\r\n"); drip(c, "X: "+long) },
		"body": func(c net.Conn, head, _ string) {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: 1000\r\n\r\n", head)
			drip(c, long)
		},
		"hints": func(c net.Conn, _, _ string) {
			for range 1000 {
				if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n"); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		},
		"trailer": func(c net.Conn, head, body string) {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n", head, len(body), body)
			drip(c, "X: "+long)
		},
		"nothing": func(c net.Conn, _, _ string) { time.Sleep(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 3, "compare")
			transport, sockets := n.piped()
			bad := sockets[2]
			synctest.Test(t, func(t *testing.T) {
				c, kept := n.client(1, WithTransport(transport), WithRerunner(honestMachine))
				call(t, c)
				s, _ := n.Snapshot(t.Context())
				server, _ := s.Server(3)

				bad.misbehave(at("/v1/services/", write))
				start := time.Now()
				if got := meet3(t, n, c, kept); got.Outcome != OutcomeFailed || got.Took != time.Second+grace {
					t.Errorf("it %s after %v; its manifest allows a second, and the client %v more", got.Outcome, got.Took, grace)
				}
				if took := time.Since(start); took > time.Second+grace+mostPatience {
					t.Errorf("to ask it, and then to call, took %v", took)
				}

				bad.misbehave(at("/v1/evidence", write))
				start = time.Now()
				taking, cancel := context.WithTimeout(t.Context(), deliverTakes)
				if c.handOver(taking, s, server, []byte("{}")); time.Since(start) > deliverTakes {
					t.Errorf("handing evidence over took %v", time.Since(start))
				}
				cancel()

				bad.misbehave(at(wellKnown, write))
				c.doors.Forget()
				start = time.Now()
				if err := c.introduce(t.Context(), s, server); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != doors.Within {
					t.Errorf("the introduction took %v: %v", time.Since(start), err)
				}
				c.Close()
				time.Sleep(2 * time.Hour)
			})
		})
	}
}
