package evm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"barnraise"
)

// ErrOldView is the error for a registry that nobody could be asked about for so long that what was read last is not used any more.
var ErrOldView = errors.New("what was read of the registry last is too old to be used")

// For how long what was read last is good while no endpoint can be asked, and from when on a warning goes with it.
const (
	warnAge = time.Hour
	MaxAge  = 24 * time.Hour
)

// Asked is when the chain was last asked with success, also before a restart where that was kept; zero for never.
func (r *Registry) Asked() time.Time {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	return r.pool.asked
}

// reached notes that the chain was asked with success.
func (p *pool) reached() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.aged = p.now(), time.Time{}
}

// remembers notes when the chain was asked before the restart.
func (p *pool) remembers(asked time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked.IsZero() && !asked.After(p.now()) {
		p.asked = asked
	}
}

// last is what was read last, for when nobody could be asked because of err. It fails with that error where there is nothing, or
// nothing new enough, or where that is not what this registry was opened for.
func (x *index) last(ctx context.Context, s *barnraise.Snapshot, err error) (*barnraise.Snapshot, error) {
	p := x.pool
	if !p.lasts || s == nil || ctx.Err() != nil || !errors.Is(err, errNobody) || !p.silent() {
		return nil, err
	}
	p.mu.Lock()
	now, asked := p.now(), p.asked
	age := now.Sub(asked)
	speak := age >= warnAge && age < MaxAge && now.Sub(p.aged) >= warnAge
	if speak {
		p.aged = now
	}
	p.mu.Unlock()
	if asked.IsZero() || age < 0 || age >= MaxAge {
		return nil, fmt.Errorf("%w: nobody could be asked since %s: %w", ErrOldView, asked.UTC().Format(time.RFC3339), err)
	}
	if speak {
		p.warn(fmt.Sprintf("no RPC endpoint can be asked since %s; what was read of the registry then is used until %s: %v",
			asked.UTC().Format(time.RFC3339), asked.Add(MaxAge).UTC().Format(time.RFC3339), err))
	}
	return s, nil
}
