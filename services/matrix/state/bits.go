package state

import "math/bits"

// set is a set of events by their numbers. It ends where its greatest member may stand: what lies behind is not in it.
type set []uint64

func newSet(n int) set { return make(set, (n+63)/64) }

func (s set) has(i int32) bool {
	w := int(i >> 6)
	return w < len(s) && s[w]>>(i&63)&1 != 0
}

func (s set) add(i int32)    { s[i>>6] |= 1 << (i & 63) }
func (s set) remove(i int32) { s[i>>6] &^= 1 << (i & 63) }

// join adds the members of a set that is no longer.
func (s set) join(t set) {
	for i, w := range t {
		s[i] |= w
	}
}

// meet keeps the members that are also in t.
func (s set) meet(t set) {
	for i := range s {
		if i < len(t) {
			s[i] &= t[i]
		} else {
			s[i] = 0
		}
	}
}

// without takes the members of t out, which is no longer.
func (s set) without(t set) {
	for i, w := range t {
		s[i] &^= w
	}
}

// meets reports whether the sets have a member in common.
func (s set) meets(t set) bool {
	for i := range min(len(s), len(t)) {
		if s[i]&t[i] != 0 {
			return true
		}
	}
	return false
}

func (s set) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// all yields the members, least first.
func (s set) all(yield func(int32) bool) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if !yield(int32(i<<6 + bits.TrailingZeros64(w))) {
				return
			}
		}
	}
}
