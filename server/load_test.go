package server

import (
	"barnraise/endpoint"

	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise/manifest"
)

func TestTooManyCalls(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		var group sync.WaitGroup
		for range maxCalls {
			group.Go(func() { r.post(t, oracle, waiting) })
		}
		pass(0)
		resp, _ := r.post(t, oracle, request)
		if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
		}
		close(r.runtime.release)
		group.Wait()
		if resp, _ := r.post(t, oracle, request); resp.StatusCode != http.StatusOK {
			t.Errorf("afterwards: %s", resp.Status)
		}
	})
}

// half is a request whose body does not come, but for its first byte.
func half(length int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{", oracle, length)
}

// entire is a request as it stands on the wire.
func entire(body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", oracle, len(body), body)
}

// answerOn reads what a connection is answered at once.
func answerOn(t *testing.T, c net.Conn) *http.Response {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// atOnce calls the oracle, which has to answer at once.
func (r *running) atOnce(t *testing.T, when string) {
	t.Helper()
	begun := time.Now()
	if resp, body := r.post(t, oracle, request); resp.StatusCode != http.StatusOK || time.Since(begun) != 0 {
		t.Errorf("%s: %s %s after %v", when, resp.Status, body, time.Since(begun))
	}
}

func TestDawdlersKeepNobodyOut(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		var dawdlers []net.Conn
		for range 3 * maxCalls {
			dawdlers = append(dawdlers, r.send(t, half(100)))
		}
		pass(0)
		r.atOnce(t, "beside those who do not send")
		pass(endpoint.TimeFor(100))
		for _, c := range dawdlers {
			if resp := answerOn(t, c); resp.StatusCode != http.StatusBadRequest || !resp.Close {
				t.Errorf("who does not send in time gets %s", resp.Status)
			}
			c.Close()
		}
		for range 3 * maxCalls {
			dawdlers = append(dawdlers, r.send(t, entire(strings.Replace(request, "ask", "long", 1))))
		}
		pass(0)
		r.atOnce(t, "beside those who do not receive")
		pass(endpoint.TimeFor(100_000))
		for _, c := range dawdlers {
			if b, err := io.ReadAll(c); len(b) > 10_000 {
				t.Errorf("who does not receive in time gets %d bytes, %v", len(b), err)
			}
			c.Close()
		}
	})
}

// Where memory is short it is the oldest that gives way.
func TestOldestGivesWay(t *testing.T) {
	const room = 4
	inBubble(t, nil, func(t *testing.T, r *running) {
		r.transit = endpoint.NewTransit(room * endpoint.Base)
		var dawdlers []net.Conn
		for range room + 2 {
			dawdlers = append(dawdlers, r.send(t, half(1000)))
			pass(time.Second)
		}
		r.atOnce(t, "the newest")
		for i, c := range dawdlers {
			want := http.StatusTooManyRequests
			if i >= room { // the request made one give way, and its answer another
				pass(endpoint.TimeFor(1000))
				want = http.StatusBadRequest
			}
			if resp := answerOn(t, c); resp.StatusCode != want {
				t.Errorf("dawdler %d: %s, want %d", i, resp.Status, want)
			}
			c.Close()
		}
	})
}

// Time counts for sending and receiving apart from the call between them.
func TestSlowCallOfSlowCaller(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		text := entire(waiting)
		c := r.send(t, text[:len(text)-1])
		defer c.Close()
		pass(endpoint.Patience - time.Second)
		if _, err := io.WriteString(c, text[len(text)-1:]); err != nil {
			t.Fatal(err)
		}
		pass(50 * time.Second)
		close(r.runtime.release)
		pass(endpoint.Patience - time.Second)
		if resp := answerOn(t, c); resp.StatusCode != http.StatusOK {
			t.Errorf("%s", resp.Status)
		}
	})
}

// A long request may come slowly, and is answered even so.
func TestLongRequest(t *testing.T) {
	const length = 2 << 20
	inBubble(t, func(r *running, _ *Config, _ *Dependencies) {
		r.publish(t, manifest.Manifest{Name: "oracle", Limits: manifest.Limits{Request: length, Response: 1 << 10}})
	}, func(t *testing.T, r *running) {
		c := r.send(t, half(length))
		defer c.Close()
		for range length/endpoint.Slowest - 1 {
			pass(time.Second)
			if _, err := c.Write(bytes.Repeat([]byte("x"), endpoint.Slowest)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Write(bytes.Repeat([]byte("x"), endpoint.Slowest-1)); err != nil {
			t.Fatal(err)
		}
		if resp := answerOn(t, c); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s", resp.Status)
		}
	})
}
