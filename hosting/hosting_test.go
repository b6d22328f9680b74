package hosting

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/barter"
)

// stage is a server as this package sees it, and the clock.
type stage struct {
	ledger  Ledger
	now     time.Time
	offered []barnraise.ServiceID
	runs    map[barnraise.ServiceID]bool
	refused map[barnraise.ServiceID]string
	own     []barnraise.ServiceID
	room    uint32
	orders  Orders
}

const epoch = time.Hour

func newStage() *stage {
	return &stage{
		now: time.Unix(1_800_000_000, 0), runs: make(map[barnraise.ServiceID]bool), refused: make(map[barnraise.ServiceID]string), room: 4,
	}
}

// look observes, and returns the steps and orders as one line.
func (s *stage) look() string {
	ledger, orders, steps := s.ledger.Observe(Sight{
		Now: s.now, Epoch: 20, Length: epoch, Patience: 2 * epoch, Linger: 2 * time.Minute, Capacity: s.room, Offered: s.offered, Own: s.own,
		Cost:    func(barnraise.ServiceID) uint32 { return 1 },
		Runs:    func(id barnraise.ServiceID) bool { return s.runs[id] },
		Refused: func(id barnraise.ServiceID) string { return s.refused[id] },
	})
	s.ledger, s.orders = ledger, orders
	var b strings.Builder
	for _, step := range steps {
		fmt.Fprintf(&b, "%s %d (%s); ", step.Verb, step.Service, step.Reason)
	}
	fmt.Fprintf(&b, "run %d offer %d", orders.Run, orders.Offer)
	if len(orders.Leave) > 0 {
		fmt.Fprintf(&b, " leave %d", orders.Leave)
	}
	if len(orders.Urgent) > 0 {
		fmt.Fprintf(&b, " urgent %d", orders.Urgent)
	}
	if orders.Waiting {
		b.WriteString(" waiting")
	}
	return b.String()
}

// plan takes over a plan, such as "start 3 for 7; keep 4; stop 5".
func (s *stage) plan(word Consent, text string) string {
	d := barter.Decision{}
	for part := range strings.SplitSeq(text, "; ") {
		a := barter.Action{For: []barnraise.ServerID{7}, Reason: "because"}
		if _, err := fmt.Sscanf(part, "%s %d", &a.Verb, &a.Service); err != nil {
			panic(err)
		}
		if a.Verb != barter.Stop {
			d.Next.Hosted = append(d.Next.Hosted, barter.Hosting{Service: a.Service, Since: 20})
		}
		d.Actions = append(d.Actions, a)
	}
	ledger, steps := s.ledger.Plan(d, func(barnraise.ServiceID) Consent { return word }, func(barnraise.ServiceID) uint32 { return 1 })
	s.ledger = ledger
	var told []string
	for _, step := range steps {
		told = append(told, fmt.Sprintf("%s %d for %d", step.Verb, step.Service, step.For))
	}
	return strings.Join(told, "; ")
}

func (s *stage) expect(t *testing.T, what, want string) {
	t.Helper()
	if got := s.look(); got != want {
		t.Errorf("%s: %s\nwant %s", what, got, want)
	}
}

// A service comes and goes: decided, running, offered; decided, withdrawn, lingering, stopped.
func TestWayThereAndBack(t *testing.T) {
	s := newStage()
	s.expect(t, "nothing", "run [] offer []")
	if got := s.plan(Yes, "start 3"); got != "host 3 for [7]" {
		t.Errorf("planned: %s", got)
	}
	s.expect(t, "decided", "run [3] offer [] waiting")
	s.runs[3] = true
	s.expect(t, "it runs", "run [3] offer [3]")
	s.offered = []barnraise.ServiceID{3}
	s.expect(t, "it is offered", "run [3] offer [3]")
	if got := s.plan(Yes, "keep 3"); got != "" {
		t.Errorf("kept: %s", got)
	}
	if got := s.plan(Yes, "stop 3"); got != "leave 3 for [7]" {
		t.Errorf("stopped: %s", got)
	}
	s.expect(t, "it leaves", "run [3] offer [] leave [3]")
	s.offered = nil
	s.expect(t, "it is withdrawn, and callers may not know", "run [3] offer []")
	s.now = s.now.Add(time.Minute)
	s.expect(t, "a minute later", "run [3] offer []")
	s.now = s.now.Add(time.Minute)
	s.expect(t, "they do by now", "run [] offer []")
	if len(s.ledger.Entries) != 0 {
		t.Errorf("left is %+v", s.ledger.Entries)
	}
}

func TestOperatorIsAsked(t *testing.T) {
	s := newStage()
	if got := s.plan(Ask, "start 3"); got != "propose 3 for [7]" {
		t.Errorf("planned: %s", got)
	}
	s.expect(t, "no word yet", "run [] offer []")
	if len(s.ledger.State().Hosted) != 0 {
		t.Error("what is proposed counts as hosted")
	}
	if got := s.plan(Ask, "start 3"); got != "" {
		t.Errorf("proposed again: %s", got)
	}
	if got := s.plan(Yes, "start 3"); got != "host 3 for [7]" {
		t.Errorf("agreed to: %s", got)
	}
	if got := s.plan(No, "keep 3; start 4"); got != "" {
		t.Errorf("refused: %s", got)
	}
	s.expect(t, "agreed to", "run [3] offer [] waiting")
}

func TestWhatIsOfferedAndDoesNotRun(t *testing.T) {
	s := newStage()
	s.offered = []barnraise.ServiceID{3}
	s.expect(t, "offered by hand", "adopt 3 (offered on chain); run [3] offer [3]")
	s.now = s.now.Add(epoch / 2)
	s.expect(t, "half an epoch", "run [3] offer [3]")
	s.now = s.now.Add(time.Second)
	s.expect(t, "longer", "run [3] offer [] urgent [3]")
	s.runs[3] = true
	s.expect(t, "it came", "run [3] offer [3]")
	s.runs[3], s.offered = false, nil
	s.expect(t, "it broke", "run [3] offer [] waiting")
	s.now = s.now.Add(2*epoch + time.Second)
	s.expect(t, "for too long", "drop 3 (it does not come to run: for 2h0m1s); run [] offer []")
	if b := s.ledger.Backoff[3]; b.Strikes != 1 || b.Until != 28 {
		t.Errorf("backed off %+v", b)
	}
}

func TestRefusedIsDroppedAtOnce(t *testing.T) {
	s := newStage()
	s.plan(Yes, "start 3")
	s.runs[3], s.offered = true, []barnraise.ServiceID{3}
	s.look()
	s.refused[3] = "denied"
	s.expect(t, "denied", "drop 3 (denied); run [] offer [] urgent [3]")
	s.expect(t, "still on chain", "run [] offer [] urgent [3]")
	s.offered = nil
	s.expect(t, "withdrawn", "run [] offer []")
}

func TestOwnServicesAreNotInTheLedger(t *testing.T) {
	s := newStage()
	s.own, s.offered = []barnraise.ServiceID{1}, []barnraise.ServiceID{1}
	s.expect(t, "own", "run [] offer []")
	s.plan(Yes, "start 3")
	s.own = []barnraise.ServiceID{1, 3}
	s.expect(t, "made own", "run [] offer []")
}

// What makes room runs until nobody comes for it any more; only then is there room.
func TestRoom(t *testing.T) {
	s := newStage()
	s.room = 1
	s.plan(Yes, "start 3")
	s.runs[3], s.offered = true, []barnraise.ServiceID{3}
	s.look()
	s.plan(Yes, "stop 3; start 4")
	s.expect(t, "no room yet", "run [3] offer [] leave [3]")
	s.now = s.now.Add(24 * time.Hour)
	s.expect(t, "nor a day later", "run [3] offer [] leave [3]")
	s.offered = nil
	s.expect(t, "withdrawn", "run [3] offer []")
	s.now = s.now.Add(2 * time.Minute)
	s.expect(t, "gone", "run [4] offer [] waiting")
}

// Whatever happens, and whenever the ledger is read again from where it was kept: what is offered either runs, has not run for
// half an epoch at most, or is urgently withdrawn; no more runs than there is room for, but for what the registry said; and a
// ledger never changes by being looked at again.
func TestAnyHistory(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newStage()
		missing := make(map[barnraise.ServiceID]time.Time)
		for range 60 {
			s.happen(r)
			s.look()
			before, orders := s.ledger, s.orders
			if told := s.look(); !strings.HasPrefix(told, "run ") || !reflect.DeepEqual(before, s.ledger) || !reflect.DeepEqual(orders, s.orders) {
				t.Fatalf("seed %d: looked at again: %s\n%+v\nwas %+v", seed, told, s.ledger, before)
			}
			s.hold(t, seed, missing)
			s.now = s.now.Add(time.Duration(r.Int64N(int64(epoch / 4))))
		}
	}
}

// happen lets something happen, and half of the time does as it is told.
func (s *stage) happen(r *rand.Rand) {
	id := barnraise.ServiceID(1 + r.IntN(6))
	switch r.IntN(8) {
	case 0:
		if e, known := s.ledger.Entry(id); !known || e.Phase != Hosting {
			s.plan(Yes, fmt.Sprintf("start %d", id))
		}
	case 1:
		if e, known := s.ledger.Entry(id); known && e.Phase == Hosting {
			s.plan(Yes, fmt.Sprintf("stop %d", id))
		}
	case 2:
		delete(s.runs, id)
	case 3:
		s.refused[id] = "denied"
	case 4:
		delete(s.refused, id)
	default:
		for id := range s.runs {
			if !slices.Contains(s.orders.Run, id) {
				delete(s.runs, id)
			}
		}
		for _, id := range s.orders.Run {
			s.runs[id] = true
		}
		if r.IntN(2) == 0 {
			s.offered = slices.Clone(s.orders.Offer)
		}
	}
}

func (s *stage) hold(t *testing.T, seed uint64, missing map[barnraise.ServiceID]time.Time) {
	t.Helper()
	for id := range missing {
		if s.runs[id] || !slices.Contains(s.offered, id) || slices.Contains(s.orders.Urgent, id) {
			delete(missing, id) // or it was ordered to be withdrawn
		}
	}
	for _, id := range s.offered {
		if s.runs[id] {
			continue
		}
		if missing[id].IsZero() {
			missing[id] = s.now
		}
		if s.now.Sub(missing[id]) > epoch/2 && !slices.Contains(s.orders.Urgent, id) {
			t.Fatalf("seed %d: %d is offered, has not run for %s and is not withdrawn: %+v", seed, id, s.now.Sub(missing[id]), s.orders)
		}
	}
	fresh := 0
	for _, id := range s.orders.Run {
		if !slices.Contains(s.offered, id) && !s.runs[id] {
			fresh++
		}
	}
	if fresh > 0 && len(s.orders.Run) > int(s.room) {
		t.Fatalf("seed %d: %d are to run, and there is room for %d", seed, s.orders.Run, s.room)
	}
}

// An operator who puts on chain what waits for his word has said it.
func TestProposedAndOfferedByHand(t *testing.T) {
	s := newStage()
	s.plan(Ask, "start 3")
	s.offered = []barnraise.ServiceID{3}
	s.expect(t, "offered by hand", "adopt 3 (offered on chain); run [3] offer [3]")
	s.expect(t, "a look later", "run [3] offer [3]")
}
