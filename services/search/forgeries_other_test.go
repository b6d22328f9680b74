package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"barnraise/services/search/index"
)

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

var suggestForgeries = []forgery{
	{"term left out", suggests, func(l *lie) string {
		return l.withTerm(func(i, at int) {
			l.suggested.Terms = slices.Delete(l.suggested.Terms, i, i+1)
			l.evidence.leaves = slices.Delete(l.evidence.leaves, at, at+1)
		})
	}},
	{"term left out, leaf shown", suggests, func(l *lie) string {
		return l.withTerm(func(i, _ int) { l.suggested.Terms = slices.Delete(l.suggested.Terms, i, i+1) })
	}},
	{"begins too late", suggests, func(l *lie) string {
		return l.withTerm(func(i, at int) {
			l.suggested.Terms, l.evidence.leaves = l.suggested.Terms[i:], l.evidence.leaves[at:]
		})
	}},
	{"begins with the second", suggests, func(l *lie) string {
		return l.withTerm(func(i, at int) { // the first passes for the neighbour
			l.suggested.Terms, l.evidence.leaves = l.suggested.Terms[i+1:], l.evidence.leaves[at:]
		})
	}},
	{"ends too early", suggests, func(l *lie) string {
		return l.withTerm(func(i, at int) {
			l.suggested.Terms, l.evidence.leaves = l.suggested.Terms[:i], l.evidence.leaves[:at+l.r.IntN(2)]
		})
	}},
	{"one more", suggests, func(l *lie) string {
		n := len(l.evidence.leaves)
		if n == 0 {
			return ""
		}
		next := l.evidence.leaves[n-1]
		if len(l.suggested.Terms) == l.k {
			if next.place+1 == len(l.ledger.leaves) {
				return ""
			}
			next = l.ledger.leaves[next.place+1]
			l.evidence.leaves = append(l.evidence.leaves, next)
		}
		l.suggested.Terms = append(l.suggested.Terms, index.Term{Term: next.term, DF: next.df})
		return l.reprove()
	}},
	{"changed df of a suggestion", suggests, func(l *lie) string { return l.withTerm(func(i, _ int) { l.suggested.Terms[i].DF++ }) }},
	{"changed df of a suggestion and its leaf", suggests, func(l *lie) string {
		return l.withTerm(func(i, at int) {
			l.suggested.Terms[i].DF++
			l.evidence.leaves[at].df++
		})
	}},
	{"other suggestion", suggests, func(l *lie) string { return l.withTerm(func(i, _ int) { l.suggested.Terms[i].Term += "y" }) }},
	{"other suggestion and its leaf", suggests, func(l *lie) string {
		return l.withTerm(func(i, at int) {
			l.suggested.Terms[i].Term += "y"
			l.evidence.leaves[at].term += "y"
		})
	}},
	{"nothing suggested", suggests, func(l *lie) string {
		return l.withTerm(func(i, at int) {
			l.suggested.Terms, l.evidence.leaves = []index.Term{}, slices.Delete(l.evidence.leaves, at-i, at-i+len(l.suggested.Terms))
		})
	}},
}

// withTerm changes a suggestion, if there is one; at is its leaf.
func (l *lie) withTerm(change func(i, at int)) string {
	if len(l.suggested.Terms) == 0 {
		return ""
	}
	i := l.r.IntN(len(l.suggested.Terms))
	at := slices.IndexFunc(l.evidence.leaves, func(shown leaf) bool { return shown.term == l.suggested.Terms[i].Term })
	change(i, at)
	return l.reprove()
}

var documentForgeries = []forgery{
	{"another text", documents, func(l *lie) string { l.read.Text = l.other().Text + l.odd(); return l.reprove() }},
	{"another title", documents, func(l *lie) string { l.read.Title = l.other().Title + l.odd(); return l.reprove() }},
	{"another id", documents, func(l *lie) string { l.read.ID = l.other().ID; return l.reprove() }},
	{"text with a letter more", documents, func(l *lie) string { l.read.Text += "."; return l.reprove() }},
	{"another document", documents, func(l *lie) string {
		n := l.r.IntN(len(l.documents))
		l.read.Document, l.evidence.numbers = l.documents[n], []int{n}
		return l.reprove()
	}},
	{"another document under this id", documents, func(l *lie) string {
		n := l.r.IntN(len(l.documents))
		id := l.read.ID
		l.read.Document, l.evidence.numbers = l.documents[n], []int{n}
		l.read.ID = id
		return l.reprove()
	}},
	{"another number", documents, func(l *lie) string { l.evidence.numbers = []int{l.r.IntN(len(l.documents) + 2)}; return l.reprove() }},
	{"leaf beside a document", documents, func(l *lie) string {
		if len(l.ledger.leaves) == 0 {
			return ""
		}
		l.evidence.leaves = []leaf{l.ledger.leaves[l.r.IntN(len(l.ledger.leaves))]}
		return l.reprove()
	}},
	{"another collection is said to be this", []string{"search_info"}, func(l *lie) string {
		for _, into := range []*string{&l.info.About, &l.info.TermsRoot, &l.info.NamesRoot, &l.info.TextsRoot} {
			if l.r.IntN(4) == 0 {
				*into = strings.Repeat(fmt.Sprint(l.r.IntN(10)), 40)
			}
		}
		return l.write()
	}},
	{"changed description", []string{"search_info"}, func(l *lie) string {
		switch n := l.r.IntN(7); n {
		case 0:
			l.info.Docs++
		case 1:
			l.info.Terms++
		default:
			*[]*string{&l.info.Analyzer, &l.info.Scoring, &l.info.Name, &l.info.Corpus, &l.info.Licence}[n-2] += "2"
		}
		return l.write()
	}},
}

// other is a document at random.
func (l *lie) other() index.Document { return l.documents[l.r.IntN(len(l.documents))] }
