package server

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"barnraise"
	"barnraise/barter"
	"barnraise/hosting"
)

// Outlook is what [Foresee] is given.
type Outlook struct {
	Memory    Memory // of the server, which may be running; it is only read
	Self      barnraise.ServerID
	Confirmed *barnraise.Snapshot              // the registry that hosting goes by
	Weight    func(barnraise.ServerID) float64 // of others; nil trusts everybody
	Now       time.Time
}

// Foresight is what a server would plan with now, and what it remembers. It is a copy that belongs to whoever asked for it: the
// server goes on without it.
type Foresight struct {
	Input   barter.Input     // Idle says of budgets what their files say: they may lag by a minute
	Me      barnraise.Server // as the confirmed registry has it; its id alone where that does not have it yet
	Hosting hosting.Ledger   // what the server means to host for others
	Probes  *barter.Probes   // what it found when it asked others
	Words   Words            // what the operator has said
	// Next is when the server plans next. Zero where it never has: it does as soon as it has looked around.
	Next time.Time

	broker *broker
	sight  sight
}

// Foresee makes what a server would plan with if it planned now, by the same steps as the server itself. What only the process
// that serves knows is left out: which images did not pass its gate, and what services have cost since its last plan.
// It fails where what is remembered cannot be read.
func Foresee(c Config, o Outlook) (Foresight, error) {
	if err := c.checkHosting(); err != nil {
		return Foresight{}, fmt.Errorf("foresee: %w", err)
	}
	words, err := ReadWords(o.Memory)
	if err != nil {
		return Foresight{}, fmt.Errorf("foresee: %w", err)
	}
	log, now := slog.New(slog.DiscardHandler), func() time.Time { return o.Now }
	b, err := newBroker(c, Dependencies{Memory: o.Memory}, nil, log, now, new(sync.WaitGroup))
	if err != nil {
		return Foresight{}, fmt.Errorf("foresee: %w", err)
	}
	me, _ := o.Confirmed.Server(o.Self)
	me.ID = o.Self
	s := sight{
		now: o.Now, confirmed: o.Confirmed, me: me, refused: func(barnraise.ServiceID) string { return "" },
		runs: func(barnraise.ServiceID) bool { return true },
	}
	b.attend(s)
	b.meet(o.Confirmed)
	in := b.input(s)
	in.Idle = idleBy(c, log, now)
	if o.Weight != nil {
		in.Weight = o.Weight
	}
	return Foresight{
		Input: in, Me: me, Hosting: b.book.Ledger, Probes: b.book.Probes, Words: words, Next: b.next(me.ID), broker: b, sight: s,
	}, nil
}

// idleBy says why a server would make no new debts, by its configuration and the files of its budgets.
func idleBy(c Config, log *slog.Logger, now func() time.Time) string {
	s := &Server{config: c, writes: c.Account != "", log: log, now: now}
	s.openBudgets(Dependencies{})
	return s.indebted()
}

// next is when a server plans next, unless something has to be looked up before; zero where it never has.
func (b *broker) next(self barnraise.ServerID) time.Time {
	if b.book.Planned == 0 {
		return time.Time{}
	}
	clock := b.book.Clock
	if b.book.Planned == clock {
		clock++
	}
	return time.Unix(0, clock*int64(b.length)).Add(b.offset(self, clock))
}

// Word is the operator's on hosting the active revision of a service, and why.
func (f Foresight) Word(id barnraise.ServiceID) (hosting.Consent, string) {
	_, r, active := f.sight.confirmed.Active(id)
	if !active {
		return hosting.No, "it is gone from the registry, or has no active revision"
	}
	return f.broker.word(f.sight.confirmed, hostKey{id, r.Number})
}

// Forbidden says why a service is not to run here even as one of this server's own, and is empty where it may.
func (f Foresight) Forbidden(id barnraise.ServiceID) string {
	_, r, _ := f.sight.confirmed.Active(id)
	return f.broker.forbidden(f.sight.confirmed, hostKey{id, r.Number})
}

// FirstSeen is the epoch in which a server was seen first as who it is now; false where it never was.
func (f Foresight) FirstSeen(id barnraise.ServerID) (epoch uint64, seen bool) {
	a, seen := f.broker.known[id]
	return a.Epoch, seen
}

// Studied reports whether the manifest of a service's active revision was looked at. Of one that was not the cost is a guess.
func (f Foresight) Studied(id barnraise.ServiceID) bool {
	_, r, active := f.sight.confirmed.Active(id)
	return active && f.broker.book.Dossiers[id].Revision == r.Number
}
