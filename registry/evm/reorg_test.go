package evm

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"barnraise/registry"
)

// deepest is how many blocks a reorganisation of [testReorgs] replaces at most.
const deepest = 40

// testReorgs: after a reorganisation of 1 to 40 blocks, to a chain that is shorter, as long or longer, the index equals a fresh
// one byte for byte: every record, commitment, count and running hash.
func testReorgs(t *testing.T, chain world) {
	f := &fuzzer{
		T: t, chain: chain, r: newRegistry(t, chain, testParams), rand: rand.New(rand.NewPCG(40, 40)),
		people: []*Account{alice, bob, carol, dave},
	}
	for range 80 {
		f.write() // there is something before what changes
	}
	first := f.height()
	differ := 0
	for depth := uint64(1); depth <= deepest; depth++ {
		for f.height() < first+depth {
			f.block()
		}
		f.block()
		_, before := f.state(f.r)
		head := f.height()
		if err := chain.Fork(head - depth); err != nil {
			t.Fatal(err)
		}
		for range depth + depth%3 - 1 + depth%2 { // shorter, as long, or longer
			f.block()
		}
		f.block()
		after, want := f.both()
		if !bytes.Equal(after, want) {
			t.Fatalf("%d blocks from %d on: the index differs from a fresh one\n%.3000s\n%.3000s", depth, head-depth, after, want)
		}
		if !bytes.Equal(before, after) {
			differ++
		}
	}
	t.Logf("%d of %d writes were taken, %d services, %d servers, block %d",
		f.takes, f.writes, f.r.head.services.Count(), f.r.head.servers.Count(), f.height())
	if differ < deepest || f.takes < deepest {
		t.Errorf("%d reorganisations changed something, and %d writes were taken: nothing is tried here", differ, f.takes)
	}
}

// both are the states of the index and of a fresh one at the same block: a chain that waits for a revision makes blocks by itself.
func (f *fuzzer) both() (index, fresh []byte) {
	for range 20 {
		at, got := f.state(f.r)
		same, fresh := f.state(open(f, f.chain, f.r.Network()))
		if at == same {
			return got, fresh
		}
	}
	f.Fatal("the chain does not stand still")
	return nil, nil
}

// block writes something in every fourth block or so.
func (f *fuzzer) block() {
	if f.rand.IntN(4) == 0 {
		head := f.height()
		if f.write(); f.height() > head {
			return
		}
	}
	advance(f.chain, time.Second)(f)
}

func (f *fuzzer) height() uint64 {
	head, err := latest(f.Context(), f.r.client)
	if err != nil {
		f.Fatal(err)
	}
	return uint64(head.Number)
}

// state is all that an index knows at the head, in bytes, and which block that is.
func (f *fuzzer) state(r *Registry) (registry.BlockHash, []byte) {
	if _, err := r.Snapshot(f.Context()); err != nil {
		f.Fatal(err)
	}
	s, err := r.State(f.Context())
	var b bytes.Buffer
	if err == nil {
		err = registry.WriteState(&b, s)
	}
	if err != nil {
		f.Fatal(err)
	}
	return s.Hash, b.Bytes()
}
