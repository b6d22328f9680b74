package image

import (
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"barnraise"
)

// The media types that Docker used before there were others. What they stand for is the same.
const (
	typeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	typeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	typeDockerConfig   = "application/vnd.docker.container.image.v1+json"
	typeDockerTar      = "application/vnd.docker.image.rootfs.diff.tar"
	typeDockerTarGzip  = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// translate writes a manifest of Docker's as one of the OCI.
func translate(b []byte) ([]byte, error) {
	var m manifest
	if err := parse("manifest", b, &m, &m.MediaType, typeDockerManifest); err != nil {
		return nil, err
	}
	m.SchemaVersion, m.MediaType = 2, typeManifest
	theirs := map[string]string{typeDockerConfig: typeConfig, typeDockerTar: typeTar, typeDockerTarGzip: typeTarGzip}
	for _, d := range append([]*descriptor{&m.Config}, pointers(m.Layers)...) {
		if ours, ok := theirs[d.MediaType]; ok {
			d.MediaType = ours
		}
	}
	return encode(m), nil
}

func pointers(list []descriptor) (all []*descriptor) {
	for i := range list {
		all = append(all, &list[i])
	}
	return all
}

// savedImage is an image of the archive of older engines.
type savedImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// savedImages reads manifest.json, which newer archives have beside their layout. It is nil where there is none.
func (l *loader) savedImages() (images []savedImage, err error) {
	f, err := l.find("manifest.json")
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := f.read()
	if err == nil {
		err = parse("manifest.json", b, &images, new(string), "")
	}
	if err == nil && (len(images) == 0 || len(images) > MaxVariants) {
		err = fmt.Errorf("read manifest.json: %d images, want 1 to %d: %w", len(images), MaxVariants, ErrImage)
	}
	return images, err
}

// savedImage makes a manifest for an image that has none. Its layers are tar archives, gzip or not, which the configuration
// names by the digests that they have in the clear.
func (l *loader) savedImage(i savedImage) error {
	configFile, err := l.find(i.Config)
	if err != nil {
		return err
	}
	b, err := configFile.read()
	if err != nil {
		return err
	}
	c, err := parseConfig(b)
	if err != nil {
		return err
	}
	if len(c.RootFS.DiffIDs) != len(i.Layers) || len(i.Layers) > MaxLayers {
		return fmt.Errorf("configuration %.80q names %d layers, manifest.json %d, at most %d: %w",
			i.Config, len(c.RootFS.DiffIDs), len(i.Layers), MaxLayers, ErrImage)
	}
	m := manifest{SchemaVersion: 2, MediaType: typeManifest, Config: configFile.as(typeConfig)}
	v := loaded{files: []saved{configFile}}
	for n, name := range i.Layers {
		f, err := l.find(name)
		if err != nil {
			return err
		}
		mediaType, err := f.layerOf(c.RootFS.DiffIDs[n])
		if err != nil {
			return fmt.Errorf("layer %.80q: %w", name, err)
		}
		m.Layers, v.files = append(m.Layers, f.as(mediaType)), append(v.files, f)
	}
	v.manifest = encode(m)
	if _, err := parseManifest(v.manifest); err != nil {
		return err
	}
	return l.add(descriptor{Digest: barnraise.Sum(v.manifest)}, m, v)
}

// layerOf is the media type of a layer that has this digest in the clear. It fails with [ErrMismatch] where it has another.
func (f saved) layerOf(clear barnraise.Digest) (mediaType string, err error) {
	if f.digest == clear {
		return typeTar, nil
	}
	r, err := os.Open(f.path)
	if err != nil {
		return "", err
	}
	defer r.Close()
	sum := sha256.New()
	if z, err := gzip.NewReader(r); err == nil {
		if _, err := io.Copy(sum, io.LimitReader(z, MaxSize)); err == nil && barnraise.Digest(sum.Sum(nil)) == clear {
			return typeTarGzip, nil
		}
	}
	return "", fmt.Errorf("it is %s, the configuration says %s: %w", f.digest, clear, ErrMismatch)
}

func (f saved) as(mediaType string) descriptor {
	return descriptor{MediaType: mediaType, Digest: f.digest, Size: f.size}
}
