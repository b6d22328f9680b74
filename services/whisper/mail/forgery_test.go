package mail

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// Whatever a server changes shows.
func TestForgeriesAreFound(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	list := made(100, 7)
	a, other := open(t, list), open(t, made(100, 8))
	less := open(t, list[:99])
	forged := 0
	for range 400 {
		q := query(random, list)
		honest := ask(t, a, q)
		for name, forge := range map[string]func(*Answer) bool{
			"withheld":        func(x *Answer) bool { return drop(x, random) },
			"swapped":         func(x *Answer) bool { return swap(x, random) },
			"twice":           func(x *Answer) bool { return repeat(x, random) },
			"cut in silence":  func(x *Answer) bool { cut := x.Next != nil; x.Next = nil; return cut },
			"more than there": func(x *Answer) bool { k := Key{Topic: q.Topics[0]}; none := x.Next == nil; x.Next = &k; return none },
			"foreign": func(x *Answer) bool {
				x.Envelopes = append(x.Envelopes, string(list[random.IntN(len(list))]))
				return true
			},
			"another archive": func(x *Answer) bool { *x = ask(t, other, q); return true },
			"an older one":    func(x *Answer) bool { *x = ask(t, less, q); return true },
			"another query":   func(x *Answer) bool { return ofAnother(t, x, a, q, random, list) },
			"a bit":           func(x *Answer) bool { x.Proof[random.IntN(len(x.Proof))] ^= 1 << random.IntN(8); return true },
			"cut proof":       func(x *Answer) bool { x.Proof = x.Proof[:random.IntN(len(x.Proof))]; return true },
			"long proof":      func(x *Answer) bool { x.Proof = append(x.Proof, 0); return true },
		} {
			x := Answer{slices.Clone(honest.Envelopes), honest.Next, bytes.Clone(honest.Proof)}
			if !forge(&x) {
				continue
			}
			forged++
			if err := check(a.Root(), q, x); err == nil {
				t.Fatalf("%s: %+v is believed %d envelopes, next %v", name, q, len(x.Envelopes), x.Next)
			}
		}
	}
	if forged < 3000 {
		t.Errorf("%d forgeries", forged)
	}
}

func drop(x *Answer, random *rand.Rand) bool {
	if len(x.Envelopes) == 0 {
		return false
	}
	i := random.IntN(len(x.Envelopes))
	x.Envelopes = slices.Delete(x.Envelopes, i, i+1)
	return true
}

func swap(x *Answer, random *rand.Rand) bool {
	if len(x.Envelopes) < 2 {
		return false
	}
	i := 1 + random.IntN(len(x.Envelopes)-1)
	x.Envelopes[i-1], x.Envelopes[i] = x.Envelopes[i], x.Envelopes[i-1]
	return true
}

func repeat(x *Answer, random *rand.Rand) bool {
	if len(x.Envelopes) == 0 {
		return false
	}
	i := random.IntN(len(x.Envelopes))
	x.Envelopes = slices.Insert(x.Envelopes, i, x.Envelopes[i])
	return true
}

// ofAnother puts in the right answer to another question, if it is another answer.
func ofAnother(t *testing.T, x *Answer, a *Archive, q Query, random *rand.Rand, list [][]byte) bool {
	was := *x
	*x = ask(t, a, query(random, list))
	envelopes, next := twin(t, list, q)
	return !slices.Equal(x.Envelopes, was.Envelopes) && (!slices.Equal(x.Envelopes, envelopes) || !reflect.DeepEqual(x.Next, next))
}
