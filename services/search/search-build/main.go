// Search-build makes the collection that the search service is asked about: an index, and the overlay by which the Go
// toolchain builds the service with it.
//
//	go run ./services/search/search-build -go -out DIR            the standard library's documentation
//	go run ./services/search/search-build -tsv FILE -out DIR      any texts: a line each, id, title and text between tabs
//	go build -overlay DIR/overlay.json ./services/search
//
// It writes DIR/index.bin and DIR/overlay.json, and prints one line of JSON: documents, terms, bytes and the SHA-256 of the
// index. The same corpus gives the same index, whoever builds it: that is how anybody can check what a service was built from.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"barnraise/services/search/index"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// order is what the command line asks for.
type order struct {
	fromGo           bool
	goroot, tsv, out string
	module           string
	about            index.About
}

// errUsage is the error for a command line that makes no sense.
var errUsage = errors.New("wrong usage")

// run is the program: 0 done, 1 failed, 2 wrong usage.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		err = o.carryOut(stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "search-build: %v\n", err)
		if errors.Is(err, errUsage) {
			return 2
		}
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (o order, err error) {
	flags := flag.NewFlagSet("search-build", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.fromGo, "go", false, "index the documentation of Go's standard library")
	flags.StringVar(&o.goroot, "goroot", "", "with -go: the `directory` of the Go installation (default: that of the go command)")
	flags.StringVar(&o.tsv, "tsv", "", "index the texts in `file`: a line each, id, title and text between tabs")
	flags.StringVar(&o.out, "out", "", "write index.bin and overlay.json to this `directory`")
	flags.StringVar(&o.module, "module", "", "the `directory` of module barnraise (default: here or above)")
	flags.StringVar(&o.about.Name, "name", "", "what the collection is called")
	flags.StringVar(&o.about.Corpus, "corpus", "", "where the texts come from, with their version")
	flags.StringVar(&o.about.Licence, "licence", "", "the licence of the texts")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w: %w", errUsage, err)
	case flags.NArg() > 0:
		return o, fmt.Errorf("%w: %q is no flag", errUsage, flags.Arg(0))
	case o.fromGo == (o.tsv != ""):
		return o, fmt.Errorf("%w: give either -go or -tsv FILE", errUsage)
	case o.out == "":
		return o, fmt.Errorf("%w: say with -out DIR where the index is to go", errUsage)
	}
	return o, nil
}

// summary is the line that scripts read.
type summary struct {
	Docs   int    `json:"docs"`
	Terms  int    `json:"terms"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func (o order) carryOut(stdout, stderr io.Writer) error {
	module, err := findModule(o.module)
	if err != nil {
		return err
	}
	documents, err := o.corpus(stderr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "search-build: indexing %d documents\n", len(documents))
	file, err := index.Build(o.about, documents)
	if err != nil {
		return err
	}
	built, err := index.Open(string(file))
	if err != nil {
		return err
	}
	if err := writeOut(o.out, module, file); err != nil {
		return err
	}
	sum := sha256.Sum256(file)
	line, err := json.Marshal(summary{built.Documents(), built.Terms(), len(file), hex.EncodeToString(sum[:])})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\n", line)
	return err
}

// corpus reads the documents, and fills in what the command line leaves open about them.
func (o *order) corpus(stderr io.Writer) ([]index.Document, error) {
	about := index.About{Name: filepath.Base(o.tsv), Corpus: filepath.Base(o.tsv)}
	var documents []index.Document
	var err error
	if o.fromGo {
		documents, about, err = standardLibrary(o.goroot, stderr)
	} else {
		documents, err = readTSV(o.tsv)
	}
	for _, s := range []struct{ said, found *string }{
		{&o.about.Name, &about.Name}, {&o.about.Corpus, &about.Corpus}, {&o.about.Licence, &about.Licence},
	} {
		if *s.said == "" {
			*s.said = *s.found
		}
	}
	return documents, err
}

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

// writeOut writes the index, and the overlay that puts it in the place of the one the repository has.
func writeOut(dir, module string, file []byte) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	target := filepath.Join(dir, "index.bin")
	overlay, err := json.Marshal(map[string]any{
		"Replace": map[string]string{filepath.Join(module, "services", "search", "index.bin"): target},
	}, jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("write overlay: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	if err := os.WriteFile(target, file, 0o644); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), append(overlay, '\n'), 0o644); err != nil {
		return fmt.Errorf("write overlay: %w", err)
	}
	return nil
}
