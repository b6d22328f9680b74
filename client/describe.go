package client

import (
	"context"

	"barnraise"
	"barnraise/manifest"
)

// Description is what can be known of a revision without asking its hosts anything.
type Description struct {
	Service     barnraise.Service
	Revision    barnraise.Revision
	Manifest    manifest.Manifest
	MinRequests int // of its verifier
}

// Describe finds out what ref means, as [Client.Call] does, and fetches manifest and verifier where this client has not got them.
// It fails with [ErrNotFound] and [ErrUnavailable].
func (c *Client) Describe(ctx context.Context, ref string) (Description, error) {
	ctx, cancel := c.whileOpen(ctx)
	defer cancel()
	t, err := c.target(ctx, ref)
	if err != nil {
		return Description{}, err
	}
	return Description{t.service, t.revision, t.manifest, t.verifier.MinRequests()}, nil
}

// Epoch is the number of the current epoch by this client's clock, in which strikes are counted.
func (c *Client) Epoch() uint64 { return c.epoch() }
