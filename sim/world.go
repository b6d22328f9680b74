package sim

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"barnraise"
	"barnraise/barter"
)

// world is a registry in memory, and who is in it.
type world struct {
	options  Options
	epoch    uint64
	view     *barter.View // the registry as it was when the epoch began
	servers  []*server
	byID     []int32 // index into servers by id; gone where an id was left
	services []served
	draw     *rand.Rand // of what happens to the world, never of what a server does
	changed  int        // servers that changed their lists in this epoch
	entered  int        // servers that came under a new id in it
}

// served is one service.
type served struct {
	home       int // index into servers
	cost       uint32
	rewardedBy int
}

const gone = -1

// service is the service at an index: ids count from 1.
func serviceID(i int) barnraise.ServiceID { return barnraise.ServiceID(i + 1) }

func newWorld(o Options) *world {
	w := &world{
		options: o, view: barter.NewView(), byID: []int32{gone}, draw: rand.New(rand.NewPCG(o.Seed, 1)),
		servers: make([]*server, o.Servers), services: make([]served, o.Services),
	}
	for i := range w.servers {
		w.servers[i] = &server{
			kind: o.kind(w.draw.Float64()), capacity: o.capacity(w.draw.NormFloat64()), rand: rand.New(rand.NewPCG(o.Seed, 2+uint64(i))),
		}
	}
	costs := []uint32{1, 1, 1, 1, 2, 2, 4}
	for i := range w.services {
		home := w.draw.IntN(o.Servers)
		w.services[i] = served{home: home, cost: costs[w.draw.IntN(len(costs))]}
		w.servers[home].own = append(w.servers[home].own, serviceID(i))
	}
	w.wishes()
	for i := range w.servers {
		w.register(i)
	}
	return w
}

// kind is what a server is, by a chance from 0 to 1.
func (o Options) kind(chance float64) kind {
	for _, k := range []struct {
		kind  kind
		share float64
	}{{freeRider, o.FreeRiders}, {whitewasher, o.Whitewashers}, {liar, o.Liars}} {
		if chance < k.share {
			return k.kind
		}
		chance -= k.share
	}
	return honest
}

// capacity is lognormal about the mean.
func (o Options) capacity(normal float64) uint32 {
	return uint32(max(1, math.Round(o.Capacity*math.Exp(0.5*normal-0.125))))
}

// wishes has every server reward what is its own, and some services of others, the popular ones more often: the i-th with a
// weight of 1/i^0.8.
func (w *world) wishes() {
	popularity := make([]float64, len(w.services))
	sum := 0.0
	for i := range popularity {
		sum += math.Pow(float64(i+1), -0.8)
		popularity[i] = sum
	}
	for _, s := range w.servers {
		s.rewards = slices.Clone(s.own)
		for range poisson(w.draw, w.options.Rewards) {
			s.rewards = append(s.rewards, serviceID(sort.SearchFloat64s(popularity, w.draw.Float64()*sum)))
		}
		slices.Sort(s.rewards)
		s.rewards = slices.Compact(s.rewards)
		s.rewards = s.rewards[:min(len(s.rewards), barnraise.MaxRewards)]
		for _, id := range s.rewards {
			w.services[id-1].rewardedBy++
		}
	}
}

// poisson counts how many chances multiply to less than e^-mean.
func poisson(r *rand.Rand, mean float64) (n int) {
	for x := r.Float64(); x > math.Exp(-mean); x *= r.Float64() {
		n++
	}
	return n
}

// register gives a server an id of its own, makes it the home of its services, and forgets what it knew.
func (w *world) register(i int) {
	s := w.servers[i]
	if s.id != 0 {
		w.byID[s.id] = gone
		w.view.SetServer(barnraise.Server{ID: s.id, Status: barnraise.StatusGone})
	}
	s.enter(barnraise.ServerID(len(w.byID)), w.epoch, w.options.Policy)
	w.byID = append(w.byID, int32(i))
	for _, id := range s.own {
		home := []barnraise.Revision{{Number: 1, Home: s.id}}
		w.view.SetService(barnraise.Service{ID: id, Status: barnraise.StatusActive, Revisions: home}, w.epoch)
	}
	w.view.SetServer(s.publish())
}

// step plays one epoch: some servers are replaced; then each server plans at a moment of its own. Those of one moment see the
// same registry, and all that they do is published at once.
func (w *world) step(ctx context.Context) error {
	w.epoch++
	w.changed, w.entered = 0, 0
	for i, s := range w.servers {
		if w.draw.Float64() < w.options.Churn || s.returns(w.epoch, w.options.Policy) {
			w.register(i)
			w.entered++
		}
	}
	turns := make([][]*server, w.options.Moments)
	for _, s := range w.servers {
		m := s.rand.IntN(w.options.Moments)
		turns[m] = append(turns[m], s)
	}
	for _, turn := range turns {
		if err := each(ctx, turn, func(s *server, d *desk) { s.live(w, d) }); err != nil {
			return err
		}
		for _, s := range turn {
			if s.changed {
				w.changed++
				w.view.SetServer(s.publish())
			}
		}
	}
	return nil
}

// each does something with each of the servers, on all processors; none may touch what another one sees.
func each(ctx context.Context, servers []*server, do func(*server, *desk)) error {
	var next atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			d := new(desk)
			for i := next.Add(1); int(i) <= len(servers) && ctx.Err() == nil; i = next.Add(1) {
				do(servers[i-1], d)
			}
		})
	}
	group.Wait()
	return ctx.Err()
}

// at is the server of an id, nil where nobody has it any more.
func (w *world) at(id barnraise.ServerID) *server {
	if i := w.byID[id]; i != gone {
		return w.servers[i]
	}
	return nil
}
