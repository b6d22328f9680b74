package main

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"barnraise/service/merkle"
	"barnraise/services/search/index"
)

// forgery is a way to lie: it gives the forged response, or nothing where the answer at hand does not allow it.
type forgery struct {
	kind    string
	methods []string
	forge   func(l *lie) string
}

var (
	queries   = []string{"search_query"}
	suggests  = []string{"search_suggest"}
	documents = []string{"search_document"}
	proven    = []string{"search_query", "search_suggest", "search_document"}
	everyone  = []string{"search_query", "search_suggest", "search_document", "search_info"}
)

var forgeries = slices.Concat([]forgery{
	{"dropped hit", queries, func(l *lie) string {
		return l.withHit(func(i int) { l.drop(i); l.found.Total -= l.r.IntN(2) })
	}},
	{"hit replaced by the next", queries, func(l *lie) string {
		return l.withHit(func(i int) {
			l.k++
			hits := len(l.found.Hits)
			l.score()
			l.k--
			if len(l.found.Hits) > hits {
				l.drop(i)
			}
		})
	}},
	{"fewer hits than k", queries, func(l *lie) string { return l.withHit(func(int) { l.drop(len(l.found.Hits) - 1) }) }},
	{"no hits", queries, func(l *lie) string {
		return l.withHit(func(int) { l.found.Hits, l.evidence.numbers = []index.Hit{}, nil })
	}},
	{"hit twice", queries, func(l *lie) string {
		return l.withHit(func(i int) {
			l.found.Hits = slices.Insert(l.found.Hits, i, l.found.Hits[i])
			l.evidence.numbers = slices.Insert(l.evidence.numbers, i, l.evidence.numbers[i])
		})
	}},
	{"swapped order", queries, func(l *lie) string {
		return l.withHit(func(i int) {
			j := l.r.IntN(len(l.found.Hits))
			l.found.Hits[i], l.found.Hits[j] = l.found.Hits[j], l.found.Hits[i]
			l.evidence.numbers[i], l.evidence.numbers[j] = l.evidence.numbers[j], l.evidence.numbers[i]
		})
	}},
	{"changed score", queries, func(l *lie) string {
		return l.withHit(func(i int) { l.found.Hits[i].Score += []uint32{1, ^uint32(0), 1 << 31}[l.r.IntN(3)] })
	}},
	{"other hit", queries, func(l *lie) string {
		return l.withHit(func(i int) {
			n := l.r.IntN(len(l.documents))
			l.found.Hits[i].Doc, l.found.Hits[i].Title, l.evidence.numbers[i] = l.documents[n].ID, l.documents[n].Title, n
		})
	}},
	{"other title", queries, func(l *lie) string {
		return l.withHit(func(i int) { l.found.Hits[i].Title = l.documents[l.r.IntN(len(l.documents))].Title + l.odd() })
	}},
	{"other id", queries, func(l *lie) string {
		return l.withHit(func(i int) { l.found.Hits[i].Doc = l.documents[l.r.IntN(len(l.documents))].ID })
	}},
	{"part of the title in the id", queries, func(l *lie) string {
		return l.withHit(func(i int) {
			h := &l.found.Hits[i]
			h.Doc, h.Title = h.Doc[:len(h.Doc)-1], h.Doc[len(h.Doc)-1:]+h.Title
		})
	}},
	{"truncated postings", queries, func(l *lie) string {
		return l.withLeaf(func(shown *leaf) {
			if cut := len(shown.postings) - 1; cut > 0 {
				shown.postings, shown.df = shown.postings[:cut], cut
			}
		})
	}},
	{"changed impact", queries, func(l *lie) string {
		return l.withLeaf(func(shown *leaf) { shown.postings[l.r.IntN(len(shown.postings))].impact += 1 })
	}},
	{"posting more", queries, func(l *lie) string {
		return l.withLeaf(func(shown *leaf) {
			if last := shown.postings[len(shown.postings)-1].document; last+1 < l.evidence.documents {
				shown.postings, shown.df = append(shown.postings, posting{last + 1, 2047}), shown.df+1
			}
		})
	}},
	{"false absence, hash shown", queries, func(l *lie) string {
		return l.withLeaf(func(shown *leaf) {
			shown.hash = shown.postingsHash()
			shown.whole, shown.postings = false, nil
		})
	}},
	{"false absence, neighbours shown", queries, func(l *lie) string {
		return l.withLeaf(func(shown *leaf) {
			place := shown.place
			l.evidence.leaves = slices.DeleteFunc(l.evidence.leaves, func(other leaf) bool { return other.place == place })
			for _, beside := range l.neighbours(place) {
				if !slices.ContainsFunc(l.evidence.leaves, func(other leaf) bool { return other.place == beside.place }) {
					l.evidence.leaves = byPlace(append(l.evidence.leaves, beside))
				}
			}
		})
	}},
	{"false absence, leaf left out", queries, func(l *lie) string {
		return l.withLeaf(func(shown *leaf) {
			i := slices.IndexFunc(l.evidence.leaves, func(other leaf) bool { return other.place == shown.place })
			l.evidence.leaves = slices.Delete(l.evidence.leaves, i, i+1)
		})
	}},
	{"changed df", queries, func(l *lie) string {
		if len(l.found.Terms) == 0 {
			return ""
		}
		l.found.Terms[l.r.IntN(len(l.found.Terms))].DF += 1 + l.r.IntN(2)
		return l.reprove()
	}},
	{"changed df in the proof too", queries, func(l *lie) string { return l.withLeaf(func(shown *leaf) { shown.df++ }) }},
	{"changed total", queries, func(l *lie) string { l.found.Total += 1 - 2*l.r.IntN(2)*min(1, l.found.Total); return l.reprove() }},
	{"other term", queries, func(l *lie) string {
		if len(l.found.Terms) == 0 {
			return ""
		}
		l.found.Terms[l.r.IntN(len(l.found.Terms))].Term += "s"
		return l.reprove()
	}},
	{"a term of the query ignored", queries, func(l *lie) string {
		if len(l.found.Terms) == 0 {
			return ""
		}
		i := l.r.IntN(len(l.found.Terms))
		term := l.found.Terms[i].Term
		l.found.Terms = slices.Delete(l.found.Terms, i, i+1)
		l.evidence.leaves = slices.DeleteFunc(l.evidence.leaves, func(shown leaf) bool { return shown.term == term })
		l.score()
		return l.reprove()
	}},
	{"a leaf too many", []string{"search_query", "search_suggest"}, func(l *lie) string {
		for _, shown := range l.neighbours(l.r.IntN(l.evidence.terms + 1)) {
			if !slices.ContainsFunc(l.evidence.leaves, func(other leaf) bool { return other.place == shown.place }) {
				l.evidence.leaves = byPlace(append(l.evidence.leaves, shown))
				return l.reprove()
			}
		}
		return ""
	}},
}, suggestForgeries, documentForgeries, commonForgeries)

// withHit changes a hit, if there is one.
func (l *lie) withHit(change func(i int)) string {
	if len(l.found.Hits) == 0 {
		return ""
	}
	change(l.r.IntN(len(l.found.Hits)))
	return l.reprove()
}

func (l *lie) drop(i int) {
	l.found.Hits = slices.Delete(l.found.Hits, i, i+1)
	l.evidence.numbers = slices.Delete(l.evidence.numbers, i, i+1)
}

// withLeaf changes the leaf of a term that the collection has, if there is one, and all that follows from it.
func (l *lie) withLeaf(change func(shown *leaf)) string {
	for _, i := range l.r.Perm(len(l.evidence.leaves)) {
		if !l.evidence.leaves[i].whole {
			continue
		}
		change(&l.evidence.leaves[i])
		l.score()
		return l.reprove()
	}
	return ""
}

// neighbours are the leaves before and behind a place, as far as there are any.
func (l *lie) neighbours(place int) (leaves []leaf) {
	for _, i := range []int{place - 1, place + 1} {
		if 0 <= i && i < len(l.ledger.leaves) {
			leaves = append(leaves, l.ledger.leaves[i])
		}
	}
	return leaves
}

var commonForgeries = []forgery{
	{"other root", everyone, func(l *lie) string {
		at := strings.Index(l.honest, `"root":"`) + len(`"root":"`) + l.r.IntN(2*merkle.Size)
		return l.honest[:at] + string("0123456789abcdef"[l.r.IntN(16)]) + l.honest[at+1:]
	}},
	{"changed character", everyone, func(l *lie) string {
		b := []byte(l.honest)
		at := l.r.IntN(len(b))
		b[at] = byte(' ' + l.r.IntN(95))
		if same(string(b), l.honest) {
			return ""
		}
		return string(b)
	}},
	{"member more", everyone, func(l *lie) string {
		if l.r.IntN(2) == 0 {
			return strings.Replace(l.honest, `"result":{`, `"result":{"x":1,`, 1)
		}
		return strings.TrimSuffix(l.honest, "}}") + `,"x":1}}`
	}},
	{"member in a hit", queries, func(l *lie) string { return strings.Replace(l.honest, `{"doc"`, `{"x":0,"doc"`, 1) }},
	{"members in another order", everyone, func(l *lie) string {
		root := `"root":"` + l.root + `",`
		return strings.TrimSuffix(strings.Replace(l.honest, root, "", 1), "}}") + "," + strings.TrimSuffix(root, ",") + "}}"
	}},
	{"no proof", proven, func(l *lie) string { *l.proof() = nil; return l.write() }},
	{"no bytes of proof", proven, func(l *lie) string {
		*l.proof() = nil
		return strings.TrimSuffix(l.write(), "}}") + `,"proof":""}}`
	}},
	{"proof cut short", proven, func(l *lie) string { p := l.proof(); *p = (*p)[:l.r.IntN(len(*p))]; return l.write() }},
	{"bytes behind the proof", proven, func(l *lie) string { p := l.proof(); *p = append(*p, byte(l.r.IntN(256))); return l.write() }},
	{"flipped bit", proven, func(l *lie) string { (*l.proof())[l.r.IntN(len(*l.proof()))] ^= 1 << l.r.IntN(8); return l.write() }},
	{"flipped bytes", proven, func(l *lie) string {
		for range 1 + l.r.IntN(9) {
			(*l.proof())[l.r.IntN(len(*l.proof()))] = byte(l.r.IntN(256))
		}
		return l.write()
	}},
	{"proof in another alphabet", proven, func(l *lie) string {
		text := base64.StdEncoding.EncodeToString(*l.proof())
		return strings.Replace(l.honest, text, strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(text), 1)
	}},
	{"long number", proven, func(l *lie) string {
		p := l.proof()
		at := merkle.Size
		for (*p)[at] >= 0x80 {
			at++
		}
		(*p)[at] |= 0x80
		*p = slices.Insert(*p, at+1, 0)
		return l.write()
	}},
	{"changed counts", proven, func(l *lie) string {
		if l.r.IntN(2) == 0 {
			l.evidence.documents += 1 + l.r.IntN(1<<20)
		} else {
			l.evidence.terms += 1 + l.r.IntN(1<<31)
		}
		return l.reprove()
	}},
	{"answer to another question", proven, func(l *lie) string {
		_, params := l.question()
		request := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, l.method, marshal(params))
		response := string(program.Handle([]byte(request)))
		if !strings.Contains(response, `"result"`) {
			return ""
		}
		return response
	}},
	{"proof of another answer", proven, func(l *lie) string {
		for range 20 {
			other, params := l.question()
			if other != l.method {
				continue
			}
			response := string(program.Handle([]byte(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, other, marshal(params)))))
			at, from := strings.Index(l.honest, `"proof":`), strings.Index(response, `"proof":`)
			return l.honest[:at] + response[from:]
		}
		return ""
	}},
}
