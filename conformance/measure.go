package conformance

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"barnraise/manifest"
	"barnraise/runtime"
)

// use names what calls of one method took on one platform.
type use struct{ platform, method string }

// measure asks one method after the other, and notes what each took.
func (t *trial) measure(ctx context.Context, r *run, told answered) (n int, err error) {
	all, before := r.asked, r.instances[0].Stats()
	for _, method := range t.methods() {
		r.asked = slices.DeleteFunc(slices.Clone(all), func(i int) bool { return t.requests[i].Method != method })
		if len(r.asked) == 0 {
			continue
		}
		u := t.usage(method)
		m, err := r.each(ctx, func(i int, o outcome) {
			u.add(o)
			told(i, o)
		})
		if n += m; err != nil {
			return n, err
		}
		after := r.instances[0].Stats() // which takes a second of an engine's
		u.took(before, after)
		before = after
	}
	return n, nil
}

func (t *trial) usage(method string) *usage {
	k := use{t.platform, method}
	if t.used[k] == nil {
		t.used[k] = new(usage)
	}
	return t.used[k]
}

// usage is what calls of one method took.
type usage struct {
	times  []time.Duration
	size   int
	fuel   uint64
	cpu    time.Duration
	calls  uint64
	memory manifest.Bytes
}

func (u *usage) add(o outcome) {
	u.calls++
	if o.class == "" {
		u.times = append(u.times, o.took)
		u.size = max(u.size, len(o.answer))
	}
}

func (u *usage) took(before, after runtime.Stats) {
	u.cpu += max(after.CPU-before.CPU, 0) // what a container took that broke is lost
	u.fuel, u.memory = max(u.fuel, after.Fuel), max(u.memory, after.Memory)
}

// methods lists the methods that are asked, each once.
func (g *gate) methods() (names []string) {
	for _, r := range g.requests {
		if !slices.Contains(names, r.Method) {
			names = append(names, r.Method)
		}
	}
	return names
}

// measured is what calls took, by method, on the platform where it is most.
func (g *gate) measured() (all []Method) {
	for _, name := range g.methods() {
		m := Method{Name: name}
		m.Example = slices.ContainsFunc(g.requests, func(r Request) bool { return r.Example && r.Method == name })
		for k, u := range g.used {
			if k.method == name {
				m = m.most(*u)
			}
		}
		all = append(all, m)
	}
	return all
}

func (m Method) most(u usage) Method {
	slices.Sort(u.times)
	m.Requests = max(m.Requests, len(u.times))
	m.P50, m.P99, m.Max = max(m.P50, quantile(u.times, 0.5)), max(m.P99, quantile(u.times, 0.99)), max(m.Max, quantile(u.times, 1))
	m.Response = max(m.Response, manifest.Bytes(u.size))
	m.Fuel, m.Memory = max(m.Fuel, u.fuel), max(m.Memory, u.memory)
	if u.calls > 0 {
		m.CPU = max(m.CPU, milliseconds(u.cpu/time.Duration(u.calls)))
	}
	return m
}

// quantile of sorted durations, in milliseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return milliseconds(sorted[int(math.Ceil(q*float64(len(sorted)-1)))])
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}

// What a proposal leaves above what was measured. Latency is most of all another machine's.
const (
	roomMemory   = 2
	roomResponse = 4
	roomFuel     = 4
	roomTime     = 20
	leastTimeout = time.Second
)

// propose says what limits and cost may be. Limits are what was measured, with room above it, rounded up, and no more than the
// protocol allows; what was not measured is as the manifest has it.
//
// The cost is a number of capacity units. One unit is 128 MiB of memory, or 50 ms of processor time in the mean call of the
// dearest method: whichever takes more of them.
func propose(methods []Method, l manifest.Limits) Proposal {
	var memory, response manifest.Bytes
	var slowest, cpu float64
	var fuel uint64
	for _, m := range methods {
		memory, response, fuel = max(memory, m.Memory), max(response, m.Response), max(fuel, m.Fuel)
		slowest, cpu = max(slowest, m.Max), max(cpu, m.CPU)
	}
	top := manifest.MaxLimits
	if memory > 0 {
		l.Memory = min(manifest.Bytes(power(uint64(max(roomMemory*memory, 16<<20)))), top.Memory)
	}
	if response > 0 {
		l.Response = min(manifest.Bytes(power(uint64(max(roomResponse*response, 64<<10)))), top.Response-l.Request)
	}
	if fuel > 0 {
		l.Fuel = min(round(max(roomFuel*fuel, 1e7)), top.Fuel)
	}
	if slowest > 0 {
		within := max(time.Duration(roomTime*slowest*float64(time.Millisecond)), leastTimeout)
		l.Timeout = min(manifest.Duration(time.Duration(round(uint64(within.Milliseconds())))*time.Millisecond), top.Timeout)
	}
	units := max(math.Ceil(float64(l.Memory)/(128<<20)), math.Ceil(cpu/50), 1)
	return Proposal{Limits: l, Cost: uint32(min(units, 1<<20))}
}

// power is the next power of two.
func power(n uint64) uint64 {
	p := uint64(1)
	for p < n {
		p *= 2
	}
	return p
}

// round is the next of 1, 2, 5, 10, 20, 50 and so on.
func round(n uint64) uint64 {
	for p := uint64(1); ; p *= 10 {
		for _, f := range []uint64{1, 2, 5} {
			if f*p >= n {
				return f * p
			}
		}
	}
}

// near is the share of a limit from which an author is told.
const nearLimit = 0.7

// hints say where a limit of the manifest's is near or does not hold, and what no finding says.
func hints(r Report, l manifest.Limits) (all []string) {
	for _, m := range r.Methods {
		for _, c := range []struct {
			what        string
			used, limit float64
		}{
			{"memory", float64(m.Memory), float64(l.Memory)},
			{"response", float64(m.Response), float64(l.Response)},
			{"fuel", float64(m.Fuel), float64(l.Fuel)},
			{"timeout", m.Max, milliseconds(time.Duration(l.Timeout))},
		} {
			if c.limit > 0 && c.used > nearLimit*c.limit {
				all = append(all, fmt.Sprintf("%s: its calls took %.0f%% of limits.%s; raise it, or have them take less", m.Name, 100*c.used/c.limit, c.what))
			}
		}
		if !m.Example && m.Name != "rpc.discover" {
			all = append(all, fmt.Sprintf("%s: the manifest has no example of it: add some, so that it is tried with what callers send", m.Name))
		}
	}
	for _, f := range r.Failures {
		all = append(all, f.hint())
	}
	return all
}

// hint says what an author can do about a failure.
func (f Failure) hint() string {
	switch f.Class {
	case ClassTimeout:
		return f.Method + ": a call ran out of time: raise limits.timeout, or refuse such requests with an error"
	case ClassFuel:
		return f.Method + ": a call ran out of fuel: raise limits.fuel, or refuse such requests with an error"
	case ClassNotReady, ClassMachine:
		return f.Method + ": a call did not come to the service, which is this machine's doing: try again when it has less to do"
	case ClassRequest:
		return f.Method + ": a request is refused before the service sees it: raise limits.request"
	case ClassStart:
		return "the " + f.Platform + " variant does not start: " + f.Reason
	}
	return f.Method + ": the service breaks on a request: answer it with an error; where memory or limits.response are too small, raise them"
}
