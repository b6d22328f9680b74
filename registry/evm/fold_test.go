package evm

import (
	"bytes"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
)

var long = flag.Bool("long", false, "write more at random")

// fuzzer writes to a registry at random: mostly what its contracts take, partly what they refuse.
type fuzzer struct {
	*testing.T
	r      *Registry
	chain  world
	rand   *rand.Rand
	people []*Account
	writes int
	takes  int // of the writes, those that were taken
}

// testRandomWrites: after any sequence of writes by anybody, the events alone lead to the log, the count, every commitment
// and every head that the contracts store, and the deposits make up what the contracts hold (protocol 1.8).
func testRandomWrites(t *testing.T, chain world) {
	writes, seeds := 400, uint64(2)
	if *long {
		writes, seeds = 2000, 20
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			f := &fuzzer{
				T: t, chain: chain, r: newRegistry(t, chain, testParams), rand: rand.New(rand.NewPCG(seed, 0)),
				people: []*Account{alice, bob, carol, dave},
			}
			for f.writes < writes {
				f.write()
				if f.writes%50 == 0 {
					f.compare()
				}
			}
			t.Logf("%d of %d writes were taken: %d services, %d servers",
				f.takes, f.writes, f.r.head.services.Count(), f.r.head.servers.Count())
			if f.takes < writes/4 || f.takes > writes*9/10 {
				t.Errorf("%d of %d writes were taken: the mix is off", f.takes, f.writes)
			}
		})
	}
}

// write makes one call that may be refused, but never for another reason than the contract's.
func (f *fuzzer) write() {
	f.writes++
	s := sides(f, f.r)[f.rand.IntN(2)]
	count := int(f.r.head.services.Count())
	if s.name == "servers" {
		count = int(f.r.head.servers.Count())
	}
	id := uint32(1 + f.rand.IntN(count+2))
	call, value := f.call(s, id)
	who := f.people[f.rand.IntN(len(f.people))]
	if owner := common.Address(ownerOf(f.r, s, id)); f.rand.IntN(6) > 0 { // most of the time it is the owner
		for _, p := range f.people {
			if p.address == owner {
				who = p
			}
		}
	}
	if f.rand.IntN(25) == 0 {
		advance(f.chain, testParams.UnlockDelay/2)(f)
	}
	err := step{who: who, contract: s.address, value: value, call: call}.run(f.Context(), f.r)
	if err == nil {
		f.takes++
	} else if _, ok := err.(*Revert); !ok {
		f.Fatalf("write %d: %v", f.writes, err)
	}
	if f.rand.IntN(8) == 0 || count == 0 {
		if _, err := f.r.Snapshot(f.Context()); err != nil {
			f.Fatal(err)
		}
	}
}

func ownerOf(r *Registry, s side, id uint32) barnraise.Address {
	head, _ := r.head.services.Head(id)
	if s.name == "servers" {
		head, _ = r.head.servers.Head(id)
	}
	return head.Owner
}

// call packs a random call for a record.
func (f *fuzzer) call(s side, id uint32) ([]byte, *big.Int) {
	service, server := f.r.contracts.service, f.r.contracts.server
	other := f.people[f.rand.IntN(len(f.people))].address
	deposit := milli(int64(45 + f.rand.IntN(40)))
	switch n := f.rand.IntN(20); {
	case n < 1:
		return service.PackSetDelegate(id, other), nil
	case n < 3:
		return service.PackOfferOwnership(id, other), nil
	case n < 6:
		return service.PackAcceptOwnership(id), nil
	case n < 7:
		return service.PackTopUp(id), milli(int64(f.rand.IntN(9)))
	case n < 8:
		return service.PackUnregister(id), nil
	case n < 10:
		return service.PackWithdraw(id), nil
	case n < 13 && s.name == "services":
		return service.PackRegister(fmt.Sprintf("name-%d", f.rand.IntN(6)), packed(f, fmt.Sprint(f.writes))), deposit
	case n < 17 && s.name == "services":
		v := packed(f, fmt.Sprint(f.writes))
		v.Ref, v.Verifier, v.Manifest = f.text(161), f.bytes(66), f.bytes(66)
		return service.PackPublish(id, v, uint64(f.rand.IntN(2))*(uint64(f.r.head.at.Number)+uint64(f.rand.IntN(30)))), nil
	case s.name == "services":
		return service.PackRevoke(id, uint32(f.rand.IntN(4)), f.text(130)), nil
	case n < 13:
		return server.PackRegister(f.text(130), f.key(), f.list(5), f.list(3), f.rand.Uint32()), deposit
	case n < 15:
		return server.PackSetUrl(id, f.text(130)), nil
	case n < 17:
		return server.PackRotateKey(id, f.key()), nil
	}
	return server.PackSetLists(id, f.list(200), f.list(3), f.rand.Uint32()), nil
}

// bytes are up to n of them, most of the time few.
func (f *fuzzer) bytes(n int) []byte {
	b := make([]byte, f.rand.IntN(1+[]int{40, n}[f.rand.IntN(2)]))
	for i := range b {
		b[i] = byte(f.rand.Uint32())
	}
	return b
}

func (f *fuzzer) text(n int) string { return string(f.bytes(n)) }

// key is now and then weak.
func (f *fuzzer) key() (k [32]byte) {
	if f.rand.IntN(4) > 0 {
		return publicKey(fmt.Sprint(f.rand.Uint32()))
	}
	copy(k[:], bytes.Repeat([]byte{1}, f.rand.IntN(2)))
	return k
}

// list ascends, of up to n ids, as a rule.
func (f *fuzzer) list(n int) []uint32 {
	ids := make([]uint32, f.rand.IntN(n+1))
	for i := range ids {
		ids[i] = uint32(2*i + 1 + f.rand.IntN(2))
	}
	if len(ids) > 0 && f.rand.IntN(8) == 0 {
		ids[f.rand.IntN(len(ids))] = 2
	}
	return ids
}

// compare holds storage against what the events lead to.
func (f *fuzzer) compare() {
	snapshot, err := f.r.Snapshot(f.Context()) // which compares log and count
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range sides(f, f.r) {
		sum := new(big.Int)
		count, commitment, head := f.r.head.services.Count(), f.r.head.services.Commitment, f.r.head.services.Head
		if s.name == "servers" {
			count, commitment, head = f.r.head.servers.Count(), f.r.head.servers.Commitment, f.r.head.servers.Head
		}
		for id := uint32(1); id <= count; id++ {
			got, _ := commitment(id)
			if want := s.commitment(f, f.r, id); got != want {
				f.Errorf("%s: commitment of %d is %x, by the events %x", s.name, id, want, got)
			}
			h, _ := head(id)
			f.compareHead(s, id, h)
			sum.Add(sum, h.Deposit)
		}
		if holds := balance(f, f.r, s.address); holds.Cmp(sum) != 0 {
			f.Errorf("%s: the contract holds %s, its deposits are %s", s.name, ether(holds), ether(sum))
		}
	}
	for _, v := range snapshot.Servers() {
		f.compareServer(v)
	}
}

func (f *fuzzer) compareHead(s side, id uint32, got registry.Head) {
	f.Helper()
	h := s.head(f, f.r, id)
	call := f.r.contracts.service
	pending, err := read(f.Context(), f.r, s.address, "latest", call.PackPendingOwner(id), call.UnpackPendingOwner)
	if err != nil {
		f.Fatal(err)
	}
	want := registry.Head{
		Owner: barnraise.Address(h.Owner), Delegate: barnraise.Address(h.Delegate), PendingOwner: barnraise.Address(pending),
		Status: barnraise.Status(h.Status), Deposit: got.Deposit, Since: h.Since, UnlockAt: h.UnlockAt, Edits: h.Edits,
	}
	if got != want || got.Deposit.Cmp(h.Deposit) != 0 {
		f.Errorf("%s: head of %d is %+v with %s, by the events %+v with %s", s.name, id, want, h.Deposit, got, got.Deposit)
	}
}

// compareServer checks that keys replace each other without a gap or an overlap, and that the current one is the last.
func (f *fuzzer) compareServer(v barnraise.Server) {
	for i, k := range v.Keys {
		last := i == len(v.Keys)-1
		if !last && (k.To == 0 || k.To > v.Keys[i+1].From) || k.To != 0 && (k.To < k.From || k.ReplacedAt == 0) {
			f.Errorf("server %s: key %d of %d is %+v", v.ID, i, len(v.Keys), k)
		}
	}
}

// testSnapshotIncremental: a snapshot that grew with the chain equals one that was read at once, and an older one did not
// change meanwhile.
func testSnapshotIncremental(t *testing.T, chain world) {
	f := &fuzzer{
		T: t, chain: chain, r: newRegistry(t, chain, testParams), rand: rand.New(rand.NewPCG(7, 7)), people: []*Account{alice, bob},
	}
	var old *barnraise.Snapshot
	var services []barnraise.Service
	var servers []barnraise.Server
	for f.writes < 120 {
		f.write()
		if f.writes == 60 {
			f.compare()
			old = f.r.head.snapshot
			services, servers = deepCopy(old)
		}
	}
	for range 40 { // until no revision waits, so that the chain stands still
		advance(chain, time.Second)(t)
	}
	grown, err := f.r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := open(t, chain, f.r.Network()).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(grown, fresh) {
		t.Error("the snapshot that grew differs from the one read at once")
	}
	if s, v := deepCopy(old); !reflect.DeepEqual(s, services) || !reflect.DeepEqual(v, servers) {
		t.Error("an old snapshot changed")
	}
	if again, err := f.r.Snapshot(t.Context()); err != nil || again != grown {
		t.Errorf("without a new block there is another snapshot: %v", err)
	}
}

func deepCopy(s *barnraise.Snapshot) ([]barnraise.Service, []barnraise.Server) {
	services, servers := s.Services(), s.Servers()
	for i := range services {
		services[i].Revisions = append([]barnraise.Revision(nil), services[i].Revisions...)
	}
	for i := range servers {
		servers[i].Keys = append([]barnraise.Key(nil), servers[i].Keys...)
	}
	return services, servers
}
