// Mail-build makes the archive that the whisper service is asked about, and what else a service with that archive needs.
//
//	go run ./services/whisper/mail-build -hex FILE -out DIR     envelopes in hexadecimal digits, a line each
//	go run ./services/whisper/mail-build -dir FOLDER -out DIR   a file each, in RLP; or files of such lines
//	go build -overlay DIR/overlay.json ./services/whisper
//
// It writes to DIR archive.bin and overlay.json, and service.yaml with the files that it names, for barnraise services
// register. With -image LAYOUT it makes the image as well. It prints one line of JSON: envelopes, bytes and the SHA-256 of
// the archive, the root that names it, and the image's reference and its path. The same envelopes give the same root, the
// same archive and the same image, whoever builds it: that is how anybody can check what a service was built from.
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

	"barnraise"
	"barnraise/image/overlay"
	"barnraise/services/whisper/mail"

	"github.com/go-json-experiment/json"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// order is what the command line asks for.
type order struct {
	file, folder, out string
	module            string
	words             words
	layout, platforms string // of the image
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
		fmt.Fprintf(stderr, "mail-build: %v\n", err)
		if errors.Is(err, errUsage) {
			return 2
		}
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (o order, err error) {
	flags := flag.NewFlagSet("mail-build", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.file, "hex", "", "take the envelopes in `file`: hexadecimal digits, a line each")
	flags.StringVar(&o.folder, "dir", "", "take the envelopes in the files of a `folder`: one in RLP each, or lines as of -hex")
	flags.StringVar(&o.out, "out", "", "write the archive and what belongs to it to this `directory`")
	flags.StringVar(&o.module, "module", "", "the `directory` of module barnraise (default: here or above)")
	flags.StringVar(&o.words.name, "name", "whisper", "what the service and its image are called")
	flags.StringVar(&o.words.description, "description", "", "what the archive has, for people")
	flags.StringVar(&o.words.licence, "licence", "", "the licence of what is answered")
	flags.StringVar(&o.layout, "image", "", "make the image too, in the OCI layout in this `directory`")
	flags.StringVar(&o.platforms, "platforms", "", "with -image: the platforms, with commas between them (default: all three)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w: %w", errUsage, err)
	case flags.NArg() > 0:
		return o, fmt.Errorf("%w: %q is no flag", errUsage, flags.Arg(0))
	case (o.file == "") == (o.folder == ""):
		return o, fmt.Errorf("%w: give either -hex FILE or -dir FOLDER", errUsage)
	case o.out == "":
		return o, fmt.Errorf("%w: say with -out DIR where the archive is to go", errUsage)
	case o.platforms != "" && o.layout == "":
		return o, fmt.Errorf("%w: -platforms goes with -image", errUsage)
	case !barnraise.ValidName(o.words.name):
		return o, fmt.Errorf("%w: -name %q: want 3 to 48 of a-z, 0-9 and inner hyphens", errUsage, o.words.name)
	}
	return o, nil
}

// summary is the line that scripts read.
type summary struct {
	Envelopes int    `json:"envelopes"`
	Bytes     int    `json:"bytes"`
	SHA256    string `json:"sha256"`
	Root      string `json:"root"`           // what names the archive
	Image     string `json:"image,omitzero"` // with -image: its reference
	Path      string `json:"path,omitzero"`  // and where it lies, as barnraise services register takes it
}

func (o order) carryOut(stdout, stderr io.Writer) error {
	module, err := overlay.Module(o.module)
	if err != nil {
		return err
	}
	envelopes, err := o.envelopes()
	if err != nil {
		return err
	}
	file, err := mail.Build(envelopes)
	if err != nil {
		return err
	}
	built, err := mail.Open(string(file))
	if err != nil {
		return err
	}
	w, err := overlay.New(o.out, filepath.Join(module, "services", "whisper"))
	if err != nil {
		return err
	}
	root := rootOf(built)
	if err := o.write(w, file, root); err != nil {
		return err
	}
	if len(file) > maxModule {
		fmt.Fprintf(stderr, "mail-build: %d bytes are more than a module may have: only hosts with containers can run this\n", len(file))
	}
	sum := sha256.Sum256(file)
	s := summary{Envelopes: built.Envelopes(), Bytes: len(file), SHA256: hex.EncodeToString(sum[:]), Root: root}
	if o.layout != "" {
		say := func(line string) { fmt.Fprintf(stderr, "mail-build: %s\n", line) }
		if s.Image, s.Path, err = w.Image(context.Background(), o.layout, o.words.name, o.platforms, say); err != nil {
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

func (o order) envelopes() ([][]byte, error) {
	if o.file != "" {
		return readFile(o.file)
	}
	return readFolder(o.folder)
}

// rootOf is an archive's root as it is written everywhere.
func rootOf(a *mail.Archive) string {
	root := a.Root()
	return "0x" + hex.EncodeToString(root[:])
}
