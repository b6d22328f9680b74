package barnraise

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// The types of signed things. A token of one type never passes for another (protocol 4.2).
const (
	TypeReceipt = "barnraise-receipt" // an answer's receipt
	TypeServer  = "barnraise-server"  // GET /.well-known/barnraise
	TypePull    = "barnraise-pull"    // a [Pass] that asks for evidence
	TypeOffer   = "barnraise-offer"   // a [Pass] that comes with evidence
)

// MaxToken is the longest compact JWS that is read at all, in bytes.
const MaxToken = 64 << 10

// ErrToken is the error for a token that is not, to the letter, a compact JWS as protocol 4.1 writes it: another algorithm,
// type or header member, padding, a second spelling of the same bytes.
var ErrToken = errors.New("not a compact JWS of protocol 4.1")

// ErrSignature is the error for a well-formed token whose signature does not hold under the key.
var ErrSignature = errors.New("signature does not hold")

// Token is a compact JWS, taken apart but not yet believed: only [Token.Verify] says whether it holds.
type Token struct {
	KeyID   string // the key the signer names
	Payload []byte
	signed  string
	sig     []byte
}

var b64 = base64.RawURLEncoding.Strict()

// Sign makes the compact JWS of the payload under the key, with the header
// {"alg":"EdDSA","kid":…,"typ":typ} (RFC 7515, RFC 8037).
func Sign(typ string, payload []byte, key ed25519.PrivateKey) string {
	kid := PublicKey(key.Public().(ed25519.PublicKey)).ID()
	signed := b64.EncodeToString([]byte(header(typ, kid))) + "." + b64.EncodeToString(payload)
	return signed + "." + b64.EncodeToString(ed25519.Sign(key, []byte(signed)))
}

// ParseToken takes apart a compact JWS of the given type. It fails with [ErrToken] for everything that [Sign] would not have
// written, so that a token has one spelling and nothing unsigned in it.
func ParseToken(typ, token string) (Token, error) {
	if len(token) > MaxToken {
		return Token{}, fmt.Errorf("parse %s: %d bytes, at most %d: %w", typ, len(token), MaxToken, ErrToken)
	}
	if n := strings.Count(token, "."); n != 2 {
		return Token{}, fmt.Errorf("parse %s: %d parts instead of 3: %w", typ, n+1, ErrToken)
	}
	first, last := strings.IndexByte(token, '.'), strings.LastIndexByte(token, '.')
	parts := [3]string{token[:first], token[first+1 : last], token[last+1:]}
	var raw [3][]byte
	for i, part := range parts {
		b, err := b64.DecodeString(part)
		if err != nil || strings.ContainsAny(part, "\r\n") {
			return Token{}, fmt.Errorf("parse %s: part %d is not unpadded base64url: %w", typ, i+1, ErrToken)
		}
		raw[i] = b
	}
	head := string(raw[0])
	prefix, suffix, _ := strings.Cut(header(typ, "\x00"), "\x00")
	kid, ok := strings.CutPrefix(head, prefix)
	kid, ok2 := strings.CutSuffix(kid, suffix)
	if id, err := b64.DecodeString(kid); !ok || !ok2 || err != nil || len(id) != 32 {
		return Token{}, fmt.Errorf("parse %s: header is %q, want %s: %w", typ, clip(head), header(typ, "…"), ErrToken)
	}
	if len(raw[2]) != ed25519.SignatureSize {
		return Token{}, fmt.Errorf("parse %s: signature of %d bytes: %w", typ, len(raw[2]), ErrToken)
	}
	return Token{KeyID: kid, Payload: raw[1], signed: token[:last], sig: raw[2]}, nil
}

// Verify reports whether the token was signed by the key. It fails with [ErrSignature], also where the token names another
// key.
func (t Token) Verify(key PublicKey) error {
	if t.KeyID != key.ID() || !ed25519.Verify(key[:], []byte(t.signed), t.sig) {
		return fmt.Errorf("verify token under key %s: %w", key.ID(), ErrSignature)
	}
	return nil
}

// VerifyBy is [Token.Verify] by other means than the standard library's: holds says whether a signature is the message's under the
// key of that id.
func (t Token) VerifyBy(id string, holds func(message, signature []byte) bool) error {
	if t.KeyID != id || !holds([]byte(t.signed), t.sig) {
		return fmt.Errorf("verify token under key %s: %w", id, ErrSignature)
	}
	return nil
}

func header(typ, kid string) string {
	return `{"alg":"EdDSA","kid":"` + kid + `","typ":"` + typ + `"}`
}
