package service

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json/jsontext"
)

type sample struct {
	Q      string         `json:"q"`
	K      *int8          `json:"k"`
	Exact  bool           `json:"exact,omitzero"`
	Sizes  []uint16       `json:"sizes,omitzero"`
	Weight float64        `json:"weight,omitzero"`
	Any    jsontext.Value `json:"any,omitzero"`
	Filter *filter        `json:"filter"`
	Key    []byte         `json:"key,omitzero"`
	At     netip.Addr     `json:"at,omitzero"`
}

type filter struct {
	Field string            `json:"field"`
	Tags  map[string]string `json:"tags"`
}

const sampleDocument = `{
	"methods": [
		{"name": "search", "params": [{"name": "q", "required": true}, {"name": "k"}, {"name": "exact"}, {"name": "sizes"},
			{"name": "weight"}, {"name": "any"}, {"name": "filter"}, {"name": "key"}, {"name": "at"}]},
		{"name": "none", "params": [], "examples": [{"name": "nothing", "params": [], "result": {"value": {"list":[], "map":{}} }}]},
		{"name": "raw", "params": []}, {"name": "text", "params": []},
		{"name": "deep", "params": [{"name": "n", "required": true}]}, {"name": "deep_error", "params": [{"name": "n", "required": true}]},
		{"name": "bomb", "params": [{"name": "b", "required": true}]}, {"name": "own_error", "params": []}, {"name": "panic", "params": []}, {"name": "twice", "params": []}
	]
}`

// bomb breaks where JSON turns it true or it is turned into JSON.
type bomb bool

type bombs struct {
	B bomb `json:"b"`
}

func (bomb) MarshalJSON() ([]byte, error) { panic("written") }

func (*bomb) UnmarshalJSON(b []byte) error {
	if string(b) == "true" {
		panic("read")
	}
	if string(b) == "3" {
		return errors.New("no bomb")
	}
	return nil
}

type levels struct {
	N int `json:"n"`
}

// nested is n objects in one another, between brackets that are text.
func nested(n int) string {
	return strings.Repeat(`{"]\\\"}":`, n-1) + `["[[{{\"[\\"]` + strings.Repeat("}", n-1)
}

func sampleService() *Service {
	type empty struct {
		List []int          `json:"list"`
		Map  map[string]int `json:"map"`
	}
	var none *filter
	return New("sample", sampleDocument,
		Method("search", func(p sample) (sample, *jsonrpc.Error) { return p, nil }),
		Method("none", func(struct{}) (empty, *jsonrpc.Error) { return empty{}, nil }),
		Method("raw", func(struct{}) (jsontext.Value, *jsonrpc.Error) { return jsontext.Value(` [ 1 , {"a" : "<&>"} ] `), nil }),
		Method("text", func(struct{}) (string, *jsonrpc.Error) { return "broken \xff here", nil }),
		Method("deep", func(p levels) (jsontext.Value, *jsonrpc.Error) { return jsontext.Value(nested(p.N)), nil }),
		Method("deep_error", func(p levels) (int, *jsonrpc.Error) {
			return 0, &jsonrpc.Error{Code: 1, Message: "deep", Data: jsontext.Value(nested(p.N))}
		}),
		Method("own_error", func(struct{}) (int, *jsonrpc.Error) {
			return 0, &jsonrpc.Error{Code: -32011, Message: "unknown_doc", Data: jsontext.Value(`{ "doc" : "x" }`)}
		}),
		Method("bomb", func(bombs) (bomb, *jsonrpc.Error) { return false, nil }),
		Method("panic", func(struct{}) (string, *jsonrpc.Error) { return none.Field, nil }),
		Method("twice", func(struct{}) (map[string]jsontext.Value, *jsonrpc.Error) {
			return map[string]jsontext.Value{"a": jsontext.Value(`{"x":1,"x":2}`)}, nil
		}),
	)
}

func TestHandle(t *testing.T) {
	s := sampleService()
	for _, c := range []struct{ name, request, want string }{
		// Protocol 3.1, 3.2: any single valid request, its id echoed as written.
		{"by name", `{"jsonrpc":"2.0","id":1,"method":"search","params":{"q":"<a & b>","k":3}}`,
			`{"jsonrpc":"2.0","id":1,"result":{"q":"<a & b>","k":3,"filter":null}}`},
		{"id as written", `{"jsonrpc":"2.0","method":"none","id":1.50e+1}`, `{"jsonrpc":"2.0","id":1.50e+1,"result":{"list":[],"map":{}}}`},
		{"escaped id", `{"jsonrpc":"2.0","id":"\u0041\/","method":"none"}`, `{"jsonrpc":"2.0","id":"\u0041\/","result":{"list":[],"map":{}}}`},
		{"null id", `{"id":null,"jsonrpc":"2.0","method":"none","params":[]}`, `{"jsonrpc":"2.0","id":null,"result":{"list":[],"map":{}}}`},
		{"raw result is compact", `{"jsonrpc":"2.0","id":1,"method":"raw"}`, `{"jsonrpc":"2.0","id":1,"result":[1,{"a":"<&>"}]}`},
		{"own error", `{"jsonrpc":"2.0","id":1,"method":"own_error"}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32011,"message":"unknown_doc","data":{"doc":"x"}}}`},

		// Protocol 2.4: by name, or by position in the order of the OpenRPC document.
		{"by position", `{"jsonrpc":"2.0","id":1,"method":"search","params":["a",3,true,[1,2],0.5,{"z":null},{"field":"f"}]}`,
			`{"jsonrpc":"2.0","id":1,"result":{"q":"a","k":3,"exact":true,"sizes":[1,2],"weight":0.5,"any":{"z":null},"filter":{"field":"f","tags":{}}}}`},
		{"any order by name", `{"jsonrpc":"2.0","id":1,"method":"search","params":{"k":3,"q":"a"}}`,
			`{"jsonrpc":"2.0","id":1,"result":{"q":"a","k":3,"filter":null}}`},

		// What breaks params gets -32602, and is named.
		{"missing", bad(`{"k":3}`), no(`param \"q\" is missing`)},
		{"missing by position", bad(`[]`), no(`param \"q\" is missing`)},
		{"unknown", bad(`{"q":"a","kk":3}`), no(`param \"kk\" is unknown`)},
		{"names have case", bad(`{"q":"a","K":3}`), no(`param \"K\" is unknown`)},
		{"unknown below", bad(`{"q":"a","filter":{"x":1}}`), no(`param \"filter/x\" is unknown`)},
		{"too many", bad(`["a",3,true,[],1,1,{},8,9,10]`), no(`10 params given, at most 9 known`)},
		{"no string", bad(`{"q":3}`), no(`param \"q\": want a string`)},
		{"no string by position", bad(`[3]`), no(`param \"q\": want a string`)},
		{"no integer", bad(`{"q":"a","k":"3"}`), no(`param \"k\": want an integer of 8 bits`)},
		{"fraction", bad(`{"q":"a","k":3.5}`), no(`param \"k\": want an integer of 8 bits`)},
		{"too large", bad(`{"q":"a","k":300}`), no(`param \"k\": want an integer of 8 bits`)},
		{"no bool", bad(`{"q":"a","exact":1}`), no(`param \"exact\": want true or false`)},
		{"negative", bad(`{"q":"a","sizes":[1,-1]}`), no(`param \"sizes/1\": want an integer of 16 bits, not negative`)},
		{"no array", bad(`{"q":"a","sizes":{}}`), no(`param \"sizes\": want an array`)},
		{"no number", bad(`{"q":"a","weight":"1"}`), no(`param \"weight\": want a number`)},
		{"no base64", bad(`{"q":"a","key":"?"}`), no(`param \"key\": want a string of base64`)},
		{"no address", bad(`{"q":"a","at":"here"}`), no(`param \"at\": want a string of another form`)},
		{"own form", `{"jsonrpc":"2.0","id":1,"method":"bomb","params":[3]}`, no(`param \"b\": want another form`)},
		{"no object", bad(`{"q":"a","filter":[]}`), no(`param \"filter\": want an object`)},
		{"null for a string", bad(`{"q":null}`), no(`param \"q\": want a string`)},
		{"null for a pointer", bad(`{"q":"a","k":null}`), no(`param \"k\": want an integer of 8 bits`)},
		{"null below", bad(`{"q":"a","filter":{"tags":{"x":null}}}`), no(`param \"filter/tags/x\": want a string`)},
		{"twice", bad(`{"q":"a","q":"b"}`), noID(-32602, `param \"q\" is given twice`)},
		{"twice, spelled differently", bad(`{"q":"a","\u0071":"b"}`), noID(-32602, `param \"q\" is given twice`)},
		{"twice below", bad(`{"q":"a","filter":{"field":"a","field":"b"}}`), noID(-32602, `param \"filter/field\" is given twice`)},

		// JSON-RPC 2.0, section 5.1.
		{"method", `{"jsonrpc":"2.0","id":7,"method":"nope"}`, `{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"method not found"}}`},
		{"batch", ` [{"jsonrpc":"2.0","id":1,"method":"none"}]`, noID(-32600, `batches are not taken: send single requests`)},
		{"notification", `{"jsonrpc":"2.0","method":"none"}`, noID(-32600, `notifications are not taken: a request needs an id`)},
		{"version", `{"jsonrpc":"1.0","id":1,"method":"none"}`, noID(-32600, `not a JSON-RPC 2.0 message`)},
		{"member", `{"jsonrpc":"2.0","id":1,"method":"none","extra":1}`, noID(-32600, `not a JSON-RPC 2.0 message`)},
		{"params", `{"jsonrpc":"2.0","id":1,"method":"none","params":3}`, noID(-32600, `not a JSON-RPC 2.0 message`)},
		{"empty", ``, noID(-32700, `not strict JSON`)},
		{"cut short", `{"jsonrpc":"2.0","id":1,"method":"none"`, noID(-32700, `not strict JSON`)},
		{"member twice", `{"jsonrpc":"2.0","id":1,"id":2,"method":"none"}`, noID(-32700, `not strict JSON`)},
		{"not UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"search\",\"params\":[\"\xff\"]}", noID(-32700, `not strict JSON`)},
		{"lone surrogate", `{"jsonrpc":"2.0","id":1,"method":"search","params":["\ud800"]}`, noID(-32700, `not strict JSON`)},

		// Protocol 3.4: never a word about the machine.
		{"panic", `{"jsonrpc":"2.0","id":1,"method":"panic"}`, broken},
		{"panic while it is written", `{"jsonrpc":"2.0","id":1,"method":"bomb","params":[false]}`, broken},
		{"panic while it is read", `{"jsonrpc":"2.0","id":1,"method":"bomb","params":[true]}`, broken},
		{"result not UTF-8", `{"jsonrpc":"2.0","id":1,"method":"text"}`, broken},
		{"result too deep", `{"jsonrpc":"2.0","id":1,"method":"deep","params":[64]}`, broken},
		{"error data too deep", `{"jsonrpc":"2.0","id":1,"method":"deep_error","params":[63]}`, broken},
		{"result as deep as may be", `{"jsonrpc":"2.0","id":1,"method":"deep","params":[63]}`,
			`{"jsonrpc":"2.0","id":1,"result":` + nested(63) + `}`},
		{"result with a name twice", `{"jsonrpc":"2.0","id":1,"method":"twice"}`, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := s.Handle([]byte(c.request)); string(got) != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.request, got, c.want)
			}
		})
	}
}

const broken = `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"internal error"}}`

func bad(params string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"search","params":` + params + `}`
}

func no(message string) string {
	return `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"` + message + `"}}`
}

func noID(code int, message string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":"%s"}}`, code, message)
}

func TestHandleLongNamesAreCut(t *testing.T) {
	request := bad(`{"q":"a","` + strings.Repeat("x", 1<<16) + `":1}`)
	if got := sampleService().Handle([]byte(request)); len(got) > 250 {
		t.Errorf("answer quotes %d bytes of a hostile name", len(got))
	}
}

var paramsOf = map[string]string{"panic": "[]", "text": "[]", "deep": "[64]"}

func TestAnswerSaysWhatBroke(t *testing.T) {
	for method, want := range map[string]string{"panic": "nil pointer", "text": "UTF-8", "deep": "more than 64 levels deep"} {
		_, err := sampleService().answer([]byte(`{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + paramsOf[method] + `}`))
		if err == nil || !strings.Contains(err.Error(), "call "+method) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want one with %q", method, err, want)
		}
	}
}

func TestDiscover(t *testing.T) {
	got := sampleService().Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}`))
	compact := jsontext.Value(sampleDocument).Clone()
	if err := compact.Compact(); err != nil {
		t.Fatal(err)
	}
	if want := `{"jsonrpc":"2.0","id":1,"result":` + string(compact) + `}`; string(got) != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
}

func TestCheck(t *testing.T) {
	if err := sampleService().Check(); err != nil {
		t.Fatal(err)
	}
	one := Method("add", func(p struct{ A, B int }) (int, *jsonrpc.Error) { return p.A + p.B, nil })
	for _, c := range []struct{ name, document, want string }{
		{"no JSON", `{`, "internal error"},
		{"undescribed", `{"methods":[]}`, "method add: there, but not described"},
		{"missing", `{"methods":[{"name":"sub"}]}`, "method sub: described, but not there"},
		{"order", `{"methods":[{"name":"add","params":[{"name":"B","required":true},{"name":"A","required":true}]}]}`, "params are described as"},
		{"optional", `{"methods":[{"name":"add","params":[{"name":"A","required":true},{"name":"B"}]}]}`, "params are described as"},
		{"result", addExample(`[{"name":"A","value":1},{"name":"B","value":2}]`, "4"), `example "sum": result is 3, described as 4`},
		{"error", addExample(`[{"name":"A","value":1}]`, "4"), `param "B" is missing`},
		{"right", addExample(`[{"name":"A","value":1},{"name":"B","value":2}]`, "3"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := New("calculator", c.document, one).Check()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
}

func addExample(params, result string) string {
	return `{"methods":[{"name":"add","params":[{"name":"A","required":true},{"name":"B","required":true}],
		"examples":[{"name":"sum","params":` + params + `,"result":{"value":` + result + `}}]}]}`
}

func TestNewPanics(t *testing.T) {
	answer := func(struct{}) (int, *jsonrpc.Error) { return 0, nil }
	type embedded struct{ sample }
	for name, slip := range map[string]func(){
		"twice":      func() { New("x", "{}", Method("a", answer), Method("a", answer)) },
		"bad name":   func() { New("x", "{}", Method("a b", answer)) },
		"discover":   func() { New("x", "{}", Method("rpc.discover", answer)) },
		"no struct":  func() { Method("a", func(int) (int, *jsonrpc.Error) { return 0, nil }) },
		"embedded":   func() { Method("a", func(embedded) (int, *jsonrpc.Error) { return 0, nil }) },
		"unexported": func() { Method("a", func(struct{ a int }) (int, *jsonrpc.Error) { return 0, nil }) },
		"not in JSON": func() {
			Method("a", func(struct {
				A int `json:"-"`
			}) (int, *jsonrpc.Error) {
				return 0, nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("a slip of the author's went through")
				}
			}()
			slip()
		})
	}
}

// FuzzHandle: whatever the request, the answer is a response that package jsonrpc takes, to the request's id or to none, and
// the same the second time.
func FuzzHandle(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `[]`, `{"jsonrpc":"2.0","id":1,"method":"none"}`, `{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}`,
		`{"jsonrpc":"2.0","id":"é\n","method":"panic","params":[]}`, bad(`["a",3,true,[1,2],0.5,{"z":null},{"field":"f"}]`),
		bad(`{"q":"a","filter":{"tags":{"x":"y"}}}`), bad(`{"q":"a","q":1}`), bad(`{"any":{"a":1,"a":2}}`), bad(`{"\/~":1}`),
	} {
		f.Add([]byte(seed))
	}
	s := sampleService()
	f.Fuzz(func(t *testing.T, request []byte) {
		before := bytes.Clone(request)
		response := s.Handle(request)
		if !bytes.Equal(before, request) {
			t.Fatal("the request was changed")
		}
		id := []byte("null")
		if r, err := jsonrpc.ParseRequest(request); err == nil {
			id = r.ID
		}
		if _, err := jsonrpc.ParseResponse(response, id); err != nil {
			t.Fatalf("%q\nis answered %q: %v", request, response, err)
		}
		if again := s.Handle(request); !bytes.Equal(response, again) {
			t.Fatalf("%q\nis answered %q\n    and then %q", request, response, again)
		}
	})
}
