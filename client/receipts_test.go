package client

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"

	"barnraise"

	"github.com/go-jose/go-jose/v4"
)

// meet3 asks server 3 of a network, which is bad, and returns what came of asking it. Whatever it does, nobody is struck for it, and
// a call returns the truth.
func meet3(t *testing.T, n *network, c *Client, kept *memory) Asked {
	t.Helper()
	before := c.book.Seen(3, n.now()).Failed
	p := probe(t, c, 3) // nobody is asked in its place when it takes long
	failed := p.Asked[0].Outcome == OutcomeFailed
	noted := c.book.Seen(3, n.now()).Failed > before
	if failed != (p.Outcome == ProbeFailed) || failed != noted || !failed && p.Outcome != ProbeConfirmed {
		t.Errorf("it %s, the probe %s, a failure is noted: %v", p.Asked[0].Outcome, p.Outcome, noted)
	}
	a := call(t, c)
	if string(a.Result) != `{"answer":42}` || len(a.Struck) != 0 || len(kept.kept) != 0 || !c.book.Clean(3, c.epoch()) {
		t.Errorf("answer is %+v, %d kept", a, len(kept.kept))
	}
	return p.Asked[0]
}

func meetBad(t *testing.T, n *network) Asked {
	t.Helper()
	c, kept := n.client(1, WithRerunner(honestMachine))
	return meet3(t, n, c, kept)
}

var b64 = base64.RawURLEncoding.EncodeToString

// forge signs any header and payload with the key of a member.
func forge(m *member, header, payload string) string {
	signed := b64([]byte(header)) + "." + b64([]byte(payload))
	return signed + "." + b64(ed25519.Sign(m.key, []byte(signed)))
}

func kid(key ed25519.PrivateKey) string {
	return barnraise.PublicKey(key.Public().(ed25519.PublicKey)).ID()
}

// foreign signs a payload as go-jose does, by another algorithm.
func foreign(alg jose.SignatureAlgorithm, key any, m *member, payload []byte) string {
	o := new(jose.SignerOptions).WithType(barnraise.TypeReceipt).WithHeader("kid", kid(m.key))
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		return err.Error()
	}
	signed, err := s.Sign(payload)
	if err != nil {
		return err.Error()
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		return err.Error()
	}
	return token
}

// Protocol 4.1, 4.2: what is signed in any other way is no receipt, whoever signed it.
func TestProtocol4_2OtherReceipts(t *testing.T) {
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rsa2048, _ := rsa.GenerateKey(rand.Reader, 2048)
	const alg, want = `{"alg":"EdDSA","kid":"`, "header is"
	header := func(m *member) string { return alg + kid(m.key) + `","typ":"barnraise-receipt"}` }
	with := func(old, new string) func(*member, barnraise.Receipt) string {
		return func(m *member, r barnraise.Receipt) string {
			return forge(m, strings.Replace(header(m), old, new, 1), string(r.Payload()))
		}
	}
	turned := func(f func(token string) string) func(*member, barnraise.Receipt) string {
		return func(m *member, r barnraise.Receipt) string { return f(r.Sign(m.key)) }
	}
	payload := func(f func(payload string) string) func(*member, barnraise.Receipt) string {
		return func(m *member, r barnraise.Receipt) string { return forge(m, header(m), f(string(r.Payload()))) }
	}
	paying := func(old, new string) func(*member, barnraise.Receipt) string {
		return payload(func(p string) string { return strings.Replace(p, old, new, 1) })
	}
	for name, v := range map[string]struct {
		token func(m *member, r barnraise.Receipt) string
		why   string // empty where it is one
	}{
		"as it should be": {with("", ""), ""},
		"ES256":           {func(m *member, r barnraise.Receipt) string { return foreign(jose.ES256, p256, m, r.Payload()) }, want},
		"RS256":           {func(m *member, r barnraise.Receipt) string { return foreign(jose.RS256, rsa2048, m, r.Payload()) }, want},
		"HS256 with the public key as secret": {func(m *member, r barnraise.Receipt) string {
			return foreign(jose.HS256, []byte(m.key.Public().(ed25519.PublicKey)), m, r.Payload())
		}, want},
		"Ed25519 by its other name": {with("EdDSA", "Ed25519"), want},
		"alg in other case":         {with("EdDSA", "eddsa"), want},
		"none":                      {with("EdDSA", "none"), want},
		"alg twice":                 {with("{", `{"alg":"none",`), want},
		"key in the header":         {with(`,"typ"`, `,"jwk":{"kty":"OKP","crv":"Ed25519","x":"AAAA"},"typ"`), want},
		"key at a URL":              {with(`,"typ"`, `,"jku":"https://a.example","typ"`), want},
		"crit":                      {with("{", `{"crit":["exp"],"exp":1,`), want},
		"b64 false":                 {with("{", `{"b64":false,"crit":["b64"],`), want},
		"unknown member":            {with("{", `{"x":1,`), want},
		"typ of an introduction":    {with(barnraise.TypeReceipt, barnraise.TypeServer), want},
		"typ of a pass":             {with(barnraise.TypeReceipt, barnraise.TypePull), want},
		"typ in other case":         {with("barnraise-receipt", "Barnraise-Receipt"), want},
		"no typ":                    {with(`,"typ":"barnraise-receipt"`, ""), want},
		"space in the header":       {with(`,"kid"`, `, "kid"`), want},
		"name by an escape":         {with(`"alg"`, `"\u0061lg"`), want},
		"an introduction": {func(m *member, _ barnraise.Receipt) string {
			return barnraise.Sign(barnraise.TypeServer, barnraise.Introduction{Server: 3}.Payload(), m.key)
		}, want},
		"kid of another server": {func(m *member, r barnraise.Receipt) string {
			return forge(m, alg+kid(firstKey)+`","typ":"barnraise-receipt"}`, string(r.Payload()))
		}, "none of this server's"},
		"key of another server": {func(_ *member, r barnraise.Receipt) string { return r.Sign(firstKey) }, "none of this server's"},
		"padding":               {turned(func(s string) string { return s + "==" }), "base64url"},
		"ordinary base64":       {turned(func(s string) string { return strings.Replace(s, ".", "+/.", 1) }), "base64url"},
		"a space within":        {turned(func(s string) string { return strings.Replace(s, ".", ". ", 1) }), "base64url"},
		"four parts":            {turned(func(s string) string { return s + "." }), "4 parts"},
		"payload left out":      {turned(func(s string) string { p := strings.Split(s, "."); return p[0] + ".." + p[2] }), "parse receipt"},
		"two, joined":           {turned(func(s string) string { return s + "," + s }), "5 parts"},
		"100 kB":                {payload(func(string) string { return strings.Repeat(" ", 75_000) }), "at most"},
		"signature of another": {func(m *member, r barnraise.Receipt) string {
			p := strings.Split(r.Sign(m.key), ".")
			r.Block--
			return p[0] + "." + p[1] + "." + strings.Split(r.Sign(m.key), ".")[2]
		}, "signature does not hold"},
		"a bit more in the last": {turned(spelled), "base64url"},
		"S + L":                  {turned(malleable), "signature does not hold"},
		"member twice":           {paying(`"server":3`, `"server":1,"server":3`), "as protocol 4.1 writes it"},
		"member by an escape":    {paying(`"server"`, `"\u0073erver"`), "as protocol 4.1 writes it"},
		"member in other case":   {paying(`"server"`, `"Server"`), "as protocol 4.1 writes it"},
		"one more":               {paying(`{`, `{"x":1,`), "as protocol 4.1 writes it"},
		"one less":               {paying(`,"block":10`, ``), "as protocol 4.1 writes it"},
		"space in the payload":   {paying(`,"block"`, `, "block"`), "as protocol 4.1 writes it"},
		"number as a float":      {paying(`"block":10`, `"block":1e1`), "not a compact JWS"},
		"number as a string":     {paying(`"block":10`, `"block":"10"`), "not a compact JWS"},
		"number beyond counting": {paying(`"block":10`, `"block":18446744073709551616`), "not a compact JWS"},
		"number below zero":      {paying(`"block":10`, `"block":-10`), "not a compact JWS"},
		"something after":        {payload(func(p string) string { return p + "{}" }), "not a compact JWS"},
		"a byte order mark":      {payload(func(p string) string { return "\ufeff" + p }), "not a compact JWS"},
		"version 2":              {paying(`"v":1`, `"v":2`), "version 2"},
		"deep":                   {payload(func(string) string { return strings.Repeat("[", 40_000) }), "not a compact JWS"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 3, "compare")
			m := n.members[2]
			m.token = func(r barnraise.Receipt) string { return v.token(m, r) }
			got := meetBad(t, n)
			if v.why == "" && got.Outcome != OutcomeAgreed || v.why != "" && (got.Outcome != OutcomeFailed || !strings.Contains(got.Why, v.why)) {
				t.Errorf("it %s: %s; want %q", got.Outcome, got.Why, v.why)
			}
			if len(got.Why) > 1000 {
				t.Errorf("its failure is told in %d bytes", len(got.Why))
			}
		})
	}
}

var firstKey = ed25519.NewKeyFromSeed(append([]byte{1}, make([]byte, ed25519.SeedSize-1)...)) // of server 1

// spelled sets a bit of the last character that no byte has a part in.
func spelled(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last|1])
}

// malleable adds the order of the group to a signature's second half: some programs take it for another signature of the same.
func malleable(token string) string {
	i := strings.LastIndexByte(token, '.') + 1
	sig, _ := base64.RawURLEncoding.DecodeString(token[i:])
	order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10}
	carry := 0
	for k, b := range order {
		carry += int(sig[32+k]) + int(b)
		sig[32+k] = byte(carry)
		carry >>= 8
	}
	return token[:i] + b64(sig)
}

// A thumbprint is the RFC 7638 one, so that go-jose and this client mean the same key.
func TestKidIsTheThumbprint(t *testing.T) {
	thumb, err := (&jose.JSONWebKey{Key: firstKey.Public()}).Thumbprint(crypto.SHA256)
	if err != nil || b64(thumb) != kid(firstKey) {
		t.Errorf("%s, %v", b64(thumb), err)
	}
}
