package main

import (
	"bytes"
	"fmt"

	"barnraise/image/overlay"
	"barnraise/services/whisper/mail"
)

// write writes all but the image.
func (o order) write(w *overlay.Output, file []byte, root string) error {
	files, err := published(w, root, o.words, len(file))
	if err != nil {
		return err
	}
	for name, content := range files {
		put := w.Put
		if name == "openrpc.json" { // it is built in
			put = w.Replace
		}
		if err := put(name, content); err != nil {
			return err
		}
	}
	if err := w.Replace("archive.bin", file); err != nil {
		return err
	}
	return w.PutOverlay()
}

// published are the service's own files beside its archive, with the other archive's root in them.
func published(w *overlay.Output, root string, say words, size int) (files map[string][]byte, err error) {
	sample, err := w.Own("archive.bin")
	if err != nil {
		return nil, err
	}
	archive, err := mail.Open(string(sample))
	if err != nil {
		return nil, fmt.Errorf("read the service's own archive: %w", err)
	}
	files = map[string][]byte{}
	for _, name := range []string{"openrpc.json", "service.yaml", "verifier.wasm"} {
		if files[name], err = w.Own(name); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"openrpc.json", "service.yaml"} {
		files[name] = bytes.ReplaceAll(files[name], []byte(rootOf(archive)), []byte(root))
	}
	files["service.yaml"] = say.into(files["service.yaml"], size)
	return files, nil
}
