package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"barnraise/service/servicetest"
	"barnraise/services/matrix/event"
	"barnraise/services/matrix/rpc"
)

// What service.yaml grants.
const (
	fuel       = 40_000_000_000
	maxRequest = 2 << 20
	maxAnswer  = 4 << 20
)

func TestLimitsAreGranted(t *testing.T) {
	granted, err := os.ReadFile("service.yaml")
	for _, line := range []string{fmt.Sprintf("fuel: %d\n", fuel), "request: 2MiB\n", "response: 4MiB\n"} {
		if err != nil || !strings.Contains(string(granted), "  "+line) {
			t.Errorf("service.yaml grants something else than %q (%v)", line, err)
		}
	}
}

type wideCase struct{ name, request string }

// wide are the calls that take longest: rooms of as many events as there may be.
func wide(t testing.TB) (cases []wideCase) {
	t.Helper()
	for _, c := range []struct {
		name    string
		version event.Version
		ids     string
		make    func(*timeline) [][]string
	}{
		{"a crowd", 11, "derive", crowd},
		{"a crowd in version 12", 12, "derive", crowd},
		{"a crowd with ids given", 2, "given", crowd},
		{"a quarrel", 11, "derive", quarrel},
		{"a quarrel in version 12", 12, "derive", quarrel},
		{"a quarrel with ids given", 12, "given", quarrel},
	} {
		l := newTimeline(c.version, c.ids)
		sets, err := json.Marshal(l.sets(c.make(l)...))
		if err != nil {
			t.Fatal(err)
		}
		r := string(request(t, "matrix_resolveState", fmt.Sprintf(`[%q,%s,%s,%q]`, c.version.String(), l.array(), sets, c.ids)))
		if len(r) > maxRequest || len(l.events) < rpc.MaxEvents-2 {
			t.Fatalf("%s: %d bytes, %d events", c.name, len(r), len(l.events))
		}
		cases = append(cases, wideCase{c.name, r})
	}
	return cases
}

// crowd is a room into which on one branch as many join as there may be events for it, and all of them are banned on the other.
func crowd(l *timeline) [][]string {
	l.begin()
	in := []string{"create", "ann", "power", "public", "bob"}
	out := in[:5:5]
	for i := 0; len(l.events)+2 <= rpc.MaxEvents; i++ {
		user, joined, banned := fmt.Sprintf("@u%d:b", i), fmt.Sprintf("j%d", i), fmt.Sprintf("b%d", i)
		l.add(joined, "m.room.member", user, user, joins, "power", "public")
		l.add(banned, "m.room.member", "@ann:a", user, `{"membership":"ban"}`, "power", "ann")
		in, out = append(in, joined), append(out, banned)
	}
	return [][]string{in, out}
}

// quarrel is a room with two branches, on each of which every event rests on those before it.
func quarrel(l *timeline) [][]string {
	l.begin()
	var sets [][]string
	for branch := range 2 {
		me, power := "ann", "power"
		for i := 0; len(l.events) < rpc.MaxEvents*(branch+1)/2; i++ {
			name := fmt.Sprintf("%d-%d", branch, i)
			switch i % 3 {
			case 0:
				l.add(name, "m.room.member", "@ann:a", "@ann:a", fmt.Sprintf(`{"membership":"join","a":%d}`, i), me, power)
				me = name
			case 1:
				l.add(name, "m.room.power_levels", "@ann:a", "", l.power(fmt.Sprintf(`"@u%d:b":50`, i)), me, power)
				power = name
			case 2:
				l.add(name, "m.room.member", "@ann:a", fmt.Sprintf("@u%d:b", i), `{"membership":"ban"}`, me, power)
			}
		}
		sets = append(sets, []string{"create", me, power, "public", "bob"})
	}
	return sets
}

// fits holds both variants to the bytes that they may answer, and the one that counts fuel to half of what is granted. How long
// they take is for [BenchmarkWide] to say.
func fits(t *testing.T, p *servicetest.Program) {
	if testing.Short() {
		t.Skip("5,000 events, six times, on both variants")
	}
	for _, w := range wide(t) {
		want := program.Handle([]byte(w.request))
		if !bytes.Contains(want[:60], []byte(`"result":`)) || len(want) > maxAnswer {
			t.Errorf("%s: %d bytes, %.200s", w.name, len(want), want)
		}
		i := p.Instance(t)
		got := i.Call(t, w.request)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the reactor answers %.300s, the program %.300s", w.name, got, want)
		}
		if i.Fuel() > fuel/2 {
			t.Errorf("%s: %d units of fuel, more than half of what service.yaml grants", w.name, i.Fuel())
		}
		i.Close(t)
	}
}

// BenchmarkWide is what the limits in service.yaml are measured by: the time of the program and of a fresh reactor, its fuel,
// and the length of requests and answers.
func BenchmarkWide(b *testing.B) {
	p := servicetest.Program{Reactor: servicetest.Compile(b, servicetest.Build(b, ".", "wasip1", "-buildmode=c-shared"))}
	for _, w := range wide(b) {
		b.Run(w.name+"/native", func(b *testing.B) {
			for b.Loop() {
				program.Handle([]byte(w.request))
			}
		})
		b.Run(w.name+"/wasm", func(b *testing.B) {
			var used uint64
			var answer []byte
			for b.Loop() {
				i := p.Instance(b)
				answer = i.Call(b, w.request)
				used = i.Fuel()
				i.Close(b)
			}
			b.ReportMetric(float64(used), "fuel")
			b.ReportMetric(float64(len(w.request)), "asked-B")
			b.ReportMetric(float64(len(answer)), "answered-B")
		})
	}
}
