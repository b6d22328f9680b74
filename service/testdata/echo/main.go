// Echo is a service that shows every way in which a method can answer. The tests of package service run it on each target.
package main

import (
	"strings"

	"barnraise/jsonrpc"
	"barnraise/service"

	"github.com/go-json-experiment/json/jsontext"
)

var program = service.New("echo", "",
	service.Method("echo", echo).
		Doc("Answers what it was given.").
		Example("a list", echoParams{jsontext.Value(`[1,"two"]`)}, jsontext.Value(`[1,"two"]`)),
	service.Method("repeat", repeat).
		Example("twice", repeatParams{Text: "<a>"}, "<a><a>"),
	service.Method("count", count).
		Example("letters", countParams{"abba"}, map[string]int{"a": 2, "b": 2}),
	service.Method("refuse", refuse).Errors(refusal),
	service.Method("crash", crash),
)

func main() { program.Serve() }

type echoParams struct {
	Value jsontext.Value `json:"value"`
}

func echo(p echoParams) (jsontext.Value, *jsonrpc.Error) { return p.Value, nil }

type repeatParams struct {
	Text  string `json:"text"`
	Times *int   `json:"times"`
}

func repeat(p repeatParams) (string, *jsonrpc.Error) {
	times := 2
	if p.Times != nil {
		times = *p.Times
	}
	if times < 0 || times*len(p.Text) > 8<<20 {
		return "", &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "times is out of range"}
	}
	return strings.Repeat(p.Text, times), nil
}

type countParams struct {
	Text string `json:"text"`
}

func count(p countParams) (map[string]int, *jsonrpc.Error) {
	letters := map[string]int{}
	for _, r := range p.Text {
		letters[string(r)]++
	}
	return letters, nil
}

var refusal = &jsonrpc.Error{Code: -32010, Message: "no", Data: jsontext.Value(`{"why": ["<because>"]}`)}

func refuse(struct{}) (string, *jsonrpc.Error) { return "", refusal }

func crash(struct{}) (string, *jsonrpc.Error) {
	var nothing []string
	return nothing[3], nil
}
