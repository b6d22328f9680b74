// Package service is what authors of services write against: plain Go functions go in, one program comes out that any host
// of the network can run. The same main package is an HTTP server on linux and a WebAssembly reactor on wasip1, and answers
// every request with the same bytes on both (protocol 2.1 to 2.4, 3.1, 3.3).
//
//	var program = service.New("greeter", "", service.Method("greet", greet).
//		Doc("Greets somebody.").
//		Example("Ada", greeting{"Ada"}, "Hello, Ada"))
//
//	func main() { program.Serve() }
//
//	type greeting struct {
//		Name string `json:"name" doc:"whom to greet"`
//	}
//
//	func greet(p greeting) (string, *jsonrpc.Error) { return "Hello, " + p.Name, nil }
//
// The service must be a package-level variable, because a reactor never runs main: the toolchain initialises the package's
// variables and then calls the exports alloc and handle. They answer with the service that [New] made, and main matters
// where there is a process to run.
//
// A service is a function. Its methods get the request and nothing else, and must not look at clock, randomness, environment,
// network or anything they remember from an earlier call: hosts that answer alike are believed, and one that stands alone is not.
package service

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxRequest is the longest request that a program takes at all, in bytes: the most a manifest may ask for. The revision's own
// limit is its host's to enforce (protocol 2.6).
const MaxRequest = 8 << 20

// Service answers JSON-RPC requests by its methods. It is safe for concurrent use if its methods are.
type Service struct {
	name     string
	methods  map[string]Procedure
	document func() (jsontext.Value, error)
	warm     []func(*Service) // see Warm
}

// New makes a service of its methods and of the OpenRPC document that describes them, which the method rpc.discover answers.
// Where the document is empty it is made of the methods: their Go types become JSON Schemas, and what else there is to say
// comes from [Procedure.Doc], [Procedure.Errors] and [Procedure.Example]. The name stands in the program's own messages and is
// the title of that document. On wasip1 the service also becomes what the reactor's exports answer with, so a program makes one.
//
// A method given twice, one whose name JSON-RPC does not allow, and, where the document is to be made, a type that contains
// itself or has no form in JSON, is a slip of the author's and panics.
func New(name, openrpc string, methods ...Procedure) *Service {
	s := &Service{name: name, methods: map[string]Procedure{}}
	s.document = func() (jsontext.Value, error) { return jsontext.Value(openrpc), nil }
	if openrpc == "" {
		for _, m := range methods {
			if runtime.GOOS != "wasip1" { // where each request would pay for it; tests run elsewhere
				m.schemas() // panics where there are none
			}
		}
		described := slices.Clone(methods)
		s.document = sync.OnceValues(func() (jsontext.Value, error) { return describe(name, described) }) // not at every start
	}
	for _, m := range append(slices.Clone(methods), s.discover()) {
		if _, twice := s.methods[m.name]; twice {
			panic(fmt.Sprintf("service %s: method %s is given twice", name, m.name))
		}
		if _, err := jsonrpc.NewRequest(m.name, nil); err != nil {
			panic(fmt.Sprintf("service %s: %v", name, err))
		}
		s.methods[m.name] = m
	}
	export(s)
	return s
}

// Procedure is a method of a service, made by [Method].
type Procedure struct {
	name           string
	signature      signature
	params, result reflect.Type
	words          words
	call           func(params jsontext.Value) (any, *jsonrpc.Error)
}

// Method makes a method of a Go function. P is a struct; each field is a param, under its json name and, by position, in the
// order of the fields, which has to be the order of the OpenRPC document (protocol 2.4; [Service.Check] compares them).
//
// A param must be given unless its field is a pointer or has the option omitzero. Unknown params, a JSON null for anything
// but a [jsontext.Value], and values of another type are refused with -32602 and a message that names the param. The function
// sees params of the right type and checks the rest: lengths, ranges, members of nested objects.
//
// The function returns either a result or an error, with a code of its own outside -32768 to -32000, or in -32000 to -32099.
// A result is written as compact JSON, members in the order of the fields, map keys sorted, nil slices as [].
func Method[P, R any](name string, call func(P) (R, *jsonrpc.Error)) Procedure {
	sig := signatureOf[P]()
	m := Procedure{name: name, signature: sig, params: reflect.TypeFor[P](), result: reflect.TypeFor[R]()}
	m.call = func(params jsontext.Value) (any, *jsonrpc.Error) {
		var p P
		if err := sig.decode(params, &p); err != nil {
			return nil, err
		}
		return call(p)
	}
	return m
}

// Handle answers one request with one response; whatever the request, the response is strict JSON and a JSON-RPC response.
// The same request always gets the same bytes. What is no single valid request gets -32700 or -32600, under a null id because
// there is none to trust; an unknown method gets -32601. A method that panics, or whose result is no strict JSON, gets -32603
// and not a word about the machine.
func (s *Service) Handle(request []byte) (response []byte) {
	response, _ = s.answer(request)
	return response
}

// answer is Handle, and says what broke where the answer is -32603. That is for the author's eyes: it differs between machines.
func (s *Service) answer(request []byte) (response []byte, broken error) {
	r, err := jsonrpc.ParseRequest(request)
	if err != nil {
		return failure(jsontext.Value("null"), refusal(err)), nil
	}
	m, ok := s.methods[r.Method]
	if !ok {
		return failure(r.ID, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: "method not found"}), nil
	}
	response, err = m.respond(r)
	if err != nil {
		response = failure(r.ID, &jsonrpc.Error{Code: jsonrpc.CodeInternal, Message: "internal error"})
		return response, fmt.Errorf("call %s: %w", r.Method, err)
	}
	return response, nil
}

// respond calls the method. It fails where the method panics, or returns what is no strict JSON.
func (m Procedure) respond(r jsonrpc.Request) (response []byte, broken error) {
	defer func() {
		if p := recover(); p != nil {
			broken = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	result, e := m.call(r.Params)
	if e != nil {
		return write(r.ID, "error", e)
	}
	return write(r.ID, "result", result)
}

// write is a response with its members in their fixed order, and an error where the value makes it no strict JSON.
func write(id jsontext.Value, member string, value any) ([]byte, error) {
	body, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(body)+len(id)+48)
	out = append(append(out, `{"jsonrpc":"2.0","id":`...), id...)
	out = append(append(out, `,"`...), member...)
	out = append(append(append(out, `":`...), body...), '}')
	return out, jsonrpc.Strict(out)
}

// failure is a response with an error of our own making, which can always be written.
func failure(id jsontext.Value, e *jsonrpc.Error) []byte {
	out, err := write(id, "error", e)
	if err != nil {
		panic(err)
	}
	return out
}

// refusal is the error for what [jsonrpc.ParseRequest] does not take. It quotes nothing from the error itself: the JSON
// library words its errors differently from process to process, and answers must not differ.
func refusal(err error) *jsonrpc.Error {
	if e := repeatedParam(err); e != nil {
		return e
	}
	if errors.Is(err, jsonrpc.ErrSyntax) {
		return &jsonrpc.Error{Code: jsonrpc.CodeParse, Message: jsonrpc.ErrSyntax.Error()}
	}
	for _, known := range []error{jsonrpc.ErrBatch, jsonrpc.ErrNotification} {
		if errors.Is(err, known) {
			return &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: known.Error()}
		}
	}
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: jsonrpc.ErrInvalid.Error()}
}

// discover is the method by which a service describes itself (OpenRPC, service discovery).
func (s *Service) discover() Procedure {
	return Method("rpc.discover", func(struct{}) (jsontext.Value, *jsonrpc.Error) {
		document, err := s.document()
		if err != nil {
			panic(err) // the author sees it when he checks
		}
		return document, nil
	})
}
