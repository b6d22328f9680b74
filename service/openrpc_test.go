package service

import (
	"encoding"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"barnraise/jsonrpc"
	"barnraise/manifest"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type question struct {
	Text  string   `json:"text" doc:"what is looked for"`
	Limit *uint8   `json:"limit" doc:"at most so many"`
	Exact bool     `json:"exact,omitzero"`
	Only  []filter `json:"only,omitzero"`
}

type findings struct {
	Hits  []hit           `json:"hits"`
	Next  *int32          `json:"next"`
	Count map[string]uint `json:"count,omitempty"`
}

type hit struct {
	ID    int64      `json:"id"`
	Score float64    `json:"score" doc:"the higher the better"`
	Key   [4]byte    `json:"key"`
	Pair  [2]bool    `json:"pair"`
	From  netip.Addr `json:"from"`
	At    time.Time  `json:"at"`
	Any   any        `json:"any"`
	Big   int64      `json:"big,string"`
	Maybe *string    `json:"maybe,omitzero"`
}

func describedService() *Service {
	find := func(q question) (findings, *jsonrpc.Error) {
		return findings{Hits: []hit{}, Count: map[string]uint{q.Text: 1}}, nil
	}
	limit := uint8(3)
	return New("finder", "",
		Method("find", find).
			Doc("Finds texts.\n\nThe best ones come first.").
			Errors(&jsonrpc.Error{Code: -32010, Message: "no such index", Data: jsontext.Value(`{ "a" : 1 }`)}).
			Example("plain", question{Text: "barn"}, findings{Hits: []hit{}, Count: map[string]uint{"barn": 1}}).
			Example("all params", question{"<b>", &limit, true, []filter{{}}}, findings{Count: map[string]uint{"<b>": 1}}),
		Method("nothing", func(struct{}) (jsontext.Value, *jsonrpc.Error) { return jsontext.Value("1"), nil }).
			Example("any", struct{}{}, jsontext.Value("1")),
	)
}

const describedDocument = `{"openrpc":"1.3.2","info":{"title":"finder","version":"1.0.0"},"methods":[
{"name":"find","summary":"Finds texts.","description":"The best ones come first.","params":[
{"name":"text","description":"what is looked for","required":true,"schema":{"type":"string"}},
{"name":"limit","description":"at most so many","schema":{"type":"integer","minimum":0,"maximum":255}},
{"name":"exact","schema":{"type":"boolean"}},
{"name":"only","schema":{"type":"array","items":{"type":"object","properties":{"field":{"type":"string"},
"tags":{"type":"object","additionalProperties":{"type":"string"}}},"required":["field","tags"],"additionalProperties":false}}}],
"result":{"name":"result","schema":{"type":"object","properties":{
"hits":{"type":"array","items":{"type":"object","properties":{
"id":{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807},
"score":{"description":"the higher the better","type":"number"},
"key":{"type":"string","contentEncoding":"base64"},
"pair":{"type":"array","items":{"type":"boolean"},"minItems":2,"maxItems":2},
"from":{"type":"string"},"at":{"type":"string","format":"date-time"},"any":{},"big":{"type":"string"},"maybe":{"type":"string"}},
"required":["id","score","key","pair","from","at","any","big"]}},
"next":{"anyOf":[{"type":"integer","minimum":-2147483648,"maximum":2147483647},{"type":"null"}]},
"count":{"type":"object","additionalProperties":{"type":"integer","minimum":0,"maximum":18446744073709551615}}},
"required":["hits","next"]}},
"errors":[{"code":-32010,"message":"no such index","data":{"a":1}}],
"examples":[{"name":"plain","params":[{"name":"text","value":"barn"}],
"result":{"name":"result","value":{"hits":[],"next":null,"count":{"barn":1}}}},
{"name":"all params","params":[{"name":"text","value":"<b>"},{"name":"limit","value":3},{"name":"exact","value":true},
{"name":"only","value":[{"field":"","tags":{}}]}],
"result":{"name":"result","value":{"hits":[],"next":null,"count":{"<b>":1}}}}]},
{"name":"nothing","params":[],"result":{"name":"result","schema":{}},
"examples":[{"name":"any","params":[],"result":{"name":"result","value":1}}]}]}`

// The document is made of the methods alone, is the same each time, and says what the methods do.
func TestDocumentIsMade(t *testing.T) {
	want := strings.ReplaceAll(describedDocument, "\n", "")
	for range 5 {
		s := describedService()
		if got, err := s.result("rpc.discover", nil); err != nil || string(got) != want {
			t.Fatalf("described as\n%s\n%v, want\n%s", got, err, want)
		}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
}

// Protocol 2.5: the manifest takes the document, and its examples are calls that the service answers.
func TestDocumentIsForManifests(t *testing.T) {
	s := describedService()
	document, err := s.OpenRPC()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(document), "{\n  \"openrpc\": \"1.3.2\",\n") || !strings.HasSuffix(string(document), "}\n") {
		t.Errorf("printed as %.60q", document)
	}
	encoded, err := manifest.Manifest{Name: "finder", OpenRPC: document}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse(encoded)
	if err != nil {
		t.Fatal(err)
	}
	examples, err := m.Examples()
	if err != nil || len(examples) != 3 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	for _, request := range examples {
		r, err := jsonrpc.ParseResponse(s.Handle(request), jsonrpc.WireID)
		if err != nil || r.Error != nil {
			t.Errorf("%s is answered %+v, %v", request, r, err)
		}
	}
}

func TestCheckHoldsExamplesOfGo(t *testing.T) {
	double := Method("double", func(p levels) (int, *jsonrpc.Error) { return 2 * p.N, nil })
	if err := New("x", "", double.Example("right", levels{2}, 4)).Check(); err != nil {
		t.Error(err)
	}
	err := New("x", "", double.Example("wrong", levels{2}, 5)).Check()
	if err == nil || !strings.Contains(err.Error(), `example "wrong": result is 4, described as 5`) {
		t.Errorf("a wrong example: %v", err)
	}
	if New("x", "", double).Check() != nil {
		t.Error("words were added to a method that others share")
	}
	broken := Method("double", func(levels) (string, *jsonrpc.Error) { return "", nil }).Example("broken", levels{}, "\xff")
	if _, err := New("x", "", broken).OpenRPC(); err == nil || !strings.Contains(err.Error(), `example "broken"`) {
		t.Errorf("an example that is no JSON: %v", err)
	}
}

// A document of the author's own needs no types that can be described.
func TestOwnDocument(t *testing.T) {
	s := New("x", `{"methods":[{"name":"tree","params":[]}]}`, Method("tree", func(struct{}) (tree, *jsonrpc.Error) { return tree{}, nil }))
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	if b, err := s.OpenRPC(); err != nil || !strings.HasPrefix(string(b), "{\n  \"methods\": [\n") {
		t.Errorf("printed as %s, %v", b, err)
	}
}

type tree struct {
	Children []tree `json:"children"`
}

type embeds struct {
	question
	N int
}

func deep[A any]() [][][][][][][][][]A { return nil }

func TestTypesWithoutSchema(t *testing.T) {
	answer := func(struct{}) (int, *jsonrpc.Error) { return 0, nil }
	for name, c := range map[string]struct {
		slip func()
		says string
	}{
		"contains itself": {func() { result(tree{}) }, "method m: service.tree contains itself"},
		"by a map":        {func() { result(map[string]tree{}) }, "contains itself"},
		"too deep":        {func() { result(deep[[][][][][][][][][][][][][][][][][][][][][][][][][][][]int]()) }, "nested more than 32 deep"},
		"function":        {func() { result(func() {}) }, "func() has no form in JSON"},
		"channel":         {func() { result(struct{ C chan int }{}) }, "chan int has no form in JSON"},
		"complex":         {func() { result(1i) }, "complex128 has no form in JSON"},
		"duration":        {func() { result(struct{ D time.Duration }{}) }, "time.Duration has no form in JSON"},
		"bare duration":   {func() { result([]time.Duration{}) }, "time.Duration has no form in JSON"},
		"keys":            {func() { result(map[[2]int]int{}) }, "has keys that are no names"},
		"embedded":        {func() { result(embeds{}) }, "inlined from question"},
		"in params": {func() {
			New("x", "", Method("m", func(struct{ T tree }) (int, *jsonrpc.Error) { return 0, nil }))
		}, "contains itself"},
		"example of other params": {func() { Method("m", answer).Example("e", levels{}, 0) }, `example "e": params are a service.levels, want a struct {}`},
		"example of other result": {func() { Method("m", answer).Example("e", struct{}{}, "0") }, "result is a string, want a int"},
		"example of no result":    {func() { Method("m", answer).Example("e", struct{}{}, nil) }, "result is a <nil>"},
		"reserved error":          {func() { Method("m", answer).Errors(&jsonrpc.Error{Code: -32603}) }, "-32603 is reserved"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if said, _ := recover().(string); !strings.Contains(said, c.says) {
					t.Errorf("said %q, want %q", said, c.says)
				}
			}()
			c.slip()
		})
	}
}

// result makes a service with a method of that result.
func result[R any](R) {
	New("x", "", Method("m", func(struct{}) (r R, e *jsonrpc.Error) { return }))
}

type upper string

func (u upper) MarshalText() ([]byte, error) { return []byte(u), nil }

type odd struct{ N int }

func (odd) MarshalJSON() ([]byte, error) { return []byte("7"), nil }

var _ encoding.TextMarshaler = upper("")

// What a type looks like in JSON is what its schema says: each value here, written by the JSON library, is of the type.
func TestSchemasOfSpecialTypes(t *testing.T) {
	type all struct {
		Text     upper              `json:"text"`
		Custom   odd                `json:"custom"`
		ByText   map[upper]int8     `json:"byText"`
		ByNumber map[uint16]bool    `json:"byNumber"`
		Bytes    []byte             `json:"bytes"`
		Span     time.Duration      `json:"span,format:units"`
		Pointer  **bool             `json:"pointer"`
		List     []*odd             `json:"list"`
		Nested   struct{ A, B any } `json:"nested"`
	}
	m := Method("m", func(struct{}) (all, *jsonrpc.Error) { return all{}, nil })
	_, s := m.schemas()
	got, err := json.Marshal(s, json.Deterministic(true))
	want := `{"type":"object","properties":{"text":{"type":"string"},"custom":{},` +
		`"byText":{"type":"object","additionalProperties":{"type":"integer","minimum":-128,"maximum":127}},` +
		`"byNumber":{"type":"object","additionalProperties":{"type":"boolean"}},"bytes":{"type":"string","contentEncoding":"base64"},` +
		`"span":{},"pointer":{"anyOf":[{"anyOf":[{"type":"boolean"},{"type":"null"}]},{"type":"null"}]},` +
		`"list":{"type":"array","items":{}},"nested":{"type":"object","properties":{"A":{},"B":{}},"required":["A","B"]}},` +
		`"required":["text","custom","byText","byNumber","bytes","span","pointer","list","nested"]}`
	if err != nil || string(got) != want {
		t.Errorf("described as\n%s, %v, want\n%s", got, err, want)
	}
}

// The program prints its document: go run . openrpc > openrpc.json.
func TestProgramPrintsDocument(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "echo")
	if said, err := exec.Command("go", "build", "-o", program, "./testdata/echo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	out, err := exec.Command(program, "openrpc").Output()
	if err != nil || !strings.HasPrefix(string(out), "{\n  \"openrpc\": ") || !strings.HasSuffix(string(out), "}\n") {
		t.Errorf("printed %.100s, %v", out, err)
	}
	if _, err := (manifest.Manifest{Name: "echo", OpenRPC: out}).Examples(); err != nil {
		t.Error(err)
	}
}
