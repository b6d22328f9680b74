// Echo is a service that shows every way in which a method can answer. The tests of package service run it on each target.
package main

import (
	_ "embed"
	"strings"

	"barnraise/jsonrpc"
	"barnraise/service"

	"github.com/go-json-experiment/json/jsontext"
)

//go:embed openrpc.json
var openrpc string

var program = service.New("echo", openrpc,
	service.Method("echo", echo),
	service.Method("repeat", repeat),
	service.Method("count", count),
	service.Method("refuse", refuse),
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

func refuse(struct{}) (string, *jsonrpc.Error) {
	return "", &jsonrpc.Error{Code: -32010, Message: "no", Data: jsontext.Value(`{"why": ["<because>"]}`)}
}

func crash(struct{}) (string, *jsonrpc.Error) {
	var nothing []string
	return nothing[3], nil
}
