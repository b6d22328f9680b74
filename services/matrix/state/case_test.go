package state_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
	"barnraise/services/matrix/state"
)

// vectors is the folder of the cases, which come from Ruma and are not part of the repository.
const vectors = "../../../../shared/vectors/matrix-state-res"

// caseFolder looks for the cases beside the repository.
func caseFolder(t *testing.T) string {
	for _, up := range []string{"", "..", "../.."} { // a worktree lies deeper
		folder := filepath.Join(up, vectors)
		if _, err := os.Stat(folder); err == nil {
			return folder
		}
	}
	t.Skip("../shared/vectors/matrix-state-res is not there")
	return ""
}

func TestTheCasesOfRuma(t *testing.T) {
	folder := caseFolder(t)
	for name, files := range map[string][]string{
		"minimal_private_chat":  {"bootstrap-private-chat"},
		"minimal_public_chat":   {"bootstrap-public-chat"},
		"ban_vs_power_levels":   {"bootstrap-public-chat", "ban-vs-power-levels-alice", "ban-vs-power-levels-bob"},
		"topic_vs_power_levels": {"bootstrap-public-chat", "topic-vs-power-levels-alice", "topic-vs-power-levels-bob"},
		"concurrent_joins":      {"bootstrap-public-chat", "concurrent-joins-charlie", "concurrent-joins-ella"},
	} {
		t.Run(name, func(t *testing.T) {
			var events []*event.Event
			for _, file := range files {
				events = append(events, read(t, 10, file1(t, folder, file+".json"))...)
			}
			want := expected(t, file1(t, folder, name+".expected.snap"))
			if got := walk(t, 10, events); !slices.Equal(got, want) {
				t.Errorf("event by event: %v\nwant %v", got, want)
			}
			var apart [][]string
			for _, e := range events {
				apart = append(apart, []string{e.ID})
			}
			if got := resolve(t, 10, events, apart).State; !slices.Equal(got, want) {
				t.Errorf("each event a state: %v\nwant %v", got, want)
			}
		})
	}
}

func file1(t *testing.T, folder, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// read is the events of a JSON array, under the IDs that they have as members.
func read(t testing.TB, v event.Version, text string) (events []*event.Event) {
	t.Helper()
	list, err := canonical.ParseString(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range list.Items() {
		id, _ := j.Get("event_id").Str()
		e, err := event.Read(v, j, id)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		events = append(events, e)
	}
	return events
}

// expected is the state in a snapshot: a JSON array behind a header.
func expected(t *testing.T, snapshot string) (entries []state.Entry) {
	t.Helper()
	_, text, _ := strings.Cut(strings.TrimPrefix(snapshot, "---\n"), "\n---\n")
	list, err := canonical.ParseString(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range list.Items() {
		var e state.Entry
		e.Type, _ = j.Get("type").Str()
		e.Key, _ = j.Get("state_key").Str()
		e.ID, _ = j.Get("event_id").Str()
		entries = append(entries, e)
	}
	return entries
}

// walk is a server that gets the events one by one and resolves where branches meet: the state behind all of them.
func walk(t *testing.T, v event.Version, events []*event.Event) []state.Entry {
	t.Helper()
	after := map[string][]state.Entry{}
	followed := map[string]bool{}
	for _, e := range events {
		var before [][]string
		for _, p := range e.PrevEvents {
			if after[p] == nil {
				t.Fatalf("%s stands before %s", e.ID, p)
			}
			followed[p] = true
			before = append(before, ids(after[p]))
		}
		old := resolve(t, v, events, before).State
		proposed := slices.DeleteFunc(slices.Clone(old), func(s state.Entry) bool { return s.Type == e.Type && s.Key == *e.StateKey })
		proposed = append(proposed, state.Entry{Type: e.Type, Key: *e.StateKey, ID: e.ID})
		after[e.ID] = resolve(t, v, events, [][]string{ids(old), ids(proposed)}).State
	}
	var leaves [][]string
	for _, e := range events {
		if !followed[e.ID] {
			leaves = append(leaves, ids(after[e.ID]))
		}
	}
	return resolve(t, v, events, leaves).State
}

func ids(entries []state.Entry) (list []string) {
	for _, e := range entries {
		list = append(list, e.ID)
	}
	return list
}

func resolve(t testing.TB, v event.Version, events []*event.Event, states [][]string) state.Result {
	t.Helper()
	r, err := state.Resolve(v, events, states, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
