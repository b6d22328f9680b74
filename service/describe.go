package service

import (
	"fmt"
	"reflect"

	"barnraise/jsonrpc"
)

// words are what an author says of a method, for the OpenRPC document that [New] makes.
type words struct {
	doc      string
	errors   []*jsonrpc.Error
	examples []call
}

// call is an example: what is given, and what comes back.
type call struct {
	name           string
	params, result any
}

// Doc says what the method does: a line of summary, and below it as much as callers should know. Params and members of results
// are described by the tag doc of their fields.
func (m Procedure) Doc(text string) Procedure {
	m.words.doc = text
	return m
}

// Errors names the errors that the method returns by design. A code that JSON-RPC keeps for itself panics, see [Method].
func (m Procedure) Errors(list ...*jsonrpc.Error) Procedure {
	for _, e := range list {
		if e.Code >= -32768 && e.Code < -32099 {
			panic(fmt.Sprintf("service: method %s: error code %d is reserved by JSON-RPC; take one from -32099 to -32000, or outside -32768 to -32000", m.name, e.Code))
		}
	}
	m.words.errors = append(m.words.errors[:len(m.words.errors):len(m.words.errors)], list...)
	return m
}

// Example shows a call and its result, as the method's own types. Servers try a service by its examples before they offer it,
// and [Service.Check] holds the method to them: each method should have one at least, and one that costs little should be
// first. Values of other types than those of the method panic.
func (m Procedure) Example(name string, params, result any) Procedure {
	if t := reflect.TypeOf(params); t != m.params {
		panic(fmt.Sprintf("service: method %s: example %q: params are a %v, want a %v", m.name, name, t, m.params))
	}
	if t := reflect.TypeOf(result); t == nil || !t.AssignableTo(m.result) {
		panic(fmt.Sprintf("service: method %s: example %q: result is a %v, want a %v", m.name, name, t, m.result))
	}
	m.words.examples = append(m.words.examples[:len(m.words.examples):len(m.words.examples)], call{name, params, result})
	return m
}
