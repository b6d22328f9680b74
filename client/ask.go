package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/judge"
)

// How long a server's first reply and its introduction may take, and how long an introduction is believed (protocol 10.1).
const (
	grace         = 5 * time.Second // on top of the service's own limit
	introduction  = 5 * time.Second
	introducedFor = time.Hour
	avoidedFor    = time.Minute
)

// meeting remembers what came of a server's introduction.
type meeting struct {
	url   string
	until time.Time
	err   error
}

// exchange sends the request to one server and takes its answer only where it can be held to it: signed under a key of the
// server's, for these bytes, strict (protocol 3.3, 4). All else is the server's failure.
func (c *Client) exchange(ctx context.Context, t target, v candidate, request []byte) (barnraise.Answer, judge.Answer, error) {
	if err := c.introduce(ctx, t.snapshot, v.Server); err != nil {
		return barnraise.Answer{}, judge.Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(t.manifest.Limits.Timeout)+grace)
	defer cancel()
	url := fmt.Sprintf("%s/v1/services/%d/%d", strings.TrimSuffix(v.URL, "/"), t.service.ID, t.revision.Number)
	body, token, err := c.post(ctx, url, request, int64(t.manifest.Limits.Response))
	if err != nil {
		return barnraise.Answer{}, judge.Answer{}, err
	}
	receipt, signed, err := barnraise.ParseReceipt(token)
	if err == nil {
		err = receipt.Covers(t.snapshot.Registry, v.ID, t.service.ID, t.revision, request, body)
	}
	var key barnraise.PublicKey
	if err == nil {
		key, err = t.snapshot.Key(v.ID, signed.KeyID)
	}
	if err == nil {
		err = signed.Verify(key)
	}
	if err == nil {
		_, err = jsonrpc.ParseResponse(body, jsonrpc.WireID)
	}
	if err != nil {
		return barnraise.Answer{}, judge.Answer{}, fmt.Errorf("%w: %w", errServer, err)
	}
	return barnraise.Answer{Server: v.ID, Response: body, Receipt: token},
		judge.Answer{Server: v.ID, Operator: v.operator, KeyID: signed.KeyID, Platform: receipt.Platform, Body: body}, nil
}

// post sends exactly what protocol 3.1 says, and reads at most limit bytes.
func (c *Client) post(ctx context.Context, url string, body []byte, limit int64) (response []byte, receipt string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", errServer, err)
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", errServer, err)
	}
	defer resp.Body.Close()
	receipts := resp.Header.Values("Barnraise-Receipt")
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil, "", fmt.Errorf("%w: it answers %s", errServer, resp.Status)
	case resp.Header.Get("Content-Encoding") != "":
		return nil, "", fmt.Errorf("%w: it answers in a content coding nobody asked for", errServer)
	case len(receipts) != 1:
		return nil, "", fmt.Errorf("%w: it answers with %d receipts instead of one", errServer, len(receipts))
	}
	response, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("%w: %w", errServer, err)
	case int64(len(response)) > limit:
		return nil, "", fmt.Errorf("%w: its answer is longer than the %d bytes of the manifest", errServer, limit)
	}
	return response, receipts[0], nil
}

// introduce makes sure that whoever is behind the URL is the server that registered it, before anything else is sent there
// (protocol 10.1). What came of it is remembered: for an hour where it held, for a minute where it did not.
func (c *Client) introduce(ctx context.Context, s *barnraise.Snapshot, v barnraise.Server) error {
	c.mu.Lock()
	m, ok := c.met[v.ID]
	c.mu.Unlock()
	if ok && m.url == v.URL && c.now().Before(m.until) {
		return m.err
	}
	m = meeting{url: v.URL, err: c.meet(ctx, s, v), until: c.now().Add(introducedFor)}
	if m.err != nil {
		m.until = c.now().Add(avoidedFor)
	}
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return m.err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.met[v.ID] = m
	return m.err
}

func (c *Client) meet(ctx context.Context, s *barnraise.Snapshot, v barnraise.Server) error {
	ctx, cancel := context.WithTimeout(ctx, introduction)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(v.URL, "/")+"/.well-known/barnraise", nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errServer, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", errServer, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: its introduction is answered %s", errServer, resp.Status)
	}
	token, err := io.ReadAll(io.LimitReader(resp.Body, barnraise.MaxToken+1))
	if err == nil {
		_, err = barnraise.CheckIntroduction(s, v, strings.TrimSpace(string(token)), c.now().Unix())
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errServer, err)
	}
	return nil
}
