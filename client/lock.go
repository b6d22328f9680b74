package client

import (
	"context"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/lock"
)

// WithLock holds bare names to what they meant when they were first used, by the lock file at path, which is made where it is
// missing, and written at the first use of a name with the service's id and owner (protocol 1.10). A call by a name that would mean
// another service, or one that belongs to somebody else by now, fails with [ErrConflict], before anybody is asked. Servers under
// anchors: in the file are anchors, beside those of [WithAnchors].
//
// A name that the network file does not know can be written into the lock file instead. [Open] fails with [ErrLock] where the file
// is damaged or of another network. Without a path there is no lock file.
func WithLock(path string) Option { return func(c *Client) { c.lockPath = path } }

// openLock reads the lock file, where there is to be one.
func (c *Client) openLock() (err error) {
	if c.lockPath == "" {
		return nil
	}
	if c.lock, err = lock.Open(c.lockPath, c.network.Registry()); err != nil {
		return err
	}
	c.anchors = append(c.anchors, c.lock.Anchors()...)
	return nil
}

// resolve finds out what a reference means.
func (c *Client) resolve(ctx context.Context, s *barnraise.Snapshot, ref string) (barnraise.ServiceID, uint32, error) {
	if c.lock == nil {
		return registry.Resolve(s, c.network.Names, ref)
	}
	return c.lock.Resolve(ctx, s, c.registry.Confirmed, c.network.Names, ref)
}
