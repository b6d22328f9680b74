package evidence

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/manifest"
	"barnraise/store"
)

// throwaways are ids that somebody registered for no other purpose: from 6 on.
func throwaways(n int) (ids []barnraise.ServerID) {
	for i := range n {
		ids = append(ids, barnraise.ServerID(6+i))
	}
	return ids
}

// Protocol 8.2: a flood costs bounded memory and work, and what a server that is relied on sends still gets through at once.
func TestProtocol8_2FloodOfTenThousand(t *testing.T) {
	const every = 10 * time.Millisecond
	items := 10_000
	if racing {
		items = 2000
	}
	synctest.Test(t, func(t *testing.T) {
		m := newMarket(t, 105, manifest.EvidencePublic)
		m.ticks = true
		m.trust(1, 2, 3, 4, 5)
		ids := throwaways(100)
		before := m.scores(append(ids, 3)...)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { m.Run(ctx) })
		began := time.Now()
		var statuses [600]int
		honest := m.lie("honest", 3, 2).Encode()
		for i := range items {
			liar := ids[i%len(ids)]
			e := m.evidence(1, fmt.Sprint(i), word{server: 2, says: right}, word{server: liar, says: wrong})
			switch i % 4 {
			case 0: // forged
				e.Answers[0].Response = []byte(wrong)
				statuses[m.offer(e.Encode(), 0, fmt.Sprintf("198.%d.%d.1:1", i>>8&255, i&255))]++
			case 1: // signed by a throwaway
				statuses[m.offer(e.Encode(), liar, "")]++
			default:
				statuses[m.offer(e.Encode(), 0, fmt.Sprintf("198.%d.%d.1:1", i>>8&255, i&255))]++
			}
			if len(m.queued()) > mostWaiting {
				t.Fatalf("%d pieces wait", len(m.queued()))
			}
			if i == items/2 {
				if got := m.offer(honest, 4, ""); got != 202 {
					t.Errorf("a server that is relied on is answered %d", got)
				}
			}
			if i == items/2+200 && m.weighs(3) != 0 { // two seconds later
				t.Error("what it sent was not looked at")
			}
			pass(every)
		}
		took := time.Since(began)
		if most, runs := int64(took/m.Budget.Pause)+1, m.machine.runs.Load(); runs > most || runs < most/2 {
			t.Errorf("executed %d times in %v, at most %d are within the budget", runs, took, most)
		}
		t.Logf("of %d: taken %d, refused for room %d, as forged %d; executed %d times", items, statuses[202], statuses[429], statuses[409], m.machine.runs.Load())
		if after := m.scores(append(ids, 3)...); after != before {
			t.Errorf("scores of others changed:\n%s\nbefore:\n%s", after, before)
		}
		m.mu.Lock()
		if len(m.allowances.of) > mostRemembered || len(m.discredited.at) > mostRemembered || len(m.waiting.served) > mostRemembered {
			t.Error("it remembers more than it may")
		}
		m.mu.Unlock()
		// Whoever signs nothing gets through as well, once there is room again, and after what waits: all of it names server 2.
		pass(5 * time.Second)
		second := m.evidence(1, "second", word{server: 2, says: right}, word{server: 4, says: wrong}).Encode()
		if got := m.offer(second, 0, "203.0.113.9:1"); got != 202 {
			t.Errorf("a client is answered %d", got)
		}
		pass(mostWaiting * m.Budget.Pause)
		if m.weighs(4) != 0 || len(m.queued()) > 0 {
			t.Error("what a client sent is not looked at")
		}
		cancel()
		group.Wait()
		m.client.Close()
		m.Store.(*store.Store).Close()
	})
}

func (m *market) queued() []*offer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.waiting.offers)
}

// Protocol 8.2: a thousand ids that were registered for it, and lie, and report each other truly, change nobody's score but their own.
func TestProtocol8_2TrueLiesOfAThousandThrowaways(t *testing.T) {
	ids := throwaways(1000)
	if racing {
		ids = throwaways(100)
	}
	m := newMarket(t, 5+len(ids), manifest.EvidencePublic)
	m.trust(1, 2, 3, 4, 5)
	before := m.scores(ids...)
	for i, id := range ids {
		words := []word{{server: id, says: wrong}, {server: barnraise.ServerID(2 + i%3), says: right}}
		if i%2 == 1 {
			words = append(words, word{server: ids[i-1], says: worse})
		}
		m.offer(m.evidence(barnraise.ServiceID(1+i%2), fmt.Sprint(i), words...).Encode(), id, "")
		m.later(time.Second)
		m.lookAtAll()
	}
	if m.machine.runs.Load() != int64(len(ids)) {
		t.Errorf("executed %d times, want once for each", m.machine.runs.Load())
	}
	if after := m.scores(ids...); after != before {
		t.Errorf("scores of others changed:\n%s\nbefore:\n%s", after, before)
	}
	for _, id := range ids {
		if m.weighs(id) != 0 {
			t.Fatalf("throwaway %d lied and weighs %v", id, m.weighs(id))
		}
	}
	if weight := m.weighs(2); weight < 0.99 {
		t.Errorf("server 2, whose right answers stand beside a thousand lies, weighs %v", weight)
	}
}

// One lie counts once, however often and beside whatever it is sent, and of one server and service no more than sixteen.
func TestOneLieCountsOnce(t *testing.T) {
	m := newMarket(t, 30, manifest.EvidencePublic)
	m.trust(3)
	for beside := range barnraise.ServerID(10) {
		m.offer(m.evidence(1, "x", word{server: 3, says: wrong}, word{server: 10 + beside, says: right}).Encode(), 4, "")
		m.lookAtAll()
	}
	if n := len(m.book.Standing(5)); n != 1 {
		t.Errorf("%d strikes for one answer", n)
	}
	for i := range 40 {
		m.later(time.Minute)
		m.offer(m.lie(fmt.Sprint(i), 3, 2).Encode(), 4, "")
		m.lookAtAll()
	}
	if n := len(m.book.Standing(5)); n != fromOne {
		t.Errorf("%d strikes, want %d", n, fromOne)
	}
	list, err := m.Store.List(t.Context(), store.EvidenceFilter{Server: 3})
	if err != nil || len(list) != fromOne {
		t.Errorf("%d pieces are kept, %v; want %d", len(list), err, fromOne)
	}
}

// Own evidence was counted when it was made.
func TestOwnEvidenceCountsNoSecondTime(t *testing.T) {
	m := newMarket(t, 6, manifest.EvidencePublic)
	m.trust(3)
	before := m.scores()
	e := m.lie("x", 3, 2)
	if _, err := m.Keep(e); err != nil {
		t.Fatal(err)
	}
	m.lookAtAll()
	if m.offer(e.Encode(), 4, ""); m.lookAtAll() != 0 || m.scores() != before {
		t.Errorf("scores are %s", m.scores())
	}
	if len(m.events) != 1 || m.events[0].Kind != EventConvicted {
		t.Errorf("told %+v", m.events)
	}
}

func TestWhatIsLookedAtFirst(t *testing.T) {
	m := newMarket(t, 20, manifest.EvidencePublic)
	m.forged(sender{name: m.operator(12)}, nil)
	var order []string
	for _, c := range []struct {
		name string
		from barnraise.ServerID
		e    barnraise.Evidence
	}{
		{"discredited", 12, m.lie("a", 3, 2)},
		{"strangers, nobody", 0, m.lie("b", 15, 16)},
		{"strangers, registered", 13, m.lie("c", 15, 16)},
		{"strangers, used", 4, m.lie("d", 15, 16)},
		{"used, nobody", 0, m.lie("e", 3, 16)},
		{"used, registered", 13, m.lie("f", 3, 16)},
		{"used, used", 4, m.lie("g", 3, 16)},
		{"self, registered", 14, m.lie("h", 1, 16)},
	} {
		if got := m.offer(c.e.Encode(), c.from, somewhere); got != 202 {
			t.Fatalf("%s: status %d", c.name, got)
		}
	}
	if _, err := m.Keep(m.lie("i", 15, 16)); err != nil {
		t.Fatal(err)
	}
	for o := m.waiting.next(); o != nil; o = m.waiting.next() {
		order = append(order, string(o.evidence.Request[len(o.evidence.Request)-4]))
	}
	if want := []string{"i", "g", "f", "h", "e", "d", "c", "b", "a"}; !slices.Equal(order, want) {
		t.Errorf("order is %v, want %v", order, want)
	}
	m.later(discreditedFor)
	if m.offer(m.lie("a", 3, 2).Encode(), 12, ""); m.waiting.next().rank != rankRegistered {
		t.Error("a day later it is still held against its sender")
	}
}

func (m *market) operator(id barnraise.ServerID) string {
	v, _ := m.snapshot.Server(id)
	return v.Operator.String()
}

func TestQueueIsBoundedAndFair(t *testing.T) {
	q := evidenceQueue{room: 1000, served: make(map[string]uint64)}
	add := func(name string, rank int, size int64) bool {
		return q.add(&offer{sender: sender{name: name}, rank: rank, size: size})
	}
	for i := range mostOfOne + 1 {
		if got := add("much", 1, 10); got != (i < mostOfOne) {
			t.Errorf("piece %d of one sender: %v", i, got)
		}
	}
	add("little", 1, 10)
	if add("large", 1, 990) || !add("large", 0, 990) {
		t.Error("the same rank gives way, or a higher one does not")
	}
	if len(q.offers) != 2 || q.room != 0 {
		t.Errorf("%d pieces, room for %d: want as many to give way as it takes, and no more", len(q.offers), q.room)
	}
	q = evidenceQueue{room: 1 << 20, served: make(map[string]uint64)}
	for range 3 {
		add("a", 1, 1)
	}
	add("b", 1, 1)
	add("c", 2, 1)
	var order string
	for o := q.next(); o != nil; o = q.next() {
		order += o.sender.name
	}
	if order != "abaac" {
		t.Errorf("turns %s", order)
	}
	for i := range 2 * mostWaiting {
		add(fmt.Sprint(i), 1, 1)
	}
	if len(q.offers) != mostWaiting {
		t.Errorf("%d pieces wait", len(q.offers))
	}
}

func TestRememberedIsBounded(t *testing.T) {
	r := remembered[int]{keep: time.Hour, most: 3}
	for i := range 5 {
		r.add(i, start)
	}
	if r.has(1, start) || !r.has(2, start) || len(r.at) != 3 || len(r.list) != 3 {
		t.Errorf("%v, %v", r.at, r.list)
	}
	r.add(9, start.Add(time.Hour))
	if r.has(4, start.Add(time.Hour)) || len(r.at) != 1 {
		t.Errorf("an hour later: %v", r.at)
	}
}

func TestAllowances(t *testing.T) {
	var a allowances
	allowed := func(name string, used bool, now time.Time) (n int) {
		for range 200 {
			if a.take(sender{name: name}, used, now) {
				n++
			}
		}
		return n
	}
	for i, want := range []int{burstOfOne, burstOfOne, burstOfOne, burstOfOne, 0} {
		if got := allowed(fmt.Sprint(i), false, start); got != want {
			t.Errorf("sender %d may %d times", i, got)
		}
	}
	if got := allowed("used", true, start); got != burstOfUsed {
		t.Errorf("one that is relied on may %d times", got)
	}
	if got := allowed("0", false, start.Add(3*time.Second)); got != 3*rateOfOne {
		t.Errorf("three seconds later: %d", got)
	}
}
