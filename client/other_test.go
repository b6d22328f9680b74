package client

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/endpoint"
)

// runs makes a member run some revisions of the service, and no others.
func (m *member) runs(n *network, revisions ...uint32) {
	m.serve = func(w http.ResponseWriter, r *http.Request) bool {
		rest, ok := strings.CutPrefix(r.URL.Path, "/v1/services/1/")
		if !ok || r.Method != http.MethodPost {
			return false
		}
		for _, number := range revisions {
			if rest == string(rune('0'+number)) {
				body := make([]byte, r.ContentLength)
				r.Body.Read(body)
				v := *m
				v.receipt = func(r *barnraise.Receipt) { r.Revision = number }
				v.reply(n, w, body)
				return true
			}
		}
		endpoint.Fail(w, http.StatusNotFound, "unknown-revision", "")
		return true
	}
}

// upgrade publishes revision 2, which comes into force at a block; at block 10 it is now.
func (n *network) upgrade(activeFrom uint64, revoked ...uint32) {
	two := n.services[0].Revisions[0]
	two.Number, two.ActiveFrom = 2, activeFrom
	n.services[0].Revisions = append(n.services[0].Revisions, two)
	for _, number := range revoked {
		n.services[0].Revisions[number-1].Revoked = true
	}
}

// Protocol 1.4: callers use the newest active revision, and on 404 unknown-revision within the grace, the other; a pin stays.
func TestProtocol1_4TheOtherRevision(t *testing.T) {
	for name, c := range map[string]struct {
		ref        string
		activeFrom uint64
		revoked    []uint32
		runs       [4][]uint32 // by member
		want       uint32      // revision that answers; none where it is zero
	}{
		"everybody runs the new one":          {"oracle", 8, nil, [4][]uint32{{1, 2}, {1, 2}, {1, 2}, {1, 2}}, 2},
		"two do, and two do not":              {"oracle", 8, nil, [4][]uint32{{1, 2}, {1}, {1, 2}, {1}}, 2},
		"nobody does":                         {"oracle", 8, nil, [4][]uint32{{1}, {1}, {1}, {1}}, 1},
		"one does, which is not enough":       {"oracle", 8, nil, [4][]uint32{{1}, {1, 2}, {1}, {1}}, 1},
		"in the last block of the grace":      {"oracle", 6, nil, [4][]uint32{{1}, {1}, {1}, {1}}, 1},
		"after the grace":                     {"oracle", 5, nil, [4][]uint32{{1}, {1}, {1}, {1}}, 0},
		"before it is in force":               {"oracle", 11, nil, [4][]uint32{{2}, {2}, {2}, {2}}, 0},
		"before, and it is not asked for":     {"oracle", 11, nil, [4][]uint32{{1, 2}, {1, 2}, {1, 2}, {1, 2}}, 1},
		"the one before is revoked":           {"oracle", 8, []uint32{1}, [4][]uint32{{1}, {1}, {1}, {1}}, 0},
		"the new one is revoked":              {"oracle", 8, []uint32{2}, [4][]uint32{{1, 2}, {1, 2}, {1, 2}, {1, 2}}, 1},
		"nobody runs any":                     {"oracle", 8, nil, [4][]uint32{}, 0},
		"pinned":                              {"#1@2", 8, nil, [4][]uint32{{1}, {1}, {1}, {1}}, 0},
		"pinned to the one before":            {"#1@1", 8, nil, [4][]uint32{{1, 2}, {1, 2}, {1, 2}, {1, 2}}, 1},
		"pinned to the one before, after all": {"#1@1", 8, nil, [4][]uint32{{2}, {2}, {2}, {2}}, 0},
	} {
		n := newNetwork(t, 4, "compare")
		n.upgrade(c.activeFrom, c.revoked...)
		for i, m := range n.members {
			m.runs(n, c.runs[i]...)
		}
		client, kept := n.client(1)
		a, err := client.Call(t.Context(), c.ref, "ask", nil)
		switch {
		case c.want == 0 && !errors.Is(err, ErrTooFew):
			t.Errorf("%s: %v, want ErrTooFew", name, err)
		case c.want != 0 && (err != nil || a.Revision != c.want || string(a.Result) != `{"answer":42}`):
			t.Errorf("%s: %+v, %v; want revision %d", name, a, err, c.want)
		}
		if a != nil && a.Requests != len(n.calls()) || a != nil && len(a.Asked) != a.Requests {
			t.Errorf("%s: %d requests, %d asked; the servers saw %d", name, a.Requests, len(a.Asked), len(n.calls()))
		}
		if len(kept.kept) > 0 {
			t.Errorf("%s: somebody is accused", name)
		}
	}
}

// What belongs to the new revision nobody has: then, too, the one before is called within its grace.
func TestRevisionThatNobodyHas(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	n.upgrade(8)
	n.services[0].Revisions[1].Manifest = barnraise.CID("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy")
	c, _ := n.client(1)
	if a, err := c.Call(t.Context(), "oracle", "ask", nil); err != nil || a.Revision != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	n.services[0].Revisions[1].ActiveFrom = 5
	if _, err := c.Call(t.Context(), "oracle", "ask", nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("after the grace: %v, want ErrUnavailable", err)
	}
}

// A server that says 404 for other reasons moves nobody to another revision.
func TestOther404s(t *testing.T) {
	for name, body := range map[string]string{
		"unknown service": `{"type":"unknown-service"}`, "no problem": "unknown-revision", "two": `{"type":"unknown-revision"}{}`,
		"too long": `{"type":"unknown-revision","detail":"` + strings.Repeat("x", maxProblem) + `"}`, "empty": "",
	} {
		n := newNetwork(t, 4, "compare")
		n.upgrade(8)
		for _, m := range n.members {
			m.serve = page("/v1/services/1/2", http.StatusNotFound, body)
		}
		c, _ := n.client(1)
		if a, err := c.Call(t.Context(), "oracle", "ask", nil); !errors.Is(err, ErrTooFew) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// later is a registry that has gone on.
type later struct {
	*readings
	block uint64
}

func (l *later) Snapshot(ctx context.Context) (*barnraise.Snapshot, error) {
	if _, err := l.readings.Snapshot(ctx); err != nil {
		return nil, err
	}
	return l.snapshot(l.block), nil
}

// A caller whose view is so old that nobody runs its revision any more looks again, once in ten seconds at most (protocol 10.4).
func TestProtocol1_4CallerWhoLagsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 4, "compare")
		n.upgrade(12)
		for _, m := range n.members {
			m.runs(n, 1)
		}
		r := &later{readings: &readings{network: n}, block: 10}
		c, _ := n.client(1, WithRegistry(r), WithRegistryAge(time.Hour))
		defer c.Close()
		if a := call(t, c); a.Revision != 1 {
			t.Fatalf("revision %d answers", a.Revision)
		}
		for _, m := range n.members {
			m.runs(n, 2)
		}
		r.block = 20
		if a := call(t, c); a.Revision != 2 || r.n.Load() != 2 {
			t.Errorf("revision %d answers after %d readings", a.Revision, r.n.Load())
		}
		for _, m := range n.members {
			m.runs(n)
		}
		for range 5 {
			if _, err := c.Call(t.Context(), "oracle", "ask", nil); !errors.Is(err, ErrTooFew) {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if r.n.Load() != 2 {
			t.Errorf("calls that fail had the registry read %d times", r.n.Load())
		}
	})
}
