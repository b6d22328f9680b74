package evm

import "context"

// Keeper keeps the base of an index over restarts.
type Keeper interface {
	// LoadBase returns what was kept, and nothing where nothing was.
	LoadBase(ctx context.Context) ([]byte, error)
	// SaveBase keeps data in place of what was kept before.
	SaveBase(ctx context.Context, data []byte) error
}

func (x *index) load(context.Context) { x.loaded = true }

func (x *index) keep(context.Context) {}

// reached notes that the chain was asked with success.
func (p *pool) reached() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = p.now()
}

// rests notes on how many endpoints the newest snapshot rests.
func (p *pool) rests(t Trust) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trust = t
}
