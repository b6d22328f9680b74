// Search is full text search as a service: it answers questions about one immutable collection of texts, which is part of the
// program. The same image gives the same answers everywhere, so it does not matter who runs it. A caller who wants to know at once
// asks for a proof: that the answer is right and complete, against the one hash that names the collection.
//
// In the repository the collection is a small sample; search-build makes a real one and the overlay to build the program with.
package main

import (
	_ "embed"
	"errors"
	"fmt"

	"barnraise/jsonrpc"
	"barnraise/service"
	"barnraise/services/search/index"
)

//go:embed openrpc.json
var openrpc string

// collection is the index that the program was built with.
//
//go:embed index.bin
var collection string

var program = service.New("search", openrpc,
	service.Method("search_query", query),
	service.Method("search_suggest", suggest),
	service.Method("search_document", document),
	service.Method("search_info", info),
).Warm(func(s *service.Service) {
	s.Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"search_query","params":["what there is"]}`))
	s.Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"search_query","params":["what there is",10,true]}`))
})

func main() { program.Serve() }

// Limits of a query, beside those of package index.
const (
	maxQuery       = 1 << 10 // bytes
	maxHits        = 1000
	maxProvenHits  = 50
	maxSuggestions = 20
	some           = 10 // where the caller does not say
)

// The errors of the service.
var (
	errTooBroad = &jsonrpc.Error{Code: -32010, Message: "too_broad"}
	errUnknown  = &jsonrpc.Error{Code: -32011, Message: "unknown_doc"}
)

type queryParams struct {
	Q     string `json:"q"`
	K     *int   `json:"k"`
	Proof bool   `json:"proof,omitzero"`
}

// found is the answer to a query.
type found struct {
	Root string `json:"root"`
	index.Result
	Proof []byte `json:"proof,omitzero"`
}

func query(p queryParams) (f found, failed *jsonrpc.Error) {
	most := maxHits
	if p.Proof {
		most = maxProvenHits
	}
	k, failed := count(p.K, most, p.Proof)
	switch {
	case len(p.Q) > maxQuery:
		return f, invalid("param %q: %d bytes, at most %d", "q", len(p.Q), maxQuery)
	case failed != nil:
		return f, failed
	}
	x, err := index.Open(collection)
	if err != nil {
		return f, failure(err)
	}
	f.Root = x.Root()
	if p.Proof {
		f.Result, f.Proof, err = x.ProveSearch(p.Q, k)
	} else {
		f.Result, err = x.Search(p.Q, k)
	}
	return f, failure(err)
}

type suggestParams struct {
	Prefix string `json:"prefix"`
	K      *int   `json:"k"`
	Proof  bool   `json:"proof,omitzero"`
}

// suggested are terms.
type suggested struct {
	Root  string       `json:"root"`
	Terms []index.Term `json:"terms"`
	Proof []byte       `json:"proof,omitzero"`
}

func suggest(p suggestParams) (s suggested, failed *jsonrpc.Error) {
	k, failed := count(p.K, maxSuggestions, false)
	switch {
	case len(p.Prefix) > index.MaxPrefix:
		return s, invalid("param %q: %d bytes, at most %d", "prefix", len(p.Prefix), index.MaxPrefix)
	case failed != nil:
		return s, failed
	}
	x, err := index.Open(collection)
	if err != nil {
		return s, failure(err)
	}
	s.Root = x.Root()
	if p.Proof {
		s.Terms, s.Proof, err = x.ProveSuggest(p.Prefix, k)
	} else {
		s.Terms, err = x.Suggest(p.Prefix, k)
	}
	return s, failure(err)
}

type documentParams struct {
	Doc   string `json:"doc"`
	Proof bool   `json:"proof,omitzero"`
}

// read is a document.
type read struct {
	Root string `json:"root"`
	index.Document
	Proof []byte `json:"proof,omitzero"`
}

func document(p documentParams) (r read, failed *jsonrpc.Error) {
	x, err := index.Open(collection)
	if err != nil {
		return r, failure(err)
	}
	r.Root = x.Root()
	if p.Proof {
		r.Document, r.Proof, err = x.ProveDocument(p.Doc)
	} else {
		r.Document, err = x.Document(p.Doc)
	}
	return r, failure(err)
}

// description says what the program was built with, and what its root is the hash of.
type description struct {
	Root      string `json:"root"`
	About     string `json:"about"`
	Docs      int    `json:"docs"`
	Terms     int    `json:"terms"`
	TermsRoot string `json:"termsRoot"`
	NamesRoot string `json:"namesRoot"`
	TextsRoot string `json:"textsRoot"`
	Analyzer  string `json:"analyzer"`
	Scoring   string `json:"scoring"`
	Name      string `json:"name"`
	Corpus    string `json:"corpus"`
	Licence   string `json:"licence"`
}

func info(struct{}) (description, *jsonrpc.Error) {
	x, err := index.Open(collection)
	if err != nil {
		return description{}, failure(err)
	}
	about, err := x.About()
	if err != nil {
		return description{}, failure(err)
	}
	h := x.Hashes()
	return description{
		x.Root(), h.About, x.Documents(), x.Terms(), h.Terms, h.Names, h.Texts,
		index.Analyzer, index.Scoring, about.Name, about.Corpus, about.Licence,
	}, nil
}

// count is the param k, or what stands for it.
func count(k *int, most int, proven bool) (int, *jsonrpc.Error) {
	switch {
	case k == nil:
		return some, nil
	case 1 <= *k && *k <= most:
		return *k, nil
	case proven:
		return 0, invalid("param %q: want 1 to %d with a proof", "k", most)
	}
	return 0, invalid("param %q: want 1 to %d", "k", most)
}

// failure is the caller's error for one of the index's. A corrupt index is nobody's fault who calls.
func failure(err error) *jsonrpc.Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, index.ErrTerms):
		return invalid("param %q: %v", "q", index.ErrTerms)
	case errors.Is(err, index.ErrPrefix):
		return invalid("param %q: want one word", "prefix")
	case errors.Is(err, index.ErrTooBroad):
		return errTooBroad
	case errors.Is(err, index.ErrUnknown):
		return errUnknown
	}
	return &jsonrpc.Error{Code: jsonrpc.CodeInternal, Message: "internal error"}
}

func invalid(format string, args ...any) *jsonrpc.Error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf(format, args...)}
}
