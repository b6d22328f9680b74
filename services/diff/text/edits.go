package text

import "slices"

// Edit replaces the lines from A0 to A1 of one text by the lines from B0 to B1 of another; ends are exclusive.
type Edit struct{ A0, A1, B0, B1 int }

// Edits lists what makes b of a: in order, none of them empty, at least one equal line between two of them. No list is shorter
// as long as few lines differ; where many do, lines that stand once in both texts are held together first.
func Edits(a, b []string) []Edit {
	c := comparison{}
	c.x, c.y = numbered(a, b)
	c.between(Edit{0, len(a), 0, len(b)}, true)
	return c.edits
}

// numbered gives equal lines equal numbers.
func numbered(a, b []string) (x, y []int32) {
	numbers := make(map[string]int32, len(a)+len(b))
	number := func(lines []string) []int32 {
		list := make([]int32, len(lines))
		for i, line := range lines {
			n, ok := numbers[line]
			if !ok {
				n = int32(len(numbers))
				numbers[line] = n
			}
			list[i] = n
		}
		return list
	}
	return number(a), number(b)
}

// comparison collects the edits between two lists.
type comparison struct {
	x, y  []int32
	edits []Edit
}

// add appends an edit, as one with the last where they touch.
func (c *comparison) add(e Edit) {
	if n := len(c.edits); n > 0 && c.edits[n-1].A1 == e.A0 && c.edits[n-1].B1 == e.B0 {
		c.edits[n-1].A1, c.edits[n-1].B1 = e.A1, e.B1
		return
	}
	c.edits = append(c.edits, e)
}

// between compares two stretches. Where too much differs it goes by the lines that are unique in them, if it may, and else
// replaces all that is not equal at their ends.
func (c *comparison) between(e Edit, byUnique bool) {
	e = c.trim(e)
	x, y := c.x[e.A0:e.A1], c.y[e.B0:e.B1]
	if len(x) == 0 && len(y) == 0 {
		return
	}
	if len(x) == 0 || len(y) == 0 {
		c.add(e)
		return
	}
	if equal, ok := shortest(x, y); ok {
		c.around(e, equal)
		return
	}
	if !byUnique {
		c.add(e)
		return
	}
	a0, b0 := e.A0, e.B0
	for _, p := range unique(x, y) {
		c.between(Edit{a0, e.A0 + p.a, b0, e.B0 + p.b}, false)
		a0, b0 = e.A0+p.a+1, e.B0+p.b+1
	}
	c.between(Edit{a0, e.A1, b0, e.B1}, false)
}

// trim leaves out what is equal at the beginning and at the end.
func (c *comparison) trim(e Edit) Edit {
	for e.A0 < e.A1 && e.B0 < e.B1 && c.x[e.A0] == c.y[e.B0] {
		e.A0, e.B0 = e.A0+1, e.B0+1
	}
	for e.A0 < e.A1 && e.B0 < e.B1 && c.x[e.A1-1] == c.y[e.B1-1] {
		e.A1, e.B1 = e.A1-1, e.B1-1
	}
	return e
}

// around adds the edits between equal lines.
func (c *comparison) around(e Edit, equal []pair) {
	a0, b0 := e.A0, e.B0
	for _, p := range append(equal, pair{e.A1 - e.A0, e.B1 - e.B0}) {
		a, b := e.A0+p.a, e.B0+p.b
		if a0 < a || b0 < b {
			c.add(Edit{a0, a, b0, b})
		}
		a0, b0 = a+1, b+1
	}
}

// pair is a place in one list and the equal one in the other.
type pair struct{ a, b int }

// maxDistance is how many lines that only one of the texts has a shortest list of edits is looked for. Time grows with it, and
// memory with its square.
const maxDistance = 512

// shortest is a longest list of equal places in two lists, in order, by the greedy algorithm of Myers ("An O(ND) difference
// algorithm", 1986); false where more than [maxDistance] places differ.
func shortest(x, y []int32) ([]pair, bool) {
	const middle = maxDistance + 1
	var far [2*middle + 1]int32 // by diagonal a−b: how far into x one comes with so many differences
	var trace [][]int32         // what was far, for each number of differences, around its middle
	for d := range maxDistance + 1 {
		trace = append(trace, slices.Clone(far[middle-d:middle+d+1]))
		for k := -d; k <= d; k += 2 {
			a := far[middle+k-1] + 1
			if k == -d || k != d && far[middle+k-1] < far[middle+k+1] {
				a = far[middle+k+1]
			}
			a = slide(x, y, a, a-int32(k))
			far[middle+k] = a
			if int(a) >= len(x) && int(a)-k >= len(y) {
				return back(trace, len(x), len(y)), true
			}
		}
	}
	return nil, false
}

// slide goes on as long as places are equal.
func slide(x, y []int32, a, b int32) int32 {
	for int(a) < len(x) && int(b) < len(y) && x[a] == y[b] {
		a, b = a+1, b+1
	}
	return a
}

// back walks from the end to the beginning and collects what was equal on the way.
func back(trace [][]int32, a, b int) (equal []pair) {
	slide := func(begin int) {
		for ; a > begin; a, b = a-1, b-1 {
			equal = append(equal, pair{a - 1, b - 1})
		}
	}
	for d := len(trace) - 1; d > 0; d-- {
		k := a - b
		if k == -d || k != d && at(trace, d, k-1) < at(trace, d, k+1) { // a line of y
			k++
			slide(at(trace, d, k))
		} else { // a line of x
			k--
			slide(at(trace, d, k) + 1)
		}
		a = at(trace, d, k)
		b = a - k
	}
	slide(0)
	slices.Reverse(equal)
	return equal
}

func at(trace [][]int32, d, k int) int { return int(trace[d][k+d]) }

// unique pairs the values that stand once in each list, as many of them as have the same order in both.
func unique(x, y []int32) []pair {
	inX, inY := places(x), places(y)
	var list []pair
	for i, n := range x {
		if b, ok := inY[n]; ok && b >= 0 && inX[n] == i {
			list = append(list, pair{i, b})
		}
	}
	return rising(list)
}

// places says where each value stands, -1 for one that stands there more than once.
func places(list []int32) map[int32]int {
	m := make(map[int32]int, len(list))
	for i, n := range list {
		if _, again := m[n]; again {
			i = -1
		}
		m[n] = i
	}
	return m
}

// rising is a longest part of the list in which b rises, by patience sorting: a rises already.
func rising(list []pair) []pair {
	var tops []int // by length: the end of such a part whose b is least
	previous := make([]int, len(list))
	for i, p := range list {
		n, _ := slices.BinarySearchFunc(tops, p.b, func(top, b int) int { return list[top].b - b })
		previous[i] = -1
		if n > 0 {
			previous[i] = tops[n-1]
		}
		if n == len(tops) {
			tops = append(tops, i)
		} else {
			tops[n] = i
		}
	}
	var part []pair
	if len(tops) > 0 {
		for i := tops[len(tops)-1]; i >= 0; i = previous[i] {
			part = append(part, list[i])
		}
	}
	slices.Reverse(part)
	return part
}
