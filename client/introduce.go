package client

import (
	"context"
	"errors"
	"fmt"

	"barnraise"
	"barnraise/dial"
	"barnraise/dial/doors"
)

// introduce makes sure that whoever is behind the URL is the server that registered it, before anything else is sent there
// (protocol 10.1), as [doors.Doors.Meet] does. Where it fails as a stranger, that is the server's failure.
func (c *Client) introduce(ctx context.Context, s *barnraise.Snapshot, v barnraise.Server) error {
	err := c.doors.Meet(ctx, s, v)
	if errors.Is(err, doors.ErrStranger) {
		return fmt.Errorf("%w: %w", errServer, err)
	}
	return err
}

// introduced reports whether a server's introduction is believed, without asking anybody.
func (c *Client) introduced(v barnraise.Server) bool { return c.doors.Met(v) }

// Meet makes sure that whoever is behind a server's URL is that server, as for a call, and returns what is registered of it. Nobody
// sends a server anything else before (protocol 10.1). It fails where the server is not there or does not introduce itself.
func (c *Client) Meet(ctx context.Context, id barnraise.ServerID) (barnraise.Server, error) {
	ctx, cancel := c.inTime(ctx)
	defer cancel()
	s, err := c.registry.Snapshot(ctx)
	if err != nil {
		return barnraise.Server{}, fmt.Errorf("meet server %d: read registry: %w", id, err)
	}
	v, _ := s.Server(id)
	if err := dial.CheckURL(v.URL, c.network.Private()); v.Status != barnraise.StatusActive || err != nil {
		return v, fmt.Errorf("meet server %d: it is not active, or has no URL that can be asked: %w", id, errServer)
	}
	if err := c.introduce(ctx, s, v); err != nil {
		return v, fmt.Errorf("meet server %d: %w", id, err)
	}
	return v, nil
}
