package barnraise

import (
	"crypto/ed25519"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// A receipt is an ordinary JWS: a library that knows nothing of Barnraise verifies it.
func TestReceiptVerifiesWithAJOSELibrary(t *testing.T) {
	key := testKey(7)
	r := testReceipt(7, testResponse)
	parsed, err := jose.ParseSignedCompact(r.Sign(key), []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := parsed.Verify(key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	if string(payload) != string(r.Payload()) {
		t.Errorf("payload is %s, want %s", payload, r.Payload())
	}
	jwk := jose.JSONWebKey{Key: key.Public()}
	thumb, err := jwk.Thumbprint(5) // crypto.SHA256
	if err != nil {
		t.Fatal(err)
	}
	if got := b64.EncodeToString(thumb); got != parsed.Signatures[0].Header.KeyID {
		t.Errorf("kid is %s, RFC 7638 thumbprint is %s", parsed.Signatures[0].Header.KeyID, got)
	}
}
