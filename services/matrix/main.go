// Matrix is the rules of the Matrix protocol as a service: what an event's id is, who signed it, whether it was allowed, and what
// the state of a room is where servers differ. It knows no room and no server: what it is to look at stands in the call, so the
// same image gives the same answers everywhere.
package main

import (
	_ "embed"

	"barnraise/jsonrpc"
	"barnraise/service"
	"barnraise/services/matrix/rpc"

	"github.com/go-json-experiment/json/jsontext"
)

//go:embed openrpc.json
var openrpc string

var program = service.New("matrix", openrpc,
	service.Method("matrix_canonicalJson", func(p textParams) (jsontext.Value, *jsonrpc.Error) {
		return answer("matrix_canonicalJson", p.JSON, p.Strict)
	}),
	service.Method("matrix_eventId", func(p eventParams) (jsontext.Value, *jsonrpc.Error) {
		return answer("matrix_eventId", p.RoomVersion, p.Event)
	}),
	service.Method("matrix_redact", func(p eventParams) (jsontext.Value, *jsonrpc.Error) {
		return answer("matrix_redact", p.RoomVersion, p.Event)
	}),
	service.Method("matrix_verifyEvent", func(p signedParams) (jsontext.Value, *jsonrpc.Error) {
		return answer("matrix_verifyEvent", p.RoomVersion, p.Event, p.Keys)
	}),
	service.Method("matrix_verifyServerKeys", func(p serverParams) (jsontext.Value, *jsonrpc.Error) {
		return answer("matrix_verifyServerKeys", p.ServerName, p.Response, p.At)
	}),
	service.Method("matrix_authCheck", func(p authParams) (jsontext.Value, *jsonrpc.Error) {
		return answer("matrix_authCheck", p.RoomVersion, p.Event, p.AuthEvents, p.State)
	}),
	service.Method("matrix_resolveState", func(p stateParams) (jsontext.Value, *jsonrpc.Error) {
		return answer("matrix_resolveState", p.RoomVersion, p.Events, p.StateSets, p.IDs)
	}),
).Warm(func(s *service.Service) {
	s.Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"matrix_eventId","params":["10",{"type":"m.room.message","content":{}}]}`))
})

func main() { program.Serve() }

// answer asks package rpc, which looks at params itself, and in the verifier the same way.
func answer(method string, params ...jsontext.Value) (jsontext.Value, *jsonrpc.Error) {
	list := make([][]byte, len(params))
	for i, p := range params {
		list[i] = p
	}
	result, e := rpc.Answer(method, list...)
	if e != nil {
		return nil, &jsonrpc.Error{Code: e.Code, Message: e.Message, Data: e.Data}
	}
	return result, nil
}

// The params are what JSON the caller wrote: bytes matter.
type (
	textParams struct {
		JSON   jsontext.Value `json:"json"`
		Strict jsontext.Value `json:"strict,omitzero"`
	}
	eventParams struct {
		RoomVersion jsontext.Value `json:"roomVersion"`
		Event       jsontext.Value `json:"event"`
	}
	signedParams struct {
		RoomVersion jsontext.Value `json:"roomVersion"`
		Event       jsontext.Value `json:"event"`
		Keys        jsontext.Value `json:"keys"`
	}
	serverParams struct {
		ServerName jsontext.Value `json:"serverName"`
		Response   jsontext.Value `json:"response"`
		At         jsontext.Value `json:"at"`
	}
	authParams struct {
		RoomVersion jsontext.Value `json:"roomVersion"`
		Event       jsontext.Value `json:"event"`
		AuthEvents  jsontext.Value `json:"authEvents"`
		State       jsontext.Value `json:"state"`
	}
	stateParams struct {
		RoomVersion jsontext.Value `json:"roomVersion"`
		Events      jsontext.Value `json:"events"`
		StateSets   jsontext.Value `json:"stateSets"`
		IDs         jsontext.Value `json:"ids,omitzero"`
	}
)
