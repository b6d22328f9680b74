package budget

import (
	"fmt"
	"maps"
	"math"
	"time"

	"barnraise"
)

// Use is what one service has used, or several.
type Use struct {
	Requests uint64  `json:"requests"` // taken since the start
	Refused  uint64  `json:"refused"`  // since the start, for want of budget
	Egress   uint64  `json:"egress"`   // bytes out today (UTC)
	CPU      float64 `json:"cpu"`      // seconds of processor time in this epoch
	Load     float64 `json:"load"`     // cores in the epochs before, smoothed
	Images   uint64  `json:"images"`   // bytes on disk of what runs; with all of them whatever lies there
}

// Usage is what services use now, to be shown.
type Usage struct {
	All      Use                         `json:"all"`
	Others   Use                         `json:"others"` // services of others, and images and content that others fetched
	Services map[barnraise.ServiceID]Use `json:"services"`
	Disk     map[Kind]Taken              `json:"disk"`
	Idle     string                      `json:"idle"` // why nothing may be started for others now; empty where it may
}

// Usage is what the meter has counted. Of disk it knows nothing.
func (m *Meter) Usage() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.turned()
	u := Usage{All: m.all.use(), Others: m.others.use(), Services: make(map[barnraise.ServiceID]Use), Idle: m.idle(now)}
	for id, a := range m.services {
		u.Services[id] = a.use()
	}
	return u
}

func (a *account) use() Use {
	return Use{Requests: a.requests, Refused: a.refused, Egress: a.out, CPU: a.spent.Seconds(), Load: a.load}
}

// Idle says why this server should take on no more now, and is empty where it may: a budget of all services or of those of
// others is used up, or was a moment ago. A service that alone is asked for too much is no reason: else whoever floods one
// would keep the rest from being hosted.
func (m *Meter) Idle() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.idle(m.turned())
}

// lately is for how long a budget that was used up counts.
const lately = 10 * time.Minute

func (m *Meter) idle(now time.Time) string {
	for r := range resources {
		for _, a := range []*account{m.all, m.others} {
			if a.wait(r, now) > 0 {
				return fmt.Sprintf("the budget of %s is used up", r)
			}
			if at := a.over[r]; !at.IsZero() && now.Sub(at) < lately {
				return fmt.Sprintf("the budget of %s was used up %s ago", r, now.Sub(at).Round(time.Second))
			}
		}
	}
	return ""
}

// Record is what a meter remembers from run to run.
type Record struct {
	Day    int64                           `json:"day"`    // days since 1970 (UTC)
	Out    map[barnraise.ServiceID]uint64  `json:"out"`    // bytes out of that day
	All    uint64                          `json:"all"`    // of all services, images and content
	Others uint64                          `json:"others"` // of these, all but own services'
	Load   map[barnraise.ServiceID]float64 `json:"load"`   // cores, smoothed
}

// Equal reports whether both say the same.
func (r Record) Equal(o Record) bool {
	return r.Day == o.Day && r.All == o.All && r.Others == o.Others && maps.Equal(r.Out, o.Out) && maps.Equal(r.Load, o.Load)
}

// Record is what is to be restored after a restart.
func (m *Meter) Record() Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turned()
	r := Record{
		Day: m.day, All: m.all.out, Others: m.others.out,
		Out: make(map[barnraise.ServiceID]uint64), Load: make(map[barnraise.ServiceID]float64),
	}
	for id, a := range m.services {
		if a.out > 0 {
			r.Out[id] = a.out
		}
		if a.load > 0 {
			r.Load[id] = a.load
		}
	}
	return r
}

// Restore adds what was recorded. Bytes of another day are gone; loads that cannot be are passed over.
func (m *Meter) Restore(r Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turned()
	if r.Day == m.day {
		m.all.out, m.others.out = m.all.out+r.All, m.others.out+r.Others
		for id, n := range r.Out {
			m.of(id).out += n
		}
	}
	for id, cores := range r.Load {
		if cores > 0 && cores < mostCores && !math.IsNaN(cores) {
			m.of(id).load = cores
		}
	}
}
