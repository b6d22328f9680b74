package score

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"barnraise"
)

// ErrRow is the error for rows that no book has written: out of order, out of bounds, of impossible numbers.
var ErrRow = errors.New("no score looks like that")

// Bounds of what is read back.
const (
	maxStrikes  = 256
	maxServices = 1 << 16
	maxURL      = 2048
	maxLatency  = 24 * time.Hour
	maxCount    = 1e12
	maxRequests = 1 << 60
)

// Row is all that a book has about one server.
type Row struct {
	Server   barnraise.ServerID `json:"server"`
	Owner    barnraise.Address  `json:"owner"` // who it was when last identified
	Key      string             `json:"key"`
	URL      string             `json:"url"`
	First    time.Time          `json:"first"` // when it was first seen in the registry
	Early    bool               `json:"early"` // it was registered before this book began
	Seen     Seen               `json:"seen"`
	Latency  time.Duration      `json:"latency"`
	Until    uint64             `json:"until"`    // suspended in all services until so many own requests
	Services []ServiceRow       `json:"services"` // by service
	Strikes  []StrikeRow        `json:"strikes"`  // oldest first
}

// ServiceRow is what a book has about one server in one service.
type ServiceRow struct {
	Service     barnraise.ServiceID `json:"service"`
	M           float64             `json:"m"`       // at the time of Contact
	Audited     float64             `json:"audited"` // those of M that were compared with others
	Contact     time.Time           `json:"contact"`
	Strikes     float64             `json:"strikes"` // at the time of Struck
	Struck      time.Time           `json:"struck"`
	Doubt       int                 `json:"doubt"` // C in hundredths
	Suspensions int                 `json:"suspensions"`
	Until       uint64              `json:"until"` // suspended until so many own requests
	Rests       uint64              `json:"rests"` // asked only where nobody else is left, until so many own requests
	Foreign     []ForeignRow        `json:"foreign"`
}

// ForeignRow is evidence from others that has counted.
type ForeignRow struct {
	Request barnraise.Digest `json:"request"`
	At      time.Time        `json:"at"`
}

// StrikeRow is a strike with what it did, so that it can be taken back.
type StrikeRow struct {
	Strike
	Clean     bool    `json:"clean"`   // the server had a clean record before
	Lost      float64 `json:"lost"`    // of its history
	Audited   float64 `json:"audited"` // those of Lost that were compared with others
	Rested    bool    `json:"rested"`  // it made the server rest
	Raised    int     `json:"raised"`
	Suspended bool    `json:"suspended"`
}

// General is what a book has that is about no server.
type General struct {
	Requests uint64    `json:"requests"`
	Now      time.Time `json:"now"`
	Begun    uint64    `json:"begun"`   // the newest block when it first met a server
	Suspect  []Suspect `json:"suspect"` // by service and revision
}

// Suspect is a revision that was marked.
type Suspect struct {
	Service  barnraise.ServiceID `json:"service"`
	Revision uint32              `json:"revision"`
	Epoch    uint64              `json:"epoch"`
}

func (r *Row) find(id barnraise.ServiceID) (int, bool) {
	return slices.BinarySearchFunc(r.Services, id, func(h ServiceRow, id barnraise.ServiceID) int {
		return int(h.Service) - int(id)
	})
}

// service is what is known of the server in a service, to be changed before another is asked for.
func (r *Row) service(id barnraise.ServiceID) *ServiceRow {
	i, ok := r.find(id)
	if !ok {
		r.Services = slices.Insert(r.Services, i, ServiceRow{Service: id})
	}
	return &r.Services[i]
}

func (r Row) clone() Row {
	r.Services, r.Strikes = slices.Clone(r.Services), slices.Clone(r.Strikes)
	for i := range r.Services {
		r.Services[i].Foreign = slices.Clone(r.Services[i].Foreign)
	}
	return r
}

// Row copies what the book has about a server; false where it has nothing.
func (b *Book) Row(server barnraise.ServerID) (Row, bool) {
	r, ok := b.servers[server]
	if !ok {
		return Row{}, false
	}
	return r.clone(), true
}

// Rows copies the whole book, servers ascending.
func (b *Book) Rows() (General, []Row) {
	rows := make([]Row, 0, len(b.servers))
	for _, id := range b.ids() {
		rows = append(rows, b.servers[id].clone())
	}
	return b.General(), rows
}

// General copies what is about no server.
func (b *Book) General() General {
	g := General{Requests: b.requests, Now: b.now, Begun: b.begun}
	for r, epoch := range b.suspect {
		g.Suspect = append(g.Suspect, Suspect{r.Service, r.Number, epoch})
	}
	slices.SortFunc(g.Suspect, func(a, b Suspect) int {
		if a.Service != b.Service {
			return int(a.Service) - int(b.Service)
		}
		return int(a.Revision) - int(b.Revision)
	})
	return g
}

// Delta is what has changed in a book since it was last kept.
type Delta struct {
	General General
	Rows    []Row                // by server
	Gone    []barnraise.ServerID // forgotten, ascending
}

// Delta copies what has changed since the last call.
func (b *Book) Delta() Delta {
	d := Delta{General: b.General()}
	for _, id := range slices.Sorted(maps.Keys(b.changed)) {
		if r, ok := b.Row(id); ok {
			d.Rows = append(d.Rows, r)
		} else {
			d.Gone = append(d.Gone, id)
		}
	}
	clear(b.changed)
	return d
}

// Unkept says that a delta could not be kept: what is in it will be in the next.
func (b *Book) Unkept(d Delta) {
	for _, r := range d.Rows {
		b.touched(r.Server)
	}
	for _, id := range d.Gone {
		b.touched(id)
	}
}

// Restore replaces what is in the book by what [Book.Rows] gave. It fails with [ErrRow] where it cannot have done so, and
// changes nothing then: a score from a damaged disk is worse than none. It keeps what it is given.
func (b *Book) Restore(g General, rows []Row) error {
	n := Book{Report: b.Report, requests: g.Requests, now: g.Now, begun: g.Begun, suspect: make(map[Revision]uint64)}
	if g.Requests > maxRequests || !sane(g.Now) {
		return fmt.Errorf("restore scores: %d requests up to %v: %w", g.Requests, g.Now, ErrRow)
	}
	for _, s := range g.Suspect {
		n.suspect[Revision{s.Service, s.Revision}] = s.Epoch
	}
	for _, r := range rows {
		if what := r.wrong(g); what != "" {
			return fmt.Errorf("restore scores: server %d: %s: %w", r.Server, what, ErrRow)
		}
		if n.servers[r.Server] != nil {
			return fmt.Errorf("restore scores: server %d stands twice: %w", r.Server, ErrRow)
		}
		*n.row(r.Server) = r
	}
	clear(n.changed)
	*b = n
	return nil
}

// wrong says what is impossible in a row; nothing where all can be.
func (r Row) wrong(g General) string {
	switch {
	case r.Server == 0:
		return "there is no such server"
	case len(r.Key) > maxURL || len(r.URL) > maxURL:
		return "a name is too long"
	case !count(r.Seen.OK) || !count(r.Seen.Failed) || !sane(r.Seen.At) || !sane(r.First) || r.Latency < 0 || r.Latency > maxLatency:
		return "availability or latency"
	case !due(r.Until, g):
		return "suspension for all services"
	case len(r.Services) > maxServices || len(r.Strikes) > maxStrikes:
		return "too many services or strikes"
	}
	for i, h := range r.Services {
		if what := h.wrong(g); what != "" {
			return fmt.Sprintf("service %s: %s", h.Service, what)
		}
		if i > 0 && h.Service <= r.Services[i-1].Service {
			return "services are not in order"
		}
	}
	for _, s := range r.Strikes {
		_, ok := r.find(s.Service)
		if s.Server != r.Server || !ok || !count(s.Lost) || !count(s.Audited) || s.Raised < -doubtLimit || s.Raised > doubtStrike {
			return "a strike"
		}
	}
	return ""
}

func (h ServiceRow) wrong(g General) string {
	switch {
	case h.Service == 0:
		return "there is no such service"
	case !count(h.M) || !count(h.Audited) || !count(h.Strikes) || !sane(h.Contact) || !sane(h.Struck):
		return "history"
	case h.Doubt < 0 || h.Doubt >= doubtLimit || h.Suspensions < 0 || h.Suspensions > maxCount || !due(h.Until, g) || !due(h.Rests, g):
		return "doubt or suspension"
	case len(h.Foreign) > maxForeign || slices.ContainsFunc(h.Foreign, func(f ForeignRow) bool { return !sane(f.At) }):
		return "evidence from others"
	}
	return ""
}

// more counts on, within what is read back.
func more(x, by float64) float64 { return min(x+by, maxCount) }

// count reports whether x can have been counted.
func count(x float64) bool { return x >= 0 && x <= maxCount && !math.IsNaN(x) }

// due reports whether a suspension can end at that request.
func due(until uint64, g General) bool { return until <= g.Requests+suspension<<(2*maxSuspensions) }

// sane reports whether a time is the zero time or of an age that has computers.
func sane(t time.Time) bool { return t.IsZero() || t.Year() >= 1970 && t.Year() < 10_000 }
