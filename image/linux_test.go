package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"barnraise"
)

// variantOf keeps the documents and the blob of a variant of one layer, written by hand.
func variantOf(t testing.TB, s *Store, layerType, system string, content barnraise.Digest, blob []byte) barnraise.Digest {
	t.Helper()
	put := func(b []byte) barnraise.Digest {
		d, err := s.Put(b)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	document := fmt.Appendf(nil, `{"os":%q,"architecture":"amd64","rootfs":{"type":"layers","diff_ids":[%q]}}`, system, content)
	return put(fmt.Appendf(nil, `{"schemaVersion":2,"config":{"mediaType":%q,"digest":%q,"size":%d},
		"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`, typeConfig, put(document), len(document), layerType, put(blob), len(blob)))
}

func TestLinux(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	archive := tarOf(t, "a", "one", "b", strings.Repeat("x", 10_000))
	content, noise := barnraise.Sum(archive), bytes.Repeat([]byte("x"), 1024)
	for _, c := range []struct {
		name            string
		layerType, os   string
		content         barnraise.Digest
		blob            []byte
		read, unpackErr error
		says            string
	}{
		{"plain", typeTar, "linux", content, archive, nil, nil, ""},
		{"gzip", typeTarGzip, "linux", content, gzipOf(archive), nil, nil, ""},
		{"zstd", typeTar + "+zstd", "linux", content, archive, ErrImage, nil, "tar+zstd"},
		{"for another system", typeTar, "windows", content, archive, ErrImage, nil, "windows"},
		{"other content", typeTar, "linux", barnraise.Sum(nil), archive, nil, ErrImage, "not sha256:e3b0"},
		{"other content, gzip", typeTarGzip, "linux", barnraise.Sum(nil), gzipOf(archive), nil, ErrImage, "not sha256:e3b0"},
		{"no gzip", typeTarGzip, "linux", content, archive, nil, ErrImage, "gzip"},
		{"gzip cut", typeTarGzip, "linux", content, gzipOf(archive)[:100], nil, ErrImage, "EOF"},
		{"no archive", typeTar, "linux", barnraise.Sum(noise), noise, nil, ErrImage, "tar"},
	} {
		l, err := s.Linux(variantOf(t, s, c.layerType, c.os, c.content, c.blob))
		if !errors.Is(err, c.read) || (err == nil) != (c.read == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.read)
		}
		if err == nil {
			var sizes []int64
			sizes, err = s.Measure(l)
			if !errors.Is(err, c.unpackErr) || (err == nil) != (c.unpackErr == nil) {
				t.Errorf("%s: measure: %v, want %v", c.name, err, c.unpackErr)
			}
			if err == nil && (!slices.Equal(sizes, []int64{int64(len(archive))}) || l.Platform != LinuxAMD64) {
				t.Errorf("%s: %v bytes, for %s", c.name, sizes, l.Platform)
			}
		}
		if err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.says)
		}
	}
}

// A layer that unpacks to more than it may is not read further, and its end never looks like one.
func TestUnpackIsBounded(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	bomb := make([]byte, 10<<20)
	l, err := s.Linux(variantOf(t, s, typeTarGzip, "linux", barnraise.Sum(bomb), gzipOf(bomb)))
	if err != nil {
		t.Fatal(err)
	}
	for most, fits := range map[int64]bool{10 << 20: true, 10<<20 - 1: false, 1 << 20: false, 0: false} {
		r, err := s.Unpack(l.Layers[0], most)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		if (err == nil) != fits || !fits && !errors.Is(err, ErrImage) || n > most {
			t.Errorf("at most %d: %d bytes, %v", most, n, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	many := tarOf(t, "a", "", "b", "", "c", "")
	layer, err := s.Linux(variantOf(t, s, typeTar, "linux", barnraise.Sum(many), many))
	if err != nil {
		t.Fatal(err)
	}
	for files, fits := range map[int]bool{3: true, 2: false} {
		if _, n, err := s.measure(layer.Layers[0], MaxUnpacked, files); (err == nil) != fits || fits && n != 3 {
			t.Errorf("at most %d files: %d, %v", files, n, err)
		}
	}
	if _, err := s.Unpack(Layer{Blob: barnraise.Sum([]byte("x"))}, 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("a layer that is not held: %v", err)
	}
	if _, err := s.Linux(barnraise.Sum([]byte("x"))); !errors.Is(err, ErrNotFound) {
		t.Errorf("a variant that is not held: %v", err)
	}
}

// headerOf is a tar header of the GNU's, changed as wanted.
func headerOf(t testing.TB, name string, change func(h []byte)) []byte {
	t.Helper()
	h := tarOf(t, name, "")[:512]
	copy(h[257:], "ustar  \x00")
	change(h)
	copy(h[148:], "        ")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// What an engine would unpack to more than was measured is not given to it.
func TestMeasuresWhatEnginesUnpack(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	end := make([]byte, 1024)
	octal := func(n int) string { return fmt.Sprintf("%011o", n) }
	hole := headerOf(t, "hole", func(h []byte) {
		h[156] = tar.TypeGNUSparse
		copy(h[386:], octal(7<<30)+"\x00"+octal(0)) // nothing at its end
		copy(h[483:], octal(7<<30))
	})
	records := "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n34 GNU.sparse.realsize=7516192768\n"
	pax := headerOf(t, "x", func(h []byte) {
		copy(h[257:], "ustar\x0000")
		h[156] = tar.TypeXHeader
		copy(h[124:], octal(len(records)))
	})
	pax = append(append(pax, records...), make([]byte, 512-len(records))...)
	pax = append(pax, headerOf(t, "hole", func(h []byte) { copy(h[124:], octal(512)) })...)
	pax = append(append(pax, "1\n7516192768\n0\n"...), make([]byte, 512-15)...)
	looks := func(magic string) []byte {
		return append(headerOf(t, "name of a file", func(h []byte) { copy(h, magic) }), end...)
	}
	for name, archive := range map[string][]byte{
		"a hole, as the GNU writes it": append(hole, end...), "and as others do": append(pax, end...),
		"a frame of zstd that is passed over": looks("\x50\x2a\x4d\x18\xf8\x01\x00\x00"), "a frame of zstd": looks("\x28\xb5\x2f\xfd"),
		"gzip": looks("\x1f\x8b\x08"), "bzip2": looks("BZh"), "xz": looks("\xfd7zXZ\x00"),
	} {
		l, err := s.Linux(variantOf(t, s, typeTarGzip, "linux", barnraise.Sum(archive), gzipOf(archive)))
		if err != nil {
			t.Fatal(err)
		}
		if sizes, err := s.Measure(l); !errors.Is(err, ErrImage) {
			t.Errorf("%s: %v bytes, %v, want %v", name, sizes, err, ErrImage)
		}
	}
}

// Whatever a layer holds, what it unpacks to is what its content says, or an error.
func FuzzUnpack(f *testing.F) {
	archive := tarOf(f, "a", "one")
	f.Add(archive, false)
	f.Add(gzipOf(archive), true)
	f.Fuzz(func(t *testing.T, blob []byte, zipped bool) {
		s, err := Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		d, err := s.Put(blob)
		if err != nil {
			t.Fatal(err)
		}
		size, _, err := s.measure(Layer{d, barnraise.Sum(archive), zipped}, 1<<20, 100)
		if err == nil && size != int64(len(archive)) {
			t.Errorf("%d bytes of a content of %d", size, len(archive))
		}
	})
}
