package event

import (
	"strings"

	"barnraise/services/matrix/canonical"
)

// Event is what authorization rules and state resolution read of an event.
type Event struct {
	ID, Room, Sender, Type string
	StateKey               *string // nil where it is no state event
	Content                canonical.Value
	AuthEvents, PrevEvents []string
	Depth, OriginServerTS  int64
	JSON                   canonical.Value // the event as it was given
}

// FormatError says which member of an event is not what it has to be; Member is empty where that is the event itself.
type FormatError struct{ Member, Want string }

// Error says what was wanted.
func (e *FormatError) Error() string {
	if e.Member == "" {
		return "want " + e.Want
	}
	return `want ` + e.Want + ` as "` + e.Member + `"`
}

// Key says what an event sets in a room's state.
type Key struct{ Type, StateKey string }

// Key is what the event sets, and false where it is no state event.
func (e *Event) Key() (Key, bool) {
	if e.StateKey == nil {
		return Key{}, false
	}
	return Key{e.Type, *e.StateKey}, true
}

// Domain is the server of a user id, or of another id that ends in one: what stands behind the first colon. It is empty where
// there is no colon.
func Domain(id string) string {
	_, domain, _ := strings.Cut(id, ":")
	return domain
}

// Read takes an event apart. Its id is the one given, or else made of the event as the version wants it. Members that are
// missing are read as empty, unless nothing can be said of the event without: type, sender and content.
// It fails as [Version.Check] does, or with a [*FormatError] for a member of another type.
func Read(v Version, j canonical.Value, givenID string) (*Event, error) {
	if err := v.Check(j); err != nil {
		return nil, err
	}
	r := reader{v: v, j: j}
	e := &Event{
		ID: givenID, JSON: j, Content: j.Get("content"),
		Type: r.text("type", true), Sender: r.text("sender", true), Room: r.text("room_id", false),
		AuthEvents: r.ids("auth_events"), PrevEvents: r.ids("prev_events"),
		Depth: r.integer("depth"), OriginServerTS: r.integer("origin_server_ts"),
	}
	if j.Get("state_key").Exists() {
		key := r.text("state_key", true)
		e.StateKey = &key
	}
	if e.Content.Kind() != canonical.Object {
		r.miss("content", "an object")
	}
	if r.err == nil && e.ID == "" {
		r.identify(e)
	}
	if r.err != nil {
		return nil, r.err
	}
	if id, ok := strings.CutPrefix(e.ID, "$"); ok && v.RoomFromCreate() && e.Type == "m.room.create" && e.Room == "" {
		e.Room = "!" + id
	}
	return e, nil
}

// reader reads the members of an event and keeps the first error.
type reader struct {
	v   Version
	j   canonical.Value
	err error
}

func (r *reader) miss(member, want string) {
	if r.err == nil {
		r.err = &FormatError{member, want}
	}
}

// identify makes the event's id.
func (r *reader) identify(e *Event) {
	hash, err := r.v.ReferenceHash(r.j)
	if err != nil {
		r.err = err
		return
	}
	if e.ID = r.v.ID(r.j, hash); e.ID == "" {
		r.miss("event_id", "a string")
	}
}

func (r *reader) text(member string, required bool) string {
	value := r.j.Get(member)
	s, ok := value.Str()
	if !ok && (required || value.Exists()) {
		r.miss(member, "a string")
	}
	return s
}

func (r *reader) integer(member string) int64 {
	value := r.j.Get(member)
	n, ok := value.Int()
	if _, number := value.Written(); !ok && value.Exists() && !(number && member == "depth") { // which old rooms let grow
		r.miss(member, "an integer")
	}
	return n
}

// ids reads a list of events. In versions 1 and 2 each stands in an array together with its hash.
func (r *reader) ids(member string) []string {
	value := r.j.Get(member)
	if value.Exists() && value.Kind() != canonical.Array {
		r.miss(member, "an array")
	}
	list := make([]string, 0, len(value.Items()))
	for _, item := range value.Items() {
		if pair := item.Items(); r.v.GivenIDs() && len(pair) > 0 {
			item = pair[0]
		}
		id, ok := item.Str()
		if !ok {
			r.miss(member, "event ids")
		}
		list = append(list, id)
	}
	return list
}
