package wasm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// store is the directory of an engine. Each module has a directory in it, named by its key: the instrumented module, the
// engine's machine code in whatever files the engine likes, and a list of them with their digests, itself with a digest. It
// is put together under another name and renamed when it is whole.
type store struct{ dir string }

const (
	moduleFile = "module.wasm"
	listFile   = "list.json"
	unfinished = "unfinished-"
)

type list struct {
	Info  Info              `json:"info"`
	Files map[string]string `json:"files"` // path: SHA-256
}

func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is no directory; name another", dir)
	case info.Mode().Perm()&0o022 != 0:
		return nil, fmt.Errorf("%s may be written by others, and holds machine code; chmod 700 it, or name another", dir)
	case !owned(info):
		return nil, fmt.Errorf("%s belongs to another user, and holds machine code; name another", dir)
	}
	s := &store{dir}
	return s, s.sweep(time.Now().Add(-time.Hour))
}

// sweep removes what a process that died before the time left unfinished.
func (s *store) sweep(before time.Time) error {
	left, err := filepath.Glob(filepath.Join(s.dir, unfinished+"*"))
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && info.ModTime().Before(before) {
			os.RemoveAll(path)
		}
	}
	return err
}

func (s *store) path(k key) string { return filepath.Join(s.dir, hex.EncodeToString(k[:])) }

// get reads what lies under a key. Where anything about it is wrong it is removed, to make room for what is right.
func (s *store) get(k key) (artifact, string, bool) {
	dir := s.path(k)
	a, err := readArtifact(dir)
	if err != nil {
		os.RemoveAll(dir)
	}
	return a, dir, err == nil
}

// compiled is what compile makes of an artifact, stored under a key. It fails with ErrRefused where compile does. Whatever else
// goes wrong is the disk's fault, which costs time, not modules: then compile is called once more, without a directory.
func (s *store) compiled(k key, a artifact, compile func(dir string) (*Module, error)) (m *Module, err error) {
	err = s.put(k, a, func(dir string) (err error) { m, err = compile(dir); return err })
	switch {
	case m != nil:
		return m, nil
	case errors.Is(err, ErrRefused):
		return nil, err
	}
	return compile("")
}

// ofDisk reports whether an error is the file system's.
func ofDisk(err error) bool {
	path, link := (*fs.PathError)(nil), (*os.LinkError)(nil)
	return errors.As(err, &path) || errors.As(err, &link)
}

// put stores an artifact under a key, with what compile adds to the directory that it is given. It fails where compile
// fails or the disk does; another process that was faster is no failure.
func (s *store) put(k key, a artifact, compile func(dir string) error) error {
	dir, err := os.MkdirTemp(s.dir, unfinished)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := compile(dir); err != nil {
		return err
	}
	if err := writeArtifact(dir, a); err != nil {
		return err
	}
	if err := os.Rename(dir, s.path(k)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func writeArtifact(dir string, a artifact) error {
	if err := os.WriteFile(filepath.Join(dir, moduleFile), a.Wasm, 0o600); err != nil {
		return err
	}
	files, err := digests(dir)
	if err != nil {
		return err
	}
	b, err := json.Marshal(list{a.Info, files})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, listFile), append([]byte(digest(b)), b...), 0o600)
}

func readArtifact(dir string) (artifact, error) {
	b, err := os.ReadFile(filepath.Join(dir, listFile))
	if err != nil {
		return artifact{}, err
	}
	const n = 2 * sha256.Size
	var l list
	if len(b) < n || !bytes.Equal(b[:n], []byte(digest(b[n:]))) || json.Unmarshal(b[n:], &l) != nil {
		return artifact{}, errors.New("the list was altered")
	}
	files, err := digests(dir)
	if err != nil {
		return artifact{}, err
	}
	if len(files) != len(l.Files) {
		return artifact{}, fmt.Errorf("%d files, %d listed", len(files), len(l.Files))
	}
	for name, sum := range l.Files {
		if files[name] != sum {
			return artifact{}, fmt.Errorf("%s was altered", name)
		}
	}
	wasm, err := os.ReadFile(filepath.Join(dir, moduleFile))
	return artifact{l.Info, wasm}, err
}

// digests are those of all files in a directory but the list. Anything that is neither file nor directory is an error.
func digests(dir string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is no file", path)
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == listFile {
			return err
		}
		b, err := os.ReadFile(path)
		files[filepath.ToSlash(name)] = digest(b)
		return err
	})
	return files, err
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
