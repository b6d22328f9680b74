package rpc

import (
	"errors"
	"strconv"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
	"barnraise/services/matrix/state"
)

func authCheck(a *args) []byte {
	v := a.version()
	e := a.read(v, a.json(1), "")
	named, before := a.events(v, 2, ""), a.events(v, 3, "")
	if len(named)+len(before) > MaxEvents {
		a.failWith(tooLarge())
	}
	if a.failed != nil {
		return nil
	}
	d, err := auth.Check(v, e, named, before, nil)
	var twice *auth.TwiceError
	switch {
	case errors.As(err, &twice):
		a.invalid(3, err.Error())
	case err != nil:
		a.failWith(tooLarge())
	}
	var w writer
	w.open('{')
	w.name("allowed").truth(d.Allowed)
	w.name("rule").text(d.Rule)
	w.close('}')
	return w.b
}

// Where the ids of events come from.
const (
	derive = "derive" // from the events, as the room version says
	given  = "given"  // from their member event_id
)

// read reads an event. Its id is what its event_id says if ids are given; if it is not said where ids come from, that too
// where there is one.
func (a *args) read(v event.Version, g source, ids string) *event.Event {
	if a.failed != nil {
		return nil
	}
	id, said := g.value.Get("event_id").Str()
	switch {
	case ids == given && (!said || id == ""):
		a.wrong(g.place, `want a string as "event_id"`)
		return nil
	case ids == derive:
		id = ""
	}
	e, err := event.Read(v, g.value, id)
	a.refuse(g, err)
	if ids != "" && !g.value.Get("origin_server_ts").Exists() { // by which events are put in order
		a.wrong(g.place, `want an integer as "origin_server_ts"`)
	}
	return e
}

func (a *args) events(v event.Version, i int, ids string) []*event.Event {
	list := a.list(i, MaxEvents)
	events := make([]*event.Event, len(list))
	for n, g := range list {
		if events[n] = a.read(v, g, ids); a.failed != nil {
			return nil
		}
	}
	return events
}

func resolveState(a *args) []byte {
	v, ids := a.version(), derive
	if a.failed == nil && v == 1 {
		a.resolved(state.ErrVersion)
	}
	if a.values[3].Exists() {
		ids = a.text(3)
	}
	if ids != derive && ids != given {
		a.invalid(3, `want "derive" or "given"`)
	}
	events, sets := a.events(v, 1, ids), a.sets(2)
	if a.failed != nil {
		return nil
	}
	r, err := state.Resolve(v, events, sets, nil)
	a.resolved(err)
	var w writer
	w.open('{')
	w.name("state").open('[')
	for _, s := range r.State {
		w.open('[')
		w.text(s.Type).text(s.Key).text(s.ID)
		w.close(']')
	}
	w.close(']')
	w.name("trace").open('[')
	for _, s := range r.Trace {
		w.step(s)
	}
	w.close(']')
	w.name("conflicted").integer(int64(r.Conflicted))
	w.name("authDifference").integer(int64(r.AuthDifference))
	w.close('}')
	return w.b
}

func (w *writer) step(s state.Step) {
	w.open('{')
	w.name("eventId").text(s.ID)
	w.name("phase").text(s.Phase)
	w.name("allowed").truth(s.Allowed)
	w.name("rule").text(s.Rule)
	w.close('}')
}

// sets are the states, each a list of event ids.
func (a *args) sets(i int) [][]string {
	list := a.json(i)
	if list.value.Kind() != canonical.Array {
		a.invalid(i, "want an array")
	}
	sets := make([][]string, len(list.value.Items()))
	for n, set := range list.value.Items() {
		if set.Kind() != canonical.Array {
			a.wrong(place{i, n}, "want an array of event ids")
		}
		for _, id := range set.Items() {
			s, ok := id.Str()
			if !ok {
				a.wrong(place{i, n}, "want an array of event ids")
			}
			sets[n] = append(sets[n], s)
		}
	}
	return sets
}

// resolved turns an error of the resolution into the answer.
func (a *args) resolved(err error) {
	var missing *state.MissingError
	var twice *state.TwiceError
	var set *state.SetError
	switch {
	case err == nil:
	case errors.As(err, &missing):
		var w writer
		w.open('{')
		w.name("id").text(missing.ID)
		w.close('}')
		a.failWith(&Error{Code: codeMissing, Message: "missing_event", Data: w.b})
	case errors.As(err, &twice):
		a.invalid(1, err.Error())
	case errors.As(err, &set):
		a.invalid(2, "item "+strconv.Itoa(set.Set)+": "+err.Error())
	case errors.Is(err, state.ErrVersion):
		a.failWith(&Error{Code: codeVersion, Message: "unknown_room_version"})
	case errors.Is(err, state.ErrCycle):
		a.failWith(&Error{Code: codeCycle, Message: "cycle"})
	default:
		a.failWith(tooLarge())
	}
}
