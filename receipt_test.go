package barnraise

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

func testKey(n byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[31] = n
	return ed25519.NewKeyFromSeed(seed)
}

func public(t testing.TB, key ed25519.PrivateKey) PublicKey {
	t.Helper()
	p, err := NewPublicKey([32]byte(key.Public().(ed25519.PublicKey)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var (
	testRegistry = Registry{Chain: "eip155:31337", Services: Address{19: 1}, Servers: Address{19: 2}}
	testRequest  = []byte(`{"jsonrpc":"2.0","id":1,"method":"search_info","params":[]}`)
	testResponse = []byte(`{"jsonrpc":"2.0","id":1,"result":{"docs":3}}`)
	testRevision = Revision{Number: 2, Image: Sum([]byte("image")), Verifier: "bafkreiverifier", Manifest: "bafkreimanifest", Home: 1}
)

func testReceipt(server ServerID, response []byte) Receipt {
	return Receipt{
		Registry: testRegistry, Service: 3, Revision: 2, Image: testRevision.Image, Platform: Sum([]byte("platform")),
		Request: Sum(testRequest), Response: Sum(response), Server: server, Block: 41, IssuedAt: 1_800_000_000,
	}
}

func TestProtocol4_1ReceiptBytes(t *testing.T) {
	r := testReceipt(7, testResponse)
	want := `{"v":1,"chain":"eip155:31337","services":"0x0000000000000000000000000000000000000001",` +
		`"servers":"0x0000000000000000000000000000000000000002","service":3,"revision":2,` +
		`"image":"sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d",` +
		`"platform":"` + Sum([]byte("platform")).String() + `","request":"` + b64Sum(testRequest) + `","response":"` + b64Sum(testResponse) +
		`","server":7,"block":41,"iat":1800000000}`
	if got := string(r.Payload()); got != want {
		t.Errorf("payload is\n%s\nwant\n%s", got, want)
	}
	token := r.Sign(testKey(7))
	head, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if want := `{"alg":"EdDSA","kid":"` + public(t, testKey(7)).ID() + `","typ":"barnraise-receipt"}`; string(head) != want {
		t.Errorf("header is %s, want %s", head, want)
	}
	got, parsed, err := ParseReceipt(token)
	if err != nil || got != r {
		t.Fatalf("reads back as %+v: %v", got, err)
	}
	if err := parsed.Verify(public(t, testKey(7))); err != nil {
		t.Error(err)
	}
	if err := parsed.Verify(public(t, testKey(8))); !errors.Is(err, ErrSignature) {
		t.Errorf("under another key: %v, want ErrSignature", err)
	}
}

func b64Sum(b []byte) string {
	d := Sum(b)
	return base64.RawURLEncoding.EncodeToString(d[:])
}

func TestProtocol4_2OtherTokensAreRefused(t *testing.T) {
	r := testReceipt(7, testResponse)
	key := testKey(7)
	kid := public(t, key).ID()
	enc := base64.RawURLEncoding.EncodeToString
	forge := func(head, payload string) string {
		signed := enc([]byte(head)) + "." + enc([]byte(payload))
		return signed + "." + enc(ed25519.Sign(key, []byte(signed)))
	}
	good, payload := `{"alg":"EdDSA","kid":"`+kid+`","typ":"barnraise-receipt"}`, string(r.Payload())
	if _, _, err := ParseReceipt(forge(good, payload)); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"alg none":            forge(strings.Replace(good, "EdDSA", "none", 1), payload),
		"alg HS256":           forge(strings.Replace(good, "EdDSA", "HS256", 1), payload),
		"other typ":           forge(strings.Replace(good, TypeReceipt, TypeServer, 1), payload),
		"no typ":              forge(`{"alg":"EdDSA","kid":"`+kid+`"}`, payload),
		"unknown member":      forge(strings.Replace(good, `{`, `{"crit":["b64"],`, 1), payload),
		"space":               forge(strings.Replace(good, `{`, `{ `, 1), payload),
		"other order":         forge(`{"kid":"`+kid+`","alg":"EdDSA","typ":"barnraise-receipt"}`, payload),
		"short kid":           forge(strings.Replace(good, kid, kid[:42], 1), payload),
		"none signature":      strings.Join(strings.Split(forge(good, payload), ".")[:2], ".") + ".",
		"two parts":           strings.Join(strings.Split(forge(good, payload), ".")[:2], "."),
		"padded":              forge(good, payload) + "==",
		"newline":             forge(good, payload)[:5] + "\n" + forge(good, payload)[5:],
		"version 2":           forge(good, strings.Replace(payload, `"v":1`, `"v":2`, 1)),
		"payload with space":  forge(good, strings.Replace(payload, `:3,`, `: 3,`, 1)),
		"payload with more":   forge(good, strings.Replace(payload, `{`, `{"x":1,`, 1)),
		"payload twice":       forge(good, strings.Replace(payload, `"service":3`, `"service":4,"service":3`, 1)),
		"payload other case":  forge(good, strings.Replace(payload, `"service"`, `"Service"`, 1)),
		"payload lacks block": forge(good, strings.Replace(payload, `"block":41,`, ``, 1)),
		"upper-case address":  forge(good, strings.Replace(payload, `0x`, `0X`, 1)),
		"no chain":            forge(good, strings.Replace(payload, `eip155:31337`, ``, 1)),
		"payload no JSON":     forge(good, `{`),
		"too long":            forge(good, payload+strings.Repeat(" ", MaxToken)),
		"empty":               "",
	} {
		if _, _, err := ParseReceipt(token); !errors.Is(err, ErrToken) {
			t.Errorf("%s: error is %v, want ErrToken", name, err)
		}
	}
}

func TestReceiptCovers(t *testing.T) {
	base := testReceipt(7, testResponse)
	if err := base.Covers(testRegistry, 7, 3, testRevision, testRequest, testResponse); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Receipt){
		"registry": func(r *Receipt) { r.Registry.Chain = "eip155:1" },
		"server":   func(r *Receipt) { r.Server = 8 },
		"service":  func(r *Receipt) { r.Service = 4 },
		"revision": func(r *Receipt) { r.Revision = 1 },
		"image":    func(r *Receipt) { r.Image[0]++ },
		"request":  func(r *Receipt) { r.Request[0]++ },
		"response": func(r *Receipt) { r.Response[0]++ },
	} {
		r := base
		change(&r)
		err := r.Covers(testRegistry, 7, 3, testRevision, testRequest, testResponse)
		if !errors.Is(err, ErrReceipt) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s changed: error is %v, want ErrReceipt that names it", name, err)
		}
	}
}

func FuzzParseReceipt(f *testing.F) {
	f.Add(testReceipt(7, testResponse).Sign(testKey(7)))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		r, parsed, err := ParseReceipt(token)
		if err != nil {
			return
		}
		// One value, one spelling: what reads must be what would have been written.
		if !strings.HasPrefix(token, parsed.signed+".") || string(r.Payload()) != string(parsed.Payload) {
			t.Errorf("%q reads as %+v, which is written otherwise", token, r)
		}
	})
}

// The short way of reading a payload takes no more than the long one, and gives the same.
func FuzzScanReceipt(f *testing.F) {
	whole := string(testReceipt(7, testResponse).Payload())
	f.Add(whole)
	for _, c := range [][2]string{{`"v":1`, `"v":2`}, {"41", "041"}, {"41", "18446744073709551616"}, {"1800000000", "-5"}, {"1800000000", "-0"},
		{`"service":3`, `"service":4294967299`}, {"eip155:31337", `eip\u0031`}, {"0x00", "0x0A"}, {"}", "} "}} {
		f.Add(strings.Replace(whole, c[0], c[1], 1))
	}
	f.Fuzz(func(t *testing.T, payload string) {
		short, ok := scanReceipt([]byte(payload))
		long, err := unmarshalReceipt([]byte(payload))
		if ok != (err == nil) || ok && short != long {
			t.Errorf("%q: %+v, %t; in the long way %+v, %v", payload, short, ok, long, err)
		}
	})
}

func BenchmarkReceiptSign(b *testing.B) {
	r, key := testReceipt(7, testResponse), testKey(7)
	for b.Loop() {
		r.Sign(key)
	}
}

func BenchmarkReceiptCheck(b *testing.B) {
	token, key := testReceipt(7, testResponse).Sign(testKey(7)), public(b, testKey(7))
	for b.Loop() {
		r, parsed, err := ParseReceipt(token)
		if err != nil || parsed.Verify(key) != nil || r.Covers(testRegistry, 7, 3, testRevision, testRequest, testResponse) != nil {
			b.Fatal("receipt does not hold")
		}
	}
}
