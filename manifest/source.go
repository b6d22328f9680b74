package manifest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"barnraise/strictyaml"

	"github.com/go-json-experiment/json/jsontext"
)

// Source is service.yaml: what an author writes. It differs from the manifest it becomes in that verifier and OpenRPC document
// may be files beside it.
type Source struct {
	Manifest
	Verifier string         `json:"verifier"` // a file, a CID, or the name of a standard verifier
	OpenRPC  jsontext.Value `json:"openrpc"`  // inline, or the name of a file
	Dir      string         `json:"-"`        // of service.yaml
}

// ReadSource reads service.yaml, and the OpenRPC document where it is a file of its own.
func ReadSource(path string) (Source, error) {
	var s Source
	data, err := readFile(path, strictyaml.MaxSize)
	if err != nil {
		return s, fmt.Errorf("read service: %w", err)
	}
	if err := strictyaml.Decode(path, data, &s); err != nil {
		return s, err
	}
	s.Dir = filepath.Dir(path)
	if err := s.readOpenRPC(); err != nil {
		return s, fmt.Errorf("read %s: %w", path, err)
	}
	s.Manifest.OpenRPC = s.OpenRPC
	if err := s.complete(); err != nil {
		return s, fmt.Errorf("read %s: %w", path, err)
	}
	return s, nil
}

// readOpenRPC replaces the name of a file by what it holds.
func (s *Source) readOpenRPC() error {
	if len(s.OpenRPC) == 0 || s.OpenRPC[0] != '"' {
		return nil
	}
	name, err := jsontext.AppendUnquote(nil, s.OpenRPC)
	if err != nil {
		return fmt.Errorf("openrpc: %w", err)
	}
	document, err := readFile(filepath.Join(s.Dir, string(name)), MaxSize)
	if err != nil {
		return fmt.Errorf("openrpc: %w", err)
	}
	s.OpenRPC = document
	if err := s.OpenRPC.Compact(); err != nil {
		return fmt.Errorf("openrpc: %s: %w", name, err)
	}
	return nil
}

func readFile(path string, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(b) > limit {
		err = errors.New("more than " + Bytes(limit).String())
	}
	return b, err
}
