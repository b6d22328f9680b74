// Package image builds, keeps, checks, pulls and serves the images that services are published as: OCI indexes with a
// variant for each of linux/amd64, linux/arm64 and wasip1/wasm (protocol 2.1, 2.8; the OCI image, layout and distribution
// specifications).
//
// An image is meant by the digest of its index, and everything in it hangs by digests from there. So it does not matter who
// delivers it: what arrives is bounded before it is read, hashed before it counts, and hashed again on every way out.
package image

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"barnraise"

	"github.com/go-json-experiment/json"
)

// Bounds of an image. What exceeds them is not read.
const (
	MaxDocument = 1 << 20  // bytes of an index, a manifest or a configuration
	MaxVariants = 16       // manifests in an index
	MaxLayers   = 64       // layers of a variant
	MaxSize     = 1 << 30  // bytes of all layers of a variant, as they are stored
	MaxModule   = 64 << 20 // bytes of a wasm module
)

// Errors to branch on.
var (
	ErrImage     = errors.New("bad image")               // malformed, of an unknown form, or beyond the bounds
	ErrNoVariant = errors.New("no variant for platform") // the image is sound and has none of the platforms wanted
	ErrMismatch  = errors.New("bytes are not those of the digest")
	ErrNotFound  = errors.New("not held")
	ErrCorrupt   = errors.New("stored bytes are damaged")
)

// The platforms of services.
const (
	LinuxAMD64 = "linux/amd64"
	LinuxARM64 = "linux/arm64"
	Wasm       = "wasip1/wasm"
)

// The media types that are read or written.
const (
	typeIndex      = "application/vnd.oci.image.index.v1+json"
	typeManifest   = "application/vnd.oci.image.manifest.v1+json"
	typeConfig     = "application/vnd.oci.image.config.v1+json"
	typeTar        = "application/vnd.oci.image.layer.v1.tar"
	typeTarGzip    = "application/vnd.oci.image.layer.v1.tar+gzip"
	typeWasmConfig = "application/vnd.wasm.config.v0+json" // of the CNCF's wasm artifact
	typeWasm       = "application/wasm"
)

// Annotations, and the value that tells container engines that a layer holds a wasm module as a file.
const (
	annotationWasm = "module.wasm.image/variant"
	wasmCompat     = "compat"
	annotationName = "org.opencontainers.image.ref.name"
)

// descriptor points to a blob: the members of the OCI descriptor that matter here. Data and urls are not followed.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      barnraise.Digest  `json:"digest"`
	Size        int64             `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}

// index is an OCI index, which is also what index.json of a layout is.
type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

// manifest is an OCI image manifest.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// config is an OCI image configuration, or that of a wasm artifact, which has the first two members only.
type config struct {
	Architecture string     `json:"architecture"`
	OS           string     `json:"os"`
	Config       execution  `json:"config,omitzero"`
	RootFS       filesystem `json:"rootfs,omitzero"`
}

type execution struct {
	User       string   `json:"User,omitempty"`
	Entrypoint []string `json:"Entrypoint,omitempty"`
	Cmd        []string `json:"Cmd,omitempty"`
}

type filesystem struct {
	Type    string             `json:"type"`
	DiffIDs []barnraise.Digest `json:"diff_ids"`
}

// parseIndex reads an index. It fails with [ErrImage].
func parseIndex(b []byte) (index, error) {
	var x index
	if err := parse("index", b, &x, &x.MediaType, typeIndex); err != nil {
		return x, err
	}
	if len(x.Manifests) == 0 || len(x.Manifests) > MaxVariants {
		return x, fmt.Errorf("read index: %d manifests, want 1 to %d: %w", len(x.Manifests), MaxVariants, ErrImage)
	}
	for _, d := range x.Manifests {
		if d.Size <= 0 || d.Size > MaxDocument {
			return x, fmt.Errorf("read index: manifest %s has %d bytes, at most %d: %w", d.Digest, d.Size, MaxDocument, ErrImage)
		}
	}
	return x, nil
}

// parseManifest reads a manifest. It fails with [ErrImage].
func parseManifest(b []byte) (manifest, error) {
	var m manifest
	if err := parse("manifest", b, &m, &m.MediaType, typeManifest); err != nil {
		return m, err
	}
	if m.Config.Size <= 0 || m.Config.Size > MaxDocument {
		return m, fmt.Errorf("read manifest: configuration of %d bytes, at most %d: %w", m.Config.Size, MaxDocument, ErrImage)
	}
	if len(m.Layers) == 0 || len(m.Layers) > MaxLayers {
		return m, fmt.Errorf("read manifest: %d layers, want 1 to %d: %w", len(m.Layers), MaxLayers, ErrImage)
	}
	left := int64(MaxSize)
	for _, d := range m.Layers {
		if d.Size < 0 || d.Size > left {
			return m, fmt.Errorf("read manifest: layers of more than %d bytes: %w", MaxSize, ErrImage)
		}
		left -= d.Size
	}
	return m, nil
}

// parseConfig reads a configuration. It fails with [ErrImage].
func parseConfig(b []byte) (config, error) {
	var c config
	return c, parse("configuration", b, &c, new(string), "")
}

// parse reads one document and checks its own media type, which may be left out.
func parse(what string, b []byte, into any, mediaType *string, want string) error {
	if len(b) > MaxDocument {
		return fmt.Errorf("read %s: %d bytes, at most %d: %w", what, len(b), MaxDocument, ErrImage)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read %s: %w: %w", what, err, ErrImage)
	}
	if *mediaType != "" && *mediaType != want {
		return fmt.Errorf("read %s: it is of type %.80q, want %s: %w", what, *mediaType, want, ErrImage)
	}
	return nil
}

// encode writes a document, always in the same way.
func encode(document any) []byte {
	b, err := json.Marshal(document, json.Deterministic(true))
	if err != nil {
		panic(err) // no member of a document can fail
	}
	return b
}

var imageName = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$`)

// ValidName reports whether an image may be called so: lower-case letters and digits with single dots, hyphens and
// underscores between them, in parts that slashes separate, at most 128 bytes.
func ValidName(name string) bool { return len(name) <= 128 && imageName.MatchString(name) }

// ParseReference reads name@sha256:<digest>, the form in which [Built.Image] and manifests name an image. The name may start
// with a registry's host. A reference without a digest is refused: a tag may be moved (protocol 2.7).
func ParseReference(s string) (name string, index barnraise.Digest, err error) {
	name, digest, ok := strings.Cut(s, "@")
	if !ok || name == "" || len(name) > 255 {
		return "", index, fmt.Errorf("parse image reference %.80q: want name@sha256:<digest>; resolve a tag first", s)
	}
	index, err = barnraise.ParseDigest(digest)
	if err != nil {
		return "", index, fmt.Errorf("parse image reference %.80q: %w", s, err)
	}
	return name, index, nil
}
