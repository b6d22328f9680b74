// Package evidence exchanges evidence with other servers (protocol 8): what strangers send is rechecked within a budget before it
// is believed, what holds is served on to whom its service's policy allows, and what is held against this server itself is
// fetched and shown to its operator.
package evidence

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/endpoint"
	"barnraise/score"
	"barnraise/store"
)

// Rechecker finds out for itself what evidence shows, and sees to it that servers are who they say. A [client.Client] is one.
type Rechecker interface {
	// Recheck fails with barnraise.ErrEvidence where the evidence does not hold, and otherwise where that could not be told.
	Recheck(ctx context.Context, e barnraise.Evidence, execute bool) (client.Recheck, error)
	// EvidencePolicy says who may see evidence about a revision, as its manifest says (protocol 8.3).
	EvidencePolicy(ctx context.Context, service barnraise.ServiceID, revision uint32) (string, error)
	// Meet returns a server that has introduced itself (protocol 10.1).
	Meet(ctx context.Context, id barnraise.ServerID) (barnraise.Server, error)
}

// Store keeps evidence; a [store.Store] is one. What it keeps no longer than the retention, and how much, is its own affair.
type Store interface {
	Add(ctx context.Context, e barnraise.Evidence, from barnraise.ServerID) (item store.Item, added bool, err error)
	Judge(ctx context.Context, digest barnraise.Digest, state store.State, proves []barnraise.ServerID) error
	Evidence(ctx context.Context, digest barnraise.Digest) (store.Item, []byte, error)
	List(ctx context.Context, f store.EvidenceFilter) ([]store.Item, error)
}

// Registry shows the registry that evidence goes by (protocol 1.9).
type Registry interface {
	Confirmed(ctx context.Context) (*barnraise.Snapshot, error)
}

// Dependencies are what an exchange of evidence is given. All but the last group are needed.
type Dependencies struct {
	Registry Registry
	Key      func() ed25519.PrivateKey // own, as it signs now
	URL      func() string             // own, as registered
	Self     func() barnraise.ServerID // own id; 0 while it is not known
	Store    Store
	Judge    Rechecker
	Book     func(do func(*score.Book)) // the scores, one at a time
	Epoch    func() uint64
	HTTP     *http.Client                       // for what is pulled; it decides which addresses are reached
	Serves   func(barnraise.ServiceID) bool     // this server runs the service or relies on it: evidence about it is looked at
	Uses     func(barnraise.ServerID) bool      // this server relies on the other: what concerns it goes first
	Hosted   func() []barnraise.ServiceID       // what this server runs: about that it pulls evidence
	Random   func(n int) int                    // from 0 to n-1, for whom to ask and when
	Known    func(owner barnraise.Address) bool // as client.WithKnownOwners has it

	Budget  Budget
	Log     *slog.Logger
	Now     func() time.Time // nil means time.Now
	Tell    func(store.Event)
	Doubted func(barnraise.ServiceID, uint32) // the revision contradicted itself here, told once a day: its examples are to pass the gate again (protocol 7.4)
}

// Budget bounds what the exchange costs. Zero means the default.
type Budget struct {
	Share   float64       // of the time, for looking at what others send; 0.05
	Pause   time.Duration // between two pieces at least; a second
	Longest time.Duration // that one may take, image and all; three minutes
	Waiting int64         // bytes of what waits to be looked at; 64 MiB
	Pull    time.Duration // between two rounds of pulls, in the mean; an hour
}

func (b *Budget) defaults() {
	if b.Share <= 0 || b.Share > 1 {
		b.Share = 0.05
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&b.Pause, time.Second}, {&b.Longest, 3 * time.Minute}, {&b.Pull, time.Hour}} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if b.Waiting <= 0 {
		b.Waiting = 64 << 20
	}
}

// The kinds of events that operators are told of.
const (
	EventConvicted = "evidence-convicts" // a server, by own execution
	EventAboutSelf = "evidence-about-us" // an answer of this server is wrong, or may be
	EventDoubted   = "evidence-doubted"  // the image contradicts itself, nobody is struck
)

// Exchange exchanges evidence with other servers (protocol 8). What strangers send is looked at cheaply when it comes and wholly
// later, one piece at a time, within a budget. Nothing is believed, served or counted that this machine has not found to hold by
// its own doing. It is a Keeper for a client: what that client finds is served, too.
type Exchange struct {
	Dependencies
	transit  *endpoint.Transit
	large    chan struct{} // one long body at a time
	cheap    chan struct{} // one piece at a time is read and checked
	more     chan struct{} // something waits
	policies sync.Map      // of revisions, as far as known

	mu          sync.Mutex
	waiting     evidenceQueue
	allowances  allowances
	held        remembered[barnraise.Digest] // holds
	refused     remembered[barnraise.Digest] // was looked at and is not to be looked at again
	discredited remembered[string]           // sent what did not hold
	doubtful    remembered[revisionKey]      // was told of as contradicting itself
	cursors     map[barnraise.ServerID]string
}

// How long it is remembered who sent what did not hold, and of which image was told, and how many things are remembered.
const (
	discreditedFor = 24 * time.Hour
	doubtfulFor    = 24 * time.Hour
	mostRemembered = 1 << 14
)

// NewEvidence makes an exchange. It looks at nothing before [Exchange.Run].
func New(d Dependencies) *Exchange {
	d.Budget.defaults()
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Exchange{
		Dependencies: d, transit: endpoint.NewTransit(evidenceRoom), large: make(chan struct{}, 1), cheap: make(chan struct{}, 1),
		more: make(chan struct{}, 1), waiting: evidenceQueue{room: d.Budget.Waiting, served: make(map[string]uint64)},
		held:        remembered[barnraise.Digest]{keep: store.Retention, most: mostRemembered},
		refused:     remembered[barnraise.Digest]{keep: store.Retention, most: mostRemembered},
		discredited: remembered[string]{keep: discreditedFor, most: mostRemembered},
		doubtful:    remembered[revisionKey]{keep: doubtfulFor, most: mostRemembered},
		cursors:     make(map[barnraise.ServerID]string),
	}
}

// Keep keeps evidence of this server's own finding and returns its name once it is safe. It is served once this machine has
// rechecked it, as all is.
func (x *Exchange) Keep(e barnraise.Evidence) (name string, err error) {
	item, _, err := x.Store.Add(context.Background(), e, 0)
	if err != nil {
		return "", err
	}
	if item.State == store.New {
		x.enqueue(&offer{evidence: e, name: item.Digest, size: item.Size, own: true})
	}
	return item.Digest.String(), nil
}

// Run looks at what waits, and pulls, until the context ends.
func (x *Exchange) Run(ctx context.Context) {
	x.resume(ctx)
	var group sync.WaitGroup
	group.Go(func() { x.work(ctx) })
	group.Go(func() { x.pulls(ctx) })
	group.Wait()
}

// resume takes up what a former run left: own evidence that was not rechecked yet, and who may see what is kept.
func (x *Exchange) resume(ctx context.Context) {
	list, err := x.Store.List(ctx, store.EvidenceFilter{State: store.New})
	for _, item := range list {
		_, body, err := x.Store.Evidence(ctx, item.Digest)
		if e, parsed := barnraise.ParseEvidence(body); err == nil && parsed == nil && item.From == 0 {
			x.enqueue(&offer{evidence: e, name: item.Digest, size: item.Size, own: true})
		}
	}
	var after int64
	for err == nil {
		list, err = x.Store.List(ctx, store.EvidenceFilter{State: store.Held, After: after})
		for _, item := range list {
			x.learn(ctx, item.Service, item.Revision)
			x.mu.Lock()
			x.held.add(item.Digest, item.At)
			x.mu.Unlock()
			after = item.Seq
		}
		if len(list) == 0 {
			break
		}
	}
	if err != nil && ctx.Err() == nil {
		x.Log.Warn("take up evidence", "err", err)
	}
}

// revisionKey names a revision whose policy is known.
type revisionKey struct {
	service  barnraise.ServiceID
	revision uint32
}

// learn finds out who may see evidence about a revision, which never changes.
func (x *Exchange) learn(ctx context.Context, service barnraise.ServiceID, revision uint32) {
	k := revisionKey{service, revision}
	if _, known := x.policies.Load(k); known {
		return
	}
	policy, err := x.Judge.EvidencePolicy(ctx, service, revision)
	if err != nil {
		x.Log.Debug("who may see evidence is not known", "service", service, "revision", revision, "err", err)
		return
	}
	x.policies.Store(k, policy)
}

// policy is who may see evidence about a revision; empty, which is nobody, where it is not known.
func (x *Exchange) policy(service barnraise.ServiceID, revision uint32) string {
	v, _ := x.policies.Load(revisionKey{service, revision})
	policy, _ := v.(string)
	return policy
}

func (x *Exchange) tell(e store.Event) {
	if x.Tell != nil {
		e.At, e.Epoch = x.Now(), x.Epoch()
		x.Tell(e)
	}
}
