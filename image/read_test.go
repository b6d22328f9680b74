package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"barnraise"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

var module = []byte("\x00asm\x01\x00\x00\x00 a module")

// tarOf makes an archive; each file is a name and a content.
func tarOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		err := w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1])), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = io.WriteString(w, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipOf(b []byte) []byte {
	var z bytes.Buffer
	w, _ := gzip.NewWriterLevel(&z, gzip.BestSpeed)
	_, _ = w.Write(b)
	_ = w.Close()
	return z.Bytes()
}

// Images as a library that is not ours writes them: facts that hold for other people's tools.
func TestReadsWhatOthersWrite(t *testing.T) {
	compat := func(layer []byte, configure func(*v1.Config)) v1.Image {
		l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer)), nil })
		if err != nil {
			t.Fatal(err)
		}
		img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
		if img, err = mutate.Append(img, mutate.Addendum{Layer: l, MediaType: types.OCILayer}); err != nil {
			t.Fatal(err)
		}
		c, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		c = c.DeepCopy()
		c.OS, c.Architecture = "wasip1", "wasm"
		configure(&c.Config)
		if img, err = mutate.ConfigFile(img, c); err != nil {
			t.Fatal(err)
		}
		return img
	}
	entrypoint := func(c *v1.Config) { c.Entrypoint = []string{"/svc.wasm"} }
	image := compat(tarOf(t, "readme", "x", "svc.wasm", string(module)), entrypoint)
	artifact, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1),
		&v1.ConfigFile{OS: "wasip1", Architecture: "wasm"})
	if err == nil {
		artifact, err = mutate.AppendLayers(mutate.ConfigMediaType(artifact, typeWasmConfig), static.NewLayer(module, typeWasm))
	}
	if err != nil {
		t.Fatal(err)
	}
	other := compat(tarOf(t, "svc.wasm", "another"), entrypoint)
	wasm, older := &v1.Platform{OS: "wasip1", Architecture: "wasm"}, &v1.Platform{OS: "wasi", Architecture: "wasm"}
	for _, c := range []struct {
		name string
		add  []mutate.IndexAddendum
	}{
		{"image", []mutate.IndexAddendum{{Add: image, Descriptor: v1.Descriptor{Platform: wasm}}}},
		{"command instead of entrypoint", []mutate.IndexAddendum{{
			Add:        compat(tarOf(t, "./app/m.wasm", string(module)), func(c *v1.Config) { c.Cmd = []string{"app/m.wasm", "-x"} }),
			Descriptor: v1.Descriptor{Platform: wasm},
		}}},
		{"older name", []mutate.IndexAddendum{{Add: image, Descriptor: v1.Descriptor{Platform: older}}}},
		{"newer name first", []mutate.IndexAddendum{
			{Add: other, Descriptor: v1.Descriptor{Platform: older}},
			{Add: image, Descriptor: v1.Descriptor{Platform: wasm}},
		}},
		{"first of two", []mutate.IndexAddendum{
			{Add: image, Descriptor: v1.Descriptor{Platform: wasm}}, {Add: other, Descriptor: v1.Descriptor{Platform: wasm}},
		}},
		{"artifact", []mutate.IndexAddendum{{Add: artifact, Descriptor: v1.Descriptor{Platform: wasm}}}},
		{"artifact without platform", []mutate.IndexAddendum{{Add: artifact}}},
		{"beside others", []mutate.IndexAddendum{
			{Add: other, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}},
			{Add: image, Descriptor: v1.Descriptor{Platform: wasm}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openStore(t)
			x := mutate.IndexMediaType(mutate.AppendManifests(empty.Index, c.add...), types.OCIImageIndex)
			p, err := layout.Write(s.Dir(), empty.Index)
			if err == nil {
				err = p.AppendIndex(x)
			}
			if err != nil {
				t.Fatal(err)
			}
			h, err := x.Digest()
			if err != nil {
				t.Fatal(err)
			}
			d, err := barnraise.ParseDigest(h.String())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := moduleOf(s, d); err != nil || !bytes.Equal(got, module) {
				t.Errorf("module is %q, %v", got, err)
			}
			if _, err := s.Variant(d, LinuxAMD64); !errors.Is(err, ErrNoVariant) || !strings.Contains(err.Error(), Wasm) {
				t.Errorf("linux: %v, want ErrNoVariant that says what there is", err)
			}
		})
	}
}

// hostile is a variant to be spoilt.
type hostile struct {
	store    *Store
	config   config
	manifest manifest
	layer    []byte
	typ      string
}

// spoilt makes a variant that a test has spoilt, with the sizes and digests right unless the test says otherwise.
func spoilt(t *testing.T, spoil func(*hostile), after func(*manifest)) (*Store, barnraise.Digest) {
	t.Helper()
	h := &hostile{store: openStore(t), layer: tarOf(t, "svc.wasm", string(module)), typ: typeTar}
	h.config.Config.Entrypoint = []string{"/svc.wasm"}
	h.manifest = manifest{SchemaVersion: 2, MediaType: typeManifest}
	if spoil != nil {
		spoil(h)
	}
	layer, err1 := put(h.store, h.typ, h.layer)
	c, err2 := put(h.store, typeConfig, encode(h.config))
	h.manifest.Config = c
	h.manifest.Layers = append(h.manifest.Layers, layer)
	if after != nil {
		after(&h.manifest)
	}
	d, err3 := put(h.store, typeManifest, encode(h.manifest))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return h.store, d.Digest
}

func TestHostileVariants(t *testing.T) {
	link := func(typ byte, name, target string) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := errors.Join(w.WriteHeader(&tar.Header{Name: name, Linkname: target, Typeflag: typ}), w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, c := range []struct {
		name  string
		spoil func(*hostile)
		after func(*manifest)
		want  error
	}{
		{"sound", nil, nil, nil},
		{"sound, gzip", func(h *hostile) { h.layer, h.typ = gzipOf(h.layer), typeTarGzip }, nil, nil},
		{"path with dots", func(h *hostile) { h.layer = tarOf(t, "a/../../svc.wasm", string(module)) }, nil, nil},
		{"no file", func(h *hostile) { h.layer = tarOf(t, "other", "") }, nil, ErrImage},
		{"file twice", func(h *hostile) { h.layer = tarOf(t, "svc.wasm", "a", "./svc.wasm", "b") }, nil, ErrImage},
		{"symbolic link", func(h *hostile) { h.layer = link(tar.TypeSymlink, "svc.wasm", "/etc/passwd") }, nil, ErrImage},
		{"hard link", func(h *hostile) { h.layer = link(tar.TypeLink, "svc.wasm", "/etc/passwd") }, nil, ErrImage},
		{"directory", func(h *hostile) { h.layer = link(tar.TypeDir, "svc.wasm/", "") }, nil, ErrImage},
		{"no tar", func(h *hostile) { h.layer = module }, nil, ErrImage},
		{"cut tar", func(h *hostile) { h.layer = h.layer[:520] }, nil, ErrImage},
		{"no gzip", func(h *hostile) { h.typ = typeTarGzip }, nil, ErrImage},
		{"cut gzip", func(h *hostile) { z := gzipOf(h.layer); h.layer, h.typ = z[:len(z)/2], typeTarGzip }, nil, ErrImage},
		{"zstd", func(h *hostile) { h.typ = "application/vnd.oci.image.layer.v1.tar+zstd" }, nil, ErrImage},
		{"bomb", func(h *hostile) { h.layer, h.typ = gzipOf(make([]byte, 1<<28)), typeTarGzip }, nil, ErrImage},
		{"bomb of files", func(h *hostile) {
			h.layer, h.typ = gzipOf(tarOf(t, "a", string(make([]byte, maxTar)), "svc.wasm", "x")), typeTarGzip
		}, nil, ErrImage},
		{"module too large", func(h *hostile) { h.layer = tarOf(t, "svc.wasm", string(make([]byte, MaxModule+1))) }, nil, ErrImage},
		{"largest module", func(h *hostile) { h.layer = tarOf(t, "svc.wasm", string(make([]byte, MaxModule))) }, nil, nil},
		{"no entrypoint", func(h *hostile) { h.config.Config.Entrypoint = nil }, nil, ErrImage},
		{"empty entrypoint", func(h *hostile) { h.config.Config.Entrypoint = []string{""} }, nil, ErrImage},
		{"two layers", nil, func(m *manifest) { m.Layers = append(m.Layers, m.Layers[0]) }, ErrImage},
		{"no layer", nil, func(m *manifest) { m.Layers = nil }, ErrImage},
		{"many layers", nil, func(m *manifest) { m.Layers = make([]descriptor, MaxLayers+1) }, ErrImage},
		{"layer of another size", nil, func(m *manifest) { m.Layers[0].Size-- }, ErrImage},
		{"negative size", nil, func(m *manifest) { m.Layers[0].Size = -1 }, ErrImage},
		{"size beyond all bounds", nil, func(m *manifest) { m.Layers[0].Size = 1 << 62 }, ErrImage},
		{"sizes that overflow", nil, func(m *manifest) {
			for range 3 {
				m.Layers = append(m.Layers, descriptor{Size: MaxSize/2 + 1})
			}
		}, ErrImage},
		{"config too large", nil, func(m *manifest) { m.Config.Size = MaxDocument + 1 }, ErrImage},
		{"config missing", nil, func(m *manifest) { m.Config.Digest = barnraise.Sum([]byte("x")) }, ErrNotFound},
		{"layer missing", nil, func(m *manifest) { m.Layers[0].Digest = barnraise.Sum([]byte("x")) }, ErrNotFound},
		{"layer is the config", nil, func(m *manifest) {
			m.Layers[0].Digest, m.Layers[0].Size = m.Config.Digest, m.Config.Size
		}, ErrImage},
		{"docker's type", nil, func(m *manifest) {
			m.MediaType = "application/vnd.docker.distribution.manifest.v2+json"
		}, ErrImage},
		{"artifact with a tar", nil, func(m *manifest) {
			m.Config.MediaType, m.Layers[0].MediaType = typeWasmConfig, "x"
		}, ErrImage},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, d := spoilt(t, c.spoil, c.after)
			b, err := s.Module(d)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || (b == nil) != (err != nil) {
				t.Errorf("%d bytes, %v, want %v", len(b), err, c.want)
			}
		})
	}
}

func TestHostileIndexes(t *testing.T) {
	d := descriptor{MediaType: typeManifest, Digest: barnraise.Sum([]byte("x")), Size: 1}
	one := fmt.Sprintf(`{"digest":%q,"size":1}`, d.Digest)
	for name, b := range map[string][]byte{
		"nothing":          nil,
		"no JSON":          []byte("{"),
		"null":             []byte("null"),
		"empty":            encode(index{}),
		"array":            []byte("[]"),
		"manifest":         encode(manifest{MediaType: typeManifest, Config: d, Layers: []descriptor{d}}),
		"too many":         encode(index{Manifests: make([]descriptor, MaxVariants+1)}),
		"size zero":        []byte(`{"manifests":[{"digest":"` + d.Digest.String() + `","size":0}]}`),
		"size too large":   []byte(`{"manifests":[{"digest":"` + d.Digest.String() + `","size":1048577}]}`),
		"size a fraction":  []byte(`{"manifests":[{"digest":"` + d.Digest.String() + `","size":1.5}]}`),
		"digest malformed": []byte(`{"manifests":[{"digest":"sha256:` + strings.Repeat("A", 64) + `","size":1}]}`),
		"other hash":       []byte(`{"manifests":[{"digest":"sha512:00","size":1}]}`),
		"member twice":     []byte(`{"manifests":[` + one + `],"manifests":[` + one + `]}`),
		"not UTF-8":        []byte("{\"manifests\":[" + one + "],\"x\":\"\xff\"}"),
		"something after":  []byte(`{"manifests":[` + one + `]}{}`),
		"deep":             []byte(`{"x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`),
		"too long":         []byte(`{"manifests":[` + one + `]` + strings.Repeat(" ", MaxDocument) + `}`),
	} {
		s := openStore(t)
		x, err := s.Put(b)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := s.Variants(x); !errors.Is(err, ErrImage) {
			t.Errorf("%s: %v, %v, want ErrImage", name, v, err)
		}
	}
	s := openStore(t)
	x, err := s.Put([]byte(`{"manifests":[` + one + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := s.Variants(x); err != nil || len(v) != 0 {
		t.Errorf("an index of nothing we run: %v, %v", v, err)
	}
	if _, err := s.Variants(d.Digest); !errors.Is(err, ErrNotFound) {
		t.Errorf("an index that is not held: %v", err)
	}
}

func TestBlobs(t *testing.T) {
	s := openStore(t)
	built, err := Pack(s, "x", programs)
	if err != nil {
		t.Fatal(err)
	}
	x := indexOf(t, built)
	all, err := s.Blobs(x)
	if err != nil || len(all) != 1+3*3 || all[0] != x {
		t.Fatalf("%d blobs, %v, want the index and three of each variant", len(all), err)
	}
	v, err := s.Variant(x, LinuxARM64)
	if err != nil {
		t.Fatal(err)
	}
	remove(t, s, v.Manifest)
	if all, err := s.Blobs(x); err != nil || len(all) != 1+2*3 {
		t.Errorf("%d blobs, %v, want those of two variants", len(all), err)
	}
}

func FuzzDocuments(f *testing.F) {
	d := descriptor{MediaType: typeManifest, Digest: barnraise.Sum(nil), Size: 1}
	d.Platform = &platform{OS: "wasip1", Architecture: "wasm"}
	f.Add(encode(index{MediaType: typeIndex, Manifests: []descriptor{d}}))
	f.Add(encode(manifest{MediaType: typeManifest, Config: d, Layers: []descriptor{d}}))
	f.Add(encode(config{OS: "linux", Config: execution{Entrypoint: []string{"/svc"}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if x, err := parseIndex(b); err == nil {
			for _, d := range x.Manifests {
				if d.Size <= 0 || d.Size > MaxDocument {
					t.Errorf("took a manifest of %d bytes", d.Size)
				}
			}
		}
		if m, err := parseManifest(b); err == nil {
			total := int64(0)
			for _, d := range m.Layers {
				total += d.Size
			}
			if total < 0 || total > MaxSize || len(m.Layers) > MaxLayers {
				t.Errorf("took %d layers of %d bytes", len(m.Layers), total)
			}
		}
		_, _ = parseConfig(b)
	})
}

func FuzzExtract(f *testing.F) {
	f.Add(tarOf(f, "svc.wasm", "module"), "/svc.wasm")
	f.Add(tarOf(f, "a", "x", "./svc.wasm", "module"), "svc.wasm")
	f.Fuzz(func(t *testing.T, archive []byte, name string) {
		b, err := extract(bytes.NewReader(archive), name)
		if err == nil && len(b) > MaxModule {
			t.Errorf("a module of %d bytes", len(b))
		}
		if err != nil && !errors.Is(err, ErrImage) {
			t.Error(err)
		}
	})
}
