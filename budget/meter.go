package budget

import (
	"fmt"
	"sync"
	"time"

	"barnraise"
)

// Resource is what there is a budget of, beside disk.
type Resource uint8

// The resources.
const (
	Requests Resource = iota
	Egress
	CPU
	resources
)

// String is what people call it.
func (r Resource) String() string { return [...]string{"requests", "bytes out", "processor time"}[r] }

// Over is the error for a call that a budget has nothing left for.
type Over struct {
	Resource Resource
	All      bool          // of all services together
	Wait     time.Duration // until there is some again, if nobody else takes it
}

// Error says what is used up, and nothing of how much there was.
func (o *Over) Error() string {
	whose := "this service"
	if o.All {
		whose = "services"
	}
	return fmt.Sprintf("this server's budget of %s for %s is used up for now", o.Resource, whose)
}

// Meter counts what services use and says when it is too much. It is safe for concurrent use.
type Meter struct {
	limits Limits
	epoch  time.Duration
	now    func() time.Time

	mu                sync.Mutex
	all, others, ours *account
	services          map[barnraise.ServiceID]*account
	day, number       int64     // of today and of this epoch
	since             time.Time // when counting began in this epoch
}

// NewMeter returns a meter that has seen nothing. Load is told by epochs of that length.
func NewMeter(l Limits, epoch time.Duration, now func() time.Time) *Meter {
	at := now()
	return &Meter{
		limits: l, epoch: epoch, now: now, services: make(map[barnraise.ServiceID]*account),
		all: newAccount(l.all()), others: newAccount(l.others()), ours: newAccount(l.all()),
		day: today(at), number: at.UnixNano() / int64(epoch), since: at,
	}
}

// Admit takes a request of a service into account. Where a budget has nothing left for it, it returns why, and takes nothing.
// Own services are those of the operator: what the others use is bounded to what is not kept for them.
func (m *Meter) Admit(id barnraise.ServiceID, own bool) *Over {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.turned()
	a, sum := m.of(id), m.sum(own)
	if over := m.over(a, own, now); over != nil {
		a.refused++
		sum.refused++
		m.all.refused++
		return over
	}
	a.calls.AllowN(now, 1)
	m.all.calls.AllowN(now, 1)
	if !own {
		m.others.calls.AllowN(now, 1)
	}
	a.requests++
	sum.requests++
	m.all.requests++
	return nil
}

// Gives returns why images and content are not given away now: what others fetch counts as bytes out of services of others.
func (m *Meter) Gives() *Over {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.turned()
	var o Over
	o.worst(m.all, Egress, now, true)
	o.worst(m.others, Egress, now, true)
	return o.found()
}

// over is what a call has to wait for longest. The lock is held.
func (m *Meter) over(a *account, own bool, now time.Time) *Over {
	var o Over
	for r := range resources {
		o.worst(a, r, now, false)
		switch {
		case !own:
			o.worst(m.all, r, now, true)
			o.worst(m.others, r, now, true)
		case r == CPU:
			o.worst(m.ours, r, now, true) // what others have used too much of, before it was known, is not theirs to wait for
		default:
			o.worst(m.all, r, now, true)
		}
	}
	return o.found()
}

// worst takes note where an account has to wait longer.
func (o *Over) worst(a *account, r Resource, now time.Time, all bool) {
	wait := a.wait(r, now)
	if wait > 0 {
		a.over[r] = now
	}
	if wait > o.Wait {
		*o = Over{r, all, wait}
	}
}

func (o *Over) found() *Over {
	if o.Wait == 0 {
		return nil
	}
	found := *o
	return &found
}

// Sent takes bytes into account that a service has answered.
func (m *Meter) Sent(id barnraise.ServiceID, own bool, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turned()
	m.of(id).out += uint64(n)
	m.sum(own).out += uint64(n)
	m.all.out += uint64(n)
}

// Gave takes bytes of images and content into account that others have fetched.
func (m *Meter) Gave(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turned()
	m.others.out += uint64(n)
	m.all.out += uint64(n)
}

// Ran takes processor time into account that a service has used since it was last taken into account.
func (m *Meter) Ran(id barnraise.ServiceID, own bool, used time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.turned()
	for _, a := range []*account{m.of(id), m.sum(own), m.all} {
		a.charge(used, now)
	}
}

// Load is how many cores a service has used in the last epochs, smoothed.
func (m *Meter) Load(id barnraise.ServiceID) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turned()
	if a := m.services[id]; a != nil {
		return a.load
	}
	return 0
}

// of is the account of a service. The lock is held.
func (m *Meter) of(id barnraise.ServiceID) *account {
	a := m.services[id]
	if a == nil {
		a = newAccount(m.limits.each())
		m.services[id] = a
	}
	return a
}

func (m *Meter) sum(own bool) *account {
	if own {
		return m.ours
	}
	return m.others
}

// turned is the time, after whatever days and epochs have ended by then. The lock is held.
func (m *Meter) turned() time.Time {
	now := m.now()
	switch n := now.UnixNano() / int64(m.epoch); {
	case n > m.number:
		m.turnEpoch(n, now)
	case n < m.number: // the clock was ahead
		m.number, m.since = n, now
	}
	if d := today(now); d != m.day {
		m.day = d
		m.each(func(_ barnraise.ServiceID, a *account) { a.out = 0 })
	}
	return now
}

func (m *Meter) turnEpoch(n int64, now time.Time) {
	end := time.Unix(0, (m.number+1)*int64(m.epoch))
	m.each(func(id barnraise.ServiceID, a *account) {
		a.turn(end.Sub(m.since), m.epoch, n-m.number-1)
		if id != 0 && a.forgotten(now) {
			delete(m.services, id)
		}
	})
	m.number, m.since = n, time.Unix(0, n*int64(m.epoch))
}

// forgotten reports whether nothing of a service is worth keeping: it has not been asked for long.
func (a *account) forgotten(now time.Time) bool {
	full := a.calls.TokensAt(now) >= float64(a.burst) && a.time.TokensAt(now) >= float64(a.time.Burst())
	return a.out == 0 && a.load < 0.001 && full
}

// each visits all accounts, the sums as service 0. The lock is held.
func (m *Meter) each(visit func(barnraise.ServiceID, *account)) {
	for _, a := range []*account{m.all, m.others, m.ours} {
		visit(0, a)
	}
	for id, a := range m.services {
		visit(id, a)
	}
}
