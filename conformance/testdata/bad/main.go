// Bad is a service with one fault, for the gate to find.
package main

import (
	_ "embed"

	"barnraise/jsonrpc"
	"barnraise/service"
)

//go:embed openrpc.json
var openrpc string

var program = service.New("bad", openrpc, service.Method("ask", ask))

func main() { program.Serve() }

type question struct {
	Q string `json:"q"`
}

type answer struct {
	Q     string `json:"q"`
	Found any    `json:"found"`
}

func ask(p question) (answer, *jsonrpc.Error) { return answer{p.Q, find(p.Q)}, nil }

// find has the fault.
func find(q string) any {
	switch fault {
	case "clock":
		return seconds()
	case "day":
		return today()
	case "uptime":
		return uptime()
	case "day seed":
		return daySeed(q)
	case "deadline":
		return deadline(q)
	case "random":
		return random()
	case "select":
		return selected()
	case "map order":
		return mapOrder(q)
	case "map of two":
		return mapOfTwo()
	case "map sum":
		return mapSum()
	case "goroutines":
		return goroutines()
	case "float":
		return float(q)
	}
	return findState(q)
}

func findState(q string) any {
	switch fault {
	case "counter":
		return counter()
	case "late":
		return late()
	case "cache":
		return cached(q)
	case "disk":
		return disk(q)
	case "request order":
		return arrival(q)
	case "previous":
		return previous(q)
	case "growth":
		return growth(q)
	case "race":
		return race(q)
	}
	return findSurroundings(q)
}

func findSurroundings(q string) any {
	switch fault {
	case "host name":
		return hostname()
	case "environment":
		return environment()
	case "time zone":
		return zone()
	case "locale":
		return locale(q)
	case "address":
		return address(q)
	case "process":
		return process()
	case "processors":
		return processors(q)
	case "memory":
		return memory()
	case "file name":
		return fileName()
	}
	return len(q)
}
