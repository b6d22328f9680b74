package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/devnet"
	"barnraise/hosting"
	"barnraise/registry/evm"
	"barnraise/server"
)

var long = flag.Bool("long", false, "also run what takes minutes")

// TestKilledAtBarter kills a server that barters, as kill -9 does, at moments of chance while it starts what it owes, hosts it, and
// withdraws it because its operator takes the room away. It comes back by a supervisor alone, and in the end runs and offers what
// it means to. What it does not run it never offers for longer than an epoch, and nothing that it started outlives it.
func TestKilledAtBarter(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes most of a minute")
	}
	kills := 3
	if *long {
		kills = 10
	}
	b := newBarterer(t)
	chance := rand.New(rand.NewPCG(1, 2))
	for i := range kills {
		what := []string{"starts", "hosts", "withdraws"}[i%3]
		b.reach(what)
		wait := time.Duration(chance.Int64N(int64(2 * time.Second)))
		b.watch(wait)
		t.Logf("killed %s after it %s: %s", wait.Round(time.Millisecond), what, b)
		b.kill()
	}
	b.reach("hosts")
	b.settles(b.service)
	b.process.leave(t)
	if left := b.workers(); len(left) > 0 {
		t.Errorf("processes %d outlive the server", left)
	}
}

// barterer is a server that owes another one, in a process of its own.
type barterer struct {
	t       *testing.T
	net     *devnet.Net
	me      devnet.Member
	epoch   time.Duration
	config  server.Config
	process *process
	service barnraise.ServiceID // that is owed
	chain   *evm.Registry
	owner   *evm.Account

	offers, runs, means []barnraise.ServiceID // as seen last
	hollow              map[barnraise.ServiceID]time.Time
}

func newBarterer(t *testing.T) *barterer {
	t.Helper()
	b := &barterer{t: t, epoch: 5 * time.Second, hollow: make(map[barnraise.ServiceID]time.Time)}
	n, err := devnet.Up(t.Context(), devnet.Options{Dir: t.TempDir(), Barter: &devnet.Barter{
		Epoch:    b.epoch,
		Services: []devnet.Service{{Name: "liked", Program: "whisper"}, {Name: "owed", Program: "whisper", Config: []byte(`{"n":1}`)}},
		Parties:  []devnet.Party{{Rewards: []string{"owed"}}, {Rewards: []string{"liked"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	b.net, b.me, b.service = n, n.Servers[1], n.Network.Names["owed"]
	if err := b.me.Stop(); err != nil { // from now on it is a process
		t.Fatal(err)
	}
	b.start()
	return b
}

// start starts the process. It has room for what its operator says on chain.
func (b *barterer) start() {
	b.t.Helper()
	file := filepath.Join(b.me.Data, "process.yaml")
	was, err := os.ReadFile(filepath.Join(b.me.Data, "server.yaml"))
	if err != nil {
		b.t.Fatal(err)
	}
	write(b.t, file, strings.NewReplacer("data: .\n", "data: d\nruntime: wasm\n", "capacity: 8\n", "").Replace(string(was)))
	if b.config, err = server.ReadConfig(file); err != nil || b.config.Capacity != 0 {
		b.t.Fatalf("capacity %d, %v", b.config.Capacity, err)
	}
	if b.chain, err = evm.Dial(b.t.Context(), b.net.Network); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(b.chain.Close)
	accounts := filepath.Dir(b.config.Account)
	if b.owner, err = evm.ReadAccount(filepath.Join(accounts, "owner-2")); err != nil {
		b.t.Fatal(err)
	}
	b.process = &process{args: []string{"barnraise", "serve", "--config", file}, dir: b.me.Data, env: os.Environ(), log: b.me.Data + "/log"}
	b.process.start(b.t)
	b.t.Cleanup(func() { b.process.end(b.t) })
}

func (b *barterer) String() string {
	return fmt.Sprintf("it offers %d, runs %d, means to host %d, by processes %d", b.offers, b.runs, b.means, b.workers())
}

// workers are the processes that run its services.
func (b *barterer) workers() []int {
	return find(func(args []string) bool {
		return len(args) > 1 && args[1] == "worker" && slices.Contains(args, filepath.Join(b.config.Data, "worker"))
	})
}

// meets reports whether it offers and runs what it means to, that is these, in one process.
func (b *barterer) meets(want ...barnraise.ServiceID) bool {
	return slices.Equal(b.means, want) && slices.Equal(b.offers, want) && slices.Equal(b.runs, want) && len(b.workers()) == 1
}

// reach brings it to where it starts, hosts or withdraws what it owes.
func (b *barterer) reach(what string) {
	b.t.Helper()
	if v := b.look(); what != "withdraws" && v.Capacity == 0 {
		b.settles()
		b.room(8)
	}
	b.until("it means to host", func() bool { return slices.Equal(b.means, []barnraise.ServiceID{b.service}) })
	if what == "starts" {
		return
	}
	b.until("it hosts", func() bool { return b.meets(b.service) })
	if what == "withdraws" {
		b.room(0)
		b.until("it means to host nothing", func() bool { return len(b.means) == 0 })
	}
}

// room is what the operator says on chain that he has for others.
func (b *barterer) room(units uint32) {
	b.t.Helper()
	v := b.look()
	if _, err := b.chain.SetLists(b.t.Context(), b.owner, v.ID, v.Offers, v.Rewards, units); err != nil {
		b.t.Fatal(err)
	}
}

// kill kills the process and starts another one, once all that belonged to the first has ended.
func (b *barterer) kill() {
	b.t.Helper()
	was := b.workers()
	b.process.kill(b.t)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left := slices.DeleteFunc(b.workers(), func(pid int) bool { return !slices.Contains(was, pid) })
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("processes %d outlive the server that was killed", left)
		}
	}
	clear(b.hollow) // what is dead can withdraw nothing
	b.process.start(b.t)
}

const (
	everyLook = 50 * time.Millisecond
	inTime    = 2 * time.Minute
)

// watch looks for some time.
func (b *barterer) watch(d time.Duration) {
	b.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(min(everyLook, time.Until(end))) {
		b.look()
	}
}

func (b *barterer) until(what string, so func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(inTime); ; time.Sleep(everyLook) {
		if b.look(); so() {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("it does not come to where %s: %s", what, b)
		}
	}
}

// settles waits until it offers and runs what it means to, that is these, and goes on so for an epoch.
func (b *barterer) settles(want ...barnraise.ServiceID) {
	b.t.Helper()
	var since time.Time
	b.until(fmt.Sprintf("it hosts %d and that is all", want), func() bool {
		if !b.meets(want...) {
			since = time.Time{}
		} else if since.IsZero() {
			since = time.Now()
		}
		return !since.IsZero() && time.Since(since) > b.epoch
	})
}

// look sees what the server offers, runs and means, and that it does not offer for long what it does not run.
func (b *barterer) look() barnraise.Server {
	b.t.Helper()
	s, err := b.net.Snapshot(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	me, _ := s.Server(b.me.ID)
	b.offers, b.runs, b.means = me.Offers, b.introduced(s, me), b.meant()
	maps.DeleteFunc(b.hollow, func(id barnraise.ServiceID, _ time.Time) bool { return !slices.Contains(me.Offers, id) })
	for _, id := range me.Offers {
		switch since, was := b.hollow[id]; {
		case slices.Contains(b.runs, id):
			delete(b.hollow, id)
		case !was:
			b.hollow[id] = time.Now()
		case time.Since(since) > b.epoch:
			b.t.Fatalf("for %s %d is offered and does not run", time.Since(since), id)
		}
	}
	return me
}

// introduced is what it says that it runs; nothing where it does not answer.
func (b *barterer) introduced(s *barnraise.Snapshot, me barnraise.Server) (ids []barnraise.ServiceID) {
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, me.URL+"/.well-known/barnraise", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil
	}
	defer a.Body.Close()
	token, err := io.ReadAll(io.LimitReader(a.Body, barnraise.MaxToken))
	if err != nil || a.StatusCode != http.StatusOK {
		return nil
	}
	i, err := barnraise.CheckIntroduction(s, me, string(token), time.Now().Unix())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, h := range i.Hosts {
		ids = append(ids, h.Service)
	}
	return ids
}

// meant is what its plan says by what it has kept.
func (b *barterer) meant() (ids []barnraise.ServiceID) {
	kept, err := readStore(b.t.Context(), b.config)
	if err != nil {
		return nil // it has not come to make one
	}
	defer kept.Close()
	var book struct{ Ledger hosting.Ledger }
	if _, err := kept.Documents(server.MemoryKind).Load("book", &book); err != nil {
		b.t.Fatal(err)
	}
	for _, e := range book.Ledger.Entries {
		if e.Phase == hosting.Hosting {
			ids = append(ids, e.Service)
		}
	}
	return ids
}
