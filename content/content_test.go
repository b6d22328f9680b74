package content

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"barnraise"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// The CIDs of no bytes and of "hello world", made by other means than ours: base32 of 01 55 12 20 and the sum.
const (
	cidOfNothing = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
	cidOfHello   = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
)

func TestSum(t *testing.T) {
	for text, want := range map[string]barnraise.CID{"": cidOfNothing, "hello world": cidOfHello} {
		if got := Sum([]byte(text)); got != want {
			t.Errorf("Sum(%q) = %s, want %s", text, got, want)
		}
		if err := Check(want, []byte(text)); err != nil {
			t.Error(err)
		}
	}
	err := Check(cidOfHello, []byte("hello World"))
	if !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), string(Sum([]byte("hello World")))) {
		t.Errorf("%v, want ErrMismatch that names what came instead", err)
	}
}

func TestParse(t *testing.T) {
	hello := []byte("hello world")
	sum := func(code uint64, length int) multihash.Multihash {
		h, err := multihash.Sum(hello, code, length)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	v1 := func(codec uint64, hash multihash.Multihash) string { return cid.NewCidV1(codec, hash).String() }
	full := sum(multihash.SHA2_256, -1)
	base58, _ := cid.NewCidV1(cid.Raw, full).StringOfBase('z')
	hex, _ := cid.NewCidV1(cid.Raw, full).StringOfBase('f')
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"raw", cidOfHello, true},
		{"dag-pb", v1(cid.DagProtobuf, full), true},
		{"other codec", v1(cid.DagCBOR, full), false},
		{"version 0", cid.NewCidV0(full).String(), false},
		{"identity", v1(cid.Raw, sum(multihash.IDENTITY, -1)), false},
		{"truncated hash", v1(cid.Raw, sum(multihash.SHA2_256, 20)), false},
		{"sha2-512", v1(cid.Raw, sum(multihash.SHA2_512, -1)), false},
		{"sha3", v1(cid.Raw, sum(multihash.SHA3_256, 32)), false},
		{"base58", base58, false},
		{"hexadecimal", hex, false},
		{"upper case", strings.ToUpper(cidOfHello), false},
		{"something behind", cidOfHello + "a", false},
		{"path", cidOfHello + "/x", false},
		{"space", " " + cidOfHello, false},
		{"nothing", "", false},
		{"dots", "../../etc/passwd", false},
		{"endless", strings.Repeat("b", 1<<20), false},
	} {
		got, err := Parse(c.text)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrCID) || c.ok && string(got) != c.text {
			t.Errorf("%s: Parse = %q, %v", c.name, got, err)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("%s: error of %d bytes", c.name, len(err.Error()))
		}
	}
	if _, err := Parse(base58); !strings.Contains(err.Error(), cidOfHello) {
		t.Errorf("%v does not say how it is written here", err)
	}
}

func openStore(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "blocks"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	s := openStore(t)
	if _, err := s.Get(cidOfHello); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get from an empty store: %v", err)
	}
	if _, err := s.Get("../x"); !errors.Is(err, ErrCID) {
		t.Errorf("Get of no CID: %v", err)
	}
	if _, err := s.Put(make([]byte, MaxBlock+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Put of too much: %v", err)
	}
	for _, b := range [][]byte{{}, []byte("hello world"), bytes.Repeat([]byte("x"), MaxBlock)} {
		c, err := s.Put(b)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(c); err != nil || !bytes.Equal(got, b) {
			t.Errorf("Get of %d bytes: %d bytes, %v", len(b), len(got), err)
		}
	}
	again, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Get(cidOfHello); err != nil {
		t.Errorf("opened again: %v", err)
	}
}

// A damaged file is not served, and the next Put heals it.
func TestStoreDamaged(t *testing.T) {
	s := openStore(t)
	if _, err := s.Put([]byte("hello world")); err != nil {
		t.Fatal(err)
	}
	for _, damage := range [][]byte{[]byte("hello World"), nil, bytes.Repeat([]byte("x"), 2*MaxBlock)} {
		if err := os.WriteFile(s.path(cidOfHello), damage, 0o644); err != nil {
			t.Fatal(err)
		}
		if b, err := s.Get(cidOfHello); !errors.Is(err, ErrCorrupt) || b != nil {
			t.Errorf("Get of damage: %q, %v", b, err)
		}
		if _, err := s.Put([]byte("hello world")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(cidOfHello); err != nil {
			t.Errorf("after another Put: %v", err)
		}
	}
}

// Writers and readers at once, as several processes are: nobody sees half a block, and nothing is left behind.
func TestStoreShared(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range 20 {
				b := bytes.Repeat([]byte{byte(i)}, 10_000)
				if _, err := s.Put(b); err != nil {
					t.Error(err)
				}
				if got, err := s.Get(Sum(b)); err != nil || !bytes.Equal(got, b) {
					t.Errorf("Get: %d bytes, %v", len(got), err)
				}
			}
		})
	}
	all.Wait()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(files) != 20 {
		t.Errorf("%d files, %v, want 20", len(files), err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*", ".new-*"))
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestStoreCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil {
		t.Error("a file was opened as a store")
	}
	s := &Store{file}
	if _, err := s.Put(nil); err == nil {
		t.Error("put into a file")
	}
	if _, err := s.Get(cidOfHello); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("get from a file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(cidOfHello)
	f.Add("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG")
	f.Add("bafkqaaa")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Parse(s)
		if err != nil {
			return
		}
		again, err := cid.Decode(string(c))
		if err != nil || again.String() != s || string(c) != s || len(c) != len(cidOfHello) {
			t.Errorf("Parse(%q) = %q: %v", s, c, err)
		}
	})
}
