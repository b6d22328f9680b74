package client

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barnraise"
	"barnraise/registry/lock"
)

// A name goes on meaning what it meant, for this client and the next, and for nobody else.
func TestLock(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	path := filepath.Join(t.TempDir(), lock.Name)
	c, _ := n.client(1, WithLock(path))
	call(t, c)
	n.services[0].Owner = barnraise.Address{8}
	for i := range 2 {
		asked := len(n.calls())
		var conflict *ConflictError
		_, err := c.Call(t.Context(), "oracle", "ask", nil)
		if !errors.Is(err, ErrConflict) || !errors.As(err, &conflict) || conflict.Pinned.Owner != (barnraise.Address{9}) || len(n.calls()) != asked {
			t.Errorf("client %d: %v after %d calls", i, err, len(n.calls())-asked)
		}
		if _, err := c.Call(t.Context(), "#1", "ask", nil); err != nil {
			t.Errorf("client %d by id: %v", i, err)
		}
		c, _ = n.client(2, WithLock(path))
	}
	other, _ := n.client(3)
	call(t, other)
}

// What the network file does not know can be pinned by hand.
func TestLockByHand(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	n.config.Names = nil
	path := filepath.Join(t.TempDir(), lock.Name)
	c, _ := n.client(1, WithLock(path))
	var unknown *UnknownNameError
	_, err := c.Call(t.Context(), "oracle", "ask", nil)
	if !errors.Is(err, ErrNotFound) || !errors.As(err, &unknown) || len(unknown.Candidates) != 1 {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(err.Error(), "as in: ")
	if err := os.WriteFile(path, []byte(line+"\nanchors: [4, 2]"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _ = n.client(1, WithLock(path), WithAnchors(3))
	call(t, c)
	if !slices.Equal(c.anchors, []barnraise.ServerID{3, 4, 2}) {
		t.Errorf("anchors are %v", c.anchors)
	}
	if err := os.WriteFile(path, []byte("names: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), n.config, WithRegistry(n), WithLock(path)); !errors.Is(err, ErrLock) {
		t.Errorf("%v, want ErrLock", err)
	}
}
