package content

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"barnraise"

	"github.com/ipfs/go-cid"
)

// carOf exports content that is kept.
func carOf(t testing.TB, s *Store, c barnraise.CID) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Export(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCAR(t *testing.T) {
	for size, c := range samples {
		if c == "" {
			continue
		}
		from, to := openStore(t), openStore(t)
		add(t, from, size)
		car := carOf(t, from, c)
		if p, err := planCAR(from, c, false, false); err != nil || p.size != int64(len(car)) {
			t.Errorf("%d bytes: a CAR of %d bytes was announced as %d, %v", size, len(car), p.size, err)
		}
		if got, err := to.Import(bytes.NewReader(car), int64(size)); got != c || err != nil {
			t.Errorf("Import of %d bytes: %s, %v", size, got, err)
		}
		if b, err := to.File(c, MaxFile); err != nil || !bytes.Equal(b, sample(size)) {
			t.Errorf("File of %d bytes: %d bytes, %v", size, len(b), err)
		}
		if _, err := openStore(t).Import(bytes.NewReader(car), int64(size)-1); !errors.Is(err, ErrTooLarge) {
			t.Errorf("Import of %d bytes, one too many: %v", size, err)
		}
	}
	if err := openStore(t).Export(io.Discard, cidOfHello); !errors.Is(err, ErrNotFound) {
		t.Errorf("Export of nothing: %v", err)
	}
}

// A CAR is read as what its sender could have made of it.
func TestCARHostile(t *testing.T) {
	s := openStore(t)
	c := add(t, s, 3*MaxBlock)
	root, f := rootOf(t, s, c)
	header := carHeader(binaryCID(c))
	section := func(c barnraise.CID, b []byte) []byte {
		var out bytes.Buffer
		if err := writeSection(&out, c, b); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	chunk := func(i int) []byte {
		b, err := s.Get(f.leaves[i])
		if err != nil {
			t.Fatal(err)
		}
		return section(f.leaves[i], b)
	}
	rootSection, foreign := section(c, root), section(Sum([]byte("foreign")), []byte("foreign"))
	whole := carOf(t, s, c)
	identity := append([]byte{4}, cid.MustParse(probe).Bytes()...)
	for _, one := range []struct {
		name string
		car  [][]byte
		want error
	}{
		{"whole", [][]byte{whole}, nil},
		{"something behind", [][]byte{whole, {1, 2, 3}}, nil},
		{"other order of chunks", [][]byte{header, rootSection, chunk(2), chunk(0), chunk(1)}, nil},
		{"the root twice", [][]byte{header, rootSection, rootSection, chunk(0), chunk(1), chunk(2)}, nil},
		{"a chunk twice, more than the root declares", [][]byte{header, rootSection, chunk(0), chunk(0), chunk(1), chunk(2)}, ErrTooLarge},
		{"foreign blocks", [][]byte{header, foreign, rootSection, foreign, chunk(0), identity, chunk(1), foreign, chunk(2)}, nil},
		{"nothing", nil, ErrCAR},
		{"header cut", [][]byte{header[:20]}, ErrCAR},
		{"no blocks", [][]byte{header}, ErrCAR},
		{"no root", [][]byte{header, chunk(0), chunk(1), chunk(2)}, ErrTooLarge},
		{"root last", [][]byte{header, chunk(0), chunk(1), chunk(2), rootSection}, ErrTooLarge},
		{"a chunk short", [][]byte{header, rootSection, chunk(0), chunk(2)}, ErrCAR},
		{"cut in a block", [][]byte{whole[:len(whole)-1]}, ErrCAR},
		{"cut in a length", [][]byte{header, rootSection, {0x80}}, ErrCAR},
		{"a wrong block", [][]byte{header, rootSection, chunk(0), section(f.leaves[1], []byte("wrong")), chunk(2)}, ErrMismatch},
		{"a wrong root", [][]byte{header, section(c, []byte("wrong"))}, ErrMismatch},
		{"endless foreign blocks", [][]byte{header, rootSection, bytes.Repeat(chunk(0), 9)}, ErrTooLarge},
		{"an endless section", [][]byte{header, rootSection, {0xff, 0xff, 0xff, 0xff, 0x7f}}, ErrCAR},
		{"an endless varint", [][]byte{header, bytes.Repeat([]byte{0xff}, 20)}, ErrCAR},
		{"an empty section", [][]byte{header, rootSection, {0}}, ErrCAR},
		{"a section without CID", [][]byte{header, rootSection, {3, 1, 2, 3}}, ErrCAR},
		{"an endless CID", [][]byte{header, rootSection, {0xce, 1, 1, 0x55, 0, 200, 1}, make([]byte, 200)}, ErrCAR},
	} {
		car := bytes.Join(one.car, nil)
		to := openStore(t)
		got, err := to.Import(bytes.NewReader(car), MaxFile)
		if !errors.Is(err, one.want) || one.want == nil && got != c {
			t.Errorf("%s: %s, %v, want %v", one.name, got, err, one.want)
		}
		if _, err := to.Get(c); one.want != nil && !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: the root of what did not come whole is held: %v", one.name, err)
		}
		if _, err := to.Get(Sum([]byte("foreign"))); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: a foreign block was kept", one.name)
		}
	}
}

func TestCARHeader(t *testing.T) {
	id := binaryCID(cidOfHello)
	sound := carHeader(id)
	if roots, err := parseCARHeader(sound[1:]); err != nil || len(roots) != 1 || roots[0].String() != cidOfHello {
		t.Errorf("%v, %v", roots, err)
	}
	none := "\xa2\x65roots\x80\x67version\x01"
	if roots, err := parseCARHeader([]byte(none)); err != nil || len(roots) != 0 {
		t.Errorf("no roots: %v, %v", roots, err)
	}
	if roots, err := parseCARHeader(carHeader(cid.MustParse(probe).Bytes())[1:]); err != nil || roots[0].String() != probe {
		t.Errorf("the probe: %v, %v", roots, err)
	}
	text := string(sound[1:])
	for name, h := range map[string]string{
		"nothing": "", "version 2": "\xa1\x67version\x02", "also version 2": strings.Replace(none, "\x01", "\x02", 1),
		"version first": "\xa2\x67version\x01\x65roots\x80", "cut": text[:len(text)-1], "something behind": text + "x",
		"no tag": strings.Replace(text, "\xd8\x2a", "\xd8\x2b", 1), "no prefix": strings.Replace(text, "\x58\x25\x00", "\x58\x25\x01", 1),
		"endless bytes": "\xa2\x65roots\x81\xd8\x2a\x5b\xff\xff\xff\xff\xff\xff\xff\xff", "no CID": "\xa2\x65roots\x81\xd8\x2a\x42\x00\x01\x67version\x01",
		"endless array": "\xa2\x65roots\x9f\xff\x67version\x01", "no array": "\xa2\x65roots\x40\x67version\x01", "empty root": "\xa2\x65roots\x81\xd8\x2a\x40\x67version\x01",
	} {
		if roots, err := parseCARHeader([]byte(h)); !errors.Is(err, ErrCAR) {
			t.Errorf("%s: %v, %v", name, roots, err)
		}
	}
	two := "\xa2\x65roots\x82" + strings.Repeat("\xd8\x2a\x58\x25\x00"+string(id), 2) + "\x67version\x01"
	for name, h := range map[string]string{"none": none, "two": two} {
		car := append(binary.AppendUvarint(nil, uint64(len(h))), h...)
		if _, err := openStore(t).Import(bytes.NewReader(car), MaxFile); !errors.Is(err, ErrCAR) {
			t.Errorf("Import with %s: %v", name, err)
		}
	}
}

func FuzzCAR(f *testing.F) {
	a, b := sample(MaxBlock), []byte("the end")
	root := file{size: MaxBlock + int64(len(b)), leaves: []barnraise.CID{Sum(a), Sum(b)}}.encode()
	wanted := sum(cid.DagProtobuf, root)
	section := func(c barnraise.CID, b []byte) []byte {
		var out bytes.Buffer
		_ = writeSection(&out, c, b)
		return out.Bytes()
	}
	header := carHeader(binaryCID(wanted))
	f.Add(bytes.Join([][]byte{header, section(wanted, root), section(Sum(b), b)}, nil), true)
	f.Add(bytes.Join([][]byte{carHeader(binaryCID(cidOfHello)), section(cidOfHello, []byte("hello world"))}, nil), false)
	f.Add([]byte("\x0a\xa1\x67version\x02"), true)
	f.Fuzz(func(t *testing.T, car []byte, isRoot bool) {
		c := barnraise.CID(cidOfHello)
		if isRoot {
			c = wanted
		}
		in, _, err := openCAR(bytes.NewReader(car))
		if err != nil {
			return
		}
		got, err := in.content(c, MaxFile, func(leaf barnraise.CID, block []byte) error {
			if leaf != Sum(a) && leaf != Sum(b) || Sum(block) != leaf {
				t.Errorf("kept %d bytes as %s", len(block), leaf)
			}
			return nil
		})
		if err == nil && isRoot {
			t.Error("a file was found whole in less than its chunks") // nobody finds a MiB by chance
		}
		if got != nil && Check(c, got) != nil {
			t.Errorf("%d bytes for %s, %v", len(got), c, err)
		}
	})
}
