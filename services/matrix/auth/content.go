package auth

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

// content is what an event of type m.room.power_levels says. It is read once, because many events may be held against it.
type content struct {
	properties, events, notifications, users table
	sound                                    bool // the last three are objects, if they are there at all
	soundUsers                               bool // so is the last, all whose names are users' and whose levels are integers
}

// A table is levels by name, sorted.
type table []level

type level struct {
	name  string
	value int64
	ok    bool // it is an integer
}

// properties are the levels that a room has one of each, in the order of the rules.
var properties = []string{"users_default", "events_default", "state_default", "ban", "redact", "kick", "invite"}

// content reads an event, which may be nil and then says nothing.
func (r *Rules) content(e *event.Event) *content {
	if e == nil {
		return nil
	}
	if c := r.contents[e]; c != nil {
		return c
	}
	c := &content{}
	for _, name := range properties {
		if v := e.Content.Get(name); v.Exists() {
			c.properties = append(c.properties, r.level(name, v))
		}
	}
	slices.SortFunc(c.properties, func(a, b level) int { return strings.Compare(a.name, b.name) })
	events, notifications, users := e.Content.Get("events"), e.Content.Get("notifications"), e.Content.Get("users")
	c.events, c.notifications, c.users = r.table(events), r.table(notifications), r.table(users)
	c.sound = isObject(events) && isObject(notifications)
	c.soundUsers = isObject(users) && c.users.sound() && !slices.ContainsFunc(c.users, func(l level) bool { return !isUserID(l.name) })
	r.contents[e] = c
	return c
}

// isObject reports whether a value is an object or absent.
func isObject(v canonical.Value) bool { return !v.Exists() || v.Kind() == canonical.Object }

func (r *Rules) table(v canonical.Value) table {
	t := make(table, len(v.Members()))
	for i, m := range v.Members() {
		t[i] = r.level(m.Name, m.Value)
	}
	return t
}

func (r *Rules) level(name string, v canonical.Value) level {
	n, ok := r.integer(v)
	return level{name, n, ok}
}

// find is the level under that name, nil where there is none.
func (t table) find(name string) *level {
	i, found := slices.BinarySearchFunc(t, name, func(l level, name string) int { return strings.Compare(l.name, name) })
	if !found {
		return nil
	}
	return &t[i]
}

// get is the level under that name, if it is there and an integer.
func (t table) get(name string) (int64, bool) {
	if l := t.find(name); l != nil {
		return l.value, l.ok
	}
	return 0, false
}

// sound reports whether all levels are integers.
func (t table) sound() bool { return !slices.ContainsFunc(t, func(l level) bool { return !l.ok }) }

// A change is what becomes of one level. Where versions before 10 do not say what is no integer, it was nothing before, and
// would be more than anybody has.
type change struct {
	name     string
	from, to int64
	had, has bool
}

// turn is what becomes of a level. Either may be nil.
func turn(name string, from, to *level) change {
	ch := change{name: name}
	if from != nil {
		ch.from, ch.had = from.value, from.ok
	}
	if to != nil {
		ch.to, ch.has = to.value, true
		if !to.ok {
			ch.to = Infinite
		}
	}
	return ch
}

// is reports whether anything is different.
func (ch change) is() bool { return ch.had != ch.has || ch.from != ch.to }

// changed reports whether anything that is different in another table breaks a rule.
func (t table) changed(other table, breaks func(change) bool) bool {
	for a, b := t, other; len(a) > 0 || len(b) > 0; {
		order := 0
		switch {
		case len(b) == 0:
			order = -1
		case len(a) == 0:
			order = 1
		default:
			order = strings.Compare(a[0].name, b[0].name)
		}
		var from, to *level
		var name string
		if order <= 0 {
			from, name, a = &a[0], a[0].name, a[1:]
		}
		if order >= 0 {
			to, name, b = &b[0], b[0].name, b[1:]
		}
		if ch := turn(name, from, to); ch.is() && breaks(ch) {
			return true
		}
	}
	return false
}

// integer is the level that a value stands for: an integer, before version 10 also a string with one, before version 6 also a
// number that is not whole or is larger than canonical JSON has them.
func (r *Rules) integer(v canonical.Value) (int64, bool) {
	if n, ok := v.Int(); ok {
		return n, true
	}
	if s, ok := v.Str(); ok && r.version < 10 {
		return saturated(strings.TrimSpace(s))
	}
	if s, ok := v.Written(); ok && r.version < 6 {
		if !strings.ContainsAny(s, ".eE") {
			return saturated(s)
		}
		return truncated(s)
	}
	return 0, false
}

// saturated is an integer in decimal digits, or the nearest there is to it.
func saturated(s string) (int64, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == s {
		digits = strings.TrimPrefix(s, "+")
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, _ := strconv.ParseInt(s, 10, 64) // out of range it is the nearest
	return min(n, Infinite-1), true
}

// truncated is the whole part of a number, which has to be within the range of a float64.
func truncated(s string) (int64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		return 0, false
	case f >= 1<<62:
		return Infinite - 1, true
	case f <= -1<<62:
		return math.MinInt64, true
	}
	return int64(f), true
}
