package server

import (
	"math/rand/v2"
	"slices"
	"testing"

	"barnraise"
)

// published makes revisions of their activeFrom blocks, in order; the numbers that follow are revoked.
func published(activeFrom []uint64, revoked ...uint32) (list []barnraise.Revision) {
	for i, block := range activeFrom {
		n := uint32(i + 1)
		list = append(list, barnraise.Revision{Number: n, ActiveFrom: block, Revoked: slices.Contains(revoked, n)})
	}
	return list
}

func registryOf(block, grace uint64, services ...barnraise.Service) *barnraise.Snapshot {
	return barnraise.NewSnapshot(testNetwork.Registry(), block, [32]byte{}, grace, services, nil)
}

func service(revisions []barnraise.Revision) barnraise.Service {
	return barnraise.Service{ID: 1, Status: barnraise.StatusActive, Revisions: revisions}
}

// revisionsWanted are the numbers of service 1 that are wanted, ascending.
func revisionsWanted(confirmed, head *barnraise.Snapshot) (list []uint32) {
	for _, k := range wanted(confirmed, head, []barnraise.ServiceID{1}) {
		list = append(list, k.revision)
	}
	slices.Sort(list)
	return list
}

func TestProtocol1_4WhatHostsRun(t *testing.T) {
	ahead := []uint64{1}
	for block := range uint64(1998) {
		ahead = append(ahead, 1000+block)
	}
	crossing := []uint64{1, 1000, 500} // the third revision is active before the second
	for _, c := range []struct {
		name       string
		activeFrom []uint64
		revoked    []uint32
		block      uint64
		want       []uint32
	}{
		{"one", []uint64{1}, nil, 50, []uint32{1}},
		{"from block zero", []uint64{0}, nil, 0, []uint32{1}},
		{"published", []uint64{1, 500}, nil, 100, []uint32{1, 2}},
		{"active", []uint64{1, 500}, nil, 500, []uint32{1, 2}},
		{"within the grace", []uint64{1, 500}, nil, 599, []uint32{1, 2}},
		{"after the grace", []uint64{1, 500}, nil, 600, []uint32{2}},
		{"crossing, before", crossing, nil, 499, []uint32{1, 3}},
		{"crossing, active", crossing, nil, 500, []uint32{1, 3}},
		{"crossing, within the grace", crossing, nil, 599, []uint32{1, 3}},
		{"crossing, after the grace", crossing, nil, 600, []uint32{3}},
		{"crossing, when the second would be active", crossing, nil, 1000, []uint32{3}},
		{"crossing, third revoked", crossing, []uint32{3}, 700, []uint32{1, 2}},
		{"two on one block", []uint64{1, 500, 500}, nil, 100, []uint32{1, 3}},
		{"two ahead", []uint64{1, 500, 501}, nil, 100, []uint32{1, 2, 3}},
		{"thousands ahead", ahead, nil, 100, []uint32{1, 2, 3}},
		{"thousands ahead, in their midst", ahead, nil, 1500, []uint32{501, 502, 503, 504}},
		{"active one revoked", []uint64{1, 500}, []uint32{2}, 550, []uint32{1}},
		{"predecessor revoked", []uint64{1, 500}, []uint32{1}, 550, []uint32{2}},
		{"all revoked", []uint64{1, 500}, []uint32{1, 2}, 550, nil},
		{"none active yet", []uint64{1, 500}, []uint32{1}, 100, []uint32{2}},
	} {
		s := registryOf(c.block, 100, service(published(c.activeFrom, c.revoked...)))
		if got := revisionsWanted(s, s); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Protocol 1.9: what there is to run is what is confirmed; which block it is, and what is revoked, is known at once.
func TestProtocol1_9Confirmed(t *testing.T) {
	for _, c := range []struct {
		name            string
		confirmed, head *barnraise.Snapshot
		want            []uint32
	}{
		{"nothing yet", registryOf(10, 5), registryOf(20, 5, service(published([]uint64{15}))), nil},
		{"a revision is not confirmed", registryOf(10, 5, service(published([]uint64{1}))), registryOf(20, 5, service(published([]uint64{1, 19}))), []uint32{1}},
		{"active by the head", registryOf(10, 5, service(published([]uint64{1, 18}))), registryOf(30, 5, service(published([]uint64{1, 18}))), []uint32{2}},
		{"revoked at the head", registryOf(10, 5, service(published([]uint64{1, 2}))), registryOf(11, 5, service(published([]uint64{1, 2}, 2))), []uint32{1}},
		{"revoked where it is confirmed", registryOf(10, 5, service(published([]uint64{1}, 1))), registryOf(11, 5), nil},
	} {
		if got := revisionsWanted(c.confirmed, c.head); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestWantedServices(t *testing.T) {
	one := published([]uint64{1})
	s := registryOf(10, 5, barnraise.Service{ID: 1, Status: barnraise.StatusActive, Revisions: one}, barnraise.Service{ID: 2, Status: barnraise.StatusLeaving, Revisions: one},
		barnraise.Service{ID: 3, Status: barnraise.StatusGone, Revisions: one}, barnraise.Service{ID: 5, Status: barnraise.StatusActive, Revisions: one})
	want := []hostKey{{1, 1}, {2, 1}}
	if got := wanted(s, s, []barnraise.ServiceID{3, 2, 4, 1, 2}); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Whatever an owner has published: what callers use is there from the block before on, and what they used before for one more
// grace or until the one after it is replaced; and never is there much.
func TestWantedOverTime(t *testing.T) {
	const blocks, grace = 60, 7
	for range 500 {
		var activeFrom []uint64
		for range 1 + rand.IntN(8) {
			activeFrom = append(activeFrom, rand.Uint64N(blocks))
		}
		v := service(published(activeFrom, uint32(rand.IntN(10))))
		var replaced uint32
		var until uint64
		for block := range uint64(blocks) {
			s := registryOf(block, grace, v)
			got := revisionsWanted(s, s)
			now, _ := v.Active(block)
			if block > 0 {
				if before, ok := v.Active(block - 1); ok && before.Number != now.Number {
					replaced, until = before.Number, block+grace
				}
			}
			soon, ok := v.Active(block + 1)
			must := []uint32{now.Number}
			if ok {
				must = append(must, soon.Number)
			}
			if block < until {
				must = append(must, replaced)
			}
			for _, n := range must {
				if n != 0 && !slices.Contains(got, n) {
					t.Fatalf("%v at block %d: %v are wanted, not %d", v.Revisions, block, got, n)
				}
			}
			if len(got) > 2+ahead || slices.ContainsFunc(got, func(n uint32) bool { r, _ := v.Revision(n); return r.Revoked }) {
				t.Fatalf("%v at block %d: %v are wanted", v.Revisions, block, got)
			}
		}
	}
}
