package service

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// document is what Check reads of an OpenRPC document.
type document struct {
	Methods []struct {
		Name     string      `json:"name"`
		Params   []described `json:"params"`
		Examples []example   `json:"examples"`
	} `json:"methods"`
}

type described struct {
	Name     string `json:"name"`
	Required bool   `json:"required"`
}

type example struct {
	Name   string `json:"name"`
	Params []struct {
		Name  string         `json:"name"`
		Value jsontext.Value `json:"value"`
	} `json:"params"`
	Result struct {
		Value jsontext.Value `json:"value"`
	} `json:"result"`
}

// Check holds the program to its OpenRPC document, for the author's tests: the same methods, the same params in the same
// order and as much required (protocol 2.4), and every example a call that has a result, the one it shows where it shows one.
// It returns everything that differs, and nil where nothing does.
func (s *Service) Check() error {
	openrpc, err := s.result("rpc.discover", nil)
	if err != nil {
		return fmt.Errorf("read OpenRPC document: %w", err)
	}
	var d document
	if err := json.Unmarshal(openrpc, &d); err != nil {
		return fmt.Errorf("read OpenRPC document: %w", err)
	}
	undescribed := maps.Clone(s.methods)
	delete(undescribed, "rpc.discover")
	var differences []error
	for _, m := range d.Methods {
		procedure, ok := undescribed[m.Name]
		delete(undescribed, m.Name)
		if !ok {
			differences = append(differences, fmt.Errorf("method %s: described, but not there", m.Name))
			continue
		}
		if described := signatureIn(m.Params); !slices.Equal(described, procedure.signature) {
			differences = append(differences, fmt.Errorf("method %s: params are described as %v, the program has %v",
				m.Name, described, procedure.signature))
		}
		for _, e := range m.Examples {
			if err := s.try(m.Name, e); err != nil {
				differences = append(differences, fmt.Errorf("method %s: example %q: %w", m.Name, e.Name, err))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(undescribed)) {
		differences = append(differences, fmt.Errorf("method %s: there, but not described", name))
	}
	return errors.Join(differences...)
}

func signatureIn(params []described) (s signature) {
	for _, p := range params {
		s = append(s, param{p.Name, p.Required})
	}
	return s
}

// try calls an example and compares its result.
func (s *Service) try(method string, e example) error {
	params := map[string]jsontext.Value{}
	for _, p := range e.Params {
		params[p.Name] = p.Value
	}
	asJSON, err := json.Marshal(params, json.Deterministic(true))
	if err != nil {
		return err
	}
	result, err := s.result(method, asJSON)
	if err != nil {
		return err
	}
	if len(e.Result.Value) == 0 {
		return nil
	}
	described := e.Result.Value.Clone()
	if err := described.Compact(); err != nil {
		return fmt.Errorf("read result: %w", err)
	}
	if !bytes.Equal(described, result) {
		return fmt.Errorf("result is %.500s, described as %.500s", result, described)
	}
	return nil
}

// result calls a method as the network would, and takes an error of the service for one.
func (s *Service) result(method string, params []byte) (jsontext.Value, error) {
	request, err := jsonrpc.NewRequest(method, params)
	if err != nil {
		return nil, err
	}
	response, err := jsonrpc.ParseResponse(s.Handle(request), jsonrpc.WireID)
	if err != nil {
		return nil, err
	}
	if response.Error != nil {
		return nil, response.Error
	}
	return response.Result, nil
}
