package client

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/dial"
	"barnraise/jsonrpc"
	"barnraise/manifest"
)

var probeRequest, _ = jsonrpc.NewRequest("ask", nil)

func probe(t *testing.T, c *Client, server barnraise.ServerID) Probe {
	t.Helper()
	p, err := c.Probe(context.Background(), server, 1, probeRequest)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func down(w http.ResponseWriter, r *http.Request) bool {
	w.WriteHeader(http.StatusServiceUnavailable)
	return true
}

func TestProbe(t *testing.T) {
	lies := func([]byte) []byte { return lie }
	for _, c := range []struct {
		name    string
		servers int
		machine Rerunner
		member  func(m *member) // of server 2, which is probed
		outcome string
		why     string
		asked   int // servers
		kept    int
		clean   bool
	}{
		{"right, executed here: nobody else is asked", 4, honestMachine, nil, ProbeConfirmed, "", 1, 0, true},
		{"right, and the only host there is", 2, honestMachine, nil, ProbeConfirmed, "", 1, 0, true},
		{"right, and others say so", 4, nil, nil, ProbeConfirmed, "", 3, 0, true},
		{"silent", 4, honestMachine, func(m *member) { m.serve = down }, ProbeFailed, "503", 1, 0, true},
		{"unsigned", 4, honestMachine, func(m *member) { m.token = func(barnraise.Receipt) string { return "x" } }, ProbeFailed, "JWS", 1, 0, true},
		{"a lie, executed here", 4, honestMachine, func(m *member) { m.answer = lies }, ProbeStruck, "7.3b", 1, 1, false},
		{"a lie, and nobody can execute", 4, nil, func(m *member) { m.answer = lies }, ProbeUndecided, "nobody can be asked any more", 4, 1, true},
		{"7.4 the image contradicts itself", 4, machine{truth, lie}, func(m *member) { m.answer = lies }, ProbeUndecided, contradictsItself, 1, 0, true},
		{"of an invented platform", 4, honestMachine, func(m *member) { m.platform = barnraise.Sum([]byte("invented")) }, ProbeFailed, "none of the image's", 1, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNetwork(t, c.servers, "compare")
			n.clock()
			if c.member != nil {
				c.member(n.members[1])
			}
			var options []Option
			if c.machine != nil {
				options = append(options, WithRerunner(c.machine))
			}
			cl, kept := n.client(1, options...)
			p := probe(t, cl, 2)
			if p.Outcome != c.outcome || !strings.Contains(p.Why, c.why) || c.why == "" && p.Why != "" {
				t.Errorf("%s because %q, want %s, %q", p.Outcome, p.Why, c.outcome, c.why)
			}
			if len(p.Asked) != c.asked || p.Asked[0].Server != 2 || len(kept.kept) != c.kept || (p.Evidence != "") != (c.kept > 0) {
				t.Errorf("asked %+v, kept %d (%q); want %d, %d", p.Asked, len(kept.kept), p.Evidence, c.asked, c.kept)
			}
			if cl.book.Clean(2, cl.epoch()) != c.clean {
				t.Errorf("record clean: %v", !c.clean)
			}
			for _, other := range []barnraise.ServerID{1, 3, 4} {
				if !cl.book.Clean(other, cl.epoch()) {
					t.Errorf("server %d, which was not probed, is struck", other)
				}
			}
			confirmed := 0.0
			if c.outcome == ProbeConfirmed {
				confirmed = 1
			}
			if m := cl.book.History(2, 1); m != confirmed {
				t.Errorf("m is %v, want %v: a probe is an audit", m, confirmed)
			}
		})
	}
}

// Protocol 3.5: what a server sees of a probe is what it sees of a call.
func TestProtocol3_5NothingTellsAProbeFromACall(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	c, _ := n.client(1, WithRerunner(honestMachine))
	probe(t, c, 2)
	if _, err := c.Call(context.Background(), "oracle", "ask", nil); err != nil {
		t.Fatal(err)
	}
	var seen []capture
	for _, v := range n.calls() {
		if v.server == 2 {
			seen = append(seen, v)
		}
	}
	if len(seen) != 2 || seen[0].body != seen[1].body || seen[0].path != seen[1].path || len(seen[0].header) != len(seen[1].header) {
		t.Fatalf("the server saw %+v", seen)
	}
	for name, values := range seen[0].header {
		if strings.Join(values, ",") != strings.Join(seen[1].header[name], ",") {
			t.Errorf("%s is %q and %q", name, values, seen[1].header[name])
		}
	}
}

// What a probe finds is good for calls: evidence that others can recheck, and a quarantine.
func TestWhatAProbeLeavesBehind(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	c, kept := n.client(1, WithRerunner(honestMachine))
	probe(t, c, 2)
	other, _ := n.client(2, WithRerunner(honestMachine))
	r, err := other.Recheck(context.Background(), kept.kept[0], true)
	if err != nil || len(r.Culprits) != 1 || r.Culprits[0] != 2 {
		t.Errorf("recheck of what a probe kept: %+v, %v", r, err)
	}
	c, _ = n.client(1, WithRerunner(machine{truth, lie}))
	if p := probe(t, c, 3); !p.Contradicts {
		t.Errorf("probe %+v", p)
	}
	before := len(n.calls())
	if p := probe(t, c, 4); p.Outcome != ProbeUndecided || len(n.calls()) != before {
		t.Errorf("a quarantined request was put again: %+v", p)
	}
	if _, err := c.Call(context.Background(), "oracle", "ask", nil); !errors.Is(err, ErrUndecided) {
		t.Errorf("called for it: %v", err)
	}
}

// Protocol 7.4: what evidence shows here holds for calls, too.
func TestProtocol7_4RecheckQuarantines(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	c, _ := n.client(1, WithRerunner(machine{truth, lie}))
	r, err := c.Recheck(context.Background(), n.evidence(n.members[1], n.members[2]), true)
	if err != nil || !r.Quarantine || r.Policy != manifest.EvidenceHosts {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := c.Call(context.Background(), "oracle", "ask", nil); !errors.Is(err, ErrUndecided) || len(n.calls()) != 0 {
		t.Errorf("called for it: %v", err)
	}
	for i := range 2 * maxQuarantined {
		c.quarantine(n.services[0].Revisions[0], binary.BigEndian.AppendUint32(nil, uint32(i)))
	}
	if len(c.contradictory) > maxQuarantined {
		t.Errorf("%d requests are in quarantine", len(c.contradictory))
	}
}

func TestProbeThatCannotBe(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	n.members[2].keyless = true
	c, _ := n.client(1, WithRerunner(honestMachine))
	if _, err := c.Probe(context.Background(), 2, 1, []byte(`{"id":2}`)); !errors.Is(err, ErrRequest) {
		t.Errorf("not in wire form: %v", err)
	}
	if _, err := c.Probe(context.Background(), 2, 7, probeRequest); !errors.Is(err, ErrNotFound) {
		t.Errorf("no such service: %v", err)
	}
	for server, why := range map[barnraise.ServerID]string{3: "no usable key", 9: "does not offer"} {
		if p := probe(t, c, server); p.Outcome != ProbeFailed || !strings.Contains(p.Why, why) || len(p.Asked) != 0 {
			t.Errorf("server %d: %+v", server, p)
		}
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Probe(gone, 2, 1, probeRequest); !errors.Is(err, context.Canceled) {
		t.Errorf("its context has ended: %v", err)
	}
	if got := c.book.Availability(2, n.now()); got != 1 {
		t.Errorf("and that is held against the server: %v", got)
	}
	c.Close()
	if _, err := c.Probe(context.Background(), 2, 1, probeRequest); !errors.Is(err, context.Canceled) {
		t.Errorf("after closing: %v", err)
	}
}

// stuck is a machine that does not get done.
type stuck struct{}

func (stuck) Rerun(ctx context.Context, _ Job) (Rerun, error) {
	<-ctx.Done()
	return Rerun{}, ctx.Err()
}

// late is one that gets done when nobody waits any more.
type late struct{}

func (late) Rerun(ctx context.Context, job Job) (Rerun, error) {
	<-ctx.Done()
	return honestMachine.Rerun(ctx, job)
}

func TestProbeThatRunsOutOfTimeIsNobodysFault(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	for _, m := range []Rerunner{stuck{}, late{}} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := n.client(1, WithRerunner(m))
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if p, err := c.Probe(ctx, 2, 1, probeRequest); !errors.Is(err, context.DeadlineExceeded) || !c.book.Clean(2, c.epoch()) {
				t.Errorf("%T: %+v, %v", m, p, err)
			}
			c.Close()
		})
	}
}

// A probe counts a quarter of a request for availability; whoever else is asked in its course was asked in earnest.
func TestProbesWeighLess(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	n.clock()
	c, _ := n.client(1)
	p := probe(t, c, 2)
	for _, a := range p.Asked {
		want := 1.0
		if a.Server == 2 {
			want = 0.25
		}
		if got := c.book.Seen(a.Server, n.now()).OK; got != want {
			t.Errorf("server %d: %v, want %v", a.Server, got, want)
		}
	}
	n.members[2].serve = down
	probe(t, c, 3)
	if got := c.book.Seen(3, n.now()).Failed; got != 0.25 {
		t.Errorf("a failed probe weighs %v", got)
	}
}

func TestWithEgress(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	if _, err := Open(context.Background(), n.config, WithRegistry(n), WithCache(t.TempDir()), WithKeeper(new(memory)), WithEgress("eth0")); !errors.Is(err, dial.ErrEgress) {
		t.Errorf("opened: %v, want ErrEgress", err)
	}
	c, err := Open(context.Background(), n.config, WithRegistry(n), WithCache(t.TempDir()), WithKeeper(new(memory)), WithEgress("http://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Probe(context.Background(), 2, 1, probeRequest); err == nil {
		t.Error("asked past a proxy that is not there")
	}
}
