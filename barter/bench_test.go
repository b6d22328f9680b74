package barter

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"barnraise"
)

// crowd is a registry of servers that offer and reward at random.
func crowd(servers, services, offers, rewards int) (*View, []barnraise.Server) {
	r := rand.New(rand.NewPCG(1, 2))
	v := NewView()
	pick := func(n int) []barnraise.ServiceID {
		list := make([]barnraise.ServiceID, n)
		for i := range list {
			list[i] = barnraise.ServiceID(r.IntN(services) + 1)
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	list := make([]barnraise.Server, servers)
	for i := range list {
		list[i] = barnraise.Server{
			ID: barnraise.ServerID(i + 1), Status: barnraise.StatusActive, Offers: pick(offers), Rewards: pick(rewards),
		}
		v.SetServer(list[i])
	}
	for s := range services {
		v.SetService(registered(barnraise.ServiceID(s+1), barnraise.ServerID(r.IntN(servers)+1)), 1)
	}
	return v, list
}

type offer struct {
	server  barnraise.ServerID
	service barnraise.ServiceID
}

// busy is the input of a server in the crowd that runs what it offers, has probed what it needs and found one in fifty wrong.
func busy(v *View, s barnraise.Server, capacity uint32) Input {
	standing := map[offer]Standing{}
	for _, id := range s.Rewards {
		for i, h := range v.services[v.serviceAt[id]].hosts {
			standing[offer{h.id, id}] = Confirmed
			if i%50 == 0 {
				standing[offer{h.id, id}] = Refuted
			}
		}
	}
	var hosted []Hosting
	for _, id := range s.Offers {
		hosted = append(hosted, Hosting{Service: id, Since: 80, Justified: true})
	}
	return Input{
		Self: s.ID, View: v, Capacity: capacity, State: State{Hosted: hosted}, Epoch: 100, Policy: Default,
		Standing: func(x barnraise.ServerID, s barnraise.ServiceID) Standing { return standing[offer{x, s}] },
		Refuted: iter.Seq2[barnraise.ServerID, barnraise.ServiceID](func(yield func(barnraise.ServerID, barnraise.ServiceID) bool) {
			for o, s := range standing {
				if s == Refuted && !yield(o.server, o.service) {
					return
				}
			}
		}),
		Weight:  func(x barnraise.ServerID) float64 { return 1 - float64(x%10)/20 },
		Age:     func(x barnraise.ServerID) uint64 { return uint64(x % 100) },
		Service: func(s barnraise.ServiceID) Service { return Service{Cost: uint32(s%4) + 1, MinRequests: 2} },
	}
}

// BenchmarkPlan plans for a hundred servers in turn and reports the median.
func BenchmarkPlan(b *testing.B) {
	for _, size := range []struct{ servers, services, offers, rewards int }{
		{1000, 1000, 10, 5}, {10_000, 5000, 10, 5}, {10_000, 5000, 50, 30},
	} {
		for _, free := range []uint32{0, 12} {
			b.Run(fmt.Sprintf("%dx%d/%d+%d/free=%d", size.servers, size.services, size.offers, size.rewards, free), func(b *testing.B) {
				v, list := crowd(size.servers, size.services, size.offers, size.rewards)
				var inputs []Input
				for _, s := range list[:100] {
					var cost uint32
					for _, id := range s.Offers {
						cost += uint32(id%4) + 1
					}
					inputs = append(inputs, busy(v, s, cost+free))
				}
				var took []time.Duration
				b.ReportAllocs()
				b.ResetTimer()
				for i := 0; b.Loop(); i++ {
					start := time.Now()
					Plan(inputs[i%len(inputs)])
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
			})
		}
	}
}

// BenchmarkSetServer follows a server that offers one service less, and one more.
func BenchmarkSetServer(b *testing.B) {
	for _, offers := range []int{10, 50} {
		b.Run(fmt.Sprint(offers), func(b *testing.B) {
			v, list := crowd(10_000, 5000, offers, 5)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				s := list[i%len(list)]
				if i++; i%(2*len(list)) < len(list) {
					s.Offers = s.Offers[1:]
				}
				v.SetServer(s)
			}
		})
	}
}
