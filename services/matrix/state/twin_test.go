package state_test

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/event"
	"barnraise/services/matrix/state"
)

// twin resolves a state as the specification tells it, definition by definition, with sets of IDs and no thought of speed. It
// shares the authorization rules with what it is held against, and nothing else.
type twin struct {
	version event.Version
	rules   *auth.Rules
	events  map[string]*event.Event
	trace   []state.Step
}

type names = map[string]bool

func (w *twin) chain(id string) names {
	found := names{}
	for _, a := range w.events[id].AuthEvents {
		found[a] = true
		maps.Copy(found, w.chain(a))
	}
	return found
}

func (w *twin) resolve(states [][]string) map[event.Key]string {
	agreed, conflicted := w.split(states)
	if len(conflicted) == 0 {
		return agreed
	}
	full := names{}
	maps.Copy(full, conflicted)
	maps.Copy(full, w.difference(states))
	if w.version >= 12 {
		maps.Copy(full, w.subgraph(conflicted))
	}
	first := names{}
	for id := range full {
		if w.isPower(id) {
			first[id] = true
			for a := range w.chain(id) {
				if full[a] {
					first[a] = true
				}
			}
		}
	}
	held := map[event.Key]string{}
	if w.version < 12 {
		maps.Copy(held, agreed)
	}
	w.apply("power", w.byPower(first), held)
	rest := names{}
	for id := range full {
		if !first[id] {
			rest[id] = true
		}
	}
	w.apply("mainline", w.byMainline(rest, held[event.Key{Type: auth.PowerLevels}]), held)
	maps.Copy(held, agreed)
	return held
}

func (w *twin) split(states [][]string) (agreed map[event.Key]string, conflicted names) {
	agreed, conflicted = map[event.Key]string{}, names{}
	for _, s := range states {
		for _, id := range s {
			if slices.ContainsFunc(states, func(other []string) bool { return !slices.Contains(other, id) }) {
				conflicted[id] = true
			} else {
				k, _ := w.events[id].Key()
				agreed[k] = id
			}
		}
	}
	return agreed, conflicted
}

func (w *twin) difference(states [][]string) names {
	some, all := names{}, names{}
	for i, s := range states {
		chain := names{}
		for _, id := range s {
			maps.Copy(chain, w.chain(id))
		}
		maps.Copy(some, chain)
		if i == 0 {
			maps.Copy(all, chain)
		}
		maps.DeleteFunc(all, func(id string, _ bool) bool { return !chain[id] })
	}
	maps.DeleteFunc(some, func(id string, _ bool) bool { return all[id] })
	return some
}

// subgraph is all events on paths from one conflicted event to another.
func (w *twin) subgraph(conflicted names) names {
	found := names{}
	for from := range conflicted {
		for to := range conflicted {
			if !w.chain(from)[to] {
				continue
			}
			found[from], found[to] = true, true
			for between := range w.chain(from) {
				if w.chain(between)[to] {
					found[between] = true
				}
			}
		}
	}
	return found
}

func (w *twin) isPower(id string) bool {
	e := w.events[id]
	m, _ := e.Content.Get("membership").Str()
	return e.Type == auth.PowerLevels || e.Type == auth.JoinRules ||
		e.Type == auth.Member && (m == "leave" || m == "ban") && e.Sender != *e.StateKey
}

// auths is the auth event of that type and an empty state key.
func (w *twin) auths(id, kind string) *event.Event {
	if kind == auth.Create && w.version >= 12 {
		return w.events["$create"]
	}
	for _, a := range w.events[id].AuthEvents {
		if e := w.events[a]; e.Type == kind && *e.StateKey == "" {
			return e
		}
	}
	return nil
}

func (w *twin) byPower(set names) (sorted []string) {
	level := func(id string) int64 {
		return w.rules.Level(w.events[id].Sender, w.auths(id, auth.Create), w.auths(id, auth.PowerLevels))
	}
	left := slices.Sorted(maps.Keys(set))
	for len(left) > 0 {
		best := ""
		for _, id := range left {
			chain := w.chain(id)
			if slices.ContainsFunc(left, func(other string) bool { return chain[other] }) {
				continue
			}
			if best == "" || cmp.Or(cmp.Compare(level(best), level(id)), w.older(id, best)) < 0 {
				best = id
			}
		}
		sorted = append(sorted, best)
		left = slices.DeleteFunc(left, func(id string) bool { return id == best })
	}
	return sorted
}

func (w *twin) older(a, b string) int {
	return cmp.Or(cmp.Compare(w.events[a].OriginServerTS, w.events[b].OriginServerTS), cmp.Compare(a, b))
}

func (w *twin) mainline(power string) (line []string) {
	for power != "" {
		line = append(line, power)
		next := w.auths(power, auth.PowerLevels)
		power = ""
		if next != nil {
			power = next.ID
		}
	}
	return line
}

func (w *twin) byMainline(set names, power string) []string {
	line := w.mainline(power)
	position := func(id string) int {
		for _, e := range w.mainline(id)[1:] {
			if i := slices.Index(line, e); i >= 0 {
				return i
			}
		}
		return len(w.events) + 1
	}
	return slices.SortedFunc(maps.Keys(set), func(a, b string) int { return cmp.Or(cmp.Compare(position(b), position(a)), w.older(a, b)) })
}

func (w *twin) apply(phase string, list []string, held map[event.Key]string) {
	for _, id := range list {
		e := w.events[id]
		view := map[event.Key]*event.Event{}
		for _, a := range e.AuthEvents {
			k, _ := w.events[a].Key()
			view[k] = w.events[a]
		}
		if w.version >= 12 {
			view[event.Key{Type: auth.Create}] = w.events["$create"]
		}
		for _, k := range w.rules.Selection(e) {
			if h, ok := held[k]; ok {
				view[k] = w.events[h]
			}
		}
		d := w.rules.Created()
		if e.Type != auth.Create {
			d = w.rules.Check(e, func(k event.Key) *event.Event { return view[k] })
		}
		if d.Allowed {
			k, _ := e.Key()
			held[k] = id
		}
		w.trace = append(w.trace, state.Step{ID: id, Phase: phase, Rule: d.Rule, Allowed: d.Allowed})
	}
}

func TestResolvesAsTheDefinitionsSay(t *testing.T) {
	rooms, contested := 400, 0
	if testing.Short() {
		rooms = 40
	}
	for seed := range rooms {
		for _, v := range []event.Version{2, 10, 12} {
			random := rand.New(rand.NewPCG(uint64(seed), uint64(v)))
			events, states := history(v, random)
			got := resolve(t, v, events, states)
			w := &twin{version: v, rules: auth.New(v, 0), events: map[string]*event.Event{}}
			for _, e := range events {
				w.events[e.ID] = e
			}
			want := w.resolve(states)
			if len(want) != len(got.State) {
				t.Fatalf("seed %d, version %d: %v, want %v", seed, v, got.State, want)
			}
			for _, e := range got.State {
				if want[event.Key{Type: e.Type, StateKey: e.Key}] != e.ID {
					t.Fatalf("seed %d, version %d: %v, want %v", seed, v, e, want)
				}
			}
			if !slices.Equal(got.Trace, w.trace) {
				t.Fatalf("seed %d, version %d: went\n%v, want\n%v", seed, v, got.Trace, w.trace)
			}
			if len(got.Trace) > 3 {
				contested++
			}
			orderDoesNotMatter(t, v, events, states, got, random)
		}
	}
	if contested < rooms {
		t.Errorf("only %d of %d rooms had something to resolve", contested, 3*rooms)
	}
}

func orderDoesNotMatter(t *testing.T, v event.Version, events []*event.Event, states [][]string, want state.Result, random *rand.Rand) {
	t.Helper()
	events = slices.Clone(events)
	random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	random.Shuffle(len(states), func(i, j int) { states[i], states[j] = states[j], states[i] })
	for _, s := range states {
		random.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	}
	got := resolve(t, v, events, states)
	if !slices.Equal(got.State, want.State) || !slices.Equal(got.Trace, want.Trace) {
		t.Fatalf("version %d: in another order %v, before %v", v, got, want)
	}
}
