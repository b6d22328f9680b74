package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barnraise"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// file is an entry of an archive: a link where its content is -> and a name.
type file struct{ name, content string }

func savedTar(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content)), Typeflag: tar.TypeReg}
		if to, ok := strings.CutPrefix(f.content, "->"); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, to, 0
		} else if to, ok := strings.CutPrefix(f.content, "=>"); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, to, 0
		}
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := io.WriteString(w, f.content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// layoutFiles are the files of a layout, in order.
func layoutFiles(t testing.TB, dir string) (files []file) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		b, err := os.ReadFile(path)
		rest, _ := filepath.Rel(dir, path)
		files = append(files, file{filepath.ToSlash(rest), string(b)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// blobFile is a file of a layout, with the descriptor of it.
func blobFile(mediaType, content string) (file, descriptor) {
	d := barnraise.Sum([]byte(content))
	return file{"blobs/sha256/" + d.Hex(), content}, descriptor{MediaType: mediaType, Digest: d, Size: int64(len(content))}
}

// dockerFiles are what docker save of an engine before 25 writes: the second layer is that of another image, and so a link.
func dockerFiles(arch string) []file {
	one, two := string(layerTar("one")), string(layerTar("two"))
	c := fmt.Sprintf(`{"architecture":%q,"os":"linux","created":"2026-01-01T00:00:00Z","config":{"Env":["A=b"],"Cmd":["/svc"]},"rootfs":{"type":"layers","diff_ids":[%q,%q]}}`,
		arch, barnraise.Sum([]byte(one)), barnraise.Sum([]byte(two)))
	name := barnraise.Sum([]byte(c)).Hex() + ".json"
	return []file{
		{"aa/", ""}, {"aa/VERSION", "1.0"}, {"aa/json", "{}"}, {"aa/layer.tar", one},
		{"bb/", ""}, {"bb/layer.tar", "->../cc/layer.tar"}, {"cc/layer.tar", two},
		{name, c},
		{"manifest.json", `[{"Config":"` + name + `","RepoTags":["echo-node:latest"],"Layers":["aa/layer.tar","bb/layer.tar"]}]`},
		{"repositories", "{}"},
	}
}

func layerTar(content string) []byte {
	b, err := archive("svc", []byte(content))
	if err != nil {
		panic(err)
	}
	return b
}

func load(t testing.TB, name string, archives ...[]byte) (*Store, Built, error) {
	t.Helper()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var readers []io.Reader
	for _, b := range archives {
		readers = append(readers, bytes.NewReader(b))
	}
	built, err := Load(s, name, readers...)
	return s, built, err
}

// What is loaded is whole, and listed under its name.
func checkLoaded(t *testing.T, s *Store, built Built, want string) barnraise.Digest {
	t.Helper()
	d := indexOf(t, built)
	p := Puller{Store: s}
	v, err := p.Pull(t.Context(), d, nil)
	if err != nil || fmt.Sprint(built.Platforms) != want || len(v) != len(built.Platforms) {
		t.Errorf("loaded %v as %v, %v, want %s", built, v, err, want)
	}
	if all, err := s.Images(); err != nil || len(all) != 1 || all[0].Index != d {
		t.Errorf("listed are %v, %v", all, err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir(), ".load-*")); left != nil {
		t.Errorf("%v is left behind", left)
	}
	return d
}

func TestLoadLayout(t *testing.T) {
	from, d := packed(t)
	saved := savedTar(t, layoutFiles(t, from.Dir())...)
	s, built, err := load(t, "", saved)
	if err != nil {
		t.Fatal(err)
	}
	if got := checkLoaded(t, s, built, "[linux/amd64 linux/arm64 wasip1/wasm]"); got != d || !strings.HasPrefix(built.Image, "packed@") {
		t.Errorf("an image that we made ourselves becomes %s, want %s", built.Image, d)
	}
	if _, again, err := load(t, "other", gzipOf(saved)); err != nil || again.Image != "other@"+d.String() {
		t.Errorf("compressed it is %v, %v", again, err)
	}
}

// An engine's archive has no manifest; the same one is made of it each time, around the configuration as it was.
func TestLoadDockerArchive(t *testing.T) {
	const want = "sha256:b19daeae74cbf885865bf04bea69f7673881a9a279babf61c2adb4f64a6125f2"
	s, built, err := load(t, "", savedTar(t, dockerFiles("amd64")...))
	if err != nil {
		t.Fatal(err)
	}
	d := checkLoaded(t, s, built, "[linux/amd64]")
	if built.Image != "echo-node@"+want {
		t.Errorf("made %s, want echo-node@%s", built.Image, want)
	}
	reordered := dockerFiles("amd64")
	slices.Reverse(reordered)
	if _, again, err := load(t, "", savedTar(t, reordered...)); err != nil || again.Image != built.Image {
		t.Errorf("in another order it is %v, %v", again, err)
	}
	v, err := s.Variant(d, LinuxAMD64)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.manifest(v.Manifest)
	if err != nil || len(m.Layers) != 2 || m.Config.Digest != barnraise.Sum([]byte(dockerFiles("amd64")[7].content)) {
		t.Errorf("manifest %+v, %v", m, err)
	}
}

func TestLoadJoinsPlatforms(t *testing.T) {
	one, two := savedTar(t, dockerFiles("amd64")...), savedTar(t, dockerFiles("arm64")...)
	s, built, err := load(t, "joined", one, two)
	if err != nil {
		t.Fatal(err)
	}
	checkLoaded(t, s, built, "[linux/amd64 linux/arm64]")
	if _, again, err := load(t, "joined", two, one, one); err != nil || again.Image != built.Image {
		t.Errorf("in another order, and one twice, it is %v, %v", again, err)
	}
}

// A library that is not ours writes archives with compressed layers.
func TestLoadFromOthers(t *testing.T) {
	img, err := mutate.AppendLayers(empty.Image, static.NewLayer(gzipOf(layerTar("x")), types.DockerLayer))
	if err == nil {
		img, err = mutate.ConfigFile(img, &v1.ConfigFile{Architecture: "amd64", OS: "linux", Config: v1.Config{Cmd: []string{"/svc"}},
			RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{{Algorithm: "sha256", Hex: barnraise.Sum(layerTar("x")).Hex()}}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := tarball.Write(name.MustParseReference("library/theirs:v1"), img, &b); err != nil {
		t.Fatal(err)
	}
	s, built, err := load(t, "", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	checkLoaded(t, s, built, "[linux/amd64]")
	if !strings.HasPrefix(built.Image, "theirs@") {
		t.Errorf("called %s", built.Image)
	}
}

// saves makes the files of a layout whose index names one manifest.
type saves struct {
	mediaType, layerType, config string
	platform                     *platform
	more                         []descriptor
}

const linuxConfig = `{"architecture":"amd64","os":"linux","config":{"Cmd":["/svc"]}}`

func (s saves) files() []file {
	layerFile, l := blobFile(s.layerType, string(layerTar("x")))
	configFile, c := blobFile(typeConfig, s.config)
	if s.mediaType == typeDockerManifest {
		c.MediaType = typeDockerConfig
	}
	manifestFile, m := blobFile(s.mediaType, string(encode(manifest{SchemaVersion: 2, MediaType: s.mediaType, Config: c, Layers: []descriptor{l}})))
	m.Platform = s.platform
	top := encode(index{SchemaVersion: 2, Manifests: append(s.more, m)})
	return []file{{layoutFile, layoutContent}, layerFile, configFile, manifestFile, {indexFile, string(top)}}
}

func TestLoadForms(t *testing.T) {
	attested := descriptor{MediaType: typeManifest, Digest: barnraise.Sum([]byte("a")), Size: 1, Annotations: map[string]string{annotationAttests: "attestation-manifest"}}
	absent := descriptor{MediaType: typeManifest, Digest: barnraise.Sum([]byte("b")), Size: 1, Platform: &platform{OS: "linux", Architecture: "arm64"}}
	for name, c := range map[string]struct {
		files []file
		want  error
		says  string
	}{
		"OCI":                      {saves{typeManifest, typeTar, linuxConfig, nil, nil}.files(), nil, ""},
		"Docker's":                 {saves{typeDockerManifest, typeDockerTarGzip, linuxConfig, nil, nil}.files(), nil, ""},
		"with others not in it":    {saves{typeManifest, typeTar, linuxConfig, nil, []descriptor{attested, absent}}.files(), nil, ""},
		"zstd":                     {saves{typeManifest, typeTar + "+zstd", linuxConfig, nil, nil}.files(), ErrImage, "compression=gzip"},
		"for Windows":              {saves{typeManifest, typeTar, `{"architecture":"amd64","os":"windows"}`, nil, nil}.files(), ErrNoVariant, `it is for "windows/amd64"`},
		"no command":               {saves{typeManifest, typeTar, `{"architecture":"amd64","os":"linux"}`, nil, nil}.files(), ErrImage, "CMD"},
		"index against config":     {saves{typeManifest, typeTar, linuxConfig, &platform{OS: "linux", Architecture: "arm64"}, nil}.files(), ErrImage, `"linux/amd64"`},
		"manifest of unknown type": {saves{"application/zip", typeTar, linuxConfig, nil, nil}.files(), ErrImage, "application/zip"},
		"layer missing":            {saves{typeManifest, typeTar, linuxConfig, nil, nil}.files()[2:], ErrNoVariant, "find"},
		"nothing":                  {nil, ErrImage, "docker save"},
		"index alone":              {[]file{{indexFile, `{"manifests":[]}`}}, ErrNoVariant, ""},
		"index no JSON":            {[]file{{indexFile, `x`}}, ErrImage, ""},
		"index too long":           {[]file{{indexFile, strings.Repeat(" ", MaxDocument+1)}}, ErrImage, ""},
		"manifest.json empty":      {[]file{{"manifest.json", `[]`}}, ErrImage, ""},
		"nothing saved there":      {[]file{{"manifest.json", `[{"Config":"c.json","Layers":[]}]`}}, ErrNotFound, "c.json"},
	} {
		s, built, err := load(t, "x", savedTar(t, c.files...))
		if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.want, c.says)
		}
		if c.want == nil && err == nil {
			checkLoaded(t, s, built, "[linux/amd64]")
		}
		if all, err := s.Images(); c.want != nil && (err != nil || len(all) != 0) {
			t.Errorf("%s: listed are %v, %v", name, all, err)
		}
	}
	if _, _, err := load(t, "", savedTar(t, saves{typeManifest, typeTar, linuxConfig, nil, nil}.files()...)); err == nil || !strings.Contains(err.Error(), "name") {
		t.Errorf("without any name: %v", err)
	}
}

// Archives come from anywhere, and what is in them is a stranger's.
func TestLoadHostileArchives(t *testing.T) {
	change := func(name, content string) []byte {
		files := dockerFiles("amd64")
		i := slices.IndexFunc(files, func(f file) bool { return f.name == name })
		files[i].content = content
		return savedTar(t, files...)
	}
	good := savedTar(t, dockerFiles("amd64")...)
	header := func(size int64) []byte {
		var b bytes.Buffer
		if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Name: "manifest.json", Size: size, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	loop := descriptor{MediaType: typeIndex}
	var nest []file
	for range maxNesting + 1 {
		f, d := blobFile(typeIndex, string(encode(index{SchemaVersion: 2, MediaType: typeIndex, Manifests: []descriptor{loop}})))
		nest, loop = append(nest, f), d
	}
	nest = append(nest, file{indexFile, string(encode(index{Manifests: []descriptor{loop}}))})
	var many []file
	for i := range maxEntries + 1 {
		many = append(many, file{fmt.Sprint(i), ""})
	}
	liar := saves{typeManifest, typeTar, linuxConfig, nil, nil}.files()
	liar[1].content = "tampered"
	other := dockerFiles("amd64")
	other[3].content = string(layerTar("other"))
	for name, c := range map[string]struct {
		archive []byte
		want    error
	}{
		"cut short":             {good[:len(good)/2], ErrImage},
		"cut in a header":       {good[:700], ErrImage},
		"no archive":            {bytes.Repeat([]byte("no archive "), 100), ErrImage},
		"nothing":               {nil, ErrImage},
		"broken gzip":           {[]byte("\x1f\x8bxxxxxxxxxxxxxxxxxxx"), ErrImage},
		"20 GB":                 {header(20e9), ErrImage},
		"2 GB out of nothing":   {sparse(t, 2e9), ErrImage},
		"2 GB that do not come": {header(2e9), ErrImage},
		"a file twice":          {savedTar(t, append(dockerFiles("amd64"), file{"./cc/../manifest.json", "[]"})...), ErrImage},
		"too many entries":      {savedTar(t, many...), ErrImage},
		"a long name":           {savedTar(t, file{strings.Repeat("n", maxName+1), "x"}), ErrImage},
		"a link to itself":      {change("bb/layer.tar", "->layer.tar"), ErrImage},
		"a link out":            {change("bb/layer.tar", "->../../../../../../etc/hostname"), ErrNotFound},
		"an absolute link":      {change("bb/layer.tar", "->/etc/hostname"), ErrNotFound},
		"a hard link out":       {change("bb/layer.tar", "=>/etc/hostname"), ErrNotFound},
		"another layer":         {savedTar(t, other...), ErrMismatch},
		"a tampered blob":       {savedTar(t, liar...), ErrMismatch},
		"nested too deep":       {savedTar(t, nest...), ErrImage},
		"a file of the system":  {change("manifest.json", `[{"Config":"/etc/hostname","Layers":["../../../etc/hostname"]}]`), ErrNotFound},
	} {
		s, built, err := load(t, "hostile", c.archive)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, built, err, c.want)
		}
		if files := layoutFiles(t, s.Dir()); len(files) != 2 {
			t.Errorf("%s leaves %d files behind", name, len(files)-2)
		}
	}
	if s, built, err := load(t, "x", change("bb/layer.tar", "=>cc/layer.tar")); err != nil {
		t.Errorf("a hard link within: %v", err)
	} else {
		checkLoaded(t, s, built, "[linux/amd64]")
	}
}

// sparse is an archive of a file that is all holes; the writer does not write such, so a letter is changed.
func sparse(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	holes := "0\n" + strings.Repeat("\x00", 510)
	err := w.WriteHeader(&tar.Header{Name: "manifest.json", Size: int64(len(holes)), Typeflag: tar.TypeReg, PAXRecords: map[string]string{
		"XNU.sparse.major": "1", "XNU.sparse.minor": "0", "XNU.sparse.name": "manifest.json", "XNU.sparse.realsize": fmt.Sprint(size),
	}})
	if err == nil {
		_, err = io.WriteString(w, holes)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("XNU."), []byte("GNU."))
}

func TestLoadTwoForOnePlatform(t *testing.T) {
	other := saves{typeManifest, typeTar, linuxConfig, nil, nil}.files()
	if _, _, err := load(t, "x", savedTar(t, dockerFiles("amd64")...), savedTar(t, other...)); !errors.Is(err, ErrImage) || !strings.Contains(err.Error(), "two images are for linux/amd64") {
		t.Errorf("loaded with %v", err)
	}
}

// Whatever the archive, what is loaded is whole, of bounded size, and nothing is left behind otherwise.
func FuzzLoad(f *testing.F) {
	f.Add(savedTar(f, dockerFiles("amd64")...))
	f.Add(savedTar(f, saves{typeManifest, typeTar, linuxConfig, nil, nil}.files()...))
	f.Add(savedTar(f, saves{typeDockerManifest, typeDockerTarGzip, linuxConfig, nil, nil}.files()...))
	f.Fuzz(func(t *testing.T, archive []byte) {
		s, built, err := load(t, "fuzzed", archive)
		if err != nil {
			return
		}
		p := Puller{Store: s}
		if v, err := p.Pull(t.Context(), indexOf(t, built), nil); err != nil || len(v) != len(built.Platforms) {
			t.Errorf("loaded %v as %v, %v", built, v, err)
		}
	})
}

// A wasm artifact, as the CNCF describes it, says in its configuration what it is for.
func TestLoadWasmArtifact(t *testing.T) {
	layerFile, l := blobFile(typeWasm, string(module))
	configFile, c := blobFile(typeWasmConfig, `{"os":"wasip1","architecture":"wasm","layerDigests":[]}`)
	manifestFile, m := blobFile(typeManifest, string(encode(manifest{SchemaVersion: 2, Config: c, Layers: []descriptor{l}})))
	top := file{indexFile, string(encode(index{SchemaVersion: 2, Manifests: []descriptor{m}}))}
	s, built, err := load(t, "artifact", savedTar(t, layerFile, configFile, manifestFile, top))
	if err != nil {
		t.Fatal(err)
	}
	d := checkLoaded(t, s, built, "[wasip1/wasm]")
	if got, err := moduleOf(s, d); err != nil || string(got) != string(module) {
		t.Errorf("module %q, %v", got, err)
	}
}
