package content

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"barnraise"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// sample is the first n bytes of a sequence that interop.mjs makes, too, to be read only. After 16 MiB it begins anew, so that
// a file of 20 MB has three chunks twice.
func sample(n int) []byte { return sequence()[:n:n] }

var sequence = sync.OnceValue(func() []byte {
	b := make([]byte, 1<<24, MaxFile+1)
	x := uint32(1)
	for i := range b {
		x = x*1103515245 + 12345
		b[i] = byte(x >> 16)
	}
	for len(b) < cap(b) {
		b = append(b, b[:min(1<<24, cap(b)-len(b))]...)
	}
	return b
})

// The CIDs of samples, as ipfs-unixfs-importer for JavaScript makes them; TestInterop asks it again.
var samples = map[int]barnraise.CID{
	0:            cidOfNothing,
	1:            "bafkreicjtfcgdvvumoipafgiyutvvbmr56dwi5qk7yttttxch5x34kcxpa",
	MaxBlock:     "bafkreib5xlbpsquvpy3f3zqlimlk3jdbebvxex4uizcwxsc35ei7wvbm5a",
	MaxBlock + 1: "bafybeie5cjy5fpq2r6tm5htvlwjkzymawsvsfurorem57kboriyeilvs2i",
	2 * MaxBlock: "bafybeiep6ojjqxpltrlg5vn6aljd7dx6agqw2cdwhadqaehw5xgx62trry",
	20_000_000:   "bafybeiadyqlqxdgvsoql2sz5nm3dnon4btvz35vxvd2zuf2sostjck2nwm",
	MaxFile + 1:  "",
}

// add keeps a sample and returns its CID.
func add(t testing.TB, s *Store, size int) barnraise.CID {
	t.Helper()
	c, n, err := s.Add(bytes.NewReader(sample(size)), MaxFile)
	if err != nil || n != int64(size) {
		t.Fatalf("Add of %d bytes: %d, %v", size, n, err)
	}
	return c
}

// rootOf is the root of a file that is kept.
func rootOf(t testing.TB, s *Store, c barnraise.CID) ([]byte, file) {
	t.Helper()
	root, err := s.Get(c)
	if err != nil {
		t.Fatal(err)
	}
	f, err := decodeFile(root)
	if err != nil {
		t.Fatal(err)
	}
	return root, f
}

func TestAdd(t *testing.T) {
	for size, want := range samples {
		b := sample(size)
		if got := Sum(b); got != want {
			t.Errorf("Sum of %d bytes is %s, want %s", size, got, want)
		}
		s := openStore(t)
		c, n, err := s.Add(iotest.HalfReader(bytes.NewReader(b)), 1<<40)
		if want == "" {
			if !errors.Is(err, ErrTooLarge) || c != "" {
				t.Errorf("Add of %d bytes: %s, %v", size, c, err)
			}
			continue
		}
		if c != want || n != int64(size) || err != nil {
			t.Errorf("Add of %d bytes: %s, %d, %v, want %s", size, c, n, err, want)
		}
		if got, err := s.File(c, int64(size)); err != nil || !bytes.Equal(got, b) {
			t.Errorf("File of %d bytes: %d bytes, %v", size, len(got), err)
		}
		if got, err := s.File(c, int64(size)-1); size > 0 && (!errors.Is(err, ErrTooLarge) || got != nil) {
			t.Errorf("File of %d bytes, one too many: %d bytes, %v", size, len(got), err)
		}
		if _, _, err := s.Add(bytes.NewReader(b), int64(size)-1); !errors.Is(err, ErrTooLarge) {
			t.Errorf("Add of %d bytes, one too many: %v", size, err)
		}
	}
	broken := io.MultiReader(bytes.NewReader(sample(MaxBlock+5)), iotest.ErrReader(io.ErrClosedPipe))
	if c, _, err := openStore(t).Add(broken, MaxFile); c != "" || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Add from a reader that breaks: %s, %v", c, err)
	}
}

// A file is whole or is not returned.
func TestFileDamaged(t *testing.T) {
	s := openStore(t)
	c := add(t, s, 3*MaxBlock-1)
	_, f := rootOf(t, s, c)
	if err := os.WriteFile(s.path(f.leaves[1]), []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err := s.File(c, MaxFile); !errors.Is(err, ErrCorrupt) || b != nil || !strings.Contains(err.Error(), "chunk 2 of 3") {
		t.Errorf("a damaged chunk: %d bytes, %v", len(b), err)
	}
	if err := os.Remove(s.path(f.leaves[1])); err != nil {
		t.Fatal(err)
	}
	if b, err := s.File(c, MaxFile); !errors.Is(err, ErrNotFound) || b != nil {
		t.Errorf("a missing chunk: %d bytes, %v", len(b), err)
	}
	if got := add(t, s, 3*MaxBlock-1); got != c {
		t.Errorf("added again it is %s", got)
	}
	if _, err := s.File(c, MaxFile); err != nil {
		t.Errorf("added again: %v", err)
	}
}

// A root that declares other lengths than its chunks have is nobody's file.
func TestFileLies(t *testing.T) {
	s := openStore(t)
	short, err := s.Put([]byte("short"))
	if err != nil {
		t.Fatal(err)
	}
	full, err := s.Put(sample(MaxBlock))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]file{
		"short in the middle": {size: 2*MaxBlock + 1, leaves: []barnraise.CID{full, short, short}},
		"short at the end":    {size: 2 * MaxBlock, leaves: []barnraise.CID{full, short}},
		"long at the end":     {size: MaxBlock + 5, leaves: []barnraise.CID{short, full}},
		"two lengths for one": {size: MaxBlock + 5, leaves: []barnraise.CID{short, short}},
	} {
		root := f.encode()
		c := sum(cid.DagProtobuf, root)
		if err := s.put(c, root); err != nil {
			t.Fatal(err)
		}
		if b, err := s.File(c, MaxFile); !errors.Is(err, ErrFile) || b != nil {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}

// reencode rewrites the fields of a root: each edit gets the link and data messages and returns what stands there instead.
func reencode(root []byte, edit func(tag uint64, body []byte) []byte) (out []byte) {
	for len(root) > 0 {
		tag, _, body, rest, _ := nextField(root)
		out = append(out, edit(tag, body)...)
		root = rest
	}
	return out
}

func message(tag uint64, body []byte) []byte { return appendBytes(nil, byte(tag), body) }

// The dag-pb and UnixFS specifications leave forms open that encode does not write: none of them is read.
func TestDecodeFile(t *testing.T) {
	leaves := []barnraise.CID{Sum([]byte("a")), Sum([]byte("b")), Sum([]byte("c"))}
	f := file{size: 2*MaxBlock + 77, leaves: leaves}
	root := f.encode()
	if got, err := decodeFile(root); err != nil || got.size != f.size || len(got.leaves) != 3 || got.leaves[2] != leaves[2] {
		t.Fatalf("decodeFile: %+v, %v", got, err)
	}
	hash := binaryCID(leaves[0])
	node := sum(cid.DagProtobuf, []byte("node"))
	link := func(name string, id []byte, size uint64) []byte {
		b := appendBytes(appendBytes(nil, linkHash, id), linkName, []byte(name))
		return message(nodeLink, binary.AppendUvarint(append(b, linkTsize), size))
	}
	firstLink := func(replace []byte) []byte {
		done := false
		return reencode(root, func(tag uint64, body []byte) []byte {
			if tag == nodeLink && !done {
				done = true
				return replace
			}
			return message(tag, body)
		})
	}
	data := func(change func([]byte) []byte) []byte {
		return reencode(root, func(tag uint64, body []byte) []byte {
			if tag == nodeData {
				body = change(bytes.Clone(body))
			}
			return message(tag, body)
		})
	}
	var reversed []byte
	reencode(root, func(tag uint64, body []byte) []byte { reversed = append(message(tag, body), reversed...); return nil })
	sha512, err := multihash.Sum([]byte("a"), multihash.SHA2_512, 32)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"nothing":              nil,
		"data first":           reversed,
		"cut":                  root[:len(root)-1],
		"something behind":     append(bytes.Clone(root), 0),
		"data twice":           append(bytes.Clone(root), data(bytes.Clone)[bytes.LastIndexByte(root, nodeData):]...),
		"a field nobody knows": append(bytes.Clone(root), message(5<<3|2, []byte("x"))...),
		"a link with a name":   firstLink(link("x", hash, MaxBlock)),
		"a link to a node":     firstLink(link("", binaryCID(node), MaxBlock)),
		"a link to version 0":  firstLink(link("", hash[2:], MaxBlock)),
		"another hash":         firstLink(link("", cid.NewCidV1(cid.Raw, sha512).Bytes(), MaxBlock)),
		"another size of link": firstLink(link("", hash, MaxBlock-1)),
		"a link without hash":  firstLink(message(nodeLink, []byte{linkTsize, 1})),
		"no links":             file{size: 5}.encode(),
		"one chunk":            file{size: 5, leaves: leaves[:1]}.encode(),
		"a chunk too many":     file{size: 2 * MaxBlock, leaves: leaves}.encode(),
		"a chunk too few":      file{size: 3*MaxBlock + 1, leaves: leaves}.encode(),
		"a directory":          data(func(d []byte) []byte { d[1] = 1; return d }),
		"a mode":               data(func(d []byte) []byte { return append(d, 7<<3, 1) }),
		"bytes inline":         data(func(d []byte) []byte { return append(append([]byte{8, 2}, message(1<<3|2, []byte("x"))...), d[2:]...) }),
		"sizes packed":         data(func(d []byte) []byte { return append(d[:7], message(4<<3|2, []byte{1, 1, 1})...) }),
		"a size off by one":    data(func(d []byte) []byte { d[3]++; return d }),
		"a long varint":        data(func(d []byte) []byte { return append([]byte{8, 0x82, 0}, d[2:]...) }),
		"a negative size":      data(func(d []byte) []byte { return append([]byte{8, 2, fileSize}, binary.AppendUvarint(nil, 1<<63)...) }),
		"chunks of 256 KiB":    small(leaves),
		"endless":              bytes.Repeat(link("", hash, MaxBlock), 5000),
	} {
		if f, err := decodeFile(b); !errors.Is(err, ErrFile) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

// small is a root as ipfs add makes it without a chunker: chunks of 256 KiB.
func small(leaves []barnraise.CID) []byte {
	const size = 256 << 10
	var node []byte
	data := binary.AppendUvarint([]byte{fileType, typeFile, fileSize}, size*uint64(len(leaves)))
	for _, leaf := range leaves {
		b := appendBytes(appendBytes(nil, linkHash, binaryCID(leaf)), linkName, nil)
		node = appendBytes(node, nodeLink, binary.AppendUvarint(append(b, linkTsize), size))
		data = binary.AppendUvarint(append(data, fileBlock), size)
	}
	return appendBytes(node, nodeData, data)
}

// The longest root fits its bound, and one link more does not.
func TestLongestRoot(t *testing.T) {
	f := file{}
	for i := range maxLeaves {
		f.leaves = append(f.leaves, Sum(binary.AppendUvarint(nil, uint64(i))))
	}
	f.size = maxLeaves * MaxBlock
	root := f.encode()
	if got, err := decodeFile(root); err != nil || got.size != f.size {
		t.Errorf("decodeFile of %d bytes: %v", len(root), err)
	}
	if _, err := bounded(root, 1<<40); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a file of 1 GiB: %v", err)
	}
	f.leaves, f.size = append(f.leaves, Sum(nil)), f.size+1
	if _, err := decodeFile(f.encode()); !errors.Is(err, ErrFile) {
		t.Errorf("a link too many: %v", err)
	}
}

func FuzzFile(f *testing.F) {
	leaves := []barnraise.CID{Sum([]byte("a")), Sum([]byte("b")), Sum([]byte("a"))}
	f.Add(file{size: 2*MaxBlock + 1, leaves: leaves[:2]}.encode())
	f.Add(file{size: 3 * MaxBlock, leaves: leaves}.encode())
	f.Add(small(leaves))
	f.Add([]byte{nodeData, 2, fileType, 1})
	f.Fuzz(func(t *testing.T, root []byte) {
		got, err := decodeFile(root)
		if err != nil {
			if !errors.Is(err, ErrFile) {
				t.Errorf("decodeFile: %v", err)
			}
			return
		}
		var sizes int64
		for i := range got.leaves {
			sizes += got.chunk(i)
		}
		if !bytes.Equal(got.encode(), root) || sizes != got.size || len(got.leaves) > maxLeaves || len(root) > maxRoot {
			t.Errorf("%d bytes of root in %d chunks, which add up to %d, from %x", got.size, len(got.leaves), sizes, root)
		}
	})
}

var long = flag.Bool("long", false, "also run what takes minutes")

// Any content, added, exported, imported and read, is itself.
func TestFileProperty(t *testing.T) {
	rounds := 8
	if *long {
		rounds = 300
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		b := sample(random.IntN(5 * MaxBlock))
		from, to := openStore(t), openStore(t)
		c, _, err := from.Add(iotest.DataErrReader(bytes.NewReader(b)), MaxFile)
		if err != nil || c != Sum(b) {
			t.Fatalf("Add of %d bytes: %s, %v", len(b), c, err)
		}
		if got, err := to.Import(iotest.HalfReader(bytes.NewReader(carOf(t, from, c))), MaxFile); err != nil || got != c {
			t.Fatalf("Import of %d bytes: %s, %v", len(b), got, err)
		}
		if got, err := to.File(c, MaxFile); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("File of %d bytes: %d bytes, %v", len(b), len(got), err)
		}
	}
}

func BenchmarkAdd20MB(b *testing.B) {
	content := sample(20_000_000)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		b.StopTimer()
		s := openStore(b)
		b.StartTimer()
		if _, _, err := s.Add(bytes.NewReader(content), MaxFile); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFile20MB(b *testing.B) {
	s := openStore(b)
	c := add(b, s, 20_000_000)
	b.SetBytes(20_000_000)
	for b.Loop() {
		if _, err := s.File(c, MaxFile); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSum20MB(b *testing.B) {
	content := sample(20_000_000)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		Sum(content)
	}
}
