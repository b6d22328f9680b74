package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"barnraise"
	"barnraise/image"
	"barnraise/registry"

	"github.com/spf13/cobra"
)

func (a *app) image() *cobra.Command {
	c := &cobra.Command{Use: "image", Short: "Build, import, push and inspect service images"}
	c.AddCommand(a.imageBuild(), a.imageImport(), a.imagePush(), a.imageInspect())
	return c
}

// imagesDir is where images are built to unless the user says otherwise, and where servers of this machine find them.
func (a *app) imagesDir() (string, error) {
	cache, err := a.cacheDir()
	return filepath.Join(cache, "images"), err
}

// images opens what is there.
func (a *app) images() (*image.Store, error) {
	dir, err := a.imagesDir()
	if err != nil {
		return nil, err
	}
	return image.Open(dir)
}

func (a *app) imageBuild() *cobra.Command {
	var o image.Options
	var out string
	c := &cobra.Command{
		Use:   "build DIR",
		Short: "Build an OCI image of a service written in Go, the same digest wherever it is built",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkBuild(o); err != nil {
				return err
			}
			o.Dir, o.Progress = args[0], func(line string) { a.say("%s", line) }
			store, err := a.imagesOr(out)
			if err != nil {
				return err
			}
			built, err := image.Build(c.Context(), store, o)
			if err != nil {
				return err
			}
			return a.printBuilt(built)
		},
	}
	c.Flags().StringVar(&o.Name, "name", "", "name of the image; else that of the directory")
	c.Flags().StringSliceVar(&o.Platforms, "platform", nil, "platforms to build for; else "+strings.Join(platforms, ", "))
	c.Flags().StringToStringVar(&o.Overlay, "overlay", nil, "FILE=OTHER: a file below DIR, and what to build in its place")
	c.Flags().StringVar(&out, "out", "", "directory of the OCI layout; else images in the cache directory")
	return c
}

// platforms are those of services.
var platforms = []string{image.LinuxAMD64, image.LinuxARM64, image.Wasm}

func checkBuild(o image.Options) error {
	for _, p := range o.Platforms {
		if !slices.Contains(platforms, p) {
			return fmt.Errorf("%w: --platform %q: services run on %s", errUsage, p, strings.Join(platforms, ", "))
		}
	}
	if o.Name != "" && !image.ValidName(o.Name) {
		return fmt.Errorf("%w: --name %q: want lower-case letters and digits with single . - _ between", errUsage, o.Name)
	}
	return nil
}

// imageResult is what image inspect prints as JSON.
type imageResult struct {
	Image    string          `json:"image"`
	Path     string          `json:"path"` // of the OCI layout, and the image's digest in it: DIR@sha256:…
	Variants []variantResult `json:"variants"`
}

type variantResult struct {
	Platform string           `json:"platform"`
	Digest   barnraise.Digest `json:"digest"`
	Held     bool             `json:"held"` // all of it is in the layout
}

func (a *app) imageInspect() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect NAME@sha256:DIGEST|PATH[@sha256:DIGEST]",
		Short: "List the variants of an image that was built or pulled here, or lies in an OCI layout",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			store, name, index, err := a.findImage(args[0])
			if err != nil {
				return err
			}
			variants, err := store.Variants(index)
			if err != nil {
				return err
			}
			r := imageResult{Image: name + "@" + index.String(), Path: store.Dir() + "@" + index.String(), Variants: []variantResult{}}
			looks := image.Puller{Store: store} // from nobody: it finds what is there
			for _, v := range variants {
				_, err := looks.Pull(c.Context(), index, nil, v.Platform)
				r.Variants = append(r.Variants, variantResult{v.Platform, v.Manifest, err == nil})
			}
			return a.print(r, func(w io.Writer) {
				fmt.Fprintf(w, "%s\n", r.Image)
				for _, v := range r.Variants {
					fmt.Fprintf(w, "%-12s %s\n", v.Platform, v.Digest)
				}
			})
		},
	}
}

// findImage finds an image by its reference among those built here, or in an OCI layout by the layout's path: the only image
// of it, or the one whose digest stands behind.
func (a *app) findImage(ref string) (store *image.Store, name string, index barnraise.Digest, err error) {
	if isLayout(ref) {
		return onlyImage(ref)
	}
	if dir, digest, ok := strings.Cut(ref, "@sha256:"); ok && isLayout(dir) {
		if index, err = barnraise.ParseDigest("sha256:" + digest); err != nil {
			return nil, "", index, fmt.Errorf("%w: %w", errUsage, err)
		}
		store, name, index, err = imageIn(dir, index)
		if err != nil || store.Check(index) == nil || !image.ValidName(dir) { // else a reference, and a layout beside by chance
			return store, name, index, err
		}
	}
	name, index, err = image.ParseReference(ref)
	if err != nil {
		return nil, "", index, fmt.Errorf("%w: %w", errUsage, err)
	}
	store, err = a.images()
	return store, name, index, err
}

func isLayout(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "oci-layout"))
	return err == nil && info.Mode().IsRegular()
}

// imageIn takes an image of a layout. Its name is the one that it is listed by, or that of the directory.
func imageIn(dir string, index barnraise.Digest) (*image.Store, string, barnraise.Digest, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, "", index, err
	}
	store, err := image.Open(dir)
	if err != nil {
		return nil, "", index, err
	}
	images, err := store.Images()
	if err != nil {
		return nil, "", index, err
	}
	for _, i := range images {
		if i.Index == index && image.ValidName(i.Name) {
			return store, i.Name, index, nil
		}
	}
	return store, strings.ToLower(filepath.Base(dir)), index, nil
}

// onlyImage takes the only image of a layout; where there are several, a digest has to say which.
func onlyImage(dir string) (*image.Store, string, barnraise.Digest, error) {
	var none barnraise.Digest
	store, err := image.Open(dir)
	if err != nil {
		return nil, "", none, err
	}
	images, err := store.Images()
	if err != nil {
		return nil, "", none, err
	}
	byDigest := make(map[barnraise.Digest]bool)
	var there []string
	for _, i := range images {
		if !byDigest[i.Index] {
			there = append(there, registry.Printable(i.Name)+"@"+i.Index.String())
		}
		byDigest[i.Index] = true
	}
	switch len(there) {
	case 0:
		return nil, "", none, fmt.Errorf("%s lists no image", dir)
	case 1:
		return imageIn(dir, images[0].Index)
	}
	return nil, "", none, fmt.Errorf("%w: %s holds %d images (%s): name one by %s@sha256:DIGEST",
		errUsage, dir, len(there), strings.Join(there, ", "), dir)
}
