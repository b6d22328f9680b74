package barter

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"barnraise"
)

// Probes is the ledger of what this server found when it asked for itself (protocol 9.2). Epochs are those that counted: an
// epoch in which more than half of the servers that had answered before gave no right answer at all says something of this
// server's own network, and is taken back by [Probes.Close]. It is counted by servers because a server may claim as much as it likes.
//
// Make one with [NewProbes]. It is written and read as JSON; it is not safe for concurrent use.
type Probes struct {
	lasts uint64
	pairs map[Offer]*probe
}

// Offer is a server's claim to run a service.
type Offer struct {
	Server  barnraise.ServerID  `json:"server"`
	Service barnraise.ServiceID `json:"service"`
}

// probe is what is known of an offer.
type probe struct {
	Epoch    uint64 `json:"epoch"` // of the last probe
	OK       bool   `json:"ok"`
	Failed   int    `json:"failed,omitempty"` // times in a row
	Open     bool   `json:"open,omitempty"`   // the epoch is still open
	Answered bool   `json:"answered,omitempty"`
	Before   *probe `json:"before,omitempty"` // what was known before the open epoch
}

// NewProbes returns an empty ledger in which a right answer confirms for as long as the policy says.
func NewProbes(p Policy) *Probes { return &Probes{lasts: p.Confirmed, pairs: map[Offer]*probe{}} }

// Record notes what a probe in the open epoch found.
func (p *Probes) Record(epoch uint64, server barnraise.ServerID, service barnraise.ServiceID, ok bool) {
	o := Offer{server, service}
	before := p.pairs[o]
	now := &probe{Epoch: epoch, OK: ok, Open: true, Answered: ok, Before: before}
	if before != nil && before.Open {
		now.Before, now.Answered = before.Before, ok || before.Answered
	}
	if !ok {
		now.Failed = 1
		if now.Before != nil {
			now.Failed += now.Before.Failed
		}
	}
	p.pairs[o] = now
}

// Standing is what is known of an offer: [Confirmed] by the last probe for as many epochs as the policy says, [Refuted] by it
// until the time for another has long passed, otherwise [Unknown].
func (p *Probes) Standing(epoch uint64, server barnraise.ServerID, service barnraise.ServiceID) Standing {
	return p.standing(epoch, p.pairs[Offer{server, service}])
}

func (p *Probes) standing(epoch uint64, b *probe) Standing {
	switch {
	case b == nil:
		return Unknown
	case b.OK && epoch < b.Epoch+p.lasts:
		return Confirmed
	case !b.OK && epoch < b.retry()+p.lasts:
		return Refuted
	}
	return Unknown
}

// maxPause is how many times the pause after a failed probe is doubled: 32 epochs at most.
const maxPause = 5

// retry is the epoch in which a failed probe is tried again.
func (b *probe) retry() uint64 { return b.Epoch + 1<<min(max(b.Failed-1, 0), maxPause) }

// Probed tells in which epoch an offer was last probed; false where that is unknown.
func (p *Probes) Probed(server barnraise.ServerID, service barnraise.ServiceID) (epoch uint64, ok bool) {
	b := p.pairs[Offer{server, service}]
	if b == nil {
		return 0, false
	}
	return b.Epoch, true
}

// Refuted lists the offers that are refuted in the epoch, in no order, for [Input].
func (p *Probes) Refuted(epoch uint64) iter.Seq2[barnraise.ServerID, barnraise.ServiceID] {
	return func(yield func(barnraise.ServerID, barnraise.ServiceID) bool) {
		for o, b := range p.pairs {
			if p.standing(epoch, b) == Refuted && !yield(o.Server, o.Service) {
				return
			}
		}
	}
}

// Forget drops what is known of a server: it has another key or owner, and is another server.
func (p *Probes) Forget(server barnraise.ServerID) {
	for o := range p.pairs {
		if o.Server == server {
			delete(p.pairs, o)
		}
	}
}

// Close ends the open epoch and returns the number of the next. Where the epoch does not count that is the same number again,
// and the failures of the epoch are void: what was known before stands. What has lapsed is dropped.
func (p *Probes) Close(epoch uint64) (next uint64) {
	counts := p.counts()
	next = epoch + 1
	if !counts {
		next = epoch
	}
	for o, b := range p.pairs {
		if b.Open && !b.OK && !counts {
			b = b.Before
		}
		if p.standing(next, b) == Unknown {
			delete(p.pairs, o)
			continue
		}
		b.Open, b.Answered, b.Before = false, false, nil
		p.pairs[o] = b
	}
	return next
}

// counts reports whether at least half of the servers that had answered rightly before, and were asked for that again in the
// open epoch, gave a right answer. Those that never did say nothing of this server's own network: else a few that claim much and
// run nothing could keep every epoch from counting, and themselves from being refuted.
func (p *Probes) counts() bool {
	known, up := map[barnraise.ServerID]bool{}, map[barnraise.ServerID]bool{}
	for o, b := range p.pairs {
		if b.Open {
			known[o.Server] = known[o.Server] || b.Before != nil && b.Before.OK
			up[o.Server] = up[o.Server] || b.Answered
		}
	}
	asked, failed := 0, 0
	for server, is := range known {
		if is {
			asked++
		}
		if is && !up[server] {
			failed++
		}
	}
	return 2*failed <= asked
}

// entry is how a pair is written.
type entry struct {
	Offer
	probe
}

// MarshalJSON writes the ledger, by server and service.
func (p *Probes) MarshalJSON() ([]byte, error) {
	list := make([]entry, 0, len(p.pairs))
	for o, b := range p.pairs {
		list = append(list, entry{o, *b})
	}
	slices.SortFunc(list, func(a, b entry) int { return compareOffers(a.Offer, b.Offer) })
	return json.Marshal(list)
}

func compareOffers(a, b Offer) int {
	return cmp.Or(cmp.Compare(a.Server, b.Server), cmp.Compare(a.Service, b.Service))
}

var errLedger = errors.New("a pair stands twice or remembers too much")

// UnmarshalJSON reads what [Probes.MarshalJSON] wrote into a ledger made by [NewProbes].
func (p *Probes) UnmarshalJSON(data []byte) error {
	var list []entry
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("read probes: %w", err)
	}
	pairs := make(map[Offer]*probe, len(list))
	for _, e := range list {
		if e.Failed < 0 || e.Before != nil && (e.Before.Before != nil || e.Before.Failed < 0) || pairs[e.Offer] != nil {
			return fmt.Errorf("read probes: server %d, service %d: %w", e.Server, e.Service, errLedger)
		}
		pairs[e.Offer] = &e.probe
	}
	p.pairs = pairs
	return nil
}
