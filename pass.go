package barnraise

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxPassAge is how far a pass may be from the time of whoever reads it, in seconds (protocol 8.5).
const MaxPassAge = 10 * 60

// ErrPass is the error for a pass that is not good for what it was shown for.
var ErrPass = errors.New("pass is not good here")

// Pass is what a server signs in order to have evidence from another ([TypePull]), or when it hands it some ([TypeOffer]). It is
// good for one piece of evidence, at one server, for ten minutes (protocol 8.5).
type Pass struct {
	Registry Registry
	Server   ServerID // who signs
	URL      string   // of the server that it is shown to, as registered
	Evidence Digest   // of the file; zero asks for the list
	IssuedAt int64    // Unix seconds
}

// wirePass is the payload, its members in the order of protocol 8.5.
type wirePass struct {
	V        int      `json:"v"`
	Chain    string   `json:"chain"`
	Services Address  `json:"services"`
	Servers  Address  `json:"servers"`
	Server   ServerID `json:"server"`
	URL      string   `json:"url"`
	Evidence Digest   `json:"evidence"`
	IssuedAt int64    `json:"iat"`
}

// Payload is the exact bytes that [Pass.Sign] signs.
func (p Pass) Payload() []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(wirePass{
		V: 1, Chain: p.Registry.Chain, Services: p.Registry.Services, Servers: p.Registry.Servers, Server: p.Server, URL: p.URL,
		Evidence: p.Evidence, IssuedAt: p.IssuedAt,
	})
	if err != nil {
		panic(err) // no member of wirePass can fail
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// Sign makes the pass's token, of the type [TypePull] or [TypeOffer].
func (p Pass) Sign(typ string, key ed25519.PrivateKey) string { return Sign(typ, p.Payload(), key) }

// ParsePass reads a token of that type without believing it. It fails with [ErrToken] for all that [Pass.Sign] would not have
// written.
func ParsePass(typ, token string) (Pass, Token, error) {
	t, err := ParseToken(typ, token)
	if err != nil {
		return Pass{}, t, err
	}
	var w wirePass
	if err := json.Unmarshal(t.Payload, &w); err != nil {
		return Pass{}, t, fmt.Errorf("parse pass: %w: %w", ErrToken, err)
	}
	p := Pass{Registry{w.Chain, w.Services, w.Servers}, w.Server, w.URL, w.Evidence, w.IssuedAt}
	if w.V != 1 || !ValidChain(w.Chain) || !bytes.Equal(p.Payload(), t.Payload) {
		return Pass{}, t, fmt.Errorf("parse pass: payload is not written as protocol 8.5 writes it: %w", ErrToken)
	}
	return p, t, nil
}

// CheckPass reads a token and reports whether it is of a server that is active in the registry, for this evidence, shown to the
// server with that URL, and issued within ten minutes of now, in Unix seconds. It fails with [ErrPass], saying why.
func CheckPass(s *Snapshot, typ, token, url string, evidence Digest, now int64) (Pass, error) {
	wrong := func(err error) (Pass, error) { return Pass{}, fmt.Errorf("check pass: %w: %w", ErrPass, err) }
	p, t, err := ParsePass(typ, token)
	if err != nil {
		return wrong(err)
	}
	server, _ := s.Server(p.Server)
	switch {
	case p.Registry != s.Registry:
		return wrong(errors.New("it is of another registry"))
	case server.Status != StatusActive:
		return wrong(fmt.Errorf("server %d is not active", p.Server))
	case p.URL != url:
		return wrong(fmt.Errorf("it is for %q, this is %q", clip(p.URL), clip(url)))
	case p.Evidence != evidence:
		return wrong(fmt.Errorf("it is for other evidence, %s", p.Evidence))
	case p.IssuedAt < now-MaxPassAge || p.IssuedAt > now+MaxPassAge:
		return wrong(fmt.Errorf("it was issued %d s from now, at most ten minutes are taken", p.IssuedAt-now))
	}
	key, err := s.Key(p.Server, t.KeyID)
	if err == nil {
		err = t.Verify(key)
	}
	if err != nil {
		return wrong(fmt.Errorf("server %d: %w", p.Server, err))
	}
	return p, nil
}
