package score

import (
	"time"

	"barnraise"
)

// Kind says what happened to a server's score.
type Kind string

// The kinds of events.
const (
	Struck      Kind = "strike"
	Lifted      Kind = "lifted"    // strikes on a revision that is suspect itself
	Foreign     Kind = "foreign"   // evidence from others, verified here
	Capped      Kind = "capped"    // operator, key or URL changed
	Suspended   Kind = "suspended" // in a service, or with service 0 in all
	ProbeOK     Kind = "probe"
	ProbeFailed Kind = "probe-failed"
)

// Event is something that happened to a server's score, and why.
type Event struct {
	At       time.Time           `json:"at"` // the latest time that the book was told
	Epoch    uint64              `json:"epoch"`
	Kind     Kind                `json:"kind"`
	Server   barnraise.ServerID  `json:"server"`
	Service  barnraise.ServiceID `json:"service,omitempty"`
	Revision uint32              `json:"revision,omitempty"`
	Why      string              `json:"why"`                // for people
	Evidence string              `json:"evidence,omitempty"` // the name under which it is kept
}

// of is the event as one of that kind.
func (e Event) of(kind Kind, why string) Event {
	e.Kind, e.Why = kind, why
	return e
}

func (b *Book) tell(e Event) {
	if b.Report != nil {
		e.At = b.now
		b.Report(e)
	}
}
