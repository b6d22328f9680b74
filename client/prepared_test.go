package client

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"

	"barnraise"

	"filippo.io/edwards25519"
)

func ready(t testing.TB, key ed25519.PublicKey) *prepared {
	t.Helper()
	p, err := prepare(barnraise.PublicKey(key))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPreparedKeys(t *testing.T) {
	key := func(n byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(append(make([]byte, 31), n)) }
	token := signedBy(t, key(7))
	by := func(p *prepared) error { return token.VerifyBy(p.id, p.verify) }
	if err := by(ready(t, key(7).Public().(ed25519.PublicKey))); err != nil {
		t.Error(err)
	}
	if err := by(ready(t, key(8).Public().(ed25519.PublicKey))); !errors.Is(err, barnraise.ErrSignature) {
		t.Errorf("under another key: %v, want ErrSignature", err)
	}
	token.KeyID = ready(t, key(8).Public().(ed25519.PublicKey)).id
	if err := by(ready(t, key(7).Public().(ed25519.PublicKey))); !errors.Is(err, barnraise.ErrSignature) {
		t.Errorf("naming another key: %v, want ErrSignature", err)
	}
	if _, err := prepare(barnraise.PublicKey{2}); !errors.Is(err, barnraise.ErrWeakKey) {
		t.Errorf("no point of the curve: %v, want ErrWeakKey", err)
	}
}

// What a prepared key says is what crypto/ed25519 says, also of signatures that only look like some.
func TestPreparedKeysSayTheSame(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	for n := range 200 {
		seed, message := make([]byte, 32), make([]byte, n)
		random.Read(seed)
		random.Read(message)
		key := ed25519.NewKeyFromSeed(seed)
		sig := ed25519.Sign(key, message)
		same(t, key.Public().(ed25519.PublicKey), message, sig, true)
		for _, i := range []int{n % 64, 31, 32, 63} {
			sig[i] ^= 1 << (n % 8)
			same(t, key.Public().(ed25519.PublicKey), message, sig, false)
			sig[i] ^= 1 << (n % 8)
		}
	}
}

// Keys, R and S as an attacker would choose them: points of small order and sums with them, S beyond the group's order.
func TestPreparedKeysSayTheSameOfTheOdd(t *testing.T) {
	small := []string{ // the points of order 1, 2, 4 and 8
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	}
	secret, err := new(edwards25519.Scalar).SetBytesWithClamping(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	base := new(edwards25519.Point).ScalarBaseMult(secret)
	held := 0
	for n := range 20 {
		for _, digits := range small {
			b, _ := hex.DecodeString(digits)
			torsion, err := new(edwards25519.Point).SetBytes(b)
			if err != nil {
				t.Fatal(err)
			}
			mixed := new(edwards25519.Point).Add(base, torsion)
			message, r := []byte{byte(n)}, new(edwards25519.Point).ScalarBaseMult(secret)
			for _, r := range [][]byte{r.Bytes(), new(edwards25519.Point).Add(r, torsion).Bytes(), b} {
				h := sha512.New()
				h.Write(r)
				h.Write(mixed.Bytes())
				h.Write(message)
				k, _ := new(edwards25519.Scalar).SetUniformBytes(h.Sum(nil))
				s := new(edwards25519.Scalar).MultiplyAdd(k, secret, secret)
				if same(t, mixed.Bytes(), message, append(append([]byte(nil), r...), s.Bytes()...)) {
					held++
				}
			}
		}
	}
	if held == 0 || held == 300 {
		t.Errorf("%d of 300 hold: the test tells nothing", held)
	}
}

// same holds a prepared key against the standard library.
func same(t *testing.T, key ed25519.PublicKey, message, sig []byte, want ...bool) bool {
	t.Helper()
	got, std := ready(t, key).verify(message, sig), ed25519.Verify(key, message, sig)
	if got != std || len(want) > 0 && got != want[0] {
		t.Fatalf("key %x, message %x, signature %x: %t, the standard library says %t, want %v", key, message, sig, got, std, want)
	}
	return got
}

func FuzzPrepared(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	f.Add([]byte(key.Public().(ed25519.PublicKey)), []byte("message"), ed25519.Sign(key, []byte("message")))
	f.Fuzz(func(t *testing.T, key, message, sig []byte) {
		if len(key) != 32 || len(sig) != 64 {
			return
		}
		p, err := prepare(barnraise.PublicKey(key))
		if got, want := err == nil && p.verify(message, sig), ed25519.Verify(key, message, sig); got != want {
			t.Errorf("%t, the standard library says %t", got, want)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	token, key := signedBy(b, private), barnraise.PublicKey(private.Public().(ed25519.PublicKey))
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			if err := token.Verify(key); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("prepared", func(b *testing.B) {
		p := ready(b, key[:])
		for b.Loop() {
			if err := token.VerifyBy(p.id, p.verify); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("prepare", func(b *testing.B) {
		for b.Loop() {
			ready(b, key[:])
		}
	})
}
