package verifiers_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"barnraise"
	"barnraise/service/merkle"
	"barnraise/verifier"
)

// TestBase64 holds the SDK's reading to the one way in which bytes are written.
func TestBase64(t *testing.T) {
	ask := probe(t)
	r := rand.New(rand.NewPCG(6, 7))
	for n := range 200 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		text := `"` + base64.StdEncoding.EncodeToString(b) + `"`
		if r.IntN(2) == 0 {
			text = strings.NewReplacer("/", `\/`, "A", `\u0041`).Replace(text)
		}
		if got := ask(t, 'b', []byte(text+",")); !bytes.Equal(got, append([]byte{1}, b...)) {
			t.Errorf("%s: %x, want %x", text, got, b)
		}
	}
	for _, bad := range []string{`"A"`, `"AA"`, `"AAA"`, `"AAAAA==="`, `"===="`, `"A==="`, `"AB=="`, `"AAB="`, `"AA=A"`, `"=AAA"`, `"AA==AAAA"`,
		`"A-_A"`, `"AAA "`, `"AA\n=="`, `"AAA@"`, `"AAA["`, "\"AAA`\"", `"AAA{"`, `"AAA:"`, `"AAéA"`, `7`, `null`, `["AAAA"]`} {
		if got := ask(t, 'b', []byte(bad+",")); !bytes.Equal(got, []byte{0}) {
			t.Errorf("%s is read as %x", bad, got)
		}
	}
}

// TestUvarint holds that a number has one form, and is below 2^32.
func TestUvarint(t *testing.T) {
	ask := probe(t)
	for _, c := range []struct {
		bytes string
		want  []uint64
	}{
		{"", []uint64{}}, {"\x00\x01\x7f", []uint64{0, 1, 127}}, {"\x80\x01\xff\xff\xff\xff\x0f", []uint64{128, 1<<32 - 1}},
		{"\xff", nil}, {"\x80\x00", nil}, {"\x81\x80\x00", nil}, {"\xff\xff\xff\xff\x10", nil}, {"\xff\xff\xff\xff\xff\x01", nil},
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", nil},
	} {
		want := []byte{0}
		if c.want != nil {
			want = []byte{1}
		}
		for _, n := range c.want {
			want = binary.LittleEndian.AppendUint64(want, n)
		}
		if got := ask(t, 'u', []byte(c.bytes)); !bytes.Equal(got, want) {
			t.Errorf("%x is read as %x, want %x", c.bytes, got, want)
		}
	}
}

// grove is a tree of so many leaves, some of which are shown, as the probe reads it.
type grove struct {
	leaves []string
	chosen []int
	proof  []byte
}

func (s grove) bytes() []byte {
	b := binary.AppendUvarint(nil, uint64(len(s.leaves)))
	b = binary.AppendUvarint(b, uint64(len(s.chosen)))
	for _, i := range s.chosen {
		b = binary.AppendUvarint(b, uint64(i))
		b = append(binary.AppendUvarint(b, uint64(len(s.leaves[i]))), s.leaves[i]...)
	}
	return append(b, s.proof...)
}

func (s grove) hashes() (hashes []merkle.Hash) {
	for _, l := range s.leaves {
		hashes = append(hashes, merkle.Leaf(string(binary.AppendUvarint(nil, uint64(len(l)))), l))
	}
	return hashes
}

func tree(r *rand.Rand, n int) (s grove, want []byte) {
	for i := range n {
		s.leaves = append(s.leaves, strings.Repeat("x", r.IntN(300))+fmt.Sprint(i))
		if r.IntN(1+r.IntN(9)) == 0 {
			s.chosen = append(s.chosen, i)
		}
	}
	hashes := s.hashes()
	whole := merkle.Tree{Leaves: n, Leaf: func(i int) merkle.Hash { return hashes[i] }, Kept: string(merkle.Keep(hashes))}
	root := whole.Root()
	s.proof = whole.Prove(nil, s.chosen)
	return s, append([]byte{1}, root[:]...)
}

// TestMerkle holds the SDK to package merkle: the same root of the same proof, and none where it is cut short.
func TestMerkle(t *testing.T) {
	ask := probe(t)
	r := rand.New(rand.NewPCG(8, 9))
	for n := range 120 {
		s, want := tree(r, n)
		proof := s.proof
		s.proof = append(proof[:len(proof):len(proof)], "rest"...)
		if got := ask(t, 'm', s.bytes()); !bytes.Equal(got, append(want, "rest"...)) {
			t.Errorf("%d leaves, %v: %x, want %x", n, s.chosen, got, want)
		}
		if len(proof) == 0 {
			continue
		}
		s.proof = proof[:len(proof)-1]
		if got := ask(t, 'm', s.bytes()); !bytes.Equal(got, []byte{0}) {
			t.Errorf("%d leaves, %v: cut short, %x", n, s.chosen, got)
		}
		s.proof = bytes.Clone(proof)
		s.proof[r.IntN(len(proof))] ^= 1 << r.IntN(8)
		if got := ask(t, 'm', s.bytes()); bytes.Equal(got, want) {
			t.Errorf("%d leaves, %v: another proof, the same root", n, s.chosen)
		}
	}
}

func TestMerkleImpossible(t *testing.T) {
	ask := probe(t)
	for _, c := range []string{"\x00\x01\x00\x01x", "\x02\x01\x02\x01x", "\x03\x02\x01\x01x\x01\x01x", "\x03\x02\x01\x01x\x00\x01x",
		"\xff\xff\xff\xff\x0f\x01\x00\x01x", "\x02\x01\xff\xff\xff\xff\x0f\x01x"} {
		if got := ask(t, 'm', []byte(c+strings.Repeat("p", 100))); !bytes.Equal(got, []byte{0}) {
			t.Errorf("%x: %x", c, got)
		}
	}
	// As many leaves as there can be: the way to one of them has 31 hashes.
	most := "\xff\xff\xff\xff\x07\x01\xff\xff\xff\xff\x03\x01x"
	if got := ask(t, 'm', []byte(most+strings.Repeat("p", 31*merkle.Size))); len(got) != 1+merkle.Size {
		t.Errorf("%x", got)
	}
}

// TestNeeding holds what a verdict looks like that asks for more answers.
func TestNeeding(t *testing.T) {
	ask := probe(t)
	long := strings.Repeat("long ", 40)
	for _, reason := range []string{"no proof", `"quoted\" and more`, "", long} {
		text := ask(t, 'w', []byte(reason))
		v, err := verifier.ParseVerdict(text, 3)
		want := strings.NewReplacer(`"`, "?", `\`, "?").Replace(reason[:min(len(reason), 100)])
		if err != nil || v.Status != barnraise.Undecided || v.Need != 2 || v.Reason != want || !json.Valid(text) {
			t.Errorf("%q: %s, %+v, %v", reason, text, v, err)
		}
	}
}
