package service

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// signature lists the params of a method in their order.
type signature []param

type param struct {
	name     string
	required bool
}

// signatureOf reads a signature off a struct.
func signatureOf[P any]() (s signature) {
	t := reflect.TypeFor[P]()
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("service: params are a %v, want a struct with a field for each", t))
	}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || name == "-" {
			panic(fmt.Sprintf("service: field %s of %v is no param: embedded, not exported or left out of JSON", f.Name, t))
		}
		if name == "" {
			name = f.Name
		}
		optional := f.Type.Kind() == reflect.Pointer || strings.Contains(","+options+",", ",omitzero,")
		s = append(s, param{name, !optional})
	}
	return s
}

// decode reads params, by name or by position, into the struct that the signature was read off. Params are strict JSON, or
// empty where the request has none.
func (s signature) decode(params jsontext.Value, into any) *jsonrpc.Error {
	if len(params) == 0 {
		params = jsontext.Value("[]")
	}
	if params[0] == '[' {
		named, err := s.byName(params)
		if err != nil {
			return err
		}
		params = named
	}
	if err := s.complete(params); err != nil {
		return err
	}
	if err := json.Unmarshal(params, into, json.RejectUnknownMembers(true), refuseNull); err != nil {
		return wrongType(err)
	}
	return nil
}

// byName turns params by position into params by name.
func (s signature) byName(params jsontext.Value) (jsontext.Value, *jsonrpc.Error) {
	var list []jsontext.Value
	if err := json.Unmarshal(params, &list); err != nil {
		return nil, invalid("params cannot be read")
	}
	if len(list) > len(s) {
		return nil, invalid("%d params given, at most %d known", len(list), len(s))
	}
	object := []byte{'{'}
	for i, value := range list {
		if i > 0 {
			object = append(object, ',')
		}
		quoted, err := jsontext.AppendQuote(nil, s[i].name)
		if err != nil {
			return nil, invalid("params cannot be read")
		}
		object = append(append(append(object, quoted...), ':'), value...)
	}
	return append(object, '}'), nil
}

// complete looks for params that are missing.
func (s signature) complete(params jsontext.Value) *jsonrpc.Error {
	var given map[string]jsontext.Value
	if err := json.Unmarshal(params, &given); err != nil {
		return invalid("params cannot be read")
	}
	for _, p := range s {
		if _, ok := given[p.name]; p.required && !ok {
			return invalid("param %q is missing", p.name)
		}
	}
	return nil
}

// refuseNull keeps a JSON null from passing for an empty string or a zero.
var refuseNull = json.WithUnmarshalers(json.UnmarshalFromFunc(func(d *jsontext.Decoder, into any) error {
	if _, raw := into.(*jsontext.Value); raw || d.PeekKind() != 'n' {
		return errors.ErrUnsupported
	}
	return &json.SemanticError{GoType: reflect.TypeOf(into).Elem()}
}))

// wrongType words an error of the JSON library in our own way, which is the same in every process.
func wrongType(err error) *jsonrpc.Error {
	var e *json.SemanticError
	if !errors.As(err, &e) {
		return invalid("params cannot be read")
	}
	path := strings.TrimPrefix(string(e.JSONPointer), "/")
	if errors.Is(err, json.ErrUnknownName) {
		return invalid("param %.80q is unknown", path)
	}
	return invalid("param %.80q: want %s", path, want(e.GoType))
}

// want names a Go type as callers know it.
func want(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return "another type"
	}
	switch reflect.New(t).Interface().(type) {
	case json.Unmarshaler, json.UnmarshalerFrom:
		return "another form"
	case encoding.TextUnmarshaler:
		return "a string of another form"
	case *[]byte:
		return "a string of base64"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fmt.Sprintf("an integer of %d bits", t.Bits())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("an integer of %d bits, not negative", t.Bits())
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "an array"
	}
	return "an object"
}

// repeatedParam is the error for a name that stands twice within the params, nil where the trouble is another.
func repeatedParam(err error) *jsonrpc.Error {
	var e *jsontext.SyntacticError
	if !errors.As(err, &e) || !errors.Is(err, jsontext.ErrDuplicateName) {
		return nil
	}
	path, ok := strings.CutPrefix(string(e.JSONPointer), "/params/")
	if !ok {
		return nil
	}
	return invalid("param %.80q is given twice", path)
}

func invalid(format string, args ...any) *jsonrpc.Error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf(format, args...)}
}
