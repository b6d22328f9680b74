package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"barnraise"
	"barnraise/barter"
	"barnraise/client"
	"barnraise/hosting"
	"barnraise/store"
)

// Memory keeps what a server must not forget, however it ends.
type Memory interface {
	// Load reads into v what was saved last, and reports whether anything was.
	Load(key string, v any) (found bool, err error)
	// Save returns once v is safe.
	Save(key string, v any) error
}

// Step is something that a server decided, or found out, about what it hosts for others.
type Step struct {
	Time    time.Time
	Epoch   uint64
	Verb    hosting.Verb
	Service barnraise.ServiceID
	Server  barnraise.ServerID // that was probed; else zero
	For     []barnraise.ServerID
	Reason  string
}

// Text says what a step is about, but for server and service, and why.
func (s Step) Text() string {
	if len(s.For) == 0 {
		return s.Reason
	}
	ids := make([]string, len(s.For))
	for i, id := range s.For {
		ids[i] = id.String()
	}
	return fmt.Sprintf("for %s: %s", strings.Join(ids, ", "), s.Reason)
}

// Event is the step as a store keeps it.
func (s Step) Event() store.Event {
	return store.Event{At: s.Time, Epoch: s.Epoch, Kind: string(s.Verb), Server: s.Server, Service: s.Service, Text: s.Text()}
}

// The verbs of steps beside those of package hosting.
const (
	Probed    hosting.Verb = "probed"    // a server was asked for a service
	Offered   hosting.Verb = "offered"   // it stands in the registry
	Withdrawn hosting.Verb = "withdrawn" // it does not any more
	Started   hosting.Verb = "started"   // it takes calls
	Stopped   hosting.Verb = "stopped"   // it was drained and does not run any more
	Void      hosting.Verb = "void"      // an epoch that does not count
	Upcoming  hosting.Verb = "upcoming"  // a revision comes into force that is not to run here
)

// broker decides what a server hosts for others: it probes, plans, and keeps the book. Its methods but tell are called by one
// goroutine, that which follows the registry, unless they say otherwise.
type broker struct {
	config Config
	policy barter.Policy
	length time.Duration // of an epoch
	memory Memory
	client *client.Client // nil asks nobody
	log    *slog.Logger
	tell   func(Step)                        // nil for nobody
	doubt  func(barnraise.ServiceID, uint32) // has the gate try a revision again
	work   *sync.WaitGroup
	now    func() time.Time

	view *barter.View
	last *barnraise.Snapshot // which the view shows
	met  *barnraise.Snapshot // whose servers are known

	mu      sync.Mutex // over what follows: probes end whenever they do
	book    book
	saved   []byte // the book as it was saved
	known   map[barnraise.ServerID]acquaintance
	changed bool // known is not saved as it is
	orders  hosting.Orders
	agenda  []barter.Probe        // of the epoch, by time
	drawn   bool                  // the agenda is
	asking  map[barter.Offer]bool // under way
	random  *rand.Rand

	studying bool // services are looked up
	words    Words
	rules    func() (Config, error)            // nil for what the configuration said at first
	trouble  string                            // with words and rules, as it was reported
	mine     []barnraise.ServiceID             // own services, as of the last look
	bars     map[barnraise.ServiceID]bool      // of these, what is not to be offered
	absent   map[barnraise.ServiceID]time.Time // and since when what does not run does not
	wishes   []barnraise.ServiceID             // what this server rewards, as of the last look
	licences map[hostKey]string                // of manifests that were fetched, of what runs or is to
}

// book is what a broker remembers.
type book struct {
	Ledger   hosting.Ledger
	Probes   *barter.Probes
	Epoch    uint64 // in which the planner is: the epochs that counted
	Clock    int64  // the epoch by the clock, from the beginning of 1970
	Planned  int64  // the epoch by the clock in which was planned last
	Written  int64  // and in which the lists were written last
	Dossiers map[barnraise.ServiceID]dossier
	Owners   map[barnraise.Address]uint64     // of services that this server has to do with: the epoch in which they were seen first
	Taken    map[barnraise.ServiceID]uint32   // of services of others that run here, or are offered: the newest revision that may without a word
	Ran      map[barnraise.ServiceID][]uint32 // revisions that ran here when they were last looked at, and are to go on
}

// acquaintance is since when a server is known, and as whom.
type acquaintance struct {
	Epoch uint64
	Who   string // its operator, key and URL, as a short hash: strangers choose them, and how many there are
}

// dossier is what is known of a service by its manifest.
type dossier struct {
	Revision    uint32
	Cost        uint32 // units, as the manifest has it
	Measured    uint32 // units, as measured here; zero where it never ran
	MinRequests int
	Licence     string
	Missing     string // why nothing is known; empty where it is
	Until       uint64 // epoch in which it is looked up again
	Failed      uint64 // epoch before which it is not tried again, since it did not come to run
}

// newBroker goes on with what is remembered.
func newBroker(c Config, d Dependencies, asks *client.Client, log *slog.Logger, now func() time.Time, work *sync.WaitGroup) (*broker, error) {
	c.Policy = c.Policy.orDefault()
	b := &broker{
		config: c, policy: c.Policy.Barter(), length: time.Duration(c.Policy.Epoch), memory: d.Memory, client: asks, log: log, tell: d.Tell,
		work: work, now: now, view: barter.NewView(), random: d.Random, rules: d.Rules,
		asking: make(map[barter.Offer]bool), licences: make(map[hostKey]string),
		absent: make(map[barnraise.ServiceID]time.Time),
	}
	if b.random == nil {
		b.random = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	b.book.Probes = barter.NewProbes(b.policy)
	if b.memory != nil {
		_, err := b.memory.Load(bookKey, &b.book)
		if err == nil {
			_, err = b.memory.Load(knownKey, &b.known)
		}
		if err != nil {
			return nil, fmt.Errorf("read what is hosted: %w", err)
		}
	}
	for _, e := range b.book.Ledger.Entries {
		if e.Phase != hosting.Proposed {
			b.orders.Run = append(b.orders.Run, e.Service)
		}
	}
	if b.known == nil {
		b.known = make(map[barnraise.ServerID]acquaintance)
	}
	if b.book.Owners == nil {
		b.book.Owners = make(map[barnraise.Address]uint64)
	}
	if b.book.Dossiers == nil {
		b.book.Dossiers = make(map[barnraise.ServiceID]dossier)
	}
	if b.book.Taken == nil {
		b.book.Taken = make(map[barnraise.ServiceID]uint32)
	}
	return b, nil
}

// MemoryKind is the kind of the documents of [Memory] in a [store.Store].
const MemoryKind = "hosting"

// The documents of a broker's memory. Whom it knows is one of its own: that is long and changes seldom. Words are the operator's;
// a broker only reads them.
const (
	bookKey  = "book"
	knownKey = "known"
	wordsKey = "words"
)

// sight is what the server around a broker sees.
type sight struct {
	now       time.Time
	confirmed *barnraise.Snapshot
	me        barnraise.Server
	runs      func(barnraise.ServiceID) bool
	refused   func(barnraise.ServiceID) string
	cost      func(barnraise.ServiceID) uint32 // as measured; zero where it does not run
	idle      func() string                    // why no new debts are made; empty where they may be
	owners    func([]barnraise.Address)        // told which owners of services are known for long
}

// look takes note of what is seen, plans where it is time, and returns what is to be done. What it decides is safe before it
// returns; where that fails, nothing new is decided, and the orders are those of before.
func (b *broker) look(ctx context.Context, s sight) (hosting.Orders, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.book
	steps := b.attend(s)
	b.wishes = s.me.Rewards
	b.meet(s.confirmed)
	s.owners(b.getToKnow(s))
	planned := b.plan(ctx, s)
	ledger, orders, seen := b.book.Ledger.Observe(hosting.Sight{
		Now: s.now, Epoch: b.book.Epoch, Length: b.length, Linger: b.linger(), Patience: b.patience(), Capacity: b.capacity(s.me), Offered: s.me.Offers,
		Own: b.mine, Cost: b.cost, Runs: s.runs, Refused: func(id barnraise.ServiceID) string { return b.refused(s, id) },
	})
	b.giveUp(ledger)
	b.book.Ledger = ledger
	b.take(s)
	if err := b.save(); err != nil {
		b.book = before
		return b.orders, err
	}
	b.orders = orders
	for _, step := range slices.Concat(steps, planned, seen) {
		b.say(Step{Verb: step.Verb, Service: step.Service, For: step.For, Reason: step.Reason})
	}
	b.probe(ctx, s)
	return orders, nil
}

// attend takes note of what is seen, of what the operator says, and of the time. It decides nothing.
func (b *broker) attend(s sight) []hosting.Step {
	b.follow(s.confirmed)
	b.listen()
	b.mine = b.own(s)
	b.bars = b.barred(s)
	return b.turn(s)
}

// save writes what changed of the book, and of whom this server knows.
func (b *broker) save() error {
	now, err := json.Marshal(b.book)
	if err != nil || b.memory == nil {
		return err
	}
	if b.changed {
		if err := b.memory.Save(knownKey, b.known); err != nil {
			return fmt.Errorf("keep who is known: %w", err)
		}
		b.changed = false
	}
	if bytes.Equal(now, b.saved) {
		return nil
	}
	if err := b.memory.Save(bookKey, json.RawMessage(now)); err != nil {
		return fmt.Errorf("keep what is hosted: %w", err)
	}
	b.saved = now
	return nil
}
