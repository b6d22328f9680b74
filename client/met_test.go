package client

import (
	"context"
	"testing"

	"barnraise"
)

// views is a registry that shows what it is told to.
type views struct{ shown *barnraise.Snapshot }

func (v *views) Snapshot(context.Context) (*barnraise.Snapshot, error)  { return v.shown, nil }
func (v *views) Confirmed(context.Context) (*barnraise.Snapshot, error) { return v.shown, nil }

// Servers are met in each view once, and no view is held on to for a service that nobody calls any more.
func TestOneViewIsHeld(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	other := n.services[0]
	other.ID = 2
	n.services = append(n.services, other)
	v := &views{n.snapshot(10)}
	c, _ := n.client(1, WithRegistry(v))
	for _, ref := range []string{"#1", "#2"} {
		if _, err := c.round(t.Context(), ref, nil); err != nil {
			t.Fatal(err)
		}
	}
	if c.metIn != v.shown || !c.met[1] || !c.met[2] {
		t.Errorf("met %v", c.met)
	}
	v.shown = n.snapshot(11)
	if _, err := c.round(t.Context(), "#2", nil); err != nil || c.metIn != v.shown || c.met[1] || !c.met[2] {
		t.Errorf("met %v in the next view, %v", c.met, err)
	}
}
