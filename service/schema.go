package service

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// schema is a JSON Schema (draft 7, as OpenRPC wants it) of a Go type. The empty one takes anything.
type schema struct {
	Description string         `json:"description,omitempty"`
	Type        string         `json:"type,omitempty"`
	Format      string         `json:"format,omitempty"`
	Encoding    string         `json:"contentEncoding,omitempty"`
	Minimum     jsontext.Value `json:"minimum,omitzero"`
	Maximum     jsontext.Value `json:"maximum,omitzero"`
	Items       *schema        `json:"items,omitzero"`
	MinItems    *int           `json:"minItems,omitzero"`
	MaxItems    *int           `json:"maxItems,omitzero"`
	Properties  properties     `json:"properties,omitempty"`
	Required    []string       `json:"required,omitempty"`
	Additional  *schema        `json:"additionalProperties,omitzero"`
	AnyOf       []*schema      `json:"anyOf,omitempty"`
	nothing     bool           // is false, which takes nothing
}

// MarshalJSONTo writes a schema that takes nothing as false.
func (s *schema) MarshalJSONTo(e *jsontext.Encoder) error {
	if s.nothing {
		return e.WriteToken(jsontext.False)
	}
	type plain schema
	return json.MarshalEncode(e, (*plain)(s))
}

// properties are written in the order of a struct's fields.
type properties []property

type property struct {
	name   string
	schema *schema
}

// MarshalJSONTo writes an object.
func (p properties) MarshalJSONTo(e *jsontext.Encoder) error {
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, m := range p {
		if err := e.WriteToken(jsontext.String(m.name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(e, m.schema); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

// schemas are those of params and result. They panic where a type has none: that is a slip of the author's.
func (m Procedure) schemas() (params, result *schema) {
	in := walk{method: m.name, params: true}
	out := walk{method: m.name}
	return in.object(m.params), out.of(m.result)
}

// maxDepth is how deep types may be nested: answers are at most 64 deep (protocol 3.3).
const maxDepth = 32

// walk goes through a type.
type walk struct {
	method string
	params bool           // else a result
	within []reflect.Type // the type is in these
}

func (w walk) slip(t reflect.Type, why string) {
	panic(fmt.Sprintf("service: method %s: %v %s; take another type, jsontext.Value for anything, or give New an OpenRPC document of your own",
		w.method, t, why))
}

// enter goes one level down.
func (w walk) enter(t reflect.Type) walk {
	if slices.Contains(w.within, t) {
		w.slip(t, "contains itself")
	}
	if len(w.within) == maxDepth {
		w.slip(t, fmt.Sprintf("is nested more than %d deep", maxDepth))
	}
	w.within = append(w.within[:len(w.within):len(w.within)], t)
	return w
}

// of is the schema of a type.
func (w walk) of(t reflect.Type) *schema {
	w = w.enter(t)
	if t == reflect.TypeFor[time.Duration]() {
		w.slip(t, "has no form in JSON")
	}
	if s, ok := special(t); ok {
		return s
	}
	switch t.Kind() {
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Float32, reflect.Float64:
		return &schema{Type: "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		most := uint64(1)<<(t.Bits()-1) - 1
		return integer("-"+strconv.FormatUint(most+1, 10), most)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return integer("0", ^uint64(0)>>(64-t.Bits()))
	case reflect.Slice:
		return &schema{Type: "array", Items: w.of(t.Elem())}
	case reflect.Array:
		n := t.Len()
		return &schema{Type: "array", Items: w.of(t.Elem()), MinItems: &n, MaxItems: &n}
	case reflect.Map:
		return w.dictionary(t)
	case reflect.Pointer:
		return w.pointer(t)
	case reflect.Struct:
		return w.object(t)
	case reflect.Interface:
		return &schema{}
	}
	w.slip(t, "has no form in JSON")
	return nil
}

func integer(least string, most uint64) *schema {
	return &schema{Type: "integer", Minimum: jsontext.Value(least), Maximum: jsontext.Value(strconv.FormatUint(most, 10))}
}

// special is the schema of a type that does not look in JSON as it is built in Go.
func special(t reflect.Type) (*schema, bool) {
	p := reflect.PointerTo(t)
	switch {
	case t.Kind() == reflect.Interface, t.Kind() == reflect.Pointer:
		return nil, false
	case t == reflect.TypeFor[time.Time]():
		return &schema{Type: "string", Format: "date-time"}, true
	case t == reflect.TypeFor[jsontext.Value](), p.Implements(reflect.TypeFor[json.MarshalerTo]()), p.Implements(reflect.TypeFor[json.Marshaler]()):
		return &schema{}, true
	case p.Implements(reflect.TypeFor[encoding.TextMarshaler]()), p.Implements(reflect.TypeFor[encoding.TextAppender]()):
		return &schema{Type: "string"}, true
	case (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem() == reflect.TypeFor[byte]():
		return &schema{Type: "string", Encoding: "base64"}, true
	}
	return nil, false
}

func (w walk) dictionary(t reflect.Type) *schema {
	_, text := special(t.Key())
	if k := t.Key().Kind(); !text && k != reflect.String && (k < reflect.Int || k > reflect.Uint64) {
		w.slip(t, "has keys that are no names in JSON")
	}
	return &schema{Type: "object", Additional: w.of(t.Elem())}
}

// pointer may be null in a result. In params null is refused.
func (w walk) pointer(t reflect.Type) *schema {
	s := w.of(t.Elem())
	if w.params || s.Type == "" && s.AnyOf == nil { // or takes null anyway
		return s
	}
	return &schema{AnyOf: []*schema{s, {Type: "null"}}}
}

// object is the schema of a struct. In params, what it does not name is refused.
func (w walk) object(t reflect.Type) *schema {
	s := &schema{Type: "object"}
	if w.params {
		s.Additional = &schema{nothing: true}
	}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		list := strings.Split(options, ",")
		if name == "-" && options == "" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if f.Anonymous && name == "" || slices.Contains(list, "inline") || slices.Contains(list, "unknown") {
			w.slip(t, "has members inlined from "+f.Name)
		}
		if name == "" {
			name = f.Name
		}
		s.Properties = append(s.Properties, property{name, w.member(f, list)})
		if !w.optional(f, list) {
			s.Required = append(s.Required, name)
		}
	}
	return s
}

func (w walk) optional(f reflect.StructField, options []string) bool {
	return slices.Contains(options, "omitzero") || w.params && f.Type.Kind() == reflect.Pointer ||
		!w.params && slices.Contains(options, "omitempty")
}

// member is the schema of a field.
func (w walk) member(f reflect.StructField, options []string) *schema {
	var s *schema
	switch {
	case slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, "format:") }):
		s = &schema{}
	case slices.Contains(options, "string"):
		s = &schema{Type: "string"}
	case f.Type.Kind() == reflect.Pointer && slices.Contains(options, "omitzero"):
		s = w.enter(f.Type).of(f.Type.Elem()) // left out where it would be null
	default:
		s = w.of(f.Type)
	}
	s.Description = f.Tag.Get("doc")
	return s
}
