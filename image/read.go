package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"barnraise"
)

// Variant is the image of one platform within an index.
type Variant struct {
	Platform string           // [LinuxAMD64], [LinuxARM64] or [Wasm]
	Manifest barnraise.Digest // what a receipt names as the platform (protocol 4.1)
}

// Variants lists what the index has for the platforms of services, the first of each. Where no manifest is for wasip1/wasm
// by that name, one for wasi/wasm is taken, and then one without a platform whose configuration, if it is held, shows a wasm
// artifact. All else is passed over. The variants themselves need not be held. It fails with [ErrNotFound], [ErrCorrupt] or
// [ErrImage].
func (s *Store) Variants(index barnraise.Digest) ([]Variant, error) {
	x, err := s.index(index)
	if err != nil {
		return nil, fmt.Errorf("read image %s: %w", index, err)
	}
	var all []Variant
	for _, rank := range []func(descriptor) string{named, legacy, s.artifact} {
		for _, d := range x.Manifests {
			p := rank(d)
			if p != "" && !slices.ContainsFunc(all, func(v Variant) bool { return v.Platform == p }) {
				all = append(all, Variant{p, d.Digest})
			}
		}
	}
	return all, nil
}

// Variant returns the variant of one platform. It fails with [ErrNoVariant], naming those there are, and as
// [Store.Variants] does.
func (s *Store) Variant(index barnraise.Digest, platform string) (Variant, error) {
	all, err := s.Variants(index)
	if err != nil {
		return Variant{}, err
	}
	var there []string
	for _, v := range all {
		if v.Platform == platform {
			return v, nil
		}
		there = append(there, v.Platform)
	}
	if there == nil {
		there = []string{"none that services run on"}
	}
	return Variant{}, fmt.Errorf("read image %s: %w %s; it has %s", index, ErrNoVariant, platform, strings.Join(there, ", "))
}

// named is the platform that a descriptor states, if it is one of services.
func named(d descriptor) string {
	if d.Platform == nil {
		return ""
	}
	switch *d.Platform {
	case platform{OS: "linux", Architecture: "amd64"}:
		return LinuxAMD64
	case platform{OS: "linux", Architecture: "arm64"}, platform{OS: "linux", Architecture: "arm64", Variant: "v8"}:
		return LinuxARM64
	case platform{OS: "wasip1", Architecture: "wasm"}:
		return Wasm
	}
	return ""
}

// legacy is what older tools call wasip1.
func legacy(d descriptor) string {
	if d.Platform != nil && *d.Platform == (platform{OS: "wasi", Architecture: "wasm"}) {
		return Wasm
	}
	return ""
}

// artifact recognises a wasm artifact by its configuration where the index does not say what it is.
func (s *Store) artifact(d descriptor) string {
	if d.Platform != nil {
		return ""
	}
	m, err := s.manifest(d.Digest)
	if err != nil || m.Config.MediaType != typeWasmConfig {
		return ""
	}
	c, err := s.config(m)
	if err != nil || c.OS != "wasip1" || c.Architecture != "wasm" {
		return ""
	}
	return Wasm
}

// Module returns the wasm module of a variant, of at most [MaxModule] bytes, by the digest of its manifest. Two forms are
// read: an image whose only layer is a tar archive, gzip or not, with the module as the file that its entrypoint names, and
// the wasm artifact of the CNCF. It fails with [ErrNotFound] or [ErrCorrupt], with [ErrImage] where the variant has no
// module or more in it than the bounds allow. Whether the bytes are a wasm module is not looked at.
func (s *Store) Module(variant barnraise.Digest) ([]byte, error) {
	b, err := s.module(variant)
	if err != nil {
		return nil, fmt.Errorf("read module of variant %s: %w", variant, err)
	}
	return b, nil
}

func (s *Store) module(variant barnraise.Digest) ([]byte, error) {
	m, err := s.manifest(variant)
	if err != nil {
		return nil, err
	}
	layer, err := m.moduleLayer()
	if err != nil {
		return nil, err
	}
	if layer.MediaType == typeWasm {
		return s.read(layer, MaxModule)
	}
	c, err := s.config(m)
	if err != nil {
		return nil, err
	}
	command := slices.Concat(c.Config.Entrypoint, c.Config.Cmd)
	if len(command) == 0 {
		return nil, fmt.Errorf("it has no entrypoint that names its module: %w", ErrImage)
	}
	return s.file(layer, command[0])
}

// moduleLayer is the layer that a wasm variant has its module in: in the clear in a wasm artifact, else in an archive. It
// fails with [ErrImage] where the manifest shows that no module can come of it.
func (m manifest) moduleLayer() (descriptor, error) {
	if len(m.Layers) != 1 {
		return descriptor{}, fmt.Errorf("%d layers, want the module in one: %w", len(m.Layers), ErrImage)
	}
	layer, most := m.Layers[0], int64(maxTar)
	switch {
	case layer.MediaType == typeWasm && m.Config.MediaType == typeWasmConfig:
		most = MaxModule
	case layer.MediaType != typeTar && layer.MediaType != typeTarGzip:
		return descriptor{}, fmt.Errorf("layer %s is of type %.80q, want tar, plain or gzip: %w", layer.Digest, layer.MediaType, ErrImage)
	}
	if layer.Size > most {
		return descriptor{}, fmt.Errorf("layer %s has %d bytes, at most %d: %w", layer.Digest, layer.Size, most, ErrImage)
	}
	return layer, nil
}

// file takes one file out of a layer.
func (s *Store) file(layer descriptor, name string) ([]byte, error) {
	b, err := s.read(layer, maxTar)
	if err != nil {
		return nil, err
	}
	if layer.MediaType == typeTar {
		return extract(bytes.NewReader(b), name)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("layer %s: %w: %w", layer.Digest, err, ErrImage)
	}
	return extract(z, name)
}

// maxTar is how much of an archive is unpacked, in bytes: a module, and some room for what stands beside it.
const maxTar = MaxModule + 8<<20

var errTarTooLong = fmt.Errorf("archive has more than %d bytes: %w", maxTar, ErrImage)

// extract returns the file of that name from a tar archive. The archive may hold other things, but the file only once and
// as a file. It fails with [ErrImage].
func extract(r io.Reader, name string) ([]byte, error) {
	name = clean(name)
	bounded := &io.LimitedReader{R: r, N: maxTar + 1}
	archive := tar.NewReader(bounded)
	var found []byte
	for {
		h, err := archive.Next()
		if bounded.N == 0 {
			return nil, errTarTooLong
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("unpack: %w: %w", err, ErrImage)
		}
		if clean(h.Name) != name {
			continue
		}
		if h.Typeflag != tar.TypeReg || h.Size > MaxModule || found != nil {
			return nil, fmt.Errorf("unpack: %.80q is no single file of at most %d bytes: %w", h.Name, MaxModule, ErrImage)
		}
		found = make([]byte, h.Size)
		if _, err := io.ReadFull(archive, found); err != nil {
			return nil, fmt.Errorf("unpack %.80q: %w: %w", name, err, ErrImage)
		}
	}
	if found == nil {
		return nil, fmt.Errorf("unpack: no file %.80q, which the entrypoint names: %w", name, ErrImage)
	}
	return found, nil
}

// clean is a path from the root of the image, without a slash before it.
func clean(name string) string { return path.Clean("/" + name)[1:] }

// Blobs lists the digests of all blobs of an image as far as they are held: its index, and of each variant the manifest, the
// configuration and the layers. It fails as [Store.Variants] does.
func (s *Store) Blobs(index barnraise.Digest) ([]barnraise.Digest, error) {
	x, err := s.index(index)
	if err != nil {
		return nil, fmt.Errorf("list blobs of image %s: %w", index, err)
	}
	all := []barnraise.Digest{index}
	for _, d := range x.Manifests {
		m, err := s.manifest(d.Digest)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list blobs of image %s: %w", index, err)
		}
		for _, d := range append(m.Layers, m.Config, d) {
			if _, err := s.size(d.Digest); err == nil {
				all = append(all, d.Digest)
			}
		}
	}
	return all, nil
}

func (s *Store) index(d barnraise.Digest) (index, error) {
	b, err := s.Get(d, MaxDocument)
	if err != nil {
		return index{}, err
	}
	return parseIndex(b)
}

func (s *Store) manifest(d barnraise.Digest) (manifest, error) {
	b, err := s.Get(d, MaxDocument)
	if err != nil {
		return manifest{}, err
	}
	return parseManifest(b)
}

func (s *Store) config(m manifest) (config, error) {
	b, err := s.read(m.Config, MaxDocument)
	if err != nil {
		return config{}, err
	}
	return parseConfig(b)
}

// read returns the blob that a descriptor points to.
func (s *Store) read(d descriptor, most int64) ([]byte, error) {
	b, err := s.Get(d.Digest, most)
	if err == nil && int64(len(b)) != d.Size {
		err = fmt.Errorf("%s has %d bytes, not %d: %w", d.Digest, len(b), d.Size, ErrImage)
	}
	return b, err
}
