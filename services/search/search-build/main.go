// Search-build makes the collection that the search service is asked about: an index, and the overlay by which the Go
// toolchain builds the service with it; or the service's image at once.
//
//	go run ./services/search/search-build -go -out DIR            the standard library's documentation
//	go run ./services/search/search-build -tsv FILE -out DIR      any texts: a line each, id, title and text between tabs
//	go run ./services/search/search-build -md FOLDER -out DIR     the Markdown files below a folder
//	go build -overlay DIR/overlay.json ./services/search
//
// It writes to DIR index.bin and overlay.json, and service.yaml with the files that it names, for barnraise services register. With
// -image LAYOUT it makes the image as well. It prints one line of JSON: documents, terms, bytes and the SHA-256 of the index, the
// root that names the collection, and the image's reference and its path. The same corpus gives the same root, the same index and
// the same image, whoever builds it: that is how anybody can check what a service was built from.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"barnraise"
	"barnraise/image/overlay"
	"barnraise/services/search/index"

	"github.com/go-json-experiment/json"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// order is what the command line asks for.
type order struct {
	fromGo               bool
	goroot, tsv, md, out string
	module               string
	about                index.About
	service              string // its name
	layout, platforms    string // of the image
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
	flags.StringVar(&o.md, "md", "", "index the Markdown files below this `folder`")
	flags.StringVar(&o.out, "out", "", "write index.bin, overlay.json, and service.yaml with what it names to this `directory`")
	flags.StringVar(&o.module, "module", "", "the `directory` of module barnraise (default: here or above)")
	flags.StringVar(&o.about.Name, "name", "", "what the collection is called")
	flags.StringVar(&o.about.Corpus, "corpus", "", "where the texts come from, with their version")
	flags.StringVar(&o.about.Licence, "licence", "", "the licence of the texts")
	flags.StringVar(&o.service, "service", "", "`name` of the service and of its image (default: made of -name, else search)")
	flags.StringVar(&o.layout, "image", "", "make the image too, in the OCI layout in this `directory`")
	flags.StringVar(&o.platforms, "platforms", "", "with -image: the platforms to build for, with commas between them (default: all three)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w: %w", errUsage, err)
	case flags.NArg() > 0:
		return o, fmt.Errorf("%w: %q is no flag", errUsage, flags.Arg(0))
	case o.sources() != 1:
		return o, fmt.Errorf("%w: give either -go or -tsv FILE or -md FOLDER", errUsage)
	case o.out == "":
		return o, fmt.Errorf("%w: say with -out DIR where the index is to go", errUsage)
	case o.platforms != "" && o.layout == "":
		return o, fmt.Errorf("%w: -platforms goes with -image", errUsage)
	}
	if o.service == "" {
		o.service = serviceName(o.about.Name)
	}
	if !barnraise.ValidName(o.service) {
		return o, fmt.Errorf("%w: -service %q: want 3 to 48 of a-z, 0-9 and inner hyphens", errUsage, o.service)
	}
	return o, nil
}

// sources is how many collections are asked for.
func (o order) sources() (n int) {
	for _, given := range []bool{o.fromGo, o.tsv != "", o.md != ""} {
		if given {
			n++
		}
	}
	return n
}

// serviceName is what a collection of that name is called as a service.
func serviceName(collection string) string {
	name := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(collection), "-")
	name = strings.Trim(name[:min(len(name), 48)], "-")
	if !barnraise.ValidName(name) {
		return "search"
	}
	return name
}

// summary is the line that scripts read.
type summary struct {
	Docs   int    `json:"docs"`
	Terms  int    `json:"terms"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
	Root   string `json:"root"`           // what names the collection
	Image  string `json:"image,omitzero"` // with -image: its reference
	Path   string `json:"path,omitzero"`  // and where it lies, as barnraise services register takes it
}

// maxModule is what hosts take as a wasm module, less the program.
const maxModule = 60 << 20

func (o order) carryOut(stdout, stderr io.Writer) error {
	module, err := overlay.Module(o.module)
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
	w, err := overlay.New(o.out, filepath.Join(module, "services", "search"))
	if err != nil {
		return err
	}
	if err := o.write(w, built, file, documents); err != nil {
		return err
	}
	if len(file) > maxModule {
		fmt.Fprintf(stderr, "search-build: %d bytes of index are more than a module may have: only hosts with containers can run this\n", len(file))
	}
	sum := sha256.Sum256(file)
	s := summary{built.Documents(), built.Terms(), len(file), hex.EncodeToString(sum[:]), built.Root(), "", ""}
	if o.layout != "" {
		say := func(line string) { fmt.Fprintf(stderr, "search-build: %s\n", line) }
		if s.Image, s.Path, err = w.Image(context.Background(), o.layout, o.service, o.platforms, say); err != nil {
			return err
		}
	}
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\n", line)
	return err
}

// corpus reads the documents, and fills in what the command line leaves open about them.
func (o *order) corpus(stderr io.Writer) ([]index.Document, error) {
	given := filepath.Base(o.tsv + o.md) // one of them
	about := index.About{Name: given, Corpus: given}
	var documents []index.Document
	var err error
	switch {
	case o.fromGo:
		documents, about, err = standardLibrary(o.goroot, stderr)
	case o.md != "":
		documents, err = readMarkdown(o.md)
	default:
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
