package devnet

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/conformance"
)

// Of twelve servers the first are honest; then comes one that dies, one that lies, and two that claim all and give nothing.
const (
	honest = 8
	mortal = honest
	liar   = mortal + 1
	twelve = 12

	each     = 4  // services of a server
	rewarded = 2  // of these
	enough   = 3  // true hosts of a service that is rewarded
	calm     = 5  // epochs in which hardly a list may have changed
	most     = 90 // epochs that all of it may take; 30 is usual
)

// Twelve servers, each the home of four services two of which it would like to see run, come by themselves to where every such
// service of an honest one truly runs at three or more, those of free riders and of a liar nowhere but at home, and hardly a
// list changes. One server dies on the way. Whatever the honest ones did they said why.
//
// The gate is off: all services are one program, and that passes the gate in the test of the founding example; here it would try
// each of 48 manifests anew.
func TestTwelve(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes more than a minute")
	}
	var j journal
	n := up(t, Options{Barter: village(), With: []string{"liar", "freerider", "freerider"}, Tell: j.note})
	c := newCensus(t, n, &j)
	c.until("the one that is to die hosts for others", c.busy)
	if err := n.Servers[mortal].Stop(); err != nil {
		t.Fatal(err)
	}
	c.calm = time.Now().Add(calm * n.layout.epoch())
	c.until("all is well", c.well)
	t.Logf("it took %d epochs", c.epochs())
	for _, m := range n.Servers[:honest] {
		for _, wrong := range j.unexplained(m.ID, c.own(m)) {
			t.Errorf("server %d: %s", m.ID, wrong)
		}
	}
}

func village() *Barter {
	b := &Barter{Epoch: 2 * time.Second}
	for i := range twelve {
		var own []string
		for k := range each {
			own = append(own, named(i, k))
			config := fmt.Appendf(nil, `{"server":%d,"service":%d}`, i, k)
			b.Services = append(b.Services, Service{Name: named(i, k), Program: "whisper", Home: i, Config: json.RawMessage(config)})
		}
		b.Parties = append(b.Parties, Party{Rewards: own[:rewarded], Capacity: 20}) // room for ten: each costs two
	}
	return b
}

func named(server, service int) string { return fmt.Sprintf("whisper-%c-%d", 'a'+server, service) }

// census looks at the network again and again.
type census struct {
	t       *testing.T
	net     *Net
	journal *journal
	client  *client.Client
	begun   time.Time
	calm    time.Time // when it can be calm at the earliest
	now     *barnraise.Snapshot
	changes []time.Time // of lists of honest servers
	asked   time.Time   // when hosts were asked last
	seed    uint64
}

// newCensus looks at every manifest while all who have one are there.
func newCensus(t *testing.T, n *Net, j *journal) *census {
	c := &census{t: t, net: n, journal: j, client: open(t, n), begun: time.Now()}
	for _, id := range n.Network.Names {
		if _, err := c.client.Describe(t.Context(), id.String()); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *census) epochs() int { return int(time.Since(c.begun) / c.net.layout.epoch()) }

// until looks until nothing is wrong.
func (c *census) until(what string, wrong func() string) {
	c.t.Helper()
	ctx, cancel := context.WithDeadline(c.t.Context(), c.begun.Add(most*c.net.layout.epoch()))
	defer cancel()
	for {
		c.look(ctx)
		trouble := wrong()
		if trouble == "" {
			return
		}
		select {
		case <-ctx.Done():
			for _, v := range c.now.Services() {
				c.t.Logf("%s is offered by %v", v.Name, c.now.Hosts(v.ID))
			}
			c.t.Fatalf("within %d epochs it does not come to where %s: %s", most, what, trouble)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// look reads the registry and notes whose lists have changed.
func (c *census) look(ctx context.Context) {
	c.t.Helper()
	s, err := c.net.Snapshot(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		c.t.Fatal(err)
	}
	for _, m := range c.net.Servers[:honest] {
		v, _ := s.Server(m.ID)
		if c.now == nil {
			continue
		}
		if before, _ := c.now.Server(m.ID); !slices.Equal(before.Offers, v.Offers) || !slices.Equal(before.Rewards, v.Rewards) {
			c.changes = append(c.changes, time.Now())
		}
	}
	c.now = s
}

func (c *census) own(m Member) []barnraise.ServiceID { return c.net.own(int(m.ID) - 1) }

// busy says what is missing for the mortal one to be missed.
func (c *census) busy() string {
	v, _ := c.now.Server(c.net.Servers[mortal].ID)
	if len(v.Offers) == each {
		return "it offers its own alone"
	}
	return ""
}

// well says what is not as it should be in the end. Hosts are asked once the registry and the servers themselves say that it is.
func (c *census) well() string {
	epoch := c.net.layout.epoch()
	lately := 0
	for _, at := range c.changes {
		if time.Since(at) < calm*epoch {
			lately++
		}
	}
	switch allowed := calm * honest * 5 / 100; {
	case time.Now().Before(c.calm):
		return "somebody has just died"
	case lately > allowed:
		return fmt.Sprintf("lists have changed %d times in %d epochs, want at most %d", lately, calm, allowed)
	}
	if wrong := c.hosted(c.sincere); wrong != "" {
		return "by the registry " + wrong
	}
	for _, m := range c.net.Servers[:honest] {
		if wrong := c.journal.differs(m.ID, c.now, m.server.Hosts()); wrong != "" {
			return fmt.Sprintf("server %d %s", m.ID, wrong)
		}
	}
	if time.Since(c.asked) < epoch {
		return "hosts have just been asked"
	}
	c.asked = time.Now()
	return c.hosted(c.asks)
}

// hosted says which service does not have the hosts that it should, of those offers that are true.
func (c *census) hosted(truly func(barnraise.ServerID, barnraise.ServiceID) bool) string {
	for i, home := range c.net.Servers {
		for k := range each {
			id := c.net.Network.Names[named(i, k)]
			var hosts, others []barnraise.ServerID
			for _, host := range c.now.Hosts(id) {
				if !truly(host, id) {
					continue
				}
				if hosts = append(hosts, host); host != home.ID {
					others = append(others, host)
				}
			}
			switch {
			case i < honest && k < rewarded && len(hosts) < enough:
				return fmt.Sprintf("%s runs at %v, want %d", named(i, k), hosts, enough)
			case i >= liar && len(others) > 0:
				return fmt.Sprintf("%s runs at %v, want none of them to run it for such a server", named(i, k), others)
			}
		}
	}
	return ""
}

// sincere reports whether a server means what it offers, and is there to do it.
func (c *census) sincere(host barnraise.ServerID, _ barnraise.ServiceID) bool {
	return host <= honest || host == liar+1
}

// asks reports whether a server gives a right answer for a service, by own execution.
func (c *census) asks(host barnraise.ServerID, service barnraise.ServiceID) bool {
	c.t.Helper()
	d, err := c.client.Describe(c.t.Context(), service.String())
	if err != nil {
		c.t.Fatal(err)
	}
	c.seed++
	requests, err := conformance.Requests(d.Manifest, c.seed, 1)
	if err != nil {
		c.t.Fatal(err)
	}
	p, err := c.client.Probe(c.t.Context(), host, service, requests[len(requests)-1].Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return p.Outcome == client.ProbeConfirmed
}
