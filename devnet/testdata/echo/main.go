// Echo answers what it was given: a service that costs next to nothing, so that thousands of calls of it can be made in a test.
package main

import (
	"barnraise/jsonrpc"
	"barnraise/service"

	"github.com/go-json-experiment/json/jsontext"
)

var program = service.New("echo", "",
	service.Method("echo", echo).
		Doc("Answers what it was given.").
		Example("a number", params{jsontext.Value(`42`)}, jsontext.Value(`42`)),
)

func main() { program.Serve() }

type params struct {
	Value jsontext.Value `json:"value"`
}

func echo(p params) (jsontext.Value, *jsonrpc.Error) { return p.Value, nil }
