package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"barnraise"
)

// Built says what was made: what "barnraise image build --json" prints.
type Built struct {
	Image     string   `json:"image"`     // name@sha256:<digest of the index>
	Platforms []string `json:"platforms"` // ascending
	Path      string   `json:"path"`      // of the OCI layout that holds it
}

// Pack makes an image of finished programs, one static executable for each Linux platform and one wasm module, and lists it
// under its name in the layout. Each becomes one uncompressed layer with one file in it, /svc or /svc.wasm, so the digest
// depends on the programs alone: on no time, no user and no compressor. Linux variants run as user 65534.
//
// It fails where the name is none (see [ValidName]), a platform is none of services, or bytes are no program of the
// platform.
func Pack(into *Store, name string, programs map[string][]byte) (Built, error) {
	if !ValidName(name) {
		return Built{}, fmt.Errorf("pack image: name %.80q: want lower-case letters and digits with single . - _ between", name)
	}
	if len(programs) == 0 {
		return Built{}, errors.New("pack image: no programs")
	}
	x := index{SchemaVersion: 2, MediaType: typeIndex}
	for _, p := range slices.Sorted(maps.Keys(programs)) {
		d, err := packVariant(into, p, programs[p])
		if err != nil {
			return Built{}, fmt.Errorf("pack image %s: %s: %w", name, p, err)
		}
		x.Manifests = append(x.Manifests, d)
	}
	built, err := publish(into, name, x)
	if err != nil {
		return Built{}, fmt.Errorf("pack image %s: %w", name, err)
	}
	return built, nil
}

// publish keeps an index and lists it under its name.
func publish(into *Store, name string, x index) (Built, error) {
	b := encode(x)
	digest, err := into.Put(b)
	if err == nil {
		err = into.name(name, descriptor{MediaType: typeIndex, Digest: digest, Size: int64(len(b))})
	}
	built := Built{Image: name + "@" + digest.String(), Path: into.Dir()}
	for _, d := range x.Manifests {
		built.Platforms = append(built.Platforms, d.Platform.OS+"/"+d.Platform.Architecture)
	}
	return built, err
}

// packVariant keeps the blobs of one variant and returns the descriptor that the index gets.
func packVariant(into *Store, platformName string, program []byte) (descriptor, error) {
	file, magic, annotations := "svc", "\x7fELF", map[string]string(nil)
	switch platformName {
	case LinuxAMD64, LinuxARM64:
	case Wasm:
		file, magic, annotations = "svc.wasm", "\x00asm", map[string]string{annotationWasm: wasmCompat}
	default:
		return descriptor{}, fmt.Errorf("services run on %s, %s and %s only", LinuxAMD64, LinuxARM64, Wasm)
	}
	if !bytes.HasPrefix(program, []byte(magic)) {
		return descriptor{}, fmt.Errorf("%d bytes are no program of that platform", len(program))
	}
	if platformName == Wasm && len(program) > MaxModule {
		return descriptor{}, fmt.Errorf("module of %d bytes, at most %d", len(program), MaxModule)
	}
	layer, err := archive(file, program)
	if err != nil {
		return descriptor{}, err
	}
	os, arch, _ := strings.Cut(platformName, "/")
	c := config{Architecture: arch, OS: os, RootFS: filesystem{"layers", []barnraise.Digest{barnraise.Sum(layer)}}}
	c.Config.Entrypoint = []string{"/" + file}
	if platformName != Wasm {
		c.Config.User = "65534:65534"
	}
	m := manifest{SchemaVersion: 2, MediaType: typeManifest, Annotations: annotations}
	layerBlob, err1 := put(into, typeTar, layer)
	configBlob, err2 := put(into, typeConfig, encode(c))
	m.Config, m.Layers = configBlob, []descriptor{layerBlob}
	d, err3 := put(into, typeManifest, encode(m))
	d.Platform, d.Annotations = &platform{Architecture: arch, OS: os}, annotations
	return d, errors.Join(err1, err2, err3)
}

func put(into *Store, mediaType string, b []byte) (descriptor, error) {
	d, err := into.Put(b)
	return descriptor{MediaType: mediaType, Digest: d, Size: int64(len(b))}, err
}

// archive is a tar archive of one executable file, at time zero and owned by nobody in particular.
func archive(name string, content []byte) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{
		Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0),
		Format: tar.FormatUSTAR,
	})
	if err == nil {
		_, err = w.Write(content)
	}
	err = errors.Join(err, w.Close()) // which writes the archive's end
	return b.Bytes(), err
}
