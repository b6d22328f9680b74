package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"barnraise"
	"barnraise/image"

	"github.com/spf13/cobra"
)

func (a *app) image() *cobra.Command {
	c := &cobra.Command{Use: "image", Short: "Build and inspect service images"}
	c.AddCommand(a.imageBuild(), a.imageInspect())
	return c
}

// imagesDir is where images are built to unless the user says otherwise, and where servers of this machine find them.
func (a *app) imagesDir() (string, error) {
	cache, err := a.cacheDir()
	return filepath.Join(cache, "images"), err
}

func (a *app) imageBuild() *cobra.Command {
	var o image.Options
	var out string
	c := &cobra.Command{
		Use:   "build DIR",
		Short: "Build an OCI image of a service written in Go, the same digest wherever it is built",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.Dir, o.Progress = args[0], func(line string) { a.say("%s", line) }
			if out == "" {
				var err error
				if out, err = a.imagesDir(); err != nil {
					return err
				}
			}
			store, err := image.Open(out)
			if err != nil {
				return err
			}
			built, err := image.Build(c.Context(), store, o)
			if err != nil {
				return err
			}
			return a.print(built, func(w io.Writer) {
				fmt.Fprintf(w, "%s\n", built.Image)
				a.say("%s in %s", strings.Join(built.Platforms, ", "), built.Path)
			})
		},
	}
	c.Flags().StringVar(&o.Name, "name", "", "name of the image; else that of the directory")
	c.Flags().StringSliceVar(&o.Platforms, "platform", nil, "platforms to build for; else linux/amd64, linux/arm64 and wasip1/wasm")
	c.Flags().StringToStringVar(&o.Overlay, "overlay", nil, "FILE=OTHER: a file below DIR, and what to build in its place")
	c.Flags().StringVar(&out, "out", "", "directory of the OCI layout; else images in the cache directory")
	return c
}

// imageResult is what image inspect prints as JSON.
type imageResult struct {
	Image    string          `json:"image"`
	Path     string          `json:"path"`
	Variants []variantResult `json:"variants"`
}

type variantResult struct {
	Platform string           `json:"platform"`
	Digest   barnraise.Digest `json:"digest"`
	Held     bool             `json:"held"` // all of it is in the layout
}

func (a *app) imageInspect() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect NAME@sha256:DIGEST|PATH",
		Short: "List the variants of an image that was built or pulled here",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			store, name, index, err := a.findImage(args[0])
			if err != nil {
				return err
			}
			variants, err := store.Variants(index)
			if err != nil {
				return err
			}
			r := imageResult{Image: name + "@" + index.String(), Path: store.Dir(), Variants: []variantResult{}}
			for _, v := range variants {
				r.Variants = append(r.Variants, variantResult{v.Platform, v.Manifest, store.Check(v.Manifest) == nil})
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

// findImage finds an image by its reference among those built here, or in an OCI layout by its path.
func (a *app) findImage(ref string) (store *image.Store, name string, index barnraise.Digest, err error) {
	if info, err := os.Stat(filepath.Join(ref, "oci-layout")); err == nil && info.Mode().IsRegular() {
		return imageIn(ref)
	}
	name, index, err = image.ParseReference(ref)
	if err != nil {
		return nil, "", index, fmt.Errorf("%w: %w", errUsage, err)
	}
	dir, err := a.imagesDir()
	if err != nil {
		return nil, "", index, err
	}
	store, err = image.Open(dir)
	return store, name, index, err
}

// imageIn takes the only image of a layout; where there are several, a reference has to say which.
func imageIn(path string) (*image.Store, string, barnraise.Digest, error) {
	store, err := image.Open(path)
	if err != nil {
		return nil, "", barnraise.Digest{}, err
	}
	images, err := store.Images()
	if err != nil {
		return nil, "", barnraise.Digest{}, err
	}
	byDigest := make(map[barnraise.Digest]string)
	for _, i := range images {
		byDigest[i.Index] = i.Name
	}
	switch len(byDigest) {
	case 0:
		return nil, "", barnraise.Digest{}, fmt.Errorf("%s lists no image", path)
	case 1:
		for index, name := range byDigest {
			return store, name, index, nil
		}
	}
	names := slices.Sorted(maps.Values(byDigest))
	return nil, "", barnraise.Digest{}, errors.Join(errUsage, fmt.Errorf("%s holds %d images (%s): name one by NAME@sha256:DIGEST", path, len(byDigest), strings.Join(names, ", ")))
}
