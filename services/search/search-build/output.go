package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"barnraise/image/overlay"
	"barnraise/services/search/index"

	"github.com/go-json-experiment/json/jsontext"
)

// write writes all but the image.
func (o order) write(w *overlay.Output, x *index.Index, file []byte, documents []index.Document) error {
	if err := w.Replace("index.bin", file); err != nil {
		return err
	}
	own, err := w.Own("openrpc.json")
	if err != nil {
		return err
	}
	openrpc, err := withExamples(own, documents)
	if err != nil {
		return fmt.Errorf("write openrpc.json: %w", err)
	}
	put := w.Replace
	if bytes.Equal(own, openrpc) {
		put = w.Put
	}
	if err := put("openrpc.json", openrpc); err != nil {
		return err
	}
	if err := o.putManifest(w, x.Root(), needs(len(file), x.Postings(), documents)); err != nil {
		return err
	}
	return w.PutOverlay()
}

// putManifest writes service.yaml, and the verifier where that is a file.
func (o order) putManifest(w *overlay.Output, root string, n need) error {
	source, err := w.Own("service.yaml")
	if err != nil {
		return err
	}
	verifier, manifest, err := describe(string(source), o, root, n)
	if err != nil {
		return fmt.Errorf("write service.yaml: %w", err)
	}
	if strings.HasSuffix(verifier, ".wasm") {
		module, err := w.Own(verifier)
		if err != nil {
			return err
		}
		if err := w.Put(verifier, module); err != nil {
			return err
		}
	}
	return w.Put("service.yaml", []byte(manifest))
}

// withExamples has the examples of search_document ask for documents that are there.
func withExamples(openrpc []byte, documents []index.Document) ([]byte, error) {
	there := map[string]bool{}
	for _, d := range documents {
		there[d.ID] = true
	}
	if len(documents) == 0 || there["io.Copy"] && there["bytes.Buffer"] {
		return openrpc, nil
	}
	for example, id := range map[string]string{"io.Copy": documents[0].ID, "bytes.Buffer": documents[len(documents)-1].ID} {
		quoted, err := jsontext.AppendQuote(nil, id)
		if err != nil {
			return nil, err
		}
		value := []byte(`"value": `)
		if !bytes.Contains(openrpc, fmt.Appendf(nil, "%s%q", value, example)) {
			return nil, errors.New("no example asks for " + example)
		}
		openrpc = bytes.ReplaceAll(openrpc, fmt.Appendf(nil, "%s%q", value, example), append(value, quoted...))
	}
	return openrpc, nil
}
