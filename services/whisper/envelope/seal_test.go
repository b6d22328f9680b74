package envelope

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"
)

func constant(bits int) func(Envelope) int { return func(Envelope) int { return bits } }

// Wherever in a block the nonce comes to stand, what is tried fast is what is hashed.
func TestGrinder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	splits := 0
	for size := range 300 {
		e := Envelope{Expiry: 1_700_000_000, TTL: 50, Topic: Topic{1, 2, 3, 4}, Data: bytes.Repeat([]byte{byte(size)}, size)}
		g := newGrinder(e)
		if g.split() {
			splits++
		}
		nonces := []uint64{0, 1, 0xff, 0x100, math.MaxUint64, 0x100, 0x1ff, 0x201}
		for range 20 {
			nonces = append(nonces, random.Uint64()>>random.IntN(64))
		}
		for _, nonce := range nonces {
			e.Nonce = nonce
			ready := g.ready(nonce)
			if got, first, want := g.bits(nonce), leading(ready.first()), slowBits(e); got != want || first != want {
				t.Fatalf("%d bytes of data, nonce %x: %d bits, %d in the first word, want %d", size, nonce, got, first, want)
			}
		}
	}
	if splits < 16 {
		t.Errorf("the nonce reached the end of a block %d times", splits)
	}
}

// The nonce is the smallest of the range, by trying them all.
func TestSealFindsTheSmallest(t *testing.T) {
	for _, c := range []struct {
		from, to uint64
		bits     int
	}{
		{0, 0, 0}, {0, 1000, 0}, {5, 1000, 1}, {0, 5000, 8}, {100, 5000, 8}, {0x7f, 0x81, 2}, {250, 260, 3}, {0, 300, 20},
		{math.MaxUint32 - 200, math.MaxUint32 + 200, 7}, {math.MaxUint64 - 500, math.MaxUint64, 6}, {math.MaxUint64, math.MaxUint64, 30},
		{9, 8, 0},
	} {
		e := Envelope{Expiry: 1_700_000_000, TTL: 50, Topic: Topic{1, 2, 3, 4}, Data: []byte("data")}
		want, found := e, false
		for nonce := c.from; nonce <= c.to && !found; nonce++ {
			want.Nonce = nonce
			found = slowBits(want) >= c.bits
			if nonce == math.MaxUint64 {
				break
			}
		}
		got, bits, err := Seal(e, c.from, c.to, constant(c.bits))
		switch {
		case !found && !errors.Is(err, ErrNotFound):
			t.Errorf("%+v: %d, %v, want ErrNotFound", c, got.Nonce, err)
		case found && (err != nil || !reflect.DeepEqual(got, want) || bits != slowBits(want)):
			t.Errorf("%+v: %+v, %d bits, %v, want %+v, %d bits", c, got, bits, err, want, slowBits(want))
		}
	}
}

// EIP-627 counts the nonce, so a longer one may need more bits: 2^bits ≥ pow·size. The size goes from 63 to 64, and then to
// 65.
func TestSealWithGrowingNonce(t *testing.T) {
	e := Envelope{Expiry: 1_700_000_000, TTL: 1, Topic: Topic{1, 2, 3, 4}, Data: make([]byte, 48)}
	pow := PoW{1, 16}
	for nonce, want := range map[uint64]int{0: 2, 0x7f: 2, 0x80: 2, 0xff: 2, 0x100: 3, math.MaxUint64: 3} {
		e.Nonce = nonce
		if got := pow.Need(EIP627.Size(e), 1); got != want || pow.Need(Geth6.Size(e), 1) != 2 {
			t.Errorf("nonce %x: size %d, %d bits needed, want %d", nonce, EIP627.Size(e), got, want)
		}
	}
	for from := range uint64(2048) {
		e.Nonce, e.Topic[0] = 0, byte(from>>9) // in some of them no nonce up to 0xff will do
		from := from & 511
		sealed, bits, err := Seal(e, from, from+600, func(e Envelope) int { return pow.Need(EIP627.Size(e), 1) })
		if err != nil || bits < pow.Need(EIP627.Size(sealed), 1) {
			t.Fatalf("from %d: %d bits, size %d, %v", from, bits, EIP627.Size(sealed), err)
		}
		for before := sealed; before.Nonce > from; {
			before.Nonce--
			if slowBits(before) >= pow.Need(EIP627.Size(before), 1) {
				t.Fatalf("from %d: nonce %d, but %d would do", from, sealed.Nonce, before.Nonce)
			}
		}
	}
}

func TestParsePoW(t *testing.T) {
	for s, want := range map[string]PoW{
		"0": {0, 1}, "1": {1, 1}, "0.2": {2, 10}, "00.20": {20, 100}, "999999999": {999_999_999, 1},
		"999999999.999999999": {999_999_999_999_999_999, 1_000_000_000},
	} {
		if got, err := ParsePoW(s); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", ".", "1.", ".2", "-1", "+1", "1e3", "1,5", " 1", "1 ", "1.2.3", "0x1", "1000000000", "0.1234567890", "٣", "NaN", "null"} {
		if got, err := ParsePoW(s); !errors.Is(err, ErrPoW) {
			t.Errorf("%q: %v, %v, want ErrPoW", s, got, err)
		}
	}
}

// twin is the least number of bits in fractions.
func twin(w PoW, size int, ttl uint64) int {
	want := new(big.Int).SetUint64(w.num)
	want.Mul(want, big.NewInt(int64(size))).Mul(want, new(big.Int).SetUint64(ttl))
	have := new(big.Int).SetUint64(w.den)
	for bits := 0; ; bits++ {
		if have.Cmp(want) >= 0 {
			return bits
		}
		have.Lsh(have, 1)
	}
}

func TestNeed(t *testing.T) {
	for _, c := range []struct {
		pow  string
		size int
		ttl  uint64
		want int
	}{
		{"0", 1 << 20, math.MaxUint32, 0}, {"1", 1, 1, 0}, {"1", 1, 2, 1}, {"2", 1, 1, 1}, {"1", 2, 4, 3}, {"1", 3, 3, 4}, {"0.25", 2, 2, 0},
		{"0.2", 63, 50, 10}, {"2.6006349206349", 63, 50, 0}, {"0.000000001", 1, 1, 0}, {"999999999.999999999", 1<<32 - 1, 1<<33 - 1, 95},
	} {
		pow, err := ParsePoW(c.pow)
		if err != nil {
			if c.want != 0 {
				t.Fatal(err)
			}
			continue
		}
		if got := pow.Need(c.size, c.ttl); got != c.want {
			t.Errorf("%s·%d·%d: %d bits, want %d", c.pow, c.size, c.ttl, got, c.want)
		}
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		pow := PoW{random.Uint64N(1e18) >> random.IntN(60), 1}
		for range random.IntN(10) {
			pow.den *= 10
		}
		size, ttl := int(random.Uint64()>>32>>random.IntN(32)), random.Uint64()>>31>>random.IntN(33)
		if got, want := pow.Need(size, ttl), twin(pow, size, ttl); got != want {
			t.Fatalf("%v·%d·%d: %d bits, want %d", pow, size, ttl, got, want)
		}
	}
	if got := (PoW{}).Need(1000, 1000); got != 0 {
		t.Errorf("the zero value needs %d bits", got)
	}
}

func FuzzParsePoW(f *testing.F) {
	for _, s := range []string{"0.2", "12", "1.", "999999999.999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		pow, err := ParsePoW(s)
		want, ok := new(big.Rat).SetString(s)
		if err == nil && (!ok || want.Cmp(new(big.Rat).SetFrac(new(big.Int).SetUint64(pow.num), new(big.Int).SetUint64(pow.den))) != 0) {
			t.Fatalf("%q is read as %v", s, pow)
		}
	})
}

func BenchmarkKeccak(b *testing.B) {
	var s state
	for b.Loop() {
		s.permute()
	}
}

// BenchmarkSeal is the time for a nonce: in one block, and where the nonce ends with one.
func BenchmarkSeal(b *testing.B) {
	for name, size := range map[string]int{"one-block": 8, "three-blocks": 300, "at-the-end-of-a-block": 113} {
		b.Run(name, func(b *testing.B) {
			g := newGrinder(Envelope{Expiry: 1_700_000_000, TTL: 50, Data: make([]byte, size)})
			for nonce := uint64(0); b.Loop(); nonce++ {
				ready := g.ready(nonce)
				ready.first()
			}
		})
	}
}
