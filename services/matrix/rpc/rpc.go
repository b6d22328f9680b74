// Package rpc is the methods of the service matrix: what goes in and out as JSON, and nothing of how it travels. The program
// and the verifier both answer through it, so that they have one mind and write the same bytes.
//
// It does without the packages that make a program large; a verifier is a module of its own.
package rpc

import (
	"slices"

	"barnraise/services/matrix/canonical"
)

// Limits of a request.
const (
	MaxEvents     = 5000 // in a list, and of all lists of a request together
	MaxSignatures = 500
)

// MaxResult is how many bytes a result may have; one of more is too_large. The rest of an answer has room in 1 KiB.
const MaxResult = 4<<20 - 1<<10

// Codes of errors, beside those of JSON-RPC.
const (
	codeParams  = -32602
	codeVersion = -32020
	codeMissing = -32021
	codeJSON    = -32022
	codeCycle   = -32023
	codeLarge   = -32024
)

// Error is an answer that says why there is no result.
type Error struct {
	Code    int64
	Message string
	Data    []byte // JSON; empty where there is none
}

// Method is what a method takes, in the order of its params, and what it does.
type Method struct {
	Name   string
	Params []Param
	call   func(a *args) []byte
}

// Param is a param of a method.
type Param struct {
	Name     string
	Required bool
}

// Methods lists the methods.
func Methods() []Method {
	version, one := Param{"roomVersion", true}, Param{"event", true}
	return []Method{
		{"matrix_canonicalJson", []Param{{"json", true}, {"strict", false}}, canonicalJSON},
		{"matrix_eventId", []Param{version, one}, eventID},
		{"matrix_redact", []Param{version, one}, redact},
		{"matrix_verifyEvent", []Param{version, one, {"keys", true}}, verifyEvent},
		{"matrix_verifyServerKeys", []Param{{"serverName", true}, {"response", true}, {"at", true}}, verifyServerKeys},
		{"matrix_authCheck", []Param{version, one, {"authEvents", true}, {"state", true}}, authCheck},
		{"matrix_resolveState", []Param{version, {"events", true}, {"stateSets", true}, {"ids", false}}, resolveState},
	}
}

// Answer calls a method with its params in their order, each strict JSON, or empty where it was not given. It returns the
// result as compact JSON, or the error that is the answer.
func Answer(method string, params ...[]byte) ([]byte, *Error) {
	i := slices.IndexFunc(Methods(), func(m Method) bool { return m.Name == method })
	if i < 0 {
		return nil, unknownMethod()
	}
	m := Methods()[i]
	a := args{names: m.Params, values: make([]canonical.Value, len(m.Params))}
	for i, p := range params {
		if len(p) == 0 {
			continue
		}
		var err error
		if a.values[i], err = canonical.Parse(p); err != nil {
			return nil, &Error{Code: codeParams, Message: "params cannot be read"}
		}
	}
	return m.answer(&a)
}

func unknownMethod() *Error { return &Error{Code: -32601, Message: "method not found"} }

func (m Method) answer(a *args) ([]byte, *Error) {
	result := m.call(a)
	if len(result) > MaxResult {
		a.failWith(tooLarge())
	}
	if a.failed != nil {
		return nil, a.failed
	}
	return result, nil
}
