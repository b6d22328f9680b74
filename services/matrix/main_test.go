package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/services/matrix/rpc"
)

// Protocol 2.4, 2.5: the OpenRPC document describes the program, and its examples are calls that succeed.
func TestOpenRPC(t *testing.T) {
	if err := program.Check(); err != nil {
		t.Error(err)
	}
	if strings.Contains(openrpc, `"$ref"`) {
		t.Error("openrpc.json has references, which a manifest must not")
	}
}

func request(t testing.TB, method, params string) []byte {
	t.Helper()
	b, err := jsonrpc.NewRequest(method, []byte(params))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Bad input per method.
var refused = []struct{ name, method, params, want string }{
	{"no text", "matrix_canonicalJson", `{}`, `{"code":-32602,"message":"param \"json\" is missing"}`},
	{"a value", "matrix_canonicalJson", `[{}]`, `{"code":-32602,"message":"param \"json\": want a string"}`},
	{"strict is no truth", "matrix_canonicalJson", `["{}",null]`, `{"code":-32602,"message":"param \"strict\": want true or false"}`},
	{"no JSON", "matrix_canonicalJson", `["{\"a\":1,}"]`, `{"code":-32022,"message":"bad_json","data":{"at":7}}`},
	{"a name twice", "matrix_canonicalJson", `["{\"a\":1,\"a\":2}"]`, `{"code":-32022,"message":"bad_json","data":{"at":7}}`},
	{"a lone surrogate", "matrix_canonicalJson", `["\"\\ud800\""]`, `{"code":-32022,"message":"bad_json","data":{"at":1}}`},
	{"a fraction", "matrix_canonicalJson", `[" [0.5]"]`, `{"code":-32022,"message":"bad_json","data":{"at":2}}`},
	{"unknown", "matrix_canonicalJson", `{"json":"1","a/b~":1,"b":2}`, `{"code":-32602,"message":"param \"a~1b~0\" is unknown"}`},
	{"unknown, long", "matrix_canonicalJson", `{"json":"1","` + strings.Repeat("ä", 81) + `":1}`,
		`{"code":-32602,"message":"param \"` + strings.Repeat("ä", 80) + `\" is unknown"}`},
	{"unknown and missing", "matrix_canonicalJson", `{"z":1,"a":1}`, `{"code":-32602,"message":"param \"json\" is missing"}`},
	{"too many", "matrix_canonicalJson", `["1",true,3]`, `{"code":-32602,"message":"3 params given, at most 2 known"}`},

	{"no version", "matrix_eventId", `{"event":{}}`, `{"code":-32602,"message":"param \"roomVersion\" is missing"}`},
	{"a number", "matrix_eventId", `[10,{}]`, `{"code":-32602,"message":"param \"roomVersion\": want a string"}`},
	{"unknown version", "matrix_eventId", `["13",{}]`, `{"code":-32020,"message":"unknown_room_version"}`},
	{"unknown version before a bad event", "matrix_eventId", `["0",7]`, `{"code":-32020,"message":"unknown_room_version"}`},
	{"no event", "matrix_eventId", `["10",null]`, `{"code":-32602,"message":"param \"event\": want an object"}`},
	{"content is no object", "matrix_eventId", `["10",{"content":[]}]`, `{"code":-32602,"message":"param \"event\": want an object as \"content\""}`},
	{"a fraction", "matrix_eventId", `["6", {"unsigned":{"a":0.5}}]`, `{"code":-32022,"message":"bad_json","data":{"at":17}}`},
	{"a fraction in text", "matrix_eventId", `["6"," {\"a\":0.5}"]`, `{"code":-32022,"message":"bad_json","data":{"at":6}}`},
	{"no JSON in text", "matrix_eventId", `["6","{"]`, `{"code":-32022,"message":"bad_json","data":{"at":1}}`},
	{"too large", "matrix_eventId", `["6",{"a":"` + strings.Repeat("x", 65536-7) + `"}]`, `{"code":-32024,"message":"too_large"}`},

	{"unknown version", "matrix_redact", `["1.0",{}]`, `{"code":-32020,"message":"unknown_room_version"}`},
	{"a list", "matrix_redact", `["1",[]]`, `{"code":-32602,"message":"param \"event\": want an object"}`},
	{"content is no object", "matrix_redact", `["10",{"content":"x"}]`, `{"code":-32602,"message":"param \"event\": want an object as \"content\""}`},
	{"a large number", "matrix_redact", `["10",{"depth":9007199254740992}]`, `{"code":-32022,"message":"bad_json","data":{"at":9}}`},

	{"no sender", "matrix_verifyEvent", `["10",{"type":"X"},{}]`, `{"code":-32602,"message":"param \"event\": want a user id as \"sender\""}`},
	{"no time", "matrix_verifyEvent", `["10",{"type":"X","sender":"@a:s"},{}]`,
		`{"code":-32602,"message":"param \"event\": want an integer as \"origin_server_ts\""}`},
	{"an id of no server", "matrix_verifyEvent", `["2",{"type":"X","sender":"@a:s","event_id":7},{}]`, `{"code":-32602,"message":"param \"event\": want an event id as \"event_id\""}`},
	{"keys are a list", "matrix_verifyEvent", `["10",{},[]]`, `{"code":-32602,"message":"param \"keys\": want an object"}`},
	{"keys of a server are a list", "matrix_verifyEvent", `["10",{},{"s":[]}]`, `{"code":-32602,"message":"param \"keys\": want an object of keys for each server"}`},
	{"a key is missing", "matrix_verifyEvent", `["10",{},{"s":{"ed25519:1":{}}}]`, `{"code":-32602,"message":"param \"keys\": want a string as \"key\""}`},
	{"no time of a key", "matrix_verifyEvent", `["10",{},{"s":{"ed25519:1":{"key":"","expiredTs":"1"}}}]`,
		`{"code":-32602,"message":"param \"keys\": want an integer as \"expiredTs\""}`},
	{"keys are no JSON", "matrix_verifyEvent", `["10",{},"{"]`, `{"code":-32022,"message":"bad_json","data":{"at":1}}`},
	{"too many signatures", "matrix_verifyEvent", `["10",{"type":"X","content":{},"sender":"@a:s","origin_server_ts":1,"signatures":{"s":{` +
		many(501, `"k%d":""`) + `}}},{}]`, `{"code":-32024,"message":"too_large"}`},

	{"no name", "matrix_verifyServerKeys", `[1,{},0]`, `{"code":-32602,"message":"param \"serverName\": want a string"}`},
	{"no object", "matrix_verifyServerKeys", `["s",[],0]`, `{"code":-32602,"message":"param \"response\": want an object"}`},
	{"no time", "matrix_verifyServerKeys", `["s",{},-1]`, `{"code":-32602,"message":"param \"at\": want an integer from 0 to 9007199254740991"}`},
	{"no JSON", "matrix_verifyServerKeys", `["s","",0]`, `{"code":-32022,"message":"bad_json","data":{"at":0}}`},
	{"too large", "matrix_verifyServerKeys", `["s",{"a":"` + strings.Repeat("x", 65536-7) + `"},0]`, `{"code":-32024,"message":"too_large"}`},
	{"too many signatures", "matrix_verifyServerKeys", `["s",{"signatures":{"s":{` + many(501, `"k%d":""`) + `}}},0]`,
		`{"code":-32024,"message":"too_large"}`},

	{"no type", "matrix_authCheck", `["10",{},[],[]]`, `{"code":-32602,"message":"param \"event\": want a string as \"type\""}`},
	{"no list", "matrix_authCheck", `["10",` + plain + `,{},[]]`, `{"code":-32602,"message":"param \"authEvents\": want an array"}`},
	{"no event in a list", "matrix_authCheck", `["10",` + plain + `,[],[7]]`, `{"code":-32602,"message":"param \"state\": item 0: want an object"}`},
	{"no JSON in a list", "matrix_authCheck", `["10",` + plain + `,["{\"a\":0.5}"],[]]`,
		`{"code":-32022,"message":"bad_json","data":{"index":0,"at":5}}`},
	{"too many", "matrix_authCheck", `["10",` + plain + `,[` + many(5001, `%d`) + `],[]]`, `{"code":-32024,"message":"too_large"}`},
	{"two for one place", "matrix_authCheck", `["10",` + plain + `,[],[` + state("$a") + `,` + state("$b") + `]]`,
		`{"code":-32602,"message":"param \"state\": two events for X "}`},

	{"version 1", "matrix_resolveState", `["1",[],[]]`, `{"code":-32020,"message":"unknown_room_version"}`},
	{"other ids", "matrix_resolveState", `["10",[],[],"made"]`, `{"code":-32602,"message":"param \"ids\": want \"derive\" or \"given\""}`},
	{"ids are no string", "matrix_resolveState", `["10",[],[],7]`, `{"code":-32602,"message":"param \"ids\": want a string"}`},
	{"an id is missing", "matrix_resolveState", `["10",[` + plain + `],[],"given"]`, `{"code":-32602,"message":"param \"events\": item 0: want a string as \"event_id\""}`},
	{"no time", "matrix_resolveState", `["10",[{"type":"X","sender":"@a:s","content":{}}],[]]`,
		`{"code":-32602,"message":"param \"events\": item 0: want an integer as \"origin_server_ts\""}`},
	{"no sets", "matrix_resolveState", `["10",[],{}]`, `{"code":-32602,"message":"param \"stateSets\": want an array"}`},
	{"a set is no list", "matrix_resolveState", `["10",[],[[],"x"]]`, `{"code":-32602,"message":"param \"stateSets\": item 1: want an array of event ids"}`},
	{"an id is no string", "matrix_resolveState", `["10",[],[[1]]]`, `{"code":-32602,"message":"param \"stateSets\": item 0: want an array of event ids"}`},
	{"a missing event", "matrix_resolveState", `["10",[],[["$x\n"]]]`, `{"code":-32021,"message":"missing_event","data":{"id":"$x\n"}}`},
	{"a missing auth event", "matrix_resolveState", `["10",[` + state("$a", "$b") + `],[["$a"]],"given"]`, `{"code":-32021,"message":"missing_event","data":{"id":"$b"}}`},
	{"a cycle", "matrix_resolveState", `["10",[` + state("$a", "$b") + `,` + state("$b", "$a") + `],[["$a"]],"given"]`, `{"code":-32023,"message":"cycle"}`},
	{"two events with one id", "matrix_resolveState", `["10",[` + state("$a") + `,` + state("$a", "$a") + `],[],"given"]`,
		`{"code":-32602,"message":"param \"events\": two events $a"}`},
	{"a message in a state", "matrix_resolveState", `["10",[{"event_id":"$a",` + plain[1:] + `],[["$a"]],"given"]`,
		`{"code":-32602,"message":"param \"stateSets\": item 0: event $a: is no state event"}`},
	{"too many events", "matrix_resolveState", `["10",[` + many(5001, `%d`) + `],[]]`, `{"code":-32024,"message":"too_large"}`},
}

const plain = `{"type":"X","sender":"@a:s","content":{},"origin_server_ts":1}`

func state(id string, auth ...string) string {
	named := ""
	if len(auth) > 0 {
		named = `"` + strings.Join(auth, `","`) + `"`
	}
	return fmt.Sprintf(`{"event_id":"%s","auth_events":[%s],"state_key":"",%s`, id, named, plain[1:])
}

func many(n int, format string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(list, ",")
}

// What callers leave out or choose as they like is no reason to say no.
func TestAnswered(t *testing.T) {
	for _, c := range []struct{ name, method, params, want string }{
		{"an event without time", "matrix_authCheck", `["12",{"type":"m.room.create","sender":"@a:s","content":{}},[],[]]`, `{"allowed":true,"rule":"1.5"}`},
		{"a create event whose id is no id", "matrix_resolveState", `["12",[{"type":"m.room.create","event_id":"é","state_key":"",` +
			`"sender":"@a:s","content":{},"origin_server_ts":1}],[["é"]],"given"]`,
			`{"state":[["m.room.create","","é"]],"trace":[],"conflicted":0,"authDifference":0}`},
	} {
		want := `{"jsonrpc":"2.0","id":1,"result":` + c.want + `}`
		b := request(t, c.method, c.params)
		if got := program.Handle(b); string(got) != want {
			t.Errorf("%s: the program answers %s, want %s", c.name, got, want)
		}
		if r, ok := rpc.Read(b); !ok || string(r.Respond()) != want {
			t.Errorf("%s: the verifier would have %s, want %s", c.name, r.Respond(), want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range refused {
		t.Run(c.method+" "+c.name, func(t *testing.T) {
			if got, want := string(program.Handle(request(t, c.method, c.params))), `{"jsonrpc":"2.0","id":1,"error":`+c.want+`}`; got != want {
				t.Errorf("\n got %.500s\nwant %.500s", got, want)
			}
		})
	}
	for _, m := range rpc.Methods() {
		if !slices.ContainsFunc(refused, func(c struct{ name, method, params, want string }) bool { return c.method == m.Name }) {
			t.Errorf("no bad input for %s", m.Name)
		}
	}
}

// What package rpc says by itself, as it does in the verifier, is what the program says.
func TestBothSayTheSame(t *testing.T) {
	for _, b := range requests(t) {
		want := program.Handle(b)
		r, ok := rpc.Read(b)
		if !ok {
			t.Fatalf("%.300s is not read", b)
		}
		if got := r.Respond(); !bytes.Equal(got, want) {
			t.Errorf("%.300s\n  program says %.500s\npackage rpc says %.500s", b, want, got)
		}
	}
	for _, b := range []string{`{"jsonrpc":"2.0","id":1,"method":"rpc.discover","params":[]}`, `{"jsonrpc":"2.0","id":2,"method":"matrix_redact","params":[]}`,
		`{"jsonrpc":"2.0","id":1,"method":"matrix_redact"}`, `{"jsonrpc":"2.0","id":1,"method":"matrix_redact","params":7}`, `[]`, ``} {
		if _, ok := rpc.Read([]byte(b)); ok {
			t.Errorf("%s is read", b)
		}
	}
}

func FuzzBothSayTheSame(f *testing.F) {
	for _, b := range requests(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !jsonrpc.IsWire(b) {
			return
		}
		r, ok := rpc.Read(b)
		if !ok {
			if !bytes.Contains(b, []byte(`"method":"rpc.discover"`)) {
				t.Fatalf("%q is not read", b)
			}
			return
		}
		got, want := r.Respond(), program.Handle(b)
		if !bytes.Equal(got, want) || bytes.Contains(want, []byte("-32603")) {
			t.Fatalf("%q\n  program says %q\npackage rpc says %q", b, want, got)
		}
	})
}

// requests are those of all tables, of the examples, and some that no table has.
func requests(t testing.TB) [][]byte {
	t.Helper()
	list := [][]byte{request(t, "matrix_nothing", `[]`), request(t, "matrix_redact", `[]`), request(t, "rpc.nothing", `{}`)}
	for _, c := range refused {
		list = append(list, request(t, c.method, c.params))
	}
	for _, c := range answers {
		list = append(list, request(t, c.method, c.params))
	}
	return append(list, examples(t)...)
}
