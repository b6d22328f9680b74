package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestEventsAreFound(t *testing.T) {
	s := opened(t, Memory, Options{})
	want := Event{At: noon, Epoch: 1 << 63, Kind: "strike", Server: 3, Service: 7, Revision: 2, Text: "why", Evidence: "sha256:x"}
	must(t, s.Append(t.Context(), want, Event{Kind: "probe", Server: 3, Service: 8}))
	must(t, s.Append(t.Context(), Event{At: noon, Kind: "probe", Server: 4, Service: 8}))
	for _, c := range []struct {
		filter EventFilter
		ids    string
	}{
		{EventFilter{}, "[3 2 1]"}, {EventFilter{Server: 3}, "[2 1]"}, {EventFilter{Service: 8}, "[3 2]"},
		{EventFilter{Kind: "strike"}, "[1]"}, {EventFilter{Server: 3, Service: 8, Kind: "strike"}, "[]"},
		{EventFilter{Limit: 1}, "[3]"}, {EventFilter{Limit: 1, Before: 3}, "[2]"},
	} {
		list, err := s.Events(t.Context(), c.filter)
		ids := make([]int64, 0)
		for _, e := range list {
			ids = append(ids, e.ID)
		}
		if err != nil || fmt.Sprint(ids) != c.ids || slices.ContainsFunc(list, func(e Event) bool { return !e.At.Equal(noon) }) {
			t.Errorf("%+v: %v, %v; want %s", c.filter, ids, err, c.ids)
		}
		if len(list) > 0 && list[len(list)-1].ID == 1 {
			got := list[len(list)-1]
			if got.ID, want.At = 0, got.At; got != want || !got.At.Equal(noon) {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
	}
}

func TestEventsAreBounded(t *testing.T) {
	now := noon
	s := opened(t, Memory, Options{Events: 100, EventsAge: time.Hour, Now: func() time.Time { return now }})
	must(t, s.Append(t.Context(), Event{At: noon, Kind: "strike", Text: strings.Repeat("x", maxText-1) + "é"}))
	for range 1000 {
		must(t, s.Append(t.Context(), Event{At: noon, Kind: "probe", Text: "a\xffb"}))
	}
	count := func(kind string) int {
		list, err := s.Events(t.Context(), EventFilter{Kind: kind})
		must(t, err)
		for _, e := range list {
			if len(e.Text) > maxText || !utf8.ValidString(e.Text) {
				t.Errorf("text %q", e.Text)
			}
		}
		return len(list)
	}
	if got := count("probe"); got > 100+page {
		t.Errorf("%d probes are kept", got)
	}
	must(t, s.Prune(t.Context()))
	if count("probe") != 100 || count("strike") != 1 {
		t.Errorf("%d probes, %d strikes; want 100 and 1", count("probe"), count("strike"))
	}
	now = now.Add(2 * time.Hour)
	must(t, s.Prune(t.Context()))
	if count("") != 0 {
		t.Errorf("%d events are kept beyond their age", count(""))
	}
}
