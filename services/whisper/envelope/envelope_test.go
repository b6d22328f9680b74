package envelope

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"

	"golang.org/x/crypto/sha3"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fromGeth is an envelope that geth 1.9.15 sealed. It said that its PoW is 2.6006349206349206, which is 2^13/(63·50).
const fromGeth = "f840846b02441f328401020304b1895eb088d510a1f88e518db8577711b13943c70f71b4111fe1a59433c0b60e38b1b97185ac09b507c28674be19f3a8699a821841"

func TestEnvelopeOfGeth(t *testing.T) {
	rlp := unhex(t, fromGeth)
	e, err := Decode(rlp)
	if err != nil {
		t.Fatal(err)
	}
	if e.Expiry != 0x6b02441f || e.TTL != 50 || e.Topic != (Topic{1, 2, 3, 4}) || len(e.Data) != 49 || e.Nonce != 6209 {
		t.Errorf("decoded as %+v", e)
	}
	if hash := e.Hash(); hex.EncodeToString(hash[:]) != "e4d5859583c1749ae4d8e1936d133227fea5ded140bfbf329737f89e784d99be" {
		t.Errorf("hash is %x", hash)
	}
	if e.Bits() != 13 || Geth6.Size(e) != 63 || EIP627.Size(e) != 66 || !bytes.Equal(e.Encode(), rlp) {
		t.Errorf("%d bits, sizes %d and %d, encoded %x", e.Bits(), Geth6.Size(e), EIP627.Size(e), e.Encode())
	}
}

// geth's own test of PoW: 1/13 and 2^8/13, where 13 is the size.
func TestPoWOfGeth(t *testing.T) {
	e := Envelope{TTL: 1, Data: []byte{0xde, 0xad, 0xbe, 0xef}}
	for nonce, bits := range map[uint64]int{100000: 0, 276: 8} {
		if e.Nonce = nonce; e.Bits() != bits || Geth6.Size(e) != 13 {
			t.Errorf("nonce %d: %d bits, size %d", nonce, e.Bits(), Geth6.Size(e))
		}
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name, rlp string
		want      *Envelope // nil where there is none
	}{
		{"all zero", "c9808084000000008080", &Envelope{Data: []byte{}}},
		{"small numbers", "c9010284000000007f7f", &Envelope{Expiry: 1, TTL: 2, Data: []byte{0x7f}, Nonce: 0x7f}},
		{"great numbers", "da84ffffffff84ffffffff84ffffffff818088ffffffffffffffff", &Envelope{math.MaxUint32, math.MaxUint32,
			Topic{0xff, 0xff, 0xff, 0xff}, []byte{0x80}, math.MaxUint64}},
		{"nothing", "", nil},
		{"no list", "80", nil},
		{"empty list", "c0", nil},
		{"a string", "89808084000000008080", nil},
		{"four members", "c88080840000000080", nil},
		{"six members", "ca80808400000000808080", nil},
		{"a byte behind", "c980808400000000808000", nil},
		{"cut short", "c98080840000000080", nil},
		{"list too long", "ca808084000000008080", nil},
		{"list too short", "c8808084000000008080", nil},
		{"zero before a number", "ca81008084000000008080", nil},
		{"zero before a number of two bytes", "cb8200018084000000008080", nil},
		{"zero as a byte", "c9008084000000008080", nil},
		{"small number as a string", "ca81018084000000008080", nil},
		{"expiry of five bytes", "ce8501000000008084000000008080", nil},
		{"ttl of five bytes", "ce8085010000000084000000008080", nil},
		{"nonce of nine bytes", "d2808084000000008089010000000000000000", nil},
		{"topic of three bytes", "c88080830000008080", nil},
		{"topic of five bytes", "ca80808500000000008080", nil},
		{"topic of one byte", "c58080008080", nil},
		{"data is a list", "c980808400000000c080", nil},
		{"data of one byte as a string", "ca80808400000000817f80", nil},
		{"long form of a short list", "f809808084000000008080", nil},
		{"long form of a short string", "cb80808400000000b8018080", nil},
		{"length with a zero before it", "f90009808084000000008080", nil},
		{"length of eight bytes", "ffffffffffffffffff", nil},
		{"length without its bytes", "f8", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Decode(unhex(t, c.rlp))
			switch {
			case c.want == nil && !errors.Is(err, ErrRLP):
				t.Errorf("%+v, %v, want ErrRLP", got, err)
			case c.want != nil && (err != nil || !reflect.DeepEqual(got, *c.want)):
				t.Errorf("%+v, %v, want %+v", got, err, *c.want)
			}
		})
	}
}

// What is decoded is encoded as it was, of every length that changes a head.
func TestEncode(t *testing.T) {
	for _, size := range []int{0, 1, 2, 40, 54, 55, 56, 57, 240, 255, 256, 257, 65535, 65536, 1 << 19} {
		for _, nonce := range []uint64{0, 0x7f, 0x80, 0xff, 0x100, math.MaxUint32, math.MaxUint64} {
			e := Envelope{Expiry: 1_700_000_000, TTL: 50, Topic: Topic{1, 2, 3, 4}, Data: bytes.Repeat([]byte{7}, size), Nonce: nonce}
			rlp := e.Encode()
			if got, err := Decode(rlp); err != nil || !reflect.DeepEqual(got, e) {
				t.Fatalf("%d bytes of data, nonce %d: %.60x is decoded as %.100v, %v", size, nonce, rlp, got, err)
			}
			if EIP627.Size(e) != len(rlp) || Geth6.Size(e) != len(e.unsealed()) || EIP627.Length(e) != len(rlp) || Geth6.Length(e) != 20+size {
				t.Errorf("%d bytes of data, nonce %d: sizes are %d of %d and %d of %d, lengths %d and %d", size, nonce,
					EIP627.Size(e), len(rlp), Geth6.Size(e), len(e.unsealed()), EIP627.Length(e), Geth6.Length(e))
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(unhex(f, fromGeth))
	f.Add(unhex(f, "c9808084000000008080"))
	f.Add(unhex(f, "f900098080840000000080"))
	f.Fuzz(func(t *testing.T, rlp []byte) {
		e, err := Decode(rlp)
		if err != nil {
			if !errors.Is(err, ErrRLP) {
				t.Fatal(err)
			}
			return
		}
		if got := e.Encode(); !bytes.Equal(got, rlp) {
			t.Fatalf("%x is encoded again as %x", rlp, got)
		}
		if e.Hash() != keccak(rlp) || e.Bits() != slowBits(e) {
			t.Fatalf("%x: hash %x, %d bits", rlp, e.Hash(), e.Bits())
		}
	})
}

// slowBits is the same as anybody would write it down.
func slowBits(e Envelope) int {
	nonce := new(big.Int).SetUint64(e.Nonce).FillBytes(make([]byte, 8))
	h := sha3.NewLegacyKeccak256()
	_, _ = h.Write(append(e.unsealed(), nonce...))
	return 256 - new(big.Int).SetBytes(h.Sum(nil)).BitLen()
}

func TestKeccak(t *testing.T) {
	for _, c := range []struct{ input, want string }{
		{"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
		{"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
	} {
		if got := keccak([]byte(c.input)); hex.EncodeToString(got[:]) != c.want {
			t.Errorf("%q: %x, want %s", c.input, got, c.want)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	input := make([]byte, 600)
	for size := range input {
		input[size] = byte(random.Uint32())
		h := sha3.NewLegacyKeccak256()
		_, _ = h.Write(input[:size])
		if got := keccak(input[:size]); !bytes.Equal(got[:], h.Sum(nil)) {
			t.Fatalf("%d bytes: %x, want %x", size, got, h.Sum(nil))
		}
	}
}

// The table of geth's topic_test.go.
func TestTopicOf(t *testing.T) {
	for _, c := range []struct {
		bytes []byte
		want  Topic
	}{
		{[]byte{0x8f, 0x9a, 0x2b, 0x7d}, Topic{0x8f, 0x9a, 0x2b, 0x7d}}, {[]byte{0, 0x7f, 0x80, 0xff}, Topic{0, 0x7f, 0x80, 0xff}},
		{[]byte{0, 0, 0, 0}, Topic{}}, {[]byte{0, 0, 0}, Topic{}}, {[]byte{1}, Topic{1}}, {[]byte{0, 0xfe}, Topic{0, 0xfe}},
		{[]byte{0xea, 0x1d, 0x43}, Topic{0xea, 0x1d, 0x43}}, {[]byte{0x6f, 0x3c, 0xb0, 0xdd, 0x0f, 0, 0x90}, Topic{0x6f, 0x3c, 0xb0, 0xdd}},
		{[]byte{}, Topic{}}, {nil, Topic{}},
	} {
		if got := TopicOf(c.bytes); got != c.want {
			t.Errorf("%x: %x, want %x", c.bytes, got, c.want)
		}
	}
}
