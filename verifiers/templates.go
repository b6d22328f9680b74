package verifiers

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing/fstest"
)

// Files of Go projects have .txt behind their names there: this module's build would take them for its own.
//
//go:embed templates assembly
var sources embed.FS

// ErrLanguage is the error for a language that there is no template in.
var ErrLanguage = errors.New("no template in that language")

// Languages lists the languages that verifiers can be begun in, in alphabetical order.
func Languages() []string { return []string{"assemblyscript", "c", "go", "rust"} }

// Template is a whole small project in that language, which is the caller's: a verifier that works like compare, what it is
// written against, build.sh, README.md and vectors. Written out with [os.CopyFS] it can be built by itself. It fails with
// [ErrLanguage].
func Template(language string) (fs.FS, error) {
	from := map[string]string{".": "templates/" + language, "vectors": "templates/vectors"}
	switch language {
	case "assemblyscript":
		from["assembly"] = "assembly"
	case "c", "go", "rust":
	default:
		return nil, fmt.Errorf("find template %.40q: %w: want one of %s", language, ErrLanguage, strings.Join(Languages(), ", "))
	}
	project := fstest.MapFS{}
	for to, dir := range from {
		if err := gather(project, to, dir); err != nil {
			return nil, fmt.Errorf("read template %s: %w", language, err)
		}
	}
	return project, nil
}

// gather takes what lies in one directory of the sources, and below, into another one of a project.
func gather(project fstest.MapFS, to, dir string) error {
	return fs.WalkDir(sources, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := sources.ReadFile(name)
		mode := fs.FileMode(0o644)
		if path.Ext(name) == ".sh" {
			mode = 0o755
		}
		inside := strings.TrimSuffix(strings.TrimPrefix(name, dir+"/"), ".txt")
		project[path.Join(to, inside)] = &fstest.MapFile{Data: data, Mode: mode}
		return err
	})
}
