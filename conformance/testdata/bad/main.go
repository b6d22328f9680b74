// Bad is a service with one fault, for the gate to find.
package main

import (
	"cmp"
	_ "embed"
	"strings"

	"barnraise/jsonrpc"
	"barnraise/service"
)

//go:embed openrpc.json
var openrpc string

var program = service.New("bad", openrpc, service.Method("ask", ask))

func main() { program.Serve() }

// question has a fault beside its words, in place of the one that the program has.
type question struct {
	Q     string `json:"q"`
	Fault string `json:"fault,omitzero"`
}

type answer struct {
	Q     string `json:"q"`
	Found any    `json:"found"`
}

func ask(p question) (answer, *jsonrpc.Error) {
	return answer{p.Q, find(cmp.Or(p.Fault, fault), p.Q)}, nil
}

// find has the fault.
func find(fault, q string) any {
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
	return findState(fault, q)
}

func findState(fault, q string) any {
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
	return findSurroundings(fault, q)
}

func findSurroundings(fault, q string) any {
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
	return findOdd(fault, q)
}

func findOdd(fault, q string) any {
	switch fault {
	case "own file":
		return ownFile()
	case "free memory":
		return freeMemory()
	case "parent":
		return parent()
	case "hash":
		return hashed(q)
	case "collected":
		return collected()
	case "alive":
		return alive()
	case "old":
		return old()
	case "hourly":
		return hourly(q)
	case "slept":
		return slept()
	case "output":
		return output()
	case "recycled":
		return recycled()
	case "seldom":
		return seldom(q)
	}
	if name, ok := strings.CutPrefix(fault, "/proc/"); ok {
		return proc(name)
	}
	return len(q)
}
