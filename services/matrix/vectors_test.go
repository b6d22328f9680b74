package main

import (
	"encoding/json"
	"testing"

	"barnraise/service/servicetest"
)

// answers are the vectors of the specification, as calls of the service. What is by section of the appendices is theirs; the ids
// are those of gomatrixserverlib's eventversion_test.go.
var answers = []struct{ name, method, params, want string }{
	{"canonical JSON 1", "matrix_canonicalJson", `["{}"]`, `{"canonical":"{}","sha256":"RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o"}`},
	{"canonical JSON 2", "matrix_canonicalJson", `["{\n    \"one\": 1,\n    \"two\": \"Two\"\n}"]`, `{"canonical":"{\"one\":1,\"two\":\"Two\"}",`},
	{"canonical JSON 3", "matrix_canonicalJson", `["{\n    \"b\": \"2\",\n    \"a\": \"1\"\n}"]`, `{"canonical":"{\"a\":\"1\",\"b\":\"2\"}",`},
	{"canonical JSON 4", "matrix_canonicalJson", `["{\"b\":\"2\",\"a\":\"1\"}"]`, `{"canonical":"{\"a\":\"1\",\"b\":\"2\"}",`},
	{"canonical JSON 5", "matrix_canonicalJson", `["{\"auth\": {\"success\": true, \"mxid\": \"@john.doe:example.com\", \"profile\": {\"display_name\": \"John Doe\", ` +
		`\"three_pids\": [{\"medium\": \"email\", \"address\": \"john.doe@example.org\"}, {\"medium\": \"msisdn\", \"address\": \"123456789\"}]}}}"]`,
		`{"canonical":"{\"auth\":{\"mxid\":\"@john.doe:example.com\",\"profile\":{\"display_name\":\"John Doe\",\"three_pids\":[` +
			`{\"address\":\"john.doe@example.org\",\"medium\":\"email\"},{\"address\":\"123456789\",\"medium\":\"msisdn\"}]},\"success\":true}}",`},
	{"canonical JSON 6", "matrix_canonicalJson", `["{\"a\": \"日本語\"}"]`, `{"canonical":"{\"a\":\"日本語\"}",`},
	{"canonical JSON 7", "matrix_canonicalJson", `["{\"本\": 2, \"日\": 1}"]`, `{"canonical":"{\"日\":1,\"本\":2}",`},
	{"canonical JSON 8", "matrix_canonicalJson", `["{\"a\": \"\\u65E5\"}"]`, `{"canonical":"{\"a\":\"日\"}",`},
	{"canonical JSON 9", "matrix_canonicalJson", `["{\"a\": null}"]`, `{"canonical":"{\"a\":null}",`},
	{"canonical JSON 10", "matrix_canonicalJson", `["{\"a\": -0, \"b\": 1e10}"]`, `{"canonical":"{\"a\":0,\"b\":10000000000}",`},
	{"control characters", "matrix_canonicalJson", `{"json":"\"\\u0000\\u001F\\b\\u007f\\u2028\""}`,
		`{"canonical":"\"\\u0000\\u001f\\b` + "\x7f\u2028" + `\"",`},
	{"code points", "matrix_canonicalJson", `["{\"\\uD83D\\uDE00\":1,\"\\uFF5E\":2}"]`, `{"canonical":"{\"～\":2,\"😀\":1}",`},

	{"event signing 1", "matrix_verifyEvent", `["3",` + minimal + `,` + specKey + `]`, signed},
	{"event signing 1, without an id", "matrix_verifyEvent", `["1",` + minimal + `,` + specKey + `]`, signed},
	{"event signing 1, as text", "matrix_verifyEvent", `["10",` + quoted(minimal) + `,` + quoted(specKey) + `]`, signed},
	{"event signing 1, when origin counted no more", "matrix_verifyEvent", `["11",` + minimal + `,` + specKey + `]`,
		`{"ok":false,"contentHash":"ok","signatures":[{"server":"domain","keyId":"ed25519:1","ok":false,"reason":"bad_signature"}]}`},
	{"event signing 2", "matrix_verifyEvent", `["1",` + redactable + `,` + specKey + `]`, signed},
	{"event signing 2, redacted", "matrix_verifyEvent", `["2",{"content":{}` + redactable[len(`{"content":{"body":"Here is the message content"}`):] + `,` + specKey + `]`,
		`{"ok":true,"contentHash":"redacted","signatures":[{"server":"domain","keyId":"ed25519:1","ok":true}]}`},
	{"content hash 1", "matrix_eventId", `["5",` + minimal + `]`,
		`{"eventId":"$8yif6p8EqgoSten2BLje9ntKm720NyFLWQv9tn8memc","referenceHash":"8yif6p8EqgoSten2BLje9ntKm720NyFLWQv9tn8memc",` +
			`"contentHash":"5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos","contentHashOk":true}`},

	{"id in version 3", "matrix_eventId", `["3",` + create + `]`, `{"eventId":"$RrGxF28UrHLmoASHndYb9Jb/1SFww2ptmtur9INS438",`},
	{"id in version 4", "matrix_eventId", `["4",` + create + `]`, `{"eventId":"$RrGxF28UrHLmoASHndYb9Jb_1SFww2ptmtur9INS438",` +
		`"referenceHash":"RrGxF28UrHLmoASHndYb9Jb/1SFww2ptmtur9INS438","contentHash":"IX6zuNiJpJPNf70BLleL3HSCpjKeq9Uhu7uUpyDjBmc","contentHashOk":true}`},
	{"no id of its own", "matrix_eventId", `["1",{}]`, `{"eventId":null,`},

	{"redaction keeps numbers", "matrix_redact", `["5",{"type":"m.room.power_levels","content":{"ban":50.0,"users":{"@a:s":9007199254740993},"x":1}}]`,
		`{"event":{"content":{"ban":50.0,"users":{"@a:s":9007199254740993}},"type":"m.room.power_levels"}}`},
	{"redaction in text", "matrix_redact", `["12","{\"type\":\"m.room.create\",\"content\":{\"b\":-0,\"a\":\"\\u0001\"},\"x\":1}"]`,
		`{"event":"{\"content\":{\"a\":\"\\u0001\",\"b\":0},\"type\":\"m.room.create\"}"}`},
}

const (
	signed  = `{"ok":true,"contentHash":"ok","signatures":[{"server":"domain","keyId":"ed25519:1","ok":true}]}`
	specKey = `{"domain":{"ed25519:1":{"key":"XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"}}}`
	minimal = `{"auth_events":[],"content":{},"depth":3,"hashes":{"sha256":"5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos"},"origin":"domain",` +
		`"origin_server_ts":1000000,"prev_events":[],"room_id":"!x:domain","sender":"@a:domain","signatures":{"domain":{"ed25519:1":` +
		`"KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg"}},"type":"X","unsigned":{"age_ts":1000000}}`
	redactable = `{"content":{"body":"Here is the message content"},"event_id":"$0:domain","hashes":{"sha256":` +
		`"onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g"},"origin":"domain","origin_server_ts":1000000,"type":"m.room.message",` +
		`"room_id":"!r:domain","sender":"@u:domain","signatures":{"domain":{"ed25519:1":` +
		`"Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA"}},"unsigned":{"age_ts":1000000}}`
	create = `{"auth_events":[],"prev_events":[],"type":"m.room.create","room_id":"!uXDCzlYgCTHtiWCkEx:jki.re","sender":"@erikj:jki.re",` +
		`"content":{"room_version":"5","predecessor":{"room_id":"!gdRMqOrTFdOCYHNwOo:half-shot.uk",` +
		`"event_id":"$LP7ROBc4b+cMc1UE9haIz8q5AK2AIW4eJ90FfKLvyZI"},"creator":"@erikj:jki.re"},"depth":1,"prev_state":[],"state_key":"",` +
		`"origin":"jki.re","origin_server_ts":1560284621137,"hashes":{"sha256":"IX6zuNiJpJPNf70BLleL3HSCpjKeq9Uhu7uUpyDjBmc"},` +
		`"signatures":{"jki.re":{"ed25519:auto":"O4IyFfF2PPtGp5uaDm8t57dZbdh8vc8Q64LgCwvzYRVItAMI0uisfiAFaxkVT7MRpzh6N2QNN5NMRXZKmgPYDA"}},` +
		`"unsigned":{"age":1321650}}`
)

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestAnswers(t *testing.T) {
	for _, c := range answers {
		t.Run(c.name, func(t *testing.T) {
			got, want := string(program.Handle(request(t, c.method, c.params))), `{"jsonrpc":"2.0","id":1,"result":`+c.want
			if len(got) < len(want) || got[:len(want)] != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

// examples are the calls of openrpc.json.
func examples(t testing.TB) (list [][]byte) {
	t.Helper()
	var document struct {
		Methods []struct {
			Name     string
			Examples []struct {
				Params []struct {
					Name  string
					Value json.RawMessage
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(openrpc), &document); err != nil {
		t.Fatal(err)
	}
	for _, m := range document.Methods {
		for _, e := range m.Examples {
			params := map[string]json.RawMessage{}
			for _, p := range e.Params {
				params[p.Name] = p.Value
			}
			b, err := json.Marshal(params)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, request(t, m.Name, string(b)))
		}
	}
	return list
}

// Both variants answer alike, and within what is granted.
func TestVariants(t *testing.T) {
	list := []string{`{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}`}
	for _, b := range requests(t) {
		list = append(list, string(b))
	}
	var c caller
	c.rooms(t)
	p := servicetest.Start(t, ".")
	p.Agree(t, append(list, c.asked...))
	t.Run("full rooms", func(t *testing.T) { fits(t, p) })
}
