package client

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"barnraise"
	"barnraise/dial"
)

func signedBy(t testing.TB, key ed25519.PrivateKey) barnraise.Token {
	t.Helper()
	v, err := barnraise.ParseToken(barnraise.TypeReceipt, barnraise.Sign(barnraise.TypeReceipt, []byte("x"), key))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestKeysThatComeAgainAreKeptReady(t *testing.T) {
	var ring keyring
	keys := func(n int) (ed25519.PrivateKey, barnraise.PublicKey) {
		seed := make([]byte, ed25519.SeedSize)
		binary.BigEndian.PutUint32(seed, uint32(n))
		k := ed25519.NewKeyFromSeed(seed)
		return k, barnraise.PublicKey(k.Public().(ed25519.PublicKey))
	}
	private, public := keys(0)
	for n := range 2 * preparedAfter {
		if err := ring.verify(signedBy(t, private), public); err != nil {
			t.Fatal(err)
		}
		if ready := ring.ready[public] != nil; ready != (n+1 >= preparedAfter) {
			t.Errorf("after %d checks: ready %t", n+1, ready)
		}
	}
	other, _ := keys(1)
	for n := range 2 {
		if err := ring.verify(signedBy(t, other), public); !errors.Is(err, barnraise.ErrSignature) {
			t.Errorf("signed by another, %d: %v", n, err)
		}
	}
	for n := range maxPrepared + 10 {
		private, public := keys(n + 2)
		for range preparedAfter {
			if err := ring.verify(signedBy(t, private), public); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range maxCounted + 10 {
		ring.due(barnraise.PublicKey{byte(n), byte(n >> 8)})
	}
	if len(ring.ready) != maxPrepared || len(ring.counted) > maxCounted {
		t.Errorf("%d keys are ready, %d counted", len(ring.ready), len(ring.counted))
	}
}

func TestBodiesAreReadOnce(t *testing.T) {
	s := new(seen)
	a, b := s.read([]byte(`{"jsonrpc":"2.0","id":1,"result":1}`)), s.read([]byte(`{"jsonrpc":"2.0","id":1,"result":1}`))
	if a != b || a.err != nil || string(a.response.Result) != "1" || a.digest() != barnraise.Sum(a.body) {
		t.Errorf("equal bodies are read as %p and %p: %+v", a, b, a)
	}
	if c := s.read([]byte(`{"jsonrpc":"2.0","id":1,"result":2}`)); c == a || len(s.bodies) != 2 {
		t.Error("another body is taken for the first")
	}
	if d := s.read([]byte(`{`)); d.err == nil || s.read([]byte(`{`)) != d {
		t.Errorf("what is not strict: %v", d.err)
	}
	if s.sum([]byte("x")) != barnraise.Sum([]byte("x")) || (*seen)(nil).sum([]byte("x")) != barnraise.Sum([]byte("x")) {
		t.Error("the sum of the request is another")
	}
}

func TestReadUpTo(t *testing.T) {
	for _, c := range []struct {
		said, limit int64
		ok          bool
	}{{4, 4, true}, {-1, 4, true}, {-1, 3, false}, {4, 3, false}, {1 << 40, 1 << 41, true}, {1 << 40, 3, false}} {
		resp := dial.NewPosted(&http.Response{Body: io.NopCloser(strings.NewReader("body")), ContentLength: c.said})
		b, err := new(room).readUpTo(resp, c.limit)
		var got []byte
		if b != nil {
			got = b.Bytes()
		}
		if (err == nil) != c.ok || c.ok && string(got) != "body" || cap(got) > 2*believed {
			t.Errorf("said %d, limit %d: %q, %v, room for %d", c.said, c.limit, got, err, cap(got))
		}
	}
}
