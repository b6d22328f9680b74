package barter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnraise"
)

// host is a server of an example.
type host struct {
	id              barnraise.ServerID
	offers, rewards []barnraise.ServiceID
	age             uint64
	weight          float64
	refuted         []barnraise.ServiceID // offers of it that failed the probe
}

// example is one of the golden examples: what a server makes of a network. What is offered is confirmed unless it is refuted.
type example struct {
	name     string
	self     barnraise.ServerID
	servers  []host
	homes    map[barnraise.ServiceID]barnraise.ServerID
	own      []barnraise.ServiceID
	hosted   []Hosting
	capacity uint32
	epoch    uint64
	want     string // verb, service, for whom, reason
}

func ids[T ~uint32](list ...T) []T { return list }

type (
	sv = barnraise.ServiceID
	hs = barnraise.ServerID
)

// service makes a registered service with a revision in force.
func registered(id barnraise.ServiceID, home barnraise.ServerID) barnraise.Service {
	return barnraise.Service{ID: id, Status: barnraise.StatusActive, Revisions: []barnraise.Revision{{Number: 1, Home: home}}}
}

func (e example) input() Input {
	v := NewView()
	for id, home := range e.homes {
		v.SetService(registered(id, home), 1)
	}
	of := map[barnraise.ServerID]host{}
	for _, h := range e.servers {
		of[h.id] = h
		slices.Sort(h.offers)
		slices.Sort(h.rewards)
		v.SetServer(barnraise.Server{ID: h.id, Status: barnraise.StatusActive, Offers: h.offers, Rewards: h.rewards})
	}
	return Input{
		Self: e.self, View: v, Own: e.own, Capacity: e.capacity, State: State{Hosted: e.hosted}, Epoch: e.epoch, Policy: Default,
		Standing: func(x barnraise.ServerID, s barnraise.ServiceID) Standing {
			if slices.Contains(of[x].refuted, s) {
				return Refuted
			}
			return Confirmed
		},
		Weight:  func(x barnraise.ServerID) float64 { return of[x].weight },
		Age:     func(x barnraise.ServerID) uint64 { return of[x].age },
		Service: func(barnraise.ServiceID) Service { return Service{Cost: 1, MinRequests: 2} },
	}
}

// written is a plan in lines.
func written(actions []Action) string {
	var b strings.Builder
	for _, a := range actions {
		fmt.Fprintf(&b, "%s %d %d %s\n", a.Verb, a.Service, a.For, a.Reason)
	}
	return b.String()
}

// The founding document: A offers Matrix and Search, B and C offer Whisper; A and B reward Matrix, C rewards Whisper. It names
// no home. ASSUMED here: Matrix and Search are at home at A, Whisper at C.
const (
	serverA, serverB, serverC = hs(1), hs(2), hs(3)
	matrix, search, whisper   = sv(1), sv(2), sv(3)
)

var assumedHomes = map[sv]hs{matrix: serverA, search: serverA, whisper: serverC}

func founding(b, c []sv, age uint64) []host {
	return []host{
		{id: serverA, offers: ids(matrix, search), rewards: ids(matrix), age: age, weight: 1},
		{id: serverB, offers: b, rewards: ids(matrix), age: age, weight: 1},
		{id: serverC, offers: c, rewards: ids(whisper), age: age, weight: 1},
	}
}

// third is the example when A has started Whisper as well.
func third() []host {
	servers := founding(ids(whisper, matrix), ids(whisper, matrix), 102)
	servers[0].offers = ids(matrix, search, whisper)
	return servers
}

var foundingExamples = []example{
	{"G1 A owes nothing, and C, old and giving nothing, gets no advance", serverA, founding(ids(whisper), ids(whisper), 100), assumedHomes,
		ids(matrix, search), nil, 4, 100, ""},
	{"G1 B owes A", serverB, founding(ids(whisper), ids(whisper), 100), assumedHomes,
		nil, []Hosting{{Service: whisper, Justified: true}}, 4, 100,
		"start 1 [1] owed to 1\nkeep 3 [] grace: nobody who wants it has served us since epoch 100\n"},
	{"G1 C owes B", serverC, founding(ids(whisper), ids(whisper), 100), assumedHomes,
		ids(whisper), nil, 4, 100, "start 1 [2] owed to 2\n"},
	{"G2 A owes C", serverA, founding(ids(whisper, matrix), ids(whisper, matrix), 101), assumedHomes,
		ids(matrix, search), nil, 4, 101, "start 3 [3] owed to 3\n"},
	{"G2 B owes nothing", serverB, founding(ids(whisper, matrix), ids(whisper, matrix), 101), assumedHomes,
		nil, []Hosting{{Service: whisper, Justified: true, Idle: 100}, {Service: matrix, Since: 100, Justified: true}}, 4, 101,
		"keep 1 [1] pays 1\nkeep 3 [3] pays 3\n"},
	{"G2 C owes nothing", serverC, founding(ids(whisper, matrix), ids(whisper, matrix), 101), assumedHomes,
		ids(whisper), []Hosting{{Service: matrix, Since: 100, Justified: true}}, 4, 101, "keep 1 [2] pays 2\n"},
	{"third epoch, A stays", serverA, third(), assumedHomes,
		ids(matrix, search), []Hosting{{Service: whisper, Since: 101, Justified: true}}, 4, 102, "keep 3 [3] pays 3\n"},
	{"third epoch, B stays", serverB, third(), assumedHomes,
		nil, []Hosting{{Service: whisper, Justified: true}, {Service: matrix, Since: 100, Justified: true}}, 4, 102,
		"keep 1 [1] pays 1\nkeep 3 [3] pays 3\n"},
	{"third epoch, C stays", serverC, third(), assumedHomes,
		ids(whisper), []Hosting{{Service: matrix, Since: 100, Justified: true}}, 4, 102, "keep 1 [1 2] pays 1, 2\n"},
}

// The other examples are told by S, with services of X, Y, Z and P.
const (
	serverS, serverX, serverY, serverZ, serverP = hs(1), hs(2), hs(3), hs(4), hs(5)
	s1, x1, x2, y1, z1, p1                      = sv(1), sv(2), sv(3), sv(4), sv(5), sv(6)
)

var homes = map[sv]hs{s1: serverS, x1: serverX, x2: serverX, y1: serverY, z1: serverZ, p1: serverP}

// full is the network of G8 to G10; the weight is that of X.
func full(weight float64) []host {
	return []host{
		{id: serverS, offers: ids(s1, p1), rewards: ids(s1), age: 50, weight: 1},
		{id: serverP, offers: ids(p1, s1), rewards: ids(p1), age: 50, weight: 1},
		{id: serverX, offers: ids(x1, s1), rewards: ids(x1), age: 50, weight: weight},
		{id: serverY, offers: ids(y1, s1), rewards: ids(y1), age: 50, weight: 0}, // convicted
	}
}

func newcomers(age uint64) []host {
	return []host{
		{id: serverS, offers: ids(s1), rewards: ids(s1), weight: 1},
		{id: serverX, offers: ids(x1), rewards: ids(x1), age: age, weight: 1},
	}
}

var examples = slices.Concat(foundingExamples, []example{
	{"G3 one service pays two, and what is left is advanced", serverS, []host{
		{id: serverS, offers: ids(s1), rewards: ids(s1), age: 50, weight: 1},
		{id: serverX, offers: ids(x1, x2, s1), rewards: ids(x1, z1), age: 50, weight: 1},
		{id: serverY, offers: ids(y1, s1), rewards: ids(y1, z1), age: 50, weight: 1},
		{id: serverZ, offers: ids(z1), rewards: ids(z1), age: 50, weight: 1},
	}, homes, ids(s1), nil, 2, 50, "start 4 [3] advance: 1 of 4 hosts\nstart 5 [2 3] owed to 2, 3\n"},
	{"G4 a false claim counts nothing", serverS, []host{
		{id: serverS, offers: ids(s1), rewards: ids(s1), age: 50, weight: 1},
		{id: serverX, offers: ids(x1, x2, s1), rewards: ids(x1), age: 50, weight: 1, refuted: ids(s1)},
	}, homes, ids(s1), nil, 2, 50, ""},
	{"G5 a newcomer gets an advance", serverS, newcomers(0), homes, ids(s1), nil, 4, 0, "start 2 [2] advance: 1 of 4 hosts\n"},
	{"G5 and returns it", serverX, newcomers(0), homes, ids(x1), nil, 4, 0, "start 1 [1] advance: 1 of 4 hosts\n"},
	{"G6 old, and gave nothing", serverS, newcomers(30), homes, ids(s1), nil, 4, 30, ""},
	{"G7 an advance that nobody answered ends in its fifth epoch", serverS, newcomers(30), homes,
		ids(s1), []Hosting{{Service: x1, Since: 26, Idle: 26}}, 4, 30,
		"stop 2 [] an advance that nobody answered for 4 epochs\n"},
	{"G7 and not in its fourth", serverS, newcomers(30), homes,
		ids(s1), []Hosting{{Service: x1, Since: 26, Idle: 26}}, 4, 29,
		"keep 2 [] advance: waits for an answer since epoch 26\n"},
	{"G8 full: 1.375 > 1.25", serverS, full(1), homes, ids(s1), []Hosting{{Service: p1, Since: 40, Justified: true}}, 1, 50,
		"stop 6 [5] makes room for #2\nstart 2 [2] owed to 2\n"},
	{"G9 full, and too young to go", serverS, full(1), homes, ids(s1), []Hosting{{Service: p1, Since: 48, Justified: true}}, 1, 50,
		"keep 6 [5] pays 5\nunpaid 0 [2] owes 1: no capacity for #2: what could make room has not been here for 4 epochs\n"},
	{"G10 full: 1.075 < 1.25", serverS, full(.7), homes, ids(s1), []Hosting{{Service: p1, Since: 40, Justified: true}}, 1, 50,
		"keep 6 [5] pays 5\n" +
			"unpaid 0 [2] owes 1: no capacity for #2: to displace #6 it has to be worth more than 1.25\n"},
})

func TestGoldenExamples(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			if got := written(Plan(e.input()).Actions); got != e.want {
				t.Errorf("server %d plans\n%swant\n%s", e.self, got, e.want)
			}
		})
	}
}

// Of x1 and y1, which are alike in G3, the hash of self and service decides.
func TestTiesAreBrokenByHash(t *testing.T) {
	seen := map[barnraise.ServiceID]bool{}
	for self := barnraise.ServerID(1); self < 20; self++ {
		seen[slices.MinFunc(ids(x1, y1), func(a, b sv) int { return cmp.Compare(tie(self, a), tie(self, b)) })] = true
	}
	if len(seen) != 2 {
		t.Error("every server starts the same")
	}
}

// A registry takes 256 offers of a server, however much capacity it has.
func TestOffersAreBounded(t *testing.T) {
	e := example{self: serverS, servers: full(1), homes: homes, own: ids(s1), capacity: 9, epoch: 50}
	for id := sv(1000); len(e.own) < barnraise.MaxOffers; id++ {
		e.own = append(e.own, id)
	}
	want := "unpaid 0 [2] owes 1: no capacity for #2: a server may offer 256 services\n" +
		"unpaid 0 [5] owes 1: no capacity for #6: a server may offer 256 services\n"
	if got := written(Plan(e.input()).Actions); got != want {
		t.Errorf("plans\n%swant\n%s", got, want)
	}
	e.own = e.own[:barnraise.MaxOffers-1]
	if got := written(Plan(e.input()).Actions); strings.Count(got, "start") != 1 || strings.Count(got, "unpaid") != 1 {
		t.Errorf("with one less plans\n%s", got)
	}
}

// Of many who reward a service the oldest and the newest are looked at, and an advance names eight.
func TestEligibleAmongMany(t *testing.T) {
	for _, c := range []struct {
		giver barnraise.ServerID
		want  string
	}{
		{2 + 63, "start 2 [65] advance: 0 of 4 hosts\n"}, {2 + 64, ""}, {301 - 64, ""}, {301 - 63, "start 2 [238] advance: 0 of 4 hosts\n"},
	} {
		e := example{self: serverS, servers: []host{{id: serverS, offers: ids(s1), weight: 1}}, homes: homes, own: ids(s1), capacity: 1, epoch: 50}
		for id := barnraise.ServerID(2); id <= 301; id++ {
			h := host{id: id, rewards: ids(x1), age: 50, weight: 1}
			if id == c.giver {
				h.offers = ids(y1)
			}
			e.servers = append(e.servers, h)
		}
		if got := written(Plan(e.input()).Actions); got != c.want {
			t.Errorf("where %d gives plans\n%swant\n%s", c.giver, got, c.want)
		}
	}
}
