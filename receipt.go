package barnraise

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// ErrReceipt is the error for a receipt that does not cover the answer it came with: of another registry, service, revision,
// image, server, request or response.
var ErrReceipt = errors.New("receipt does not cover this answer")

// Receipt is what a server signs over each answer, and what it can be held to (protocol 4.1).
type Receipt struct {
	Registry Registry
	Service  ServiceID
	Revision uint32
	Image    Digest // the OCI index of the revision
	Platform Digest // the manifest within it that was executed
	Request  Digest // of the exact request body
	Response Digest // of the exact response body
	Server   ServerID
	Block    uint64 // the newest registry block the server had seen
	IssuedAt int64  // Unix seconds by the server's clock
}

// wireReceipt is the payload, its members in the order of protocol 4.1. Frozen.
type wireReceipt struct {
	V        int       `json:"v"`
	Chain    string    `json:"chain"`
	Services Address   `json:"services"`
	Servers  Address   `json:"servers"`
	Service  ServiceID `json:"service"`
	Revision uint32    `json:"revision"`
	Image    Digest    `json:"image"`
	Platform Digest    `json:"platform"`
	Request  bodyHash  `json:"request"`
	Response bodyHash  `json:"response"`
	Server   ServerID  `json:"server"`
	Block    uint64    `json:"block"`
	IssuedAt int64     `json:"iat"`
}

// bodyHash is a SHA-256 sum in unpadded base64url, as receipts write those of bodies.
type bodyHash [32]byte

func (h bodyHash) MarshalText() ([]byte, error) { return b64.AppendEncode(nil, h[:]), nil }

func (h *bodyHash) UnmarshalText(text []byte) error {
	b, err := b64.DecodeString(string(text))
	if err != nil || len(b) != len(h) {
		return fmt.Errorf("hash %q: want 32 bytes in unpadded base64url", clip(string(text)))
	}
	copy(h[:], b)
	return nil
}

// chainID is the form of a CAIP-2 chain id.
var chainID = regexp.MustCompile(`^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$`)

// ValidChain reports whether s is a CAIP-2 chain id, such as "eip155:1".
func ValidChain(s string) bool { return chainID.MatchString(s) }

// Payload is the exact bytes that [Receipt.Sign] signs.
func (r Receipt) Payload() []byte {
	if ValidChain(r.Registry.Chain) {
		return r.append(make([]byte, 0, 768))
	}
	b, err := json.Marshal(wireReceipt{
		V: 1, Chain: r.Registry.Chain, Services: r.Registry.Services, Servers: r.Registry.Servers,
		Service: r.Service, Revision: r.Revision, Image: r.Image, Platform: r.Platform,
		Request: bodyHash(r.Request), Response: bodyHash(r.Response), Server: r.Server, Block: r.Block, IssuedAt: r.IssuedAt,
	})
	if err != nil {
		panic(err) // no member of wireReceipt can fail
	}
	return b
}

// Sign makes the receipt's token, the value of the Barnraise-Receipt header.
func (r Receipt) Sign(key ed25519.PrivateKey) string { return Sign(TypeReceipt, r.Payload(), key) }

// ParseReceipt reads a receipt's token without believing it. It fails with [ErrToken] for all that [Receipt.Sign] would not
// have written. The signature is still to be checked: [Token.Verify].
func ParseReceipt(token string) (Receipt, Token, error) {
	t, err := ParseToken(TypeReceipt, token)
	if err != nil {
		return Receipt{}, t, err
	}
	r, ok := scanReceipt(t.Payload)
	if !ok {
		r, err = unmarshalReceipt(t.Payload)
	}
	return r, t, err
}

// unmarshalReceipt is [scanReceipt] in the long way, with the reason where it fails.
func unmarshalReceipt(payload []byte) (Receipt, error) {
	var w wireReceipt
	if err := json.Unmarshal(payload, &w); err != nil {
		return Receipt{}, fmt.Errorf("parse receipt: %w: %w", ErrToken, err)
	}
	if w.V != 1 {
		return Receipt{}, fmt.Errorf("parse receipt: version %d, want 1: %w", w.V, ErrToken)
	}
	r := Receipt{
		Registry: Registry{w.Chain, w.Services, w.Servers}, Service: w.Service, Revision: w.Revision,
		Image: w.Image, Platform: w.Platform, Request: Digest(w.Request), Response: Digest(w.Response),
		Server: w.Server, Block: w.Block, IssuedAt: w.IssuedAt,
	}
	if !ValidChain(w.Chain) || !bytes.Equal(r.Payload(), payload) {
		return Receipt{}, fmt.Errorf("parse receipt: payload is not written as protocol 4.1 writes it: %w", ErrToken)
	}
	return r, nil
}

// Covers reports whether the receipt is for this response to this request, as given by the server for the revision. It
// fails with [ErrReceipt], naming the member that differs. It does not look at the signature.
func (r Receipt) Covers(registry Registry, server ServerID, service ServiceID, revision Revision, request, response []byte) error {
	return r.CoversSums(registry, server, service, revision, Sum(request), Sum(response))
}

// CoversSums is [Receipt.Covers] for bodies whose sums are known.
func (r Receipt) CoversSums(registry Registry, server ServerID, service ServiceID, revision Revision, request, response Digest) error {
	for _, c := range []struct {
		member string
		ok     bool
	}{
		{"registry", r.Registry == registry},
		{"server", r.Server == server},
		{"service", r.Service == service},
		{"revision", r.Revision == revision.Number},
		{"image", r.Image == revision.Image},
		{"request", r.Request == request},
		{"response", r.Response == response},
	} {
		if !c.ok {
			return fmt.Errorf("check receipt of server %d: %s differs: %w", server, c.member, ErrReceipt)
		}
	}
	return nil
}
