// Package score turns what one client or server has seen of servers into opinions, and opinions into choices. An opinion is
// three numbers and never one: integrity, availability, latency. It is sent to nobody (protocol 6, 7.5, 8.2).
//
// It is pure: time, epochs and randomness come in as values. A [Book] is not safe for concurrent use. [Book.Delta] and
// [Book.Restore] carry it over a restart.
package score

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"barnraise"
)

// CleanEpochs is how long a strike stands against a server's record, in epochs (protocol 7).
const CleanEpochs = 10

// Strike is held against a server for an answer that lost a decided dispute. It is kept per server and service (protocol 7.5).
type Strike struct {
	Server     barnraise.ServerID  `json:"server"`
	Service    barnraise.ServiceID `json:"service"`
	Revision   uint32              `json:"revision"`
	Epoch      uint64              `json:"epoch"`
	Conclusive bool                `json:"conclusive"`         // others can be convinced of it
	Owner      barnraise.Address   `json:"owner"`              // of the service
	Evidence   string              `json:"evidence,omitempty"` // the name under which it is kept

	// Known is whether services of that owner were used here before, and he is known for twelve epochs at least. Only then
	// does the strike count for a suspension in all services (protocol 7.5).
	Known bool `json:"known"`
}

// Revision names one revision of a service.
type Revision struct {
	Service barnraise.ServiceID
	Number  uint32
}

// Book is everything one client has seen. The zero value is ready to use.
type Book struct {
	// Report is told of whatever changes a score for a reason that somebody may want to know. Nil for nobody.
	Report func(Event)

	servers  map[barnraise.ServerID]*Row
	changed  map[barnraise.ServerID]bool
	suspect  map[Revision]uint64 // epoch in which the revision became suspect
	requests uint64              // own requests so far: the clock of suspensions
	now      time.Time           // the latest that this book was told
	begun    uint64              // the newest block when it first met a server; zero before that

	keys map[barnraise.ServerID]namedKey // as last identified

	recording bool
	told      []Told
}

// namedKey is a key with its id.
type namedKey struct {
	key barnraise.PublicKey
	id  string
}

// Advance tells the book the time. What takes a time tells it, too. It never goes back.
func (b *Book) Advance(now time.Time) {
	if now.After(b.now) {
		b.now = now
	}
}

// row is what is known of a server, to be changed.
func (b *Book) row(id barnraise.ServerID) *Row {
	if b.servers == nil {
		b.servers = make(map[barnraise.ServerID]*Row)
	}
	r := b.servers[id]
	if r == nil {
		r = &Row{Server: id}
		b.servers[id] = r
	}
	b.touched(id)
	return r
}

func (b *Book) touched(id barnraise.ServerID) {
	if b.changed == nil {
		b.changed = make(map[barnraise.ServerID]bool)
	}
	b.changed[id] = true
}

// Strike records a strike: the history in that service is gone, doubt rises, and enough of it suspends. Two servers with clean
// records that are struck on one revision within ten epochs make the revision suspect and lift both strikes, with all they did,
// because then it is more likely the image (protocol 7.5). A conclusive strike is not lifted: it rests on a platform that cannot
// see its surroundings, where the image had the same chance to contradict itself here.
func (b *Book) Strike(s Strike) {
	if b.recording {
		b.record(true, func(b *Book) { b.Strike(s) })
	}
	clean := b.Clean(s.Server, s.Epoch)
	if !s.Conclusive && clean && b.lift(s) {
		b.Mark(Revision{s.Service, s.Revision}, s.Epoch)
		return
	}
	r := b.row(s.Server)
	held := StrikeRow{Strike: s, Clean: clean}
	suspended := b.take(r.service(s.Service), &held)
	r.Strikes = slices.DeleteFunc(r.Strikes, func(o StrikeRow) bool { return !standing(o.Strike, s.Epoch) })
	r.Strikes = append(r.Strikes, held)
	if len(r.Strikes) > maxStrikes {
		r.Strikes = slices.Delete(r.Strikes, 0, 1)
	}
	e := Event{Epoch: s.Epoch, Server: s.Server, Service: s.Service, Revision: s.Revision, Evidence: s.Evidence}
	b.tell(e.of(Struck, struckWhy(s)))
	if suspended {
		b.tell(e.of(Suspended, b.left(r.service(s.Service).Until)))
	}
	b.everywhere(r, s.Epoch)
}

func struckWhy(s Strike) string {
	if s.Conclusive {
		return "a signed answer of it is wrong, conclusively"
	}
	return "a signed answer of it lost a dispute"
}

// lift takes back an earlier strike on the revision of s against another server that had a clean record, and reports whether
// there was one.
func (b *Book) lift(s Strike) bool {
	for _, id := range b.ids() {
		r := b.servers[id]
		i := slices.IndexFunc(r.Strikes, func(o StrikeRow) bool {
			return id != s.Server && o.Service == s.Service && o.Revision == s.Revision && o.Clean && !o.Conclusive &&
				standing(o.Strike, s.Epoch)
		})
		if i < 0 {
			continue
		}
		b.row(id).service(s.Service).giveBack(r.Strikes[i])
		r.Strikes = slices.Delete(r.Strikes, i, i+1)
		if !r.everywhere(b.requests, s.Epoch) {
			r.Until = 0
		}
		why := "two servers with clean records were struck on this revision: it is more likely the image"
		for _, server := range []barnraise.ServerID{id, s.Server} {
			b.tell(Event{Kind: Lifted, Epoch: s.Epoch, Server: server, Service: s.Service, Revision: s.Revision, Why: why})
		}
		return true
	}
	return false
}

// ids lists the servers that are known, ascending.
func (b *Book) ids() []barnraise.ServerID {
	return slices.Sorted(maps.Keys(b.servers))
}

func standing(s Strike, epoch uint64) bool { return epoch < s.Epoch || epoch-s.Epoch < CleanEpochs }

// Clean reports whether no strike of the last ten epochs stands against the server, in any service (protocol 7).
func (b *Book) Clean(server barnraise.ServerID, epoch uint64) bool {
	return !b.has(server, func(s Strike) bool { return standing(s, epoch) })
}

// Convicted reports whether a conclusive strike of the last ten epochs stands against the server, in any service.
func (b *Book) Convicted(server barnraise.ServerID, epoch uint64) bool {
	return b.has(server, func(s Strike) bool { return s.Conclusive && standing(s, epoch) })
}

func (b *Book) has(server barnraise.ServerID, such func(Strike) bool) bool {
	r := b.servers[server]
	return r != nil && slices.ContainsFunc(r.Strikes, func(s StrikeRow) bool { return such(s.Strike) })
}

// Standing lists the strikes that stand, oldest first.
func (b *Book) Standing(epoch uint64) (list []Strike) {
	for _, id := range b.ids() {
		for _, s := range b.servers[id].Strikes {
			if standing(s.Strike, epoch) {
				list = append(list, s.Strike)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Strike) int { return cmp.Compare(a.Epoch, b.Epoch) })
	return list
}

// Mark makes a revision suspect: its image or its verifier, and not its hosts, is what is wrong (protocol 7.2, 7.5).
func (b *Book) Mark(r Revision, epoch uint64) {
	if b.recording {
		b.record(true, func(b *Book) { b.Mark(r, epoch) })
	}
	if b.suspect == nil {
		b.suspect = make(map[Revision]uint64)
	}
	b.suspect[r] = epoch
}

// Suspect reports whether the revision was marked within the last ten epochs.
func (b *Book) Suspect(r Revision, epoch uint64) bool {
	since, ok := b.suspect[r]
	return ok && since+CleanEpochs > epoch
}
