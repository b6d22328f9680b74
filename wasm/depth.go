package wasm

import (
	"iter"
	"math"
	"slices"
)

// How calls count in slots, by sentence 7 of the rule.
const (
	frameSlots = 24   // of each function, beside its variables and operands
	slotShare  = 512  // of its size and complexity makes one more: for what a compiler keeps that does not share
	maxChain   = 2048 // of functions that are not counted
)

// callGraph says who calls whom. Its nodes are the functions of a module without its imports, and behind them the types that
// call_indirect names: such a type calls all functions of it that a table may come to hold.
type callGraph struct {
	slots []int64 // of functions; of types 0
	calls [][]uint32
}

// graph takes all function bodies apart, and fails where that fails for one of them.
func (l *layout) graph() (g callGraph, err error) {
	types, references := map[FuncType]uint32{}, slices.Clone(l.references)
	for i := range l.bodies {
		f, err := l.scan(i)
		if err != nil {
			return g, l.inFunction(i, err)
		}
		for _, t := range f.indirect {
			node, ok := types[l.types[t].text]
			if !ok {
				node = uint32(len(l.bodies) + len(types))
				types[l.types[t].text] = node
			}
			f.calls = append(f.calls, node)
		}
		g.slots, g.calls = append(g.slots, f.slots()), append(g.calls, f.calls)
		references = append(references, f.references...)
	}
	g.slots = append(g.slots, make([]int64, len(types))...)
	g.calls = append(g.calls, make([][]uint32, len(types))...)
	slices.Sort(references)
	for _, f := range slices.Compact(references) {
		if uint64(f) >= uint64(len(l.functions)) || int(f) < len(l.imports) {
			continue
		}
		if node, ok := types[l.types[l.functions[f]].text]; ok {
			g.calls[node] = append(g.calls[node], f-uint32(len(l.imports)))
		}
	}
	return g, nil
}

// charges are what each function takes of the stack while it runs: 0 for those that are not counted.
func (g callGraph) charges() []uint32 {
	charges, counted := make([]uint32, len(g.slots)), make([]bool, len(g.slots))
	ways := make([]way, len(g.slots)) // from those that are not counted
	from := func(v uint32) (w way) {
		w.through = nowhere
		for _, callee := range g.calls[v] {
			if counted[callee] {
				w.through = max(w.through, 0)
			} else {
				w.chain, w.through = max(w.chain, ways[callee].chain), max(w.through, ways[callee].through)
			}
		}
		w.chain += g.slots[v]
		w.through += g.slots[v]
		return w
	}
	for group := range g.groups() {
		recursive := len(group) > 1 || slices.Contains(g.calls[group[0]], group[0])
		for _, v := range group {
			counted[v] = g.slots[v] > 0 && (recursive || from(v).chain > maxChain)
		}
		for _, v := range group { // types before those that call them
			if !counted[v] {
				ways[v] = from(v)
			}
		}
		for _, v := range group {
			if counted[v] {
				charges[v] = uint32(min(max(g.slots[v], from(v).through), math.MaxInt32))
			}
		}
	}
	return charges
}

// way is how many slots calls may take that begin with a node and go on through functions that are not counted: at most, and
// at most until one that is counted is called.
type way struct{ chain, through int64 }

// nowhere is far below anything, and means that no function that is counted is reached.
const nowhere = math.MinInt64 / 2

// groups are the nodes, those together that call one another, after all that they call.
func (g callGraph) groups() iter.Seq[[]uint32] {
	return func(yield func([]uint32) bool) {
		n := len(g.calls)
		first, low := make([]uint32, n), make([]uint32, n) // when a node was seen, from 1; the first that it leads back to
		looked, done := make([]int, n), make([]bool, n)
		var seen uint32
		var path, open []uint32
		enter := func(v uint32) {
			seen++
			first[v], low[v] = seen, seen
			path, open = append(path, v), append(open, v)
		}
		for root := range n {
			if first[root] == 0 {
				enter(uint32(root))
			}
			for len(path) > 0 {
				v := path[len(path)-1]
				if looked[v] < len(g.calls[v]) {
					w := g.calls[v][looked[v]]
					looked[v]++
					switch {
					case first[w] == 0:
						enter(w)
					case !done[w]:
						low[v] = min(low[v], first[w])
					}
					continue
				}
				path = path[:len(path)-1]
				if len(path) > 0 {
					low[path[len(path)-1]] = min(low[path[len(path)-1]], low[v])
				}
				if low[v] < first[v] {
					continue
				}
				at := len(open) - 1
				for open[at] != v {
					at--
				}
				for _, w := range open[at:] {
					done[w] = true
				}
				if !yield(open[at:]) {
					return
				}
				open = open[:at]
			}
		}
	}
}
