package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/judge"
)

// lead is how many blocks ahead of this machine's registry a receipt may be at least; where the registry's grace is more, that.
const lead = 100

// exchange sends the request to one server, which has introduced itself, and takes its answer only where it can be held to it:
// signed under a key of the server's, for these bytes, strict (protocol 3.3, 4). All else is the server's failure.
func (c *Client) exchange(ctx context.Context, t target, v candidate, request []byte) (barnraise.Answer, judge.Answer, error) {
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
	if err == nil {
		err = checkBlock(receipt.Block, t.snapshot)
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

// checkBlock refuses a receipt that names a block which nobody can have seen. Evidence is looked at once the newest block of its
// receipts is confirmed (protocol 1.9), so a liar would name one that never comes.
func checkBlock(block uint64, s *barnraise.Snapshot) error {
	if block > s.Block && block-s.Block > max(s.Grace, lead) {
		return fmt.Errorf("its receipt names block %d, the registry is at %d", block, s.Block)
	}
	return nil
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
		return nil, "", fmt.Errorf("%w: it answers %.80q", errServer, resp.Status)
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
