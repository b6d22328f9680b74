// Shout is what echo becomes with its next revision: the same questions have another answer.
package main

import (
	"barnraise/jsonrpc"
	"barnraise/service"

	"github.com/go-json-experiment/json/jsontext"
)

var program = service.New("shout", "",
	service.Method("echo", shout).
		Doc("Answers what it was given, loudly.").
		Example("a number", params{jsontext.Value(`42`)}, answer{Loud: jsontext.Value(`42`)}),
)

func main() { program.Serve() }

type params struct {
	Value jsontext.Value `json:"value"`
}

type answer struct {
	Loud jsontext.Value `json:"loud"`
}

func shout(p params) (answer, *jsonrpc.Error) { return answer{p.Value}, nil }
