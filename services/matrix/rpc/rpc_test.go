package rpc_test

import (
	"fmt"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/services/matrix/rpc"
)

// What the methods answer is in the tests of the program, which answers through this package. Here is what only others ask.

func TestEvents(t *testing.T) {
	for request, want := range map[string]int{
		`"matrix_resolveState","params":["10",[1,2,3],[[],[]]]`:                                3,
		`"matrix_resolveState","params":["10","[1,2,3]",[]]`:                                   3,
		`"matrix_resolveState","params":{"stateSets":[[1,2]],"events":[1],"x":[1,2]}`:          1,
		`"matrix_authCheck","params":["10",{},[1,2],"[3]"]`:                                    3,
		`"matrix_authCheck","params":["10",{},"[",{}]`:                                         0,
		`"matrix_eventId","params":["10",[1,2]]`:                                               0,
		`"matrix_nothing","params":[[1,2]]`:                                                    0,
		`"matrix_redact","params":[` + strings.TrimSuffix(strings.Repeat("[],", 9), ",") + `]`: 0,
	} {
		r, ok := rpc.Read([]byte(`{"jsonrpc":"2.0","id":1,"method":` + request + `}`))
		if got := r.Events(); !ok || got != want {
			t.Errorf("%s has %d events, %v, want %d", request, got, ok, want)
		}
	}
}

func TestAnswer(t *testing.T) {
	result, e := rpc.Answer("matrix_canonicalJson", []byte(`"[ 1 ]"`), nil)
	if want := `{"canonical":"[1]","sha256":"CAqe1ChVnvYCZotMAPEU8aEcP2sCpDXwvcFUV45NfyI"}`; e != nil || string(result) != want {
		t.Errorf("%s, %+v, want %s", result, e, want)
	}
	for _, c := range []struct {
		method string
		param  string
		want   string
	}{
		{"matrix_nothing", `1`, "-32601 method not found"},
		{"matrix_canonicalJson", `{`, "-32602 params cannot be read"},
		{"matrix_canonicalJson", ``, `-32602 param "json": want a string`},
	} {
		if _, e := rpc.Answer(c.method, []byte(c.param)); e == nil || fmt.Sprintf("%d %s", e.Code, e.Message) != c.want {
			t.Errorf("%s of %q: %+v, want %s", c.method, c.param, e, c.want)
		}
	}
}

// Every request has one answer, which is strict JSON and none of an internal error.
func FuzzRespond(f *testing.F) {
	for _, m := range rpc.Methods() {
		f.Add(m.Name, `["10",{"type":"m.room.create","state_key":"","sender":"@a:s","content":{},"origin_server_ts":1},[],[]]`)
		f.Add(m.Name, `{"roomVersion":"12","events":[{"event_id":"$a"}],"stateSets":[["$a"]],"ids":"given"}`)
		f.Add(m.Name, `["s","{\"signatures\":{}}",0]`)
	}
	f.Fuzz(func(t *testing.T, method, params string) {
		b, err := jsonrpc.NewRequest(method, []byte(params))
		if err != nil {
			return
		}
		r, ok := rpc.Read(b)
		if !ok {
			return
		}
		response := r.Respond()
		if _, err := jsonrpc.ParseResponse(response, jsonrpc.WireID); err != nil || strings.Contains(string(response), "-32603") {
			t.Fatalf("%s is answered %s: %v", b, response, err)
		}
		if again := r.Respond(); string(again) != string(response) {
			t.Fatalf("%s is answered %s, and then %s", b, response, again)
		}
	})
}
