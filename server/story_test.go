package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/score"
)

var all = flag.Bool("long", false, "run the tests that take minutes: all seeds, all failpoints")

// share is of so many the part that is played: all with -long, else a tenth, and where the race detector looks on a hundredth.
func share(n int) int {
	switch {
	case *all:
		return n
	case raced:
		return n / 100
	}
	return n / 10
}

// scratch is where all worlds keep what servers write, in memory where the system has a place for that: they are many, and what
// they write is meant to survive them, which costs time. Compiled verifiers lie there, too.
var scratch string

func TestMain(m *testing.M) {
	memory := "/dev/shm"
	if _, err := os.Stat(memory); err != nil {
		memory = ""
	}
	dir, err := os.MkdirTemp(memory, "barnraise-worlds")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// play tells a story in a universe and ends all of it.
func play(t *testing.T, seed uint64, servers int, prepare func(*universe), tell func(*universe)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		u := newUniverse(t, seed, servers)
		prepare(u)
		defer u.end()
		for _, n := range u.nodes {
			if !n.claims {
				n.begin()
			}
		}
		tell(u)
	})
}

func (u *universe) end() {
	for _, n := range u.nodes {
		n.end()
	}
}

// The founding example, G1 and G2 of the facts: A offers Matrix and Search, B and C offer Whisper; A and B reward Matrix, C
// rewards Whisper. By itself it comes to Matrix three times, Whisper three times, Search once.
func TestFoundingExample(t *testing.T) {
	play(t, 1, 3, founding, func(u *universe) {
		u.after(10, nil)
		for id, want := range map[barnraise.ServiceID]int{matrix: 3, whisper: 3, search: 1} {
			if got := u.hosts(id); len(got) != want {
				u.failed("service %d runs at %d, want %d hosts", id, got, want)
			}
		}
		u.settled()
		u.wroteSeldom()
	})
}

// The services of the founding example.
const matrix, search, whisper = 1, 2, 3

func founding(u *universe) {
	a, b, c := u.nodes[0], u.nodes[1], u.nodes[2]
	a.own, a.rewards = []barnraise.ServiceID{matrix, search}, []barnraise.ServiceID{matrix}
	b.own, b.rewards = nil, []barnraise.ServiceID{matrix}
	c.own, c.rewards = []barnraise.ServiceID{whisper}, []barnraise.ServiceID{whisper}
	u.ledger.services[search-1].Revisions[0].Home = 1
	u.ledger.servers[1].Offers = []barnraise.ServiceID{whisper}
}

// wroteSeldom checks that after its first epoch every server has changed its lists at most once in each.
func (u *universe) wroteSeldom() {
	u.t.Helper()
	for id, times := range u.ledger.writes {
		last := int64(0)
		for _, at := range times {
			epoch := at.UnixNano() / int64(u.epoch)
			if at.Sub(u.started) > u.epoch && epoch == last {
				u.failed("server %d wrote its lists twice in an epoch: %s", id, times)
			}
			last = epoch
		}
	}
}

// A service that is hosted for others gets another revision: it is prepared before its block, the old one is served through the
// grace, and nothing is withdrawn meanwhile (protocol 1.4).
func TestNextRevisionOfWhatIsHosted(t *testing.T) {
	play(t, 2, 3, founding, func(u *universe) {
		u.after(8, nil)
		writes := len(u.ledger.writes[2])
		u.ledger.change(func() {
			next := u.revision(40)
			next.Number, next.Home, next.ActiveFrom = 2, 1, u.ledger.block+10
			v := &u.ledger.services[matrix-1]
			v.Revisions = append(slices.Clone(v.Revisions), next)
		})
		for _, step := range []struct {
			blocks uint64
			want   []uint32
		}{{1, []uint32{1, 2}}, {8, []uint32{1, 2}}, {4, []uint32{1, 2}}, {1, []uint32{2}}} {
			u.ledger.change(func() { u.ledger.block += step.blocks - 1 })
			u.after(1, nil)
			for _, n := range u.nodes {
				if got := n.revisions(matrix); !slices.Equal(got, step.want) {
					u.failed("at block %d server %d runs revisions %d of matrix, want %d", u.ledger.block, n.id, got, step.want)
				}
			}
		}
		if got := len(u.ledger.writes[2]); got != writes {
			u.failed("server 2 wrote its lists %d times because of a revision", got-writes)
		}
	})
}

// revisions lists those of a service that run on a node.
func (n *node) revisions(id barnraise.ServiceID) (list []uint32) {
	for _, h := range n.life.server.Hosts() {
		if h.Service == id {
			list = append(list, h.Revision)
		}
	}
	return list
}

// What the operator takes down is stopped within a minute or two of this clock, withdrawn, and not planned again (protocol 9.5).
func TestTakedown(t *testing.T) {
	play(t, 3, 3, founding, func(u *universe) {
		u.after(8, nil)
		b := u.nodes[1]
		if len(b.revisions(matrix)) == 0 {
			u.failed("server 2 does not host matrix")
		}
		if err := WriteWords(b.life, Words{Denied: map[barnraise.ServiceID]string{matrix: "a complaint"}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * u.epoch / 60)
		synctest.Wait()
		if len(b.revisions(matrix)) > 0 || u.ledger.server(2).OffersService(matrix) {
			u.failed("server 2 runs %d, offers %d", b.revisions(matrix), u.ledger.server(2).Offers)
		}
		u.after(8, nil)
		if len(b.revisions(matrix)) > 0 {
			u.failed("it is hosted again")
		}
		u.settled()
	})
}

// settled checks what holds of every world once the dust has settled.
func (u *universe) settled() {
	u.t.Helper()
	for _, n := range u.nodes {
		if n.life == nil {
			continue
		}
		if o := n.orphans(); len(o) > 0 {
			u.failed("orphans: %v", o)
		}
		u.honest(n)
		u.offersWhatRuns(n)
	}
}

// honest checks that no honest server thinks ill of another.
func (u *universe) honest(n *node) {
	u.t.Helper()
	if n.lies {
		return
	}
	for _, o := range u.nodes {
		if o.lies || o.claims || o.silent {
			continue
		}
		if w := n.life.server.broker.weight(o.id); w == 0 {
			u.failed("server %d thinks that server %d lies, and it does not", n.id, o.id)
		}
	}
}

// offersWhatRuns checks that what is offered runs.
func (u *universe) offersWhatRuns(n *node) {
	u.t.Helper()
	for _, id := range u.ledger.server(n.id).Offers {
		if !slices.ContainsFunc(n.life.server.Hosts(), func(h barnraise.Hosted) bool { return h.Service == id }) {
			u.failed("server %d offers %d and does not run it", n.id, id)
		}
	}
}

// A world of chance: five or six servers, one of which may lie and one claim what it does not run; they are killed now and
// then, wires are cut, and a caller asks all the time.
func TestWorlds(t *testing.T) {
	for seed := range share(1000) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { anyWorld(t, uint64(seed)) })
	}
}

// anyWorld plays the world of that seed to its end, and returns its story.
func anyWorld(t *testing.T, seed uint64) (story []string) {
	r := rand.New(rand.NewPCG(seed, 1))
	servers := 5 + r.IntN(2)
	play(t, seed, servers, func(u *universe) {
		// A handful of servers that are disturbed until all credit has ended may have answered nobody by then, and fall asleep:
		// nobody gives, so nobody is given to, until somebody new comes (docs/barter.md). Here credit outlasts the disturbance.
		u.credit = 24
		for i, n := range u.nodes {
			if other := 1 + r.IntN(servers); r.IntN(3) == 0 && other != i+1 {
				n.rewards = union(n.rewards, []barnraise.ServiceID{barnraise.ServiceID(other)})
			}
		}
		if r.IntN(2) == 0 {
			u.nodes[servers-1].lies = true
		}
		if r.IntN(3) == 0 {
			u.freeRider(u.nodes[servers-2])
		}
	}, func(u *universe) {
		caller := newCaller(u)
		defer caller.close()
		u.after(14, func(epoch int) {
			u.fault(r, epoch)
			caller.ask(r)
		})
		u.heal()
		for epochs := 0; ; epochs++ {
			u.after(1, func(int) { caller.ask(r) })
			lonely := u.lonely()
			switch {
			case lonely == "":
				u.settled()
				story = u.story
				return
			case epochs == recovery:
				u.failed("after %d epochs: %s", epochs, lonely)
			}
		}
	})
	return story
}

// freeRider offers everything and runs nothing.
func (u *universe) freeRider(n *node) {
	n.claims = true
	v := &u.ledger.servers[n.id-1]
	for _, s := range u.ledger.services {
		v.Offers = append(v.Offers, s.ID)
	}
	v.Rewards = n.rewards
}

// fault lets something go wrong.
func (u *universe) fault(r *rand.Rand, epoch int) {
	n := u.nodes[r.IntN(len(u.nodes))]
	switch r.IntN(6) {
	case 0:
		if n.life != nil {
			n.life.kill("by chance")
		}
	case 1:
		n.cut(!n.claims)
		u.tell("server %d is cut off: %t", n.id, n.silent)
	case 2:
		for _, n := range u.nodes {
			n.cut(false)
		}
		u.tell("all wires are mended")
	}
}

func (u *universe) heal() {
	u.tell("from now on nothing goes wrong")
	for _, n := range u.nodes {
		n.cut(false)
	}
}

// recovery is within how many epochs every service is hosted again: who was taken for dead is asked again with growing pauses,
// and what was given up is not started again at once.
const recovery = 40

// lonely says which honest server is not served: nobody but itself runs the service that it rewards, or where it rewards
// several, any of them, since who owes it chooses. Empty where there is none.
func (u *universe) lonely() string {
	for _, n := range u.nodes {
		served := func(id barnraise.ServiceID) bool {
			return slices.ContainsFunc(u.hosts(id), func(host barnraise.ServerID) bool { return host != n.id })
		}
		if !n.claims && !n.lies && !slices.ContainsFunc(n.rewards, served) {
			return fmt.Sprintf("server %d rewards %d, and no other runs any of it", n.id, n.rewards)
		}
	}
	return ""
}

// caller is a dApp.
type caller struct {
	*universe
	client *client.Client
}

func newCaller(u *universe) *caller {
	var seed [32]byte
	seed[0] = byte(u.random.Uint32())
	c, err := client.Open(context.Background(), testNetwork, client.WithRegistry(observer{u}), client.WithTransport(u.wires(nil)),
		client.WithKeeper(&kept{}), client.WithCache(u.cache("caller")), client.WithClock(time.Now, seed))
	if err != nil {
		u.t.Fatal(err)
	}
	return &caller{u, c}
}

func (c *caller) close() { c.client.Close() }

// ask calls a service. It may fail, but never returns a lie.
func (c *caller) ask(r *rand.Rand) {
	c.t.Helper()
	id := barnraise.ServiceID(1 + r.IntN(len(c.ledger.services)))
	q := r.IntN(1000)
	a, err := c.client.Call(context.Background(), id.String(), "ask", map[string]int{"q": q})
	if err != nil {
		if !errors.Is(err, client.ErrTooFew) && !errors.Is(err, client.ErrUndecided) && !errors.Is(err, client.ErrUnavailable) {
			c.failed("a call of %s failed: %v", id, err)
		}
		return
	}
	if string(a.Result) != c.truth(id, q) {
		c.failed("a call of %s returned %s, the truth is %s", id, a.Result, c.truth(id, q))
	}
	for _, s := range a.Struck {
		if !c.nodes[s-1].lies {
			c.failed("honest server %d was struck", s)
		}
	}
}

// truth is what honest servers answer.
func (u *universe) truth(id barnraise.ServiceID, q int) string {
	request := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"ask","params":{"q":%d}}`, q)
	i := u.ledger.services[id-1].Revisions[0].Image
	return fmt.Sprintf("%q", barnraise.Sum(append(i[:], request...)).Hex()[:12])
}

// observer reads the registry.
type observer struct{ *universe }

func (o observer) Snapshot(context.Context) (*barnraise.Snapshot, error) {
	return o.ledger.snapshot(), nil
}
func (o observer) Confirmed(context.Context) (*barnraise.Snapshot, error) {
	return o.ledger.snapshot(), nil
}

// kept keeps evidence in memory.
type kept struct {
	mu    sync.Mutex
	items []barnraise.Evidence
}

func (k *kept) Keep(e barnraise.Evidence) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.items = append(k.items, e)
	return fmt.Sprint(len(k.items)), nil
}

// Strikes in services of owners whom a server has known for long count for a suspension in all services (protocol 7.5).
func TestProtocol7_5OwnersAreKnown(t *testing.T) {
	play(t, 3, 3, func(*universe) {}, func(u *universe) {
		asks := u.nodes[0].life
		for _, epochs := range []int{established - 2, 4} {
			u.after(epochs, nil)
			u.nodes[2].lies = true
			request := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"ask","params":{"q":%d}}`, epochs)
			p, err := asks.client.Probe(context.Background(), 3, 1, request)
			u.nodes[2].lies = false
			var row score.Row
			asks.client.Book(func(b *score.Book) { row, _ = b.Row(3) })
			if err != nil || p.Outcome != client.ProbeStruck || len(row.Strikes) == 0 {
				u.failed("the lie was not seen: %+v, %v", p, err)
			}
			if last := row.Strikes[len(row.Strikes)-1]; last.Known != (epochs == 4) {
				u.failed("after %d more epochs: %+v", epochs, last)
			}
		}
	})
}
