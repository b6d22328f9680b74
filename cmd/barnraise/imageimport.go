package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"barnraise/image"

	"github.com/spf13/cobra"
)

func (a *app) imageImport() *cobra.Command {
	var name, out string
	c := &cobra.Command{
		Use:   "import FILE|- ...",
		Short: "Make an image of what docker or another tool has saved, such as services in other languages",
		Long: `Import makes an image of what docker save, docker buildx build --output type=oci, podman save or skopeo has written, from files
or standard input. Several files, one for each platform, become one image. The same files make the same digest.`,
		Example: "  docker save echo-node | barnraise image import -\n" +
			"  barnraise image import echo-amd64.tar echo-arm64.tar --name echo",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if name != "" && !image.ValidName(name) {
				return fmt.Errorf("%w: --name %q: want lower-case letters and digits with single . - _ between", errUsage, name)
			}
			store, err := a.imagesOr(out)
			if err != nil {
				return err
			}
			archives, closeAll, err := openAll(args, c.InOrStdin())
			if err != nil {
				return err
			}
			defer closeAll()
			built, err := image.Load(store, name, archives...)
			if err != nil {
				return err
			}
			return a.printBuilt(built)
		},
	}
	c.Flags().StringVar(&name, "name", "", "name of the image; else what the first file calls it")
	c.Flags().StringVar(&out, "out", "", "directory of the OCI layout; else images in the cache directory")
	return c
}

// openAll opens files; the name - stands for standard input, once.
func openAll(names []string, in io.Reader) (readers []io.Reader, closeAll func(), err error) {
	var files []*os.File
	closeAll = func() {
		for _, f := range files {
			f.Close()
		}
	}
	for _, name := range names {
		if name == "-" {
			if in == nil {
				closeAll()
				return nil, nil, fmt.Errorf("%w: standard input can be read once", errUsage)
			}
			readers, in = append(readers, in), nil
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		readers, files = append(readers, f), append(files, f)
	}
	return readers, closeAll, nil
}

// imagesOr opens the layout in that directory, or the one where servers of this machine look.
func (a *app) imagesOr(dir string) (*image.Store, error) {
	if dir == "" {
		return a.images()
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return image.Open(dir)
}

// printBuilt prints what was made; other commands take its path as well as its name.
func (a *app) printBuilt(built image.Built) error {
	dir := built.Path
	_, digest, _ := strings.Cut(built.Image, "@")
	built.Path += "@" + digest
	return a.print(built, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n", built.Image)
		a.say("%s in %s", strings.Join(built.Platforms, ", "), dir)
	})
}
