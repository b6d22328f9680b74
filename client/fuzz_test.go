package client

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"barnraise"
	"barnraise/jsonrpc"
)

// written is a transport that answers every request with these bytes.
type written []byte

func (w written) RoundTrip(r *http.Request) (*http.Response, error) {
	return http.ReadResponse(bufio.NewReader(bytes.NewReader(w)), r)
}

// What comes back on a wire is taken only where the server signed it, to the byte, and where it is strict.
func FuzzExchange(f *testing.F) {
	n := newNetwork(f, 2, "spot")
	n.clock()
	c, _ := n.client(1)
	t, err := c.target(context.Background(), "oracle")
	if err != nil {
		f.Fatal(err)
	}
	m := n.members[1]
	signed := m.sign(n, probeRequest)
	whole := func(head string, body []byte) []byte {
		return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	}
	receipt := "Barnraise-Receipt: " + signed.Receipt + "\r\n"
	f.Add(whole(receipt, truth), false)
	f.Add(whole(receipt, lie), false)
	f.Add(whole(receipt+receipt, truth), false)
	f.Add(whole("barnraise-receipt:"+signed.Receipt+"\r\nContent-Encoding: gzip\r\n", truth), false)
	f.Add(whole("", truth), true)
	f.Add(fmt.Appendf(nil, "HTTP/1.0 200\n%s\n%s", receipt, truth), false)
	f.Add(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", receipt, len(truth), truth), false)
	f.Fuzz(func(test *testing.T, raw []byte, sign bool) {
		c.http.Transport = written(raw)
		if sign { // the server itself signs what it sends
			c.http.Transport = signing{n, m, raw}
		}
		answer, judged, err := c.exchange(context.Background(), t, t.hosts[1], probeRequest)
		if err != nil {
			return
		}
		if _, err := jsonrpc.ParseResponse(answer.Response, jsonrpc.WireID); err != nil || int64(len(answer.Response)) > int64(t.manifest.Limits.Response) {
			test.Fatalf("%q was taken: %v", answer.Response, err)
		}
		if !bytes.Equal(judged.Body, answer.Response) || answer.Server != 2 || judged.Server != 2 || judged.Platform != platform {
			test.Errorf("%+v is judged as %+v", answer, judged)
		}
		if !sign && (answer.Receipt != signed.Receipt || !bytes.Equal(answer.Response, truth)) {
			test.Errorf("%q under %q was taken, and nobody signed it", answer.Response, answer.Receipt)
		}
	})
}

// signing is a transport that answers with the body, under a receipt that covers it.
type signing struct {
	n    *network
	m    *member
	body []byte
}

func (s signing) RoundTrip(r *http.Request) (*http.Response, error) {
	m := *s.m
	m.answer = func([]byte) []byte { return s.body }
	head := http.Header{"Barnraise-Receipt": {m.sign(s.n, probeRequest).Receipt}}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Header: head, Body: io.NopCloser(bytes.NewReader(s.body)), Request: r}, nil
}

// What comes back in place of an introduction is one only where the server signed it, for this URL, lately.
func FuzzIntroduction(f *testing.F) {
	n := newNetwork(f, 1, "spot")
	n.clock()
	c, _ := n.client(1)
	s, _ := n.Snapshot(context.Background())
	v, _ := s.Server(1)
	i := barnraise.Introduction{Server: 1, URL: v.URL, Chain: n.config.Chain, Services: n.config.Services, Servers: n.config.Servers, IssuedAt: n.now().Unix()}
	good := barnraise.Sign(barnraise.TypeServer, i.Payload(), n.members[0].key)
	i.IssuedAt -= 4000
	stale := barnraise.Sign(barnraise.TypeServer, i.Payload(), n.members[0].key)
	for _, token := range []string{good, stale, " " + good + "\n", good + good} {
		f.Add(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(token), token))
	}
	f.Add([]byte("HTTP/1.1 307 Elsewhere\r\nLocation: http://s2.test/\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c.http.Transport = written(raw)
		c.doors.Forget()
		if err := c.introduce(context.Background(), s, v); err != nil {
			return
		}
		resp, err := c.http.Transport.RoundTrip(nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || string(bytes.TrimSpace(body)) != good {
			t.Errorf("%q was taken for an introduction", raw)
		}
	})
}
