package image

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"barnraise"
)

func TestStoreIsALayout(t *testing.T) {
	s := openStore(t)
	for file, want := range map[string]string{
		"oci-layout": `{"imageLayoutVersion":"1.0.0"}`,
		"index.json": `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`,
	} {
		if got, err := os.ReadFile(filepath.Join(s.Dir(), file)); err != nil || string(got) != want {
			t.Errorf("%s is %s, %v", file, got, err)
		}
	}
	d, err := s.Put([]byte("blob"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir(), "blobs", "sha256", d.Hex())); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(s.Dir(), "index.json"), `{"schemaVersion":2,"manifests":[]}`)
	if again, err := Open(s.Dir()); err != nil || again.Check(d) != nil {
		t.Errorf("opened again: %v", err)
	}
	if b, _ := os.ReadFile(filepath.Join(s.Dir(), "index.json")); strings.Contains(string(b), "mediaType") {
		t.Error("opening again wrote index.json anew")
	}
	if _, err := Open(filepath.Join(s.Dir(), "oci-layout")); err == nil {
		t.Error("a file was opened as a store")
	}
}

func TestImport(t *testing.T) {
	s := openStore(t)
	blob := bytes.Repeat([]byte("blob"), 10_000)
	d, n := barnraise.Sum(blob), int64(len(blob))
	broken := errors.New("line is cut")
	for _, c := range []struct {
		name string
		d    barnraise.Digest
		r    io.Reader
		most int64
		want error
	}{
		{"other bytes", d, strings.NewReader("other"), n, ErrMismatch},
		{"too many", d, bytes.NewReader(blob), n - 1, ErrImage},
		{"endless", d, endless{}, n, ErrImage},
		{"cut", d, io.MultiReader(bytes.NewReader(blob[:n/2]), iotest.ErrReader(broken)), n, broken},
		{"short", d, bytes.NewReader(blob[:n-1]), n, ErrMismatch},
		{"right", d, bytes.NewReader(blob), n, nil},
		{"there already", d, iotest.ErrReader(broken), n, nil},
		{"nothing", barnraise.Sum(nil), strings.NewReader(""), 0, nil},
	} {
		err := s.Import(c.d, c.r, c.most)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if held := s.Check(c.d); (held == nil) != (c.want == nil) {
			t.Errorf("%s: held %v", c.name, held)
		}
	}
	if got, err := s.Get(d, n); err != nil || !bytes.Equal(got, blob) {
		t.Errorf("Get: %d bytes, %v", len(got), err)
	}
	if _, err := s.Get(d, n-1); !errors.Is(err, ErrImage) {
		t.Errorf("Get of at most fewer: %v", err)
	}
	if got, err := s.Get(barnraise.Sum(nil), 0); err != nil || len(got) != 0 {
		t.Errorf("Get of nothing: %q, %v", got, err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir(), ".new-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A damaged blob is not given out whole, whichever way it is read, and importing it again heals it.
func TestDamaged(t *testing.T) {
	blob := bytes.Repeat([]byte("blob"), 10_000)
	for name, damage := range map[string]func([]byte) []byte{
		"changed at the start": func(b []byte) []byte { b[0]++; return b },
		"changed at the end":   func(b []byte) []byte { b[len(b)-1]++; return b },
		"cut":                  func(b []byte) []byte { return b[:len(b)-1] },
		"longer":               func(b []byte) []byte { return append(b, 'x') },
		"empty":                func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			d, err := s.Put(blob)
			if err != nil {
				t.Fatal(err)
			}
			damaged := damage(bytes.Clone(blob))
			write(t, s.path(d), string(damaged))
			if b, err := s.Get(d, 1<<20); !errors.Is(err, ErrCorrupt) || b != nil {
				t.Errorf("Get: %d bytes, %v", len(b), err)
			}
			if err := s.Check(d); !errors.Is(err, ErrCorrupt) {
				t.Errorf("Check: %v", err)
			}
			whole := func(r io.Reader) io.Reader { return r }
			for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, whole} {
				r, _, err := s.Open(d)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(wrap(r))
				if !errors.Is(err, ErrCorrupt) || len(got) >= len(damaged) && len(damaged) > 0 {
					t.Errorf("read %d of %d bytes, %v", len(got), len(damaged), err)
				}
				if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, ErrCorrupt) {
					t.Errorf("read on: %d, %v", n, err)
				}
				r.Close()
			}
			if _, err := s.Put(blob); err != nil || s.Check(d) != nil {
				t.Errorf("not healed: %v, %v", err, s.Check(d))
			}
		})
	}
}

// Several processes share a layout: every name that is given stays listed.
func TestStoreShared(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			s, err := Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			name := string(rune('a' + i))
			for range 3 {
				if _, err := Pack(s, name, map[string][]byte{Wasm: []byte("\x00asm" + name)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	named, err := s.Images()
	if err != nil || len(named) != 8 {
		t.Fatalf("%d images, %v", len(named), err)
	}
	for _, n := range named {
		if module, err := moduleOf(s, n.Index); err != nil || string(module) != "\x00asm"+n.Name {
			t.Errorf("%s: %q, %v", n.Name, module, err)
		}
	}
}

func TestImagesOfAHostileLayout(t *testing.T) {
	s := openStore(t)
	long := strings.Repeat(" ", MaxDocument+1)
	for _, content := range []string{"", "{", `{"manifests":[{"digest":"sha512:00"}]}`, `{"mediaType":"x"}`, long} {
		write(t, filepath.Join(s.Dir(), "index.json"), content)
		if named, err := s.Images(); err == nil {
			t.Errorf("%.40q lists %v", content, named)
		}
	}
}
