package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"barnraise/image"
	"barnraise/services/whisper/mail"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// findModule is the root of module barnraise, at dir or else at the working directory or above it.
func findModule(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find module barnraise: %w", err)
	}
	for {
		mod, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module barnraise\n") {
			return at, nil
		}
		above := filepath.Dir(at)
		if dir != "" || above == at {
			return "", fmt.Errorf("find module barnraise: no go.mod of it here or above; run within the repository or say -module DIR")
		}
		at = above
	}
}

// output is a directory that is written to. What is in it works wherever it is taken, except overlay.json.
type output struct {
	dir, service string // the latter is services/whisper of the module
}

func newOutput(dir, module string) (output, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return output{}, fmt.Errorf("write archive: %w", err)
	}
	return output{dir, filepath.Join(module, "services", "whisper")}, nil
}

// overlay says which files of the service others stand for when the program is built.
func (w output) overlay() map[string]string {
	return map[string]string{"archive.bin": filepath.Join(w.dir, "archive.bin"), "openrpc.json": filepath.Join(w.dir, "openrpc.json")}
}

// write writes all but the image.
func (w output) write(file []byte, root string, say words) error {
	files, err := published(w.service, root, say, len(file))
	if err != nil {
		return err
	}
	files["archive.bin"] = file
	replace := map[string]string{}
	for name, by := range w.overlay() {
		replace[filepath.Join(w.service, name)] = by
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace}, jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("write overlay: %w", err)
	}
	files["overlay.json"] = append(overlay, '\n')
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), content, 0o644); err != nil {
			return fmt.Errorf("write archive: %w", err)
		}
	}
	return nil
}

// image makes the service's image with what was written.
func (w output) image(o order, stderr io.Writer) (reference, path string, err error) {
	store, err := image.Open(o.layout)
	if err != nil {
		return "", "", err
	}
	options := image.Options{Dir: w.service, Name: o.words.name, Overlay: w.overlay(), Progress: func(line string) {
		fmt.Fprintf(stderr, "mail-build: %s\n", line)
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

// published are the service's own files beside its archive, with the other archive's root in them.
func published(own, root string, w words, size int) (files map[string][]byte, err error) {
	sample, err := os.ReadFile(filepath.Join(own, "archive.bin"))
	if err != nil {
		return nil, fmt.Errorf("read the service's own archive: %w", err)
	}
	archive, err := mail.Open(string(sample))
	if err != nil {
		return nil, fmt.Errorf("read the service's own archive: %w", err)
	}
	files = map[string][]byte{}
	for _, name := range []string{"openrpc.json", "service.yaml"} {
		content, err := os.ReadFile(filepath.Join(own, name))
		if err != nil {
			return nil, fmt.Errorf("read the service's own files: %w", err)
		}
		files[name] = bytes.ReplaceAll(content, []byte(rootOf(archive)), []byte(root))
	}
	files["service.yaml"] = w.into(files["service.yaml"], size)
	verifier, err := os.ReadFile(filepath.Join(own, "verifier.wasm"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the service's own verifier: %w", err)
	}
	if err == nil {
		files["verifier.wasm"] = verifier
	}
	return files, nil
}
