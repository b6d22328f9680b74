package image

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"barnraise"
)

// Bounds of what an archive may lead to.
const (
	maxNesting   = 3  // indexes in one another
	maxDocuments = 64 // indexes and manifests that are looked at
)

// annotationAttests marks what is beside an image and says how it was made.
const annotationAttests = "vnd.docker.reference.type"

// Load makes one image of what other tools have saved, and lists it under its name in the layout: an OCI layout as a tar
// archive (docker buildx build --output type=oci, docker save since 25, skopeo, podman), or the archive of older engines
// (docker save). Several archives, one for each platform, become one image. Manifests of the OCI are kept as they are; those of
// Docker are written anew as such, always in the same way: the same archive makes the same digest. What is for other platforms
// is left out, and so is what says how an image was made. Without a name the image has that of the first archive.
//
// It fails with [ErrImage] where an archive is malformed, beyond the bounds, has layers in another form than tar or gzip, or
// two images are for one platform; with [ErrNotFound] where a file is missing that it names; with [ErrMismatch] where a file is
// not what its name or the configuration says; and with [ErrNoVariant] where nothing is for a platform of services. Then the
// layout lists what it did before.
func Load(into *Store, name string, archives ...io.Reader) (Built, error) {
	l := &loader{variants: map[string]loaded{}}
	dir, err := os.MkdirTemp(into.Dir(), ".load-*")
	if err != nil {
		return Built{}, fmt.Errorf("load image: %w", err)
	}
	defer os.RemoveAll(dir)
	for _, r := range archives {
		l.spool = &spool{dir: dir}
		if err = l.spool.read(r); err == nil {
			err = l.archive()
		}
		if err != nil {
			return Built{}, fmt.Errorf("load image: %w", err)
		}
	}
	if name == "" {
		name = l.name
	}
	built, err := l.keep(into, name)
	if err != nil {
		return Built{}, fmt.Errorf("load image: %w", err)
	}
	return built, nil
}

// loader collects the variants of an image from archives.
type loader struct {
	*spool
	name      string // that the first archive has, if any
	variants  map[string]loaded
	passed    []error // why something is no variant
	documents int
}

// loaded is a variant before it is kept.
type loaded struct {
	manifest []byte
	wasm     bool    // the index is to say that its layer holds a module
	files    []saved // configuration and layers
}

// archive looks through one archive.
func (l *loader) archive() error {
	images, err := l.savedImages()
	if err != nil {
		return err
	}
	for _, i := range images {
		for _, tag := range i.RepoTags {
			l.call(tag)
		}
	}
	switch _, err := l.find(indexFile); {
	case err == nil:
		return l.layout()
	case images == nil:
		return fmt.Errorf("archive has no index.json and no manifest.json: "+
			"save the image with docker save or buildx --output type=oci: %w", ErrImage)
	}
	for _, i := range images {
		if err := l.savedImage(i); err != nil {
			return err
		}
	}
	return nil
}

// call takes the name that an archive gives its image, if it is one for us.
func (l *loader) call(tag string) {
	slash := strings.LastIndexByte(tag, '/')
	if colon := strings.LastIndexByte(tag, ':'); colon > slash {
		tag = tag[:colon]
	}
	tag = strings.TrimPrefix(strings.TrimPrefix(tag, "docker.io/"), "library/")
	if l.name == "" && ValidName(tag) {
		l.name = tag
	}
}

// layout goes through an OCI layout.
func (l *loader) layout() error {
	x, err := l.index(indexFile, typeIndex)
	if err != nil {
		return err
	}
	for _, d := range x.Manifests {
		if err := l.descend(d, 1); err != nil {
			return err
		}
		l.call(d.Annotations["io.containerd.image.name"])
		l.call(d.Annotations[annotationName])
	}
	return nil
}

func (l *loader) index(name, mediaType string) (index, error) {
	var x index
	f, err := l.find(name)
	if err != nil {
		return x, err
	}
	b, err := f.read()
	if err == nil {
		err = parse("index", b, &x, &x.MediaType, mediaType)
	}
	if err == nil && len(x.Manifests) > maxDocuments {
		err = fmt.Errorf("read index: %d manifests, at most %d: %w", len(x.Manifests), maxDocuments, ErrImage)
	}
	return x, err
}

// descend follows a descriptor. What the archive does not have is passed over: other platforms are often named and left out.
func (l *loader) descend(d descriptor, depth int) error {
	if l.documents++; l.documents > maxDocuments || depth > maxNesting {
		return fmt.Errorf("more than %d manifests, or indexes nested more than %d deep: %w", maxDocuments, maxNesting, ErrImage)
	}
	f, err := l.blob(d.Digest)
	if errors.Is(err, ErrNotFound) {
		l.pass(d, err)
		return nil
	}
	if err != nil {
		return err
	}
	switch d.MediaType {
	case typeManifest, typeDockerManifest:
		return l.manifest(d, f)
	case typeIndex, typeDockerList:
	default:
		return fmt.Errorf("%s is of type %.80q, want an index or a manifest: %w", d.Digest, d.MediaType, ErrImage)
	}
	x, err := l.index("blobs/sha256/"+d.Digest.Hex(), d.MediaType)
	for i := 0; err == nil && i < len(x.Manifests); i++ {
		err = l.descend(x.Manifests[i], depth+1)
	}
	return err
}

func (l *loader) pass(d descriptor, why error) {
	l.passed = append(l.passed, fmt.Errorf("manifest %s: %w", d.Digest, why))
}

// manifest takes a variant from an OCI layout.
func (l *loader) manifest(d descriptor, f saved) error {
	if d.Annotations[annotationAttests] != "" {
		return nil
	}
	raw, err := f.read()
	if err == nil && d.MediaType == typeDockerManifest {
		raw, err = translate(raw)
	}
	if err != nil {
		return err
	}
	m, err := parseManifest(raw)
	if err != nil {
		return err
	}
	v := loaded{manifest: raw, wasm: d.Annotations[annotationWasm] == wasmCompat}
	for _, b := range append([]descriptor{m.Config}, m.Layers...) {
		f, err := l.blob(b.Digest)
		if errors.Is(err, ErrNotFound) {
			l.pass(d, err)
			return nil
		}
		if err == nil && f.size != b.Size {
			err = fmt.Errorf("%s has %d bytes, not %d: %w", b.Digest, f.size, b.Size, ErrImage)
		}
		if err != nil {
			return err
		}
		v.files = append(v.files, f)
	}
	return l.add(d, m, v)
}

// add takes a variant whose files are there, if its platform is one of services.
func (l *loader) add(d descriptor, m manifest, v loaded) error {
	b, err := v.files[0].read()
	if err != nil {
		return err
	}
	c, err := parseConfig(b)
	if err != nil {
		return err
	}
	if d.Platform == nil {
		d.Platform = &platform{Architecture: c.Architecture, OS: c.OS}
	}
	p := named(d)
	if p == "" {
		p = legacy(d)
	}
	if p == "" {
		l.pass(d, fmt.Errorf("it is for %.40q", d.Platform.OS+"/"+d.Platform.Architecture))
		return nil
	}
	if err := usable(p, m, c); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	if other, ok := l.variants[p]; ok && barnraise.Sum(other.manifest) != barnraise.Sum(v.manifest) {
		return fmt.Errorf("two images are for %s: save one of them: %w", p, ErrImage)
	}
	l.variants[p] = v
	return nil
}

// usable reports whether hosts can run a variant, as far as its documents show.
func usable(p string, m manifest, c config) error {
	if p == Wasm {
		_, err := m.moduleLayer()
		return err
	}
	for _, d := range m.Layers {
		if d.MediaType != typeTar && d.MediaType != typeTarGzip {
			return fmt.Errorf("layer %s is of type %.80q, want tar, plain or gzip, which every engine reads "+
				"(buildx: compression=gzip,force-compression=true): %w", d.Digest, d.MediaType, ErrImage)
		}
	}
	if platformName := c.OS + "/" + c.Architecture; platformName != p {
		return fmt.Errorf("its configuration says %.40q: %w", platformName, ErrImage)
	}
	if len(c.Config.Entrypoint)+len(c.Config.Cmd) == 0 {
		return fmt.Errorf("it has no command to run: give its Dockerfile a CMD: %w", ErrImage)
	}
	return nil
}

// keep puts all variants into the store under an index of their own.
func (l *loader) keep(into *Store, name string) (Built, error) {
	if len(l.variants) == 0 {
		none := fmt.Errorf("%w of services, which run on %s, %s and %s", ErrNoVariant, LinuxAMD64, LinuxARM64, Wasm)
		return Built{}, errors.Join(append([]error{none}, l.passed...)...)
	}
	if name == "" {
		return Built{}, errors.New("the archive does not say what the image is called: give it a name")
	}
	if !ValidName(name) {
		return Built{}, fmt.Errorf("name %.80q: want lower-case letters and digits with single . - _ between", name)
	}
	x := index{SchemaVersion: 2, MediaType: typeIndex}
	for _, p := range slices.Sorted(maps.Keys(l.variants)) {
		v := l.variants[p]
		for _, f := range v.files {
			if err := f.keep(into); err != nil {
				return Built{}, err
			}
		}
		d, err := put(into, typeManifest, v.manifest)
		if err != nil {
			return Built{}, err
		}
		os, arch, _ := strings.Cut(p, "/")
		d.Platform = &platform{Architecture: arch, OS: os}
		if v.wasm {
			d.Annotations = map[string]string{annotationWasm: wasmCompat}
		}
		x.Manifests = append(x.Manifests, d)
	}
	return publish(into, name, x)
}
