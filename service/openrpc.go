package service

import (
	"bytes"
	"fmt"
	"strings"

	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// openrpc is an OpenRPC document (1.3.2), as far as a program can tell about itself.
type openrpc struct {
	OpenRPC string          `json:"openrpc"`
	Info    openrpcInfo     `json:"info"`
	Methods []openrpcMethod `json:"methods"`
}

type openrpcInfo struct {
	Title   string `json:"title"`
	Version string `json:"version"`
}

type openrpcMethod struct {
	Name        string           `json:"name"`
	Summary     string           `json:"summary,omitempty"`
	Description string           `json:"description,omitempty"`
	Params      []openrpcContent `json:"params"`
	Result      openrpcContent   `json:"result"`
	Errors      []*jsonrpc.Error `json:"errors,omitempty"`
	Examples    []openrpcExample `json:"examples,omitempty"`
}

type openrpcContent struct {
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitzero"`
	Schema      *schema `json:"schema"`
}

type openrpcExample struct {
	Name   string         `json:"name"`
	Params []openrpcValue `json:"params"`
	Result openrpcValue   `json:"result"`
}

type openrpcValue struct {
	Name  string         `json:"name"`
	Value jsontext.Value `json:"value"`
}

// OpenRPC is the document that describes the service, indented, as the program prints it when it is run with the argument
// openrpc. It is the one that [New] was given, or else made of the methods: then the same methods always make the same bytes.
// It fails where the document given is no JSON, or an example cannot be written as JSON.
func (s *Service) OpenRPC() ([]byte, error) {
	b, err := s.document()
	if err == nil {
		b = b.Clone()
		err = b.Indent(jsontext.WithIndent("  "))
	}
	if err != nil {
		return nil, fmt.Errorf("write OpenRPC document: %w", err)
	}
	return append(b, '\n'), nil
}

// describe makes the document of the methods.
func describe(name string, methods []Procedure) (jsontext.Value, error) {
	d := openrpc{OpenRPC: "1.3.2", Info: openrpcInfo{name, "1.0.0"}, Methods: []openrpcMethod{}}
	for _, m := range methods {
		described, err := m.describe()
		if err != nil {
			return nil, fmt.Errorf("method %s: %w", m.name, err)
		}
		d.Methods = append(d.Methods, described)
	}
	return json.Marshal(d, json.Deterministic(true))
}

func (m Procedure) describe() (openrpcMethod, error) {
	params, result := m.schemas()
	summary, description, _ := strings.Cut(strings.TrimSpace(m.words.doc), "\n")
	d := openrpcMethod{
		Name: m.name, Summary: strings.TrimSpace(summary), Description: strings.TrimSpace(description), Params: []openrpcContent{},
		Result: openrpcContent{Name: "result", Schema: result}, Errors: m.words.errors,
	}
	for i, p := range params.Properties {
		about := p.schema.Description
		p.schema.Description = ""
		d.Params = append(d.Params, openrpcContent{p.name, about, m.signature[i].required, p.schema})
	}
	for _, e := range m.words.examples {
		shown, err := m.show(e)
		if err != nil {
			return d, fmt.Errorf("example %q: %w", e.name, err)
		}
		d.Examples = append(d.Examples, shown)
	}
	return d, nil
}

// show writes an example.
func (m Procedure) show(e call) (openrpcExample, error) {
	x := openrpcExample{Name: e.name, Params: []openrpcValue{}, Result: openrpcValue{Name: "result"}}
	b, err := json.Marshal(e.params, json.Deterministic(true))
	if err != nil {
		return x, err
	}
	var given map[string]jsontext.Value
	if err := json.Unmarshal(b, &given); err != nil {
		return x, err
	}
	for _, p := range m.signature {
		if v, ok := given[p.name]; ok && (p.required || !bytes.Equal(v, []byte("null"))) {
			x.Params = append(x.Params, openrpcValue{p.name, v})
		}
	}
	x.Result.Value, err = json.Marshal(e.result, json.Deterministic(true))
	return x, err
}
