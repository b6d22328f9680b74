package server

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/barter"
	"barnraise/hosting"
)

// recollection is a memory that nothing may be written to.
type recollection map[string][]byte

func (r recollection) Load(key string, v any) (bool, error) {
	b, ok := r[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(b, v)
}

func (recollection) Save(string, any) error { return errors.New("nothing is to be written") }

// recall copies what a node has kept.
func (n *node) recall() recollection {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := make(recollection)
	for key, b := range n.memory {
		r[key] = slices.Clone(b)
	}
	return r
}

// foresee is what an onlooker would make of a node.
func (n *node) foresee() Foresight {
	n.t.Helper()
	f, err := Foresee(n.life.server.config, Outlook{
		Memory: n.recall(), Self: n.id, Confirmed: n.ledger.snapshot(), Weight: n.life.server.broker.weight, Now: time.Now(),
	})
	if err != nil {
		n.t.Fatal(err)
	}
	f.Input.Idle = "" // these nodes write without an account
	return f
}

// would is what the broker itself would decide now.
func (n *node) would() barter.Decision {
	s, b := n.life.server, n.life.server.broker
	at := n.ledger.snapshot()
	me, _ := at.Server(n.id)
	b.mu.Lock()
	defer b.mu.Unlock()
	return barter.Plan(b.input(s.sight(at, at, me)))
}

// remembers is the broker's book.
func (n *node) remembers() book {
	b := n.life.server.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.book
}

// What is foreseen from what was kept is what the server itself decides, in every epoch, and when it says.
func TestForesightIsWhatIsPlanned(t *testing.T) {
	const matrix, search, whisper = 1, 2, 3
	play(t, 1, 3, func(u *universe) {
		a, b, c := u.nodes[0], u.nodes[1], u.nodes[2]
		a.own, a.rewards = []barnraise.ServiceID{matrix, search}, []barnraise.ServiceID{matrix}
		b.own, b.rewards = nil, []barnraise.ServiceID{matrix}
		c.own, c.rewards = []barnraise.ServiceID{whisper}, []barnraise.ServiceID{whisper}
		u.ledger.services[search-1].Revisions[0].Home = 1
		u.ledger.servers[1].Offers = []barnraise.ServiceID{whisper}
	}, func(u *universe) {
		time.Sleep(u.epoch / 2)
		acts := 0
		for range 8 {
			u.after(1, nil)
			synctest.Wait()
			for _, n := range u.nodes {
				f := n.foresee()
				if got, want := barter.Plan(f.Input), n.would(); !reflect.DeepEqual(got, want) {
					u.failed("server %d foresees %+v, and would decide %+v", n.id, got, want)
				} else {
					acts += len(got.Actions)
				}
				if b := n.remembers(); !reflect.DeepEqual(f.Hosting, b.Ledger) || f.Input.Epoch != b.Epoch {
					u.failed("server %d is said to host %+v in epoch %d, and hosts %+v in %d", n.id, f.Hosting, f.Input.Epoch, b.Ledger, b.Epoch)
				}
			}
		}
		if acts == 0 {
			u.failed("nothing was ever planned")
		}
		u.punctual(u.nodes[0])
	})
}

// punctual checks that a server plans when it is said to, and not before.
func (u *universe) punctual(n *node) {
	u.t.Helper()
	f, look := n.foresee(), u.epoch/60
	if f.Next.Before(time.Now()) || time.Until(f.Next) > 2*u.epoch {
		u.failed("it is to plan at %s, and now it is %s", f.Next, time.Now())
	}
	planned := func() int64 { synctest.Wait(); return n.remembers().Planned }
	before := planned()
	time.Sleep(time.Until(f.Next) - time.Millisecond)
	if planned() != before {
		u.failed("server %d planned before %s", n.id, f.Next)
	}
	time.Sleep(look + time.Second)
	if planned() == before {
		u.failed("server %d has not planned at %s", n.id, f.Next)
	}
}

func TestForesightOfNobodyInParticular(t *testing.T) {
	at := barnraise.NewSnapshot(testNetwork.Registry(), 20, [32]byte{}, 5, []barnraise.Service{service(published([]uint64{1}))}, nil)
	words := func(w Words) recollection {
		b, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		return recollection{wordsKey: b}
	}
	for _, c := range []struct {
		name    string
		config  Config
		memory  recollection
		service barnraise.ServiceID
		want    hosting.Consent
		why     string
		forbid  bool
	}{
		{"not asked", Config{}, nil, 1, hosting.Ask, "plan approve 1", false},
		{"approved", Config{}, words(Words{Approved: map[barnraise.ServiceID]uint32{1: 0}}), 1, hosting.Yes, "approved", false},
		{"of another revision", Config{}, words(Words{Approved: map[barnraise.ServiceID]uint32{1: 2}}), 1, hosting.No, "plan approve 1@1", false},
		{"denied", Config{Hosting: HostingAuto}, words(Words{Denied: map[barnraise.ServiceID]string{1: "a letter"}}), 1, hosting.No, "a letter", true},
		{"listed", Config{Hosting: HostingAllowlist}, words(Words{Approved: map[barnraise.ServiceID]uint32{1: 0}}), 1, hosting.No, "allowlist", false},
		{"unknown", Config{Hosting: HostingAuto}, nil, 9, hosting.No, "gone from the registry", false},
	} {
		c.config.Data = t.TempDir()
		f, err := Foresee(c.config, Outlook{Memory: c.memory, Self: 7, Confirmed: at, Now: time.Unix(1_800_000_000, 0)})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got, why := f.Word(c.service); got != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%s: %v, %q, want %v, %q", c.name, got, why, c.want, c.why)
		}
		if why := f.Forbidden(c.service); (why != "") != c.forbid {
			t.Errorf("%s: forbidden: %q", c.name, why)
		}
		if _, seen := f.FirstSeen(3); seen || !f.Next.IsZero() || f.Me.ID != 7 || !strings.Contains(f.Input.Idle, "no account") {
			t.Errorf("%s: seen %t, next %s, me %d, idle %q", c.name, seen, f.Next, f.Me.ID, f.Input.Idle)
		}
	}
}

func TestForeseeNeedsAWholeMemory(t *testing.T) {
	at := barnraise.NewSnapshot(testNetwork.Registry(), 20, [32]byte{}, 5, nil, nil)
	for key, want := range map[string]string{wordsKey: "read what was approved", bookKey: "read what is hosted"} {
		_, err := Foresee(Config{Data: t.TempDir()}, Outlook{Memory: recollection{key: []byte("[")}, Self: 7, Confirmed: at, Now: time.Unix(1, 0)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", key, err)
		}
	}
}
