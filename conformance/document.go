package conformance

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"barnraise/jsonrpc"
	"barnraise/manifest"
	"barnraise/runtime"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// document is what requests are made from: the methods of an OpenRPC document (OpenRPC 1.4), and the document for references
// into itself.
type document struct {
	methods []method
	raw     jsontext.Value
	budget  *int // bytes of the document that may still be read, some of them again and again
}

// maxRead is how much of a document is read in all.
const maxRead = 128 << 20

// spend reports whether so many bytes may be read.
func (d document) spend(n int) bool {
	*d.budget -= n
	return *d.budget > 0
}

type method struct {
	Name           string           `json:"name"`
	ParamStructure string           `json:"paramStructure"` // by-name, by-position, either
	Params         []jsontext.Value `json:"params"`         // content descriptors, or references to them
}

type param struct {
	Name     string         `json:"name"`
	Required bool           `json:"required"`
	Schema   jsontext.Value `json:"schema"`
}

// maxMethods is how many methods are tried.
const maxMethods = 64

// parseDocument reads an OpenRPC document. It fails with [manifest.ErrManifest].
func parseDocument(raw jsontext.Value) (document, error) {
	budget := maxRead
	d := document{raw: raw, budget: &budget}
	if len(raw) == 0 {
		return d, nil
	}
	var read struct {
		Methods []method `json:"methods"`
	}
	if len(raw) > manifest.MaxSize {
		return d, fmt.Errorf("read openrpc: %d bytes, at most %d: %w", len(raw), manifest.MaxSize, manifest.ErrManifest)
	}
	if err := json.Unmarshal(raw, &read); err != nil {
		return d, fmt.Errorf("read openrpc: %w: %w", manifest.ErrManifest, err)
	}
	d.methods = read.Methods[:min(len(read.Methods), maxMethods)]
	return d, nil
}

// params lists the params of a method, as far as they can be read.
func (d document) params(m method) (list []param) {
	for _, raw := range m.Params {
		var p param
		if d.spend(len(raw)) && json.Unmarshal(d.resolve(raw), &p) == nil && p.Name != "" {
			list = append(list, p)
		}
	}
	return list
}

// maxReferences is how many references are followed one after the other.
const maxReferences = 8

// resolve follows references within the document; what leads nowhere is null.
func (d document) resolve(v jsontext.Value) jsontext.Value {
	for range maxReferences {
		var r struct {
			Ref string `json:"$ref"`
		}
		if json.Unmarshal(v, &r) != nil || len(r.Ref) == 0 || r.Ref[0] != '#' {
			return v
		}
		if !d.spend(len(d.raw)) {
			break
		}
		v = at(d.raw, jsontext.Pointer(r.Ref[1:]))
		if v == nil {
			break
		}
	}
	return jsontext.Value("null")
}

// at is the value that a pointer leads to (RFC 6901), nil where it leads to none.
func at(doc []byte, p jsontext.Pointer) jsontext.Value {
	if !p.IsValid() {
		return nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(doc))
	for token := range p.Tokens() {
		if !descend(d, token) {
			return nil
		}
	}
	v, err := d.ReadValue()
	if err != nil {
		return nil
	}
	return v.Clone()
}

// descend moves the decoder in front of the member or element of the value that comes next.
func descend(d *jsontext.Decoder, token string) bool {
	open, err := d.ReadToken()
	if err != nil {
		return false
	}
	switch open.Kind() {
	case '{':
		for d.PeekKind() == '"' {
			name, err := d.ReadToken()
			if err != nil || name.String() == token {
				return err == nil
			}
			if d.SkipValue() != nil {
				return false
			}
		}
	case '[':
		n, err := strconv.Atoi(token)
		if err != nil || n < 0 {
			return false
		}
		for ; n > 0 && d.PeekKind() != ']'; n-- {
			if d.SkipValue() != nil {
				return false
			}
		}
		k := d.PeekKind()
		return k != ']' && k != 0
	}
	return false
}

// discoverWithin is how long a service may take to start and describe itself.
const discoverWithin = 2 * time.Minute

// Discover asks the image itself for its OpenRPC document, by rpc.discover, on the first platform that runs here. It fails with
// [ErrCannot] where none does, and as the runtime does; a service that does not describe itself answers with a jsonrpc.Error.
func Discover(ctx context.Context, r runtime.Runtime, s Subject) (jsontext.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverWithin)
	defer cancel()
	for _, platform := range r.Platforms(ctx) {
		m, ok := s.Variants[platform]
		if !ok {
			continue
		}
		instances, err := start(ctx, r, runtime.Spec{Image: s.Image, Platform: m, Limits: s.Manifest.Limits}, 1)
		if err != nil {
			return nil, fmt.Errorf("discover methods: %w", err)
		}
		document, err := discover(ctx, instances[0])
		if stopped := stop(ctx, instances); err == nil {
			err = stopped
		}
		return document, err
	}
	return nil, fmt.Errorf("discover methods: %w", ErrCannot)
}

func discover(ctx context.Context, i runtime.Instance) (jsontext.Value, error) {
	request, err := jsonrpc.NewRequest("rpc.discover", nil)
	if err != nil {
		return nil, err
	}
	response, err := i.Call(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("discover methods: %w", err)
	}
	r, err := jsonrpc.ParseResponse(response, jsonrpc.WireID)
	if err == nil && r.Error != nil {
		err = r.Error
	}
	if err != nil {
		return nil, fmt.Errorf("discover methods: %w", err)
	}
	return r.Result.Clone(), nil
}
