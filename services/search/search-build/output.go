package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"barnraise/image"
	"barnraise/services/search/index"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// output is a directory that is written to. What is in it works wherever it is taken, except overlay.json.
type output struct {
	dir, service string            // the latter is services/search of the module
	overlay      map[string]string // file of the service → what stands in its place
}

func newOutput(dir, module string) (output, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return output{}, fmt.Errorf("write index: %w", err)
	}
	return output{dir, filepath.Join(module, "services", "search"), map[string]string{}}, nil
}

// write writes all but the image.
func (w output) write(o order, x *index.Index, file []byte, documents []index.Document) error {
	if err := w.put("index.bin", file); err != nil {
		return err
	}
	openrpc, err := os.ReadFile(filepath.Join(w.service, "openrpc.json"))
	if err != nil {
		return fmt.Errorf("write openrpc.json: %w", err)
	}
	own, err := withExamples(openrpc, documents)
	if err != nil {
		return fmt.Errorf("write openrpc.json: %w", err)
	}
	if err := w.put("openrpc.json", own); err != nil {
		return err
	}
	if bytes.Equal(own, openrpc) {
		delete(w.overlay, "openrpc.json")
	}
	if err := w.putManifest(o, x.Root(), needs(len(file), x.Postings(), documents)); err != nil {
		return err
	}
	return w.putOverlay()
}

// putOverlay writes what has the Go toolchain build the program with what was put.
func (w output) putOverlay() error {
	replaced := map[string]string{}
	for name, by := range w.overlay {
		replaced[filepath.Join(w.service, name)] = by
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced}, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("write overlay: %w", err)
	}
	return writeFile(filepath.Join(w.dir, "overlay.json"), append(overlay, '\n'))
}

// put writes a file that goes into the program in the place of the service's own.
func (w output) put(name string, content []byte) error {
	w.overlay[name] = filepath.Join(w.dir, name)
	return writeFile(w.overlay[name], content)
}

// putManifest writes service.yaml, and the verifier where that is a file.
func (w output) putManifest(o order, root string, n need) error {
	source, err := os.ReadFile(filepath.Join(w.service, "service.yaml"))
	if err != nil {
		return fmt.Errorf("write service.yaml: %w", err)
	}
	verifier, manifest, err := describe(string(source), o, root, n)
	if err != nil {
		return fmt.Errorf("write service.yaml: %w", err)
	}
	if strings.HasSuffix(verifier, ".wasm") {
		module, err := os.ReadFile(filepath.Join(w.service, verifier))
		if err != nil {
			return fmt.Errorf("write verifier: %w", err)
		}
		if err := writeFile(filepath.Join(w.dir, verifier), module); err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(w.dir, "service.yaml"), []byte(manifest))
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

// image makes the service's image with what was written.
func (w output) image(o order, stderr io.Writer) (reference, path string, err error) {
	store, err := image.Open(o.layout)
	if err != nil {
		return "", "", err
	}
	options := image.Options{Dir: w.service, Name: o.service, Overlay: w.overlay, Progress: func(line string) {
		fmt.Fprintf(stderr, "search-build: %s\n", line)
	}}
	if o.platforms != "" {
		options.Platforms = strings.Split(o.platforms, ",")
	}
	built, err := image.Build(context.Background(), store, options)
	if err != nil {
		return "", "", err
	}
	_, digest, _ := strings.Cut(built.Image, "@")
	return built.Image, built.Path + "@" + digest, nil
}

func writeFile(name string, content []byte) error {
	if err := os.WriteFile(name, content, 0o644); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return nil
}
