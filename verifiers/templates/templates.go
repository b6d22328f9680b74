// Package templates holds projects that verifiers can be begun with. It is apart from package verifiers so that who only calls
// services does not carry them.
package templates

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing/fstest"

	"barnraise/verifiers"
)

// Files of Go projects have .txt behind their names here: this module's build would take them for its own.
//
//go:embed assemblyscript c go rust vectors
var sources embed.FS

// ErrLanguage is the error for a language that there is no template in.
var ErrLanguage = errors.New("no template in that language")

// Languages lists the languages that verifiers can be begun in, in alphabetical order.
func Languages() []string { return []string{"assemblyscript", "c", "go", "rust"} }

// Open is a whole small project in that language, which is the caller's: a verifier that works like compare, what it is
// written against, build.sh, README.md and vectors. Written out with [os.CopyFS] it can be built by itself. It fails with
// [ErrLanguage].
func Open(language string) (fs.FS, error) {
	if !slices.Contains(Languages(), language) {
		return nil, fmt.Errorf("find template %.40q: %w: want one of %s", language, ErrLanguage, strings.Join(Languages(), ", "))
	}
	project := fstest.MapFS{}
	err := errors.Join(gather(project, ".", sources, language), gather(project, "vectors", sources, "vectors"))
	if language == "assemblyscript" {
		err = errors.Join(err, gather(project, "assembly", verifiers.Assembly, "assembly"))
	}
	if err != nil {
		return nil, fmt.Errorf("read template %s: %w", language, err)
	}
	return project, nil
}

// gather takes what lies in one directory, and below, into another one of a project.
func gather(project fstest.MapFS, to string, from embed.FS, dir string) error {
	return fs.WalkDir(from, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := from.ReadFile(name)
		mode := fs.FileMode(0o644)
		if path.Ext(name) == ".sh" {
			mode = 0o755
		}
		inside := strings.TrimSuffix(strings.TrimPrefix(name, dir+"/"), ".txt")
		project[path.Join(to, inside)] = &fstest.MapFile{Data: data, Mode: mode}
		return err
	})
}
