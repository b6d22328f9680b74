package barnraise

import (
	"crypto/ed25519"
	"errors"
	"math/big"
	"testing"
)

// curve is just enough Ed25519 arithmetic (RFC 8032, 5.1) to say which points have small order, by another route than the
// table that the product uses.
var (
	fieldP = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	curveD = new(big.Int).Mod(new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), fieldP)), fieldP)
)

type point struct{ x, y *big.Int }

func mod(v *big.Int) *big.Int { return v.Mod(v, fieldP) }

func mul(vs ...*big.Int) *big.Int {
	r := big.NewInt(1)
	for _, v := range vs {
		mod(r.Mul(r, v))
	}
	return r
}

func (a point) double() point {
	t := mul(curveD, a.x, a.x, a.y, a.y)
	one := big.NewInt(1)
	x := mul(new(big.Int).Add(mul(a.x, a.y), mul(a.x, a.y)), new(big.Int).ModInverse(mod(new(big.Int).Add(one, t)), fieldP))
	y := mul(new(big.Int).Add(mul(a.y, a.y), mul(a.x, a.x)), new(big.Int).ModInverse(mod(new(big.Int).Sub(one, t)), fieldP))
	return point{x, y}
}

// decode solves −x² + y² = 1 + dx²y² for x; false where y belongs to no point.
func decode(y *big.Int) (point, bool) {
	u := mod(new(big.Int).Sub(mul(y, y), big.NewInt(1)))
	v := mod(new(big.Int).Add(mul(curveD, y, y), big.NewInt(1)))
	x := new(big.Int).ModSqrt(mul(u, new(big.Int).ModInverse(v, fieldP)), fieldP)
	return point{x, y}, x != nil
}

func littleEndian(y *big.Int) (b [32]byte) {
	y.FillBytes(b[:])
	for i, j := 0, 31; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return b
}

func TestProtocol1_6WeakKeysAreRefused(t *testing.T) {
	for y := range smallOrder {
		be := y
		for i, j := 0, 31; i < j; i, j = i+1, j-1 {
			be[i], be[j] = be[j], be[i]
		}
		p, ok := decode(new(big.Int).SetBytes(be[:]))
		if !ok {
			t.Fatalf("%x in the table is no point", y)
		}
		q := p.double().double().double()
		if q.x.Sign() != 0 || q.y.Cmp(big.NewInt(1)) != 0 {
			t.Fatalf("%x in the table has an order above 8", y)
		}
		for _, sign := range []byte{0, 0x80} {
			key := y
			key[31] |= sign
			if _, err := NewPublicKey(key); !errors.Is(err, ErrWeakKey) {
				t.Errorf("key %x: error is %v, want ErrWeakKey", key, err)
			}
		}
	}
	for _, y := range []*big.Int{fieldP, new(big.Int).Add(fieldP, big.NewInt(9)), new(big.Int).Add(fieldP, big.NewInt(18))} {
		if _, err := NewPublicKey(littleEndian(y)); !errors.Is(err, ErrWeakKey) {
			t.Errorf("y = p + %d is not canonical: error is %v, want ErrWeakKey", new(big.Int).Sub(y, fieldP), err)
		}
	}
	// Five values of y and their signs are all there are: the torsion subgroup has eight points.
	if len(smallOrder) != 5 {
		t.Errorf("table has %d values, want 5", len(smallOrder))
	}
}

func TestOrdinaryKeysAreTaken(t *testing.T) {
	for i := range 100 {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = byte(i)
		pub := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		key, err := NewPublicKey([32]byte(pub))
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParsePublicKey(key.String())
		if err != nil || again != key {
			t.Fatalf("key %s reads back as %s: %v", key, again, err)
		}
	}
}

func TestThumbprintOfRFC8037(t *testing.T) {
	// RFC 8037, appendix A.2 and A.3.
	key, err := ParsePublicKey("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	if err != nil {
		t.Fatal(err)
	}
	if want := "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"; key.ID() != want {
		t.Errorf("id is %s, want %s", key.ID(), want)
	}
}
