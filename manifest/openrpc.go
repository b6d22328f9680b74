package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxExamples is how many examples of an OpenRPC document are read.
const MaxExamples = 256

// document is the part of an OpenRPC document that says how to call a service (OpenRPC 1.4, Method Object and Example Pairing
// Object).
type document struct {
	Methods []struct {
		Name           string `json:"name"`
		ParamStructure string `json:"paramStructure"` // by-name, by-position, either
		Examples       []struct {
			Params []struct {
				Name  string         `json:"name"`
				Value jsontext.Value `json:"value"`
			} `json:"params"`
		} `json:"examples"`
	} `json:"methods"`
}

// Examples returns the examples of the OpenRPC document as requests in wire form (protocol 3.1), in the document's order: they
// are the calls by which a service is tried. Params go by name unless the method asks for positions. It fails with
// [ErrManifest].
func (m Manifest) Examples() ([][]byte, error) {
	if len(m.OpenRPC) == 0 {
		return nil, nil
	}
	var d document
	if err := json.Unmarshal(m.OpenRPC, &d); err != nil {
		return nil, fmt.Errorf("read openrpc: %w: %w", ErrManifest, err)
	}
	var requests [][]byte
	for _, method := range d.Methods {
		for _, example := range method.Examples {
			if len(requests) == MaxExamples {
				return requests, nil
			}
			names, values := []string{}, []jsontext.Value{}
			for _, p := range example.Params {
				names, values = append(names, p.Name), append(values, p.Value)
			}
			params, err := encodeParams(names, values, method.ParamStructure == "by-position")
			if err != nil {
				return nil, fmt.Errorf("read openrpc: example of %s: %w: %w", method.Name, ErrManifest, err)
			}
			request, err := jsonrpc.NewRequest(method.Name, params)
			if err != nil {
				return nil, fmt.Errorf("read openrpc: example of %s: %w: %w", method.Name, ErrManifest, err)
			}
			requests = append(requests, request)
		}
	}
	return requests, nil
}

func encodeParams(names []string, values []jsontext.Value, byPosition bool) ([]byte, error) {
	if byPosition {
		return json.Marshal(values)
	}
	object := []byte{'{'}
	for i, name := range names {
		quoted, err := jsontext.AppendQuote(nil, name)
		if err != nil || len(values[i]) == 0 {
			return nil, fmt.Errorf("param %q has no value", name)
		}
		if i > 0 {
			object = append(object, ',')
		}
		object = append(append(append(object, quoted...), ':'), values[i]...)
	}
	return append(object, '}'), nil
}

// checkReferences refuses references to anywhere but the document itself, in whatever spelling: what a revision promises stands
// in its manifest, and whoever reads it fetches nothing (protocol 2.5).
func checkReferences(document []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(document))
	reference := false // the last token names one
	for {
		t, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if reference && t.Kind() == '"' && !strings.HasPrefix(t.String(), "#") {
			return fmt.Errorf("reference to %.80q: only those within the document are taken, which begin with #", t.String())
		}
		// Within an object names and values alternate, and so the tokens counted are odd after a name.
		kind, count := d.StackIndex(d.StackDepth())
		isName := kind == '{' && count%2 == 1
		reference = isName && (t.String() == "$ref" || t.String() == "$dynamicRef")
	}
}
