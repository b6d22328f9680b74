package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"barnraise"
	"barnraise/dial"
	"barnraise/judge"
)

// lead is how many blocks ahead of this machine's registry a receipt may be at least; where the registry's grace is more, that.
const lead = 100

// within is how long one server has for its answer.
func (t *target) within() time.Duration { return time.Duration(t.manifest.Limits.Timeout) + grace }

// exchange sends the request to one server, which has introduced itself, and takes its answer only where it can be held to it:
// signed under a key of the server's, for these bytes, strict (protocol 3.3, 4). All else is the server's failure.
func (c *Client) exchange(ctx context.Context, t target, v candidate, request []byte) (barnraise.Answer, judge.Answer, error) {
	within := t.within()
	if end, bounded := ctx.Deadline(); !bounded || time.Until(end) > within { // where an introduction went before
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, within)
		defer cancel()
	}
	body, token, err := c.post(ctx, t, v, request)
	if err != nil {
		return barnraise.Answer{}, judge.Answer{}, err
	}
	read := t.seen.read(body.Bytes())
	if read.repeated(body.Bytes()) {
		c.room.spare(body)
	} else {
		read.room = body
	}
	var receipt barnraise.Receipt
	var keyID string
	if !c.receiptless {
		receipt, keyID, err = c.checkReceipt(t, v, token, request, read)
	}
	if err == nil {
		err = read.err
	}
	if err != nil {
		return barnraise.Answer{}, judge.Answer{}, fmt.Errorf("%w: %w", errServer, err)
	}
	return barnraise.Answer{Server: v.ID, Response: read.body, Receipt: token},
		judge.Answer{Server: v.ID, Operator: v.operator, KeyID: keyID, Platform: receipt.Platform, Body: read.body}, nil
}

// checkReceipt holds a receipt against what was asked and answered, and against the keys of its server.
func (c *Client) checkReceipt(
	t target, v candidate, token string, request []byte, answer *read,
) (receipt barnraise.Receipt, keyID string, err error) {
	receipt, signed, err := barnraise.ParseReceipt(token)
	if err != nil {
		return receipt, "", err
	}
	if err := receipt.CoversSums(t.snapshot.Registry, v.ID, t.service.ID, t.revision, t.seen.sum(request), answer.digest()); err != nil {
		return receipt, "", err
	}
	if err := checkBlock(receipt.Block, t.snapshot); err != nil {
		return receipt, "", err
	}
	key, err := t.snapshot.Key(v.ID, signed.KeyID)
	if err != nil {
		return receipt, "", err
	}
	if c.trusting {
		return receipt, signed.KeyID, nil
	}
	return receipt, signed.KeyID, c.keys.verify(signed, key)
}

// checkBlock refuses a receipt that names a block which nobody can have seen. Evidence is looked at once the newest block of its
// receipts is confirmed (protocol 1.9), so a liar would name one that never comes.
func checkBlock(block uint64, s *barnraise.Snapshot) error {
	if block > s.Block && block-s.Block > max(s.Grace, lead) {
		return fmt.Errorf("its receipt names block %d, the registry is at %d", block, s.Block)
	}
	return nil
}

// address is where a server answers for a revision. It is found out once for each view of the registry.
func (v *candidate) address(t target) (*dial.Target, error) {
	if at := v.last.Load(); at != nil && at.service == t.service.ID && at.revision == t.revision.Number {
		return at.target, nil
	}
	u, err := url.Parse(strings.TrimSuffix(v.URL, "/") + "/v1/services/" + strconv.FormatUint(uint64(t.service.ID), 10) +
		"/" + strconv.FormatUint(uint64(t.revision.Number), 10))
	if err != nil {
		return nil, err
	}
	at, err := dial.NewTarget(u)
	if err == nil {
		v.last.Store(&address{t.service.ID, t.revision.Number, at})
	}
	return at, err
}

// question is [http.NewRequestWithContext] without reading the URL again.
func question(ctx context.Context, at *url.URL, body []byte) *http.Request {
	return (&http.Request{
		Method: http.MethodPost, URL: at, Host: at.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}, // its own: transports may be anybody's
		Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}).WithContext(ctx)
}

// poster is a transport with a shorter way for posts.
type poster interface {
	Post(ctx context.Context, at *dial.Target, body []byte) (*dial.Posted, error)
}

// post sends exactly what protocol 3.1 says, and reads no more than the manifest allows.
func (c *Client) post(ctx context.Context, t target, v candidate, request []byte) (response *bytes.Buffer, receipt string, err error) {
	at, err := v.address(t)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", errServer, err)
	}
	resp, err := c.send(ctx, at, request)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", errServer, err)
	}
	defer resp.Close()
	block, _ := resp.Header("Barnraise-Registry-Block")
	if resp.Code == http.StatusNotFound || ahead(block, t.snapshot.Block) {
		c.hint()
	}
	receipt, receipts := resp.Header("Barnraise-Receipt")
	switch coding, _ := resp.Header("Content-Encoding"); {
	case unknownRevision(resp):
		return nil, "", fmt.Errorf("%w: it answers %.80q: %w", errServer, resp.Status, errUnknownRevision)
	case resp.Code != http.StatusOK:
		return nil, "", fmt.Errorf("%w: it answers %.80q", errServer, resp.Status)
	case coding != "":
		return nil, "", fmt.Errorf("%w: it answers in a content coding nobody asked for", errServer)
	case receipts != 1:
		return nil, "", fmt.Errorf("%w: it answers with %d receipts instead of one", errServer, receipts)
	}
	response, err = c.room.readUpTo(resp, int64(t.manifest.Limits.Response))
	return response, receipt, err
}

// send posts a request. A redirect is an answer like any other that is not 200.
func (c *Client) send(ctx context.Context, at *dial.Target, request []byte) (*dial.Posted, error) {
	if p, ok := c.http.Transport.(poster); ok {
		return p.Post(ctx, at, request)
	}
	resp, err := c.http.Transport.RoundTrip(question(ctx, at.URL(), request))
	if err != nil {
		return nil, err
	}
	return dial.NewPosted(resp), nil
}

// ahead reports whether a server says that the registry is further than this client has seen.
func ahead(block string, seen uint64) bool {
	if block == "" {
		return false
	}
	n, err := strconv.ParseUint(block, 10, 64)
	return err == nil && n > seen
}

// believed is how much room is made at once because a response says that it is so long.
const believed = 128 << 10

// room is memory for bodies that turn out to be known already, as most are: it is used again.
type room struct{ pool sync.Pool }

// spare takes back what nobody looks at any more.
func (m *room) spare(b *bytes.Buffer) {
	if b.Cap() <= 2*believed {
		b.Reset()
		m.pool.Put(b)
	}
}

// readUpTo reads a body of at most limit bytes. The room for it is not used again before it is spare.
func (m *room) readUpTo(resp *dial.Posted, limit int64) (*bytes.Buffer, error) {
	if resp.Length > limit {
		return nil, fmt.Errorf("%w: its answer is longer than the %d bytes of the manifest", errServer, limit)
	}
	b, _ := m.pool.Get().(*bytes.Buffer)
	if b == nil {
		b = new(bytes.Buffer)
	}
	b.Grow(int(min(max(resp.Length, 4<<10-bytes.MinRead)+bytes.MinRead, believed)))
	err := resp.ReadBody(b, limit+1)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errServer, err)
	case int64(b.Len()) > limit:
		return nil, fmt.Errorf("%w: its answer is longer than the %d bytes of the manifest", errServer, limit)
	}
	return b, nil
}
