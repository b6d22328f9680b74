// Package plain lets code that speaks plain JSON-RPC 2.0 over HTTP make verified calls, unchanged: it gets an [http.Client] whose
// requests go to no host, but through a [client.Client] in the same process.
//
// A service's URL is [URL] of its name or id, such as http://barnraise/search. Ids of requests come back as they were sent, batches
// are split and joined in order, and each call is judged on its own. What could not be verified is a JSON-RPC error with one of
// the codes below; the service's own errors go through as they were signed.
//
// What is lost on the way is everything that an answer says beside its result: who was asked, and which of its values nobody
// vouches for ([client.Answer.Unverified]). Who needs that calls the client.
package plain

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"barnraise/client"
	"barnraise/jsonrpc"
)

// Host is the host in the URLs of services. It is none: no name server is asked for it.
const Host = "barnraise"

// Bounds of one HTTP request.
const (
	MaxBatch = 100     // calls in a batch
	MaxBody  = 8 << 20 // bytes
	together = 16      // calls of a batch that are under way at once
)

// Caller makes verified calls, as a [client.Client] does. It is safe for concurrent use.
type Caller interface {
	Call(ctx context.Context, service, method string, params any, options ...client.CallOption) (*client.Answer, error)
}

// URL is where a service is found: a name, an id such as "#3" or "3", or a revision of either such as "search@2".
func URL(service string) string {
	u := url.URL{Scheme: "http", Host: Host, Path: "/" + service}
	return u.String()
}

// Client makes an [http.Client] that answers from c, every call with these options. It owns nothing: close c when done.
func Client(c Caller, options ...client.CallOption) *http.Client {
	return &http.Client{Transport: Transport(c, options...)}
}

// answer makes the calls of a body and writes what came of them. It is nil where nobody wants an answer.
func (t *transport) answer(ctx context.Context, service string, body []byte) []byte {
	var read jsonrpc.Reader
	batch, err := read.Read(body, MaxBatch)
	if err != nil {
		return jsonrpc.AppendResponse(nil, nil, nil, Error(err))
	}
	if !batch {
		return t.one(ctx, service, &read.Messages[0])
	}
	answers := make([][]byte, len(read.Messages))
	var group sync.WaitGroup
	room := make(chan struct{}, together)
	for i := range read.Messages {
		room <- struct{}{}
		group.Go(func() {
			answers[i] = t.one(ctx, service, &read.Messages[i])
			<-room
		})
	}
	group.Wait()
	return join(answers)
}

// join makes one array of the answers that there are, and nothing of none.
func join(answers [][]byte) (b []byte) {
	for _, a := range answers {
		if a == nil {
			continue
		}
		separator := byte(',')
		if b == nil {
			separator = '['
		}
		b = append(append(b, separator), a...)
	}
	if b == nil {
		return nil
	}
	return append(b, ']')
}

// one makes one call, and none of a notification.
func (t *transport) one(ctx context.Context, service string, m *jsonrpc.Message) []byte {
	switch {
	case m.Notification():
		return nil
	case m.Wrong != "":
		return jsonrpc.AppendResponse(nil, m.ID, nil, Error(fmt.Errorf("read request: %s: %w", m.Wrong, jsonrpc.ErrInvalid)))
	}
	var params any
	if len(m.Params) > 0 {
		params = json.RawMessage(m.Params)
	}
	a, err := t.caller.Call(ctx, service, m.Method, params, t.options...)
	if err != nil {
		return jsonrpc.AppendResponse(nil, m.ID, nil, Error(err))
	}
	return jsonrpc.AppendResponse(nil, m.ID, a.Result, a.Error)
}
