// Search is full text search as a service: it answers questions about one immutable collection of texts, which is part of the
// program. The same image gives the same answers everywhere, so it does not matter who runs it.
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
	service.Method("search_document", document),
	service.Method("search_info", info),
).Warm(func(s *service.Service) {
	s.Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"search_query","params":["what there is"]}`))
})

func main() { program.Serve() }

// Limits of a query, beside those of package index.
const (
	maxQuery = 1 << 10 // bytes
	maxHits  = 1000
	someHits = 10 // where the caller does not say
)

// The errors of the service.
var (
	errTooBroad = &jsonrpc.Error{Code: -32010, Message: "too_broad"}
	errUnknown  = &jsonrpc.Error{Code: -32011, Message: "unknown_doc"}
)

type queryParams struct {
	Q string `json:"q"`
	K *int   `json:"k"`
}

func query(p queryParams) (index.Result, *jsonrpc.Error) {
	k := someHits
	if p.K != nil {
		k = *p.K
	}
	if len(p.Q) > maxQuery {
		return index.Result{}, invalid("param %q: %d bytes, at most %d", "q", len(p.Q), maxQuery)
	}
	if k < 1 || k > maxHits {
		return index.Result{}, invalid("param %q: want 1 to %d", "k", maxHits)
	}
	x, err := index.Open(collection)
	if err != nil {
		return index.Result{}, failure(err)
	}
	found, err := x.Search(p.Q, k)
	if err != nil {
		return index.Result{}, failure(err)
	}
	return found, nil
}

type documentParams struct {
	Doc string `json:"doc"`
}

func document(p documentParams) (index.Document, *jsonrpc.Error) {
	x, err := index.Open(collection)
	if err != nil {
		return index.Document{}, failure(err)
	}
	d, err := x.Document(p.Doc)
	if err != nil {
		return index.Document{}, failure(err)
	}
	return d, nil
}

// description says what the program was built with.
type description struct {
	Docs     int    `json:"docs"`
	Terms    int    `json:"terms"`
	Analyzer string `json:"analyzer"`
	Scoring  string `json:"scoring"`
	Name     string `json:"name"`
	Corpus   string `json:"corpus"`
	Licence  string `json:"licence"`
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
	return description{x.Documents(), x.Terms(), index.Analyzer, index.Scoring, about.Name, about.Corpus, about.Licence}, nil
}

// failure is the caller's error for one of the index's. A corrupt index is nobody's fault who calls.
func failure(err error) *jsonrpc.Error {
	switch {
	case errors.Is(err, index.ErrTerms):
		return invalid("param %q: %v", "q", index.ErrTerms)
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
