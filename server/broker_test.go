package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/barter"
	"barnraise/hosting"
	"barnraise/runtime"
	"barnraise/store"
)

// notebook is a memory that may fail, and takes no more than a store does.
type notebook struct {
	mu   sync.Mutex
	kept map[string][]byte
	full error
}

func (n *notebook) Load(key string, v any) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	b, ok := n.kept[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(b, v)
}

func (n *notebook) Save(key string, v any) error {
	b, err := json.Marshal(v)
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case err != nil:
		return err
	case n.full != nil:
		return n.full
	case len(b) > store.MaxDocument:
		return store.ErrTooLarge
	}
	if n.kept == nil {
		n.kept = make(map[string][]byte)
	}
	n.kept[key] = b
	return nil
}

// fill has it fail from now on, until that is nil.
func (n *notebook) fill(full error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.full = full
}

// desk is a broker and what it sees.
type desk struct {
	*broker
	memory *notebook
	seen   sight
}

func newDesk(t *testing.T, c Config, w world) *desk {
	t.Helper()
	memory := &notebook{}
	b, err := newBroker(c, Dependencies{Memory: memory}, nil, slog.New(slog.DiscardHandler), time.Now, new(sync.WaitGroup))
	if err != nil {
		t.Fatal(err)
	}
	nothing := func(barnraise.ServiceID) string { return "" }
	confirmed := w.snapshot()
	return &desk{b, memory, sight{
		now: time.Unix(1_800_000_000, 0), confirmed: confirmed, me: confirmed.Servers()[0], idle: func() string { return "" }, refused: nothing, owners: func([]barnraise.Address) {},
		runs: func(barnraise.ServiceID) bool { return false }, cost: func(barnraise.ServiceID) uint32 { return 0 },
	}}
}

// crowd is a registry of so many servers with the longest URLs that there are.
func crowd(n int) world {
	w := world{block: 100}
	for i := range n {
		w.servers = append(w.servers, barnraise.Server{
			ID: barnraise.ServerID(i + 1), Operator: barnraise.Address{1, byte(i), byte(i >> 8)}, Status: barnraise.StatusActive,
			URL: fmt.Sprintf("https://%d.%s.example", i, strings.Repeat("x", 100)), Keys: []barnraise.Key{{Key: barnraise.PublicKey{byte(i)}, From: 1}},
		})
	}
	return w
}

// Whoever registers servers without end keeps none from remembering what it has to.
func TestCrowdedRegistry(t *testing.T) {
	d := newDesk(t, Config{}, crowd(60_000))
	if _, err := d.look(t.Context(), d.seen); err != nil {
		t.Fatal(err)
	}
	if book, known := len(d.memory.kept[bookKey]), len(d.memory.kept[knownKey]); book > 1<<10 || known > store.MaxDocument/2 || known == 0 {
		t.Errorf("the book has %d bytes, who is known %d", book, known)
	}
	if d.book.Epoch = 50; d.input(d.seen).Age(60_000) != 50 {
		t.Error("whom nobody remembers counts as new")
	}
}

// A look at a registry that is the same as before costs nothing to speak of, however many servers have left it.
func TestLookThatSeesNothingNew(t *testing.T) {
	w := crowd(10_000)
	for i := range w.servers[1:] {
		w.servers[i+1].Status = barnraise.StatusGone
	}
	d := newDesk(t, Config{}, w)
	if _, err := d.look(t.Context(), d.seen); err != nil {
		t.Fatal(err)
	}
	delete(d.known, 1)
	if _, err := d.look(t.Context(), d.seen); err != nil || len(d.known) != 0 {
		t.Errorf("the same registry was gone through again: %v", err)
	}
}

// Who is somebody else by now has to show anew what it does, and is no newcomer for that.
func TestServerThatBecomesAnother(t *testing.T) {
	for what, change := range map[string]func(*barnraise.Server){
		"operator": func(v *barnraise.Server) { v.Operator = barnraise.Address{9} },
		"key":      func(v *barnraise.Server) { v.Keys = []barnraise.Key{{Key: barnraise.PublicKey{9}, From: 1}} },
		"URL":      func(v *barnraise.Server) { v.URL = "https://other.example" },
		"nothing":  func(*barnraise.Server) {},
	} {
		w := crowd(2)
		d := newDesk(t, Config{}, w)
		d.meet(d.seen.confirmed)
		d.book.Epoch = 20
		d.book.Probes.Record(20, 2, 5, true)
		change(&w.servers[1])
		d.meet(w.snapshot())
		_, kept := d.book.Probes.Probed(2, 5)
		if kept != (what == "nothing") || d.input(d.seen).Age(2) != 20 {
			t.Errorf("%s: its answers are kept %t, its age is %d", what, kept, d.input(d.seen).Age(2))
		}
	}
}

// A clock that was wrong for a while does not keep what is planned from being written once it is right again.
func TestClockThatWasAhead(t *testing.T) {
	d := newDesk(t, Config{}, crowd(1))
	look := func(at time.Time) bool {
		t.Helper()
		d.seen.now = at
		if _, err := d.look(t.Context(), d.seen); err != nil {
			t.Fatal(err)
		}
		return d.standing().Settled
	}
	right := time.Unix(1_800_000_000, 0)
	look(right.AddDate(20, 0, 0))
	if err := d.writing(); err != nil {
		t.Fatal(err)
	}
	if !look(right) {
		t.Error("lists are not written before twenty years have passed")
	}
	if err := d.writing(); err != nil {
		t.Fatal(err)
	}
	if look(right.Add(time.Hour)) {
		t.Error("lists are written twice in an epoch")
	}
	if !look(right.Add(7 * time.Hour)) {
		t.Error("lists are not written in the next epoch")
	}
}

// Where nothing can be kept, what runs goes on running and own services come to run; nothing new is decided or written.
func TestFullDisk(t *testing.T) {
	memory := &notebook{}
	inBubble(t, func(r *running, c *Config, d *Dependencies) {
		r.ofOthers(t)
		c.Hosting, d.Memory = HostingAuto, memory
	}, func(_ *testing.T, r *running) { pass(time.Minute) })
	memory.fill(errors.New("the disk is full"))
	inBubble(t, func(r *running, c *Config, d *Dependencies) {
		r.ofOthers(t)
		c.Hosting, d.Memory = HostingAuto, memory
	}, func(t *testing.T, r *running) {
		pass(time.Minute)
		if _, sets, _ := r.chain.me(); r.hosts() != "1@1 2@1" || sets != 0 {
			t.Errorf("%q runs, %d writes", r.hosts(), sets)
		}
		r.chain.change(func() {
			revisions := &r.chain.services[0].Revisions
			*revisions = append(*revisions, r.local.revision(t, 2, 30))
		})
		pass(time.Minute)
		if r.hosts() != "1@1 1@2 2@1" {
			t.Errorf("%q runs", r.hosts())
		}
		memory.fill(nil)
		pass(time.Minute)
		if offers := r.chain.offers(); len(offers) != 2 {
			t.Errorf("offered is %v once there is room", offers)
		}
	})
}

// What a service cost when somebody flooded it is forgotten in time once it does not run here any more: else a flood would keep
// it away for ever.
func TestMeasuredCostLapses(t *testing.T) {
	d := newDesk(t, Config{}, crowd(1))
	d.book.Dossiers[5], d.book.Dossiers[6] = dossier{Cost: 2, Measured: 4096}, dossier{Measured: 4096}
	d.book.Ledger.Entries = []hosting.Entry{{Hosting: barter.Hosting{Service: 6}, Phase: hosting.Hosting}}
	for range 11 {
		d.ease()
	}
	if d.cost(5) != 2 || d.cost(6) != 4096 {
		t.Errorf("what left costs %d, what runs %d", d.cost(5), d.cost(6))
	}
}

// What did not come to run here is not planned again at once, also where it is owed: something else has to pay the debt.
func TestWhatDoesNotComeToRun(t *testing.T) {
	w := crowd(1)
	w.services = []barnraise.Service{{ID: 5, Status: barnraise.StatusActive, Revisions: []barnraise.Revision{{Number: 1, ActiveFrom: 1}}}}
	d := newDesk(t, Config{Hosting: HostingAuto}, w)
	d.book.Ledger.Entries = []hosting.Entry{{Hosting: barter.Hosting{Service: 5}, Phase: hosting.Hosting}}
	d.seen.me.Capacity = 4
	look := func() string {
		t.Helper()
		if _, err := d.look(t.Context(), d.seen); err != nil {
			t.Fatal(err)
		}
		return d.input(d.seen).Service(5).Refused
	}
	if why := look(); why != "" {
		t.Errorf("before it was tried: %s", why)
	}
	d.seen.now = d.seen.now.Add(7 * time.Hour)
	if why := look(); why == "" || len(d.book.Ledger.Entries) != 0 {
		t.Errorf("given up, and refused: %q", why)
	}
	for d.book.Epoch < d.book.Ledger.Backoff[5].Until {
		d.seen.now = d.seen.now.Add(6 * time.Hour)
		look()
	}
	if why := look(); why != "" {
		t.Errorf("some epochs later: %s", why)
	}
}

// A service whose manifest could not be had is looked up again when it is time, before it is hosted.
func TestLookedUpAgain(t *testing.T) {
	w := crowd(1)
	w.services = []barnraise.Service{{ID: 5, Status: barnraise.StatusActive, Revisions: []barnraise.Revision{{Number: 1, ActiveFrom: 1}}}}
	d := newDesk(t, Config{Hosting: HostingAuto}, w)
	d.book.Dossiers[5] = dossier{Revision: 1, Missing: "nobody has it", Until: 3}
	plan := barter.Decision{Actions: []barter.Action{{Verb: barter.Start, Service: 5}}}
	for epoch, want := range map[uint64]int{2: 0, 3: 1} {
		d.book.Epoch = epoch
		if got := d.unknown(plan, d.seen.confirmed); len(got) != want {
			t.Errorf("epoch %d: to be looked up is %d", epoch, got)
		}
	}
}

// An own service that does not come to run is not offered for longer than an epoch, and is again once it runs.
func TestOwnServiceThatDoesNotRun(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	inBubble(t, func(r *running, _ *Config, d *Dependencies) {
		r.chain.servers[0].Offers = []barnraise.ServiceID{1}
		d.Poll = 30 * time.Second
		r.runtime.start = func(context.Context, runtime.Spec) error {
			if broken.Load() {
				return errors.New("no room")
			}
			return nil
		}
	}, func(t *testing.T, r *running) {
		pass(2 * time.Hour)
		if offers := r.chain.offers(); len(offers) != 1 {
			t.Errorf("offered is %v after a third of an epoch", offers)
		}
		pass(4 * time.Hour)
		if offers := r.chain.offers(); len(offers) != 0 {
			t.Errorf("offered is %v, and runs not", offers)
		}
		broken.Store(false)
		pass(10 * time.Minute)
		if offers := r.chain.offers(); len(offers) != 1 {
			t.Errorf("offered is %v once it runs", offers)
		}
	})
}

// What runs here is not dropped because nobody else has its manifest at the moment: it is here.
func TestManifestThatNobodyElseHas(t *testing.T) {
	w := crowd(1)
	w.services = []barnraise.Service{{ID: 5, Status: barnraise.StatusActive, Revisions: []barnraise.Revision{{Number: 2, ActiveFrom: 1}}}}
	d := newDesk(t, Config{Hosting: HostingAuto}, w)
	d.book.Dossiers[5] = dossier{Revision: 2, Missing: "nobody has it", Until: 4}
	for _, runs := range []bool{false, true} {
		d.seen.runs = func(barnraise.ServiceID) bool { return runs }
		if why := d.refused(d.seen, 5); (why == "") != runs {
			t.Errorf("it runs %t, and is refused: %q", runs, why)
		}
	}
}

// Services without number that nobody has the manifest of do not fill the book.
func TestDossiersDoNotGrow(t *testing.T) {
	d := newDesk(t, Config{}, crowd(1))
	d.book.Ledger.Entries = []hosting.Entry{{Hosting: barter.Hosting{Service: 1}, Phase: hosting.Hosting}}
	for id := range barnraise.ServiceID(3 * mostDossiers) {
		d.book.Dossiers[id] = dossier{Revision: 1, Missing: "nobody has it", Until: 4}
	}
	d.ease()
	if _, kept := d.book.Dossiers[1]; len(d.book.Dossiers) > mostDossiers || !kept {
		t.Errorf("%d services are remembered, what runs among them %t", len(d.book.Dossiers), kept)
	}
}
