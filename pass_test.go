package barnraise

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestProtocol8_5Pass(t *testing.T) {
	const now, here = int64(1_800_000_000), "https://a.example"
	s := testSnapshot(t)
	evidence := Sum([]byte("evidence"))
	good := Pass{Registry: testRegistry, Server: 2, URL: here, Evidence: evidence, IssuedAt: now}
	for _, c := range []struct {
		name   string
		change func(*Pass)
		typ    string
		key    byte
		now    int64
		want   string // in the error; empty where it holds
	}{
		{"good", func(*Pass) {}, TypePull, 2, now, ""},
		{"ten minutes old", func(*Pass) {}, TypePull, 2, now + 600, ""},
		{"older", func(*Pass) {}, TypePull, 2, now + 601, "ten minutes"},
		{"from the future", func(*Pass) {}, TypePull, 2, now - 601, "ten minutes"},
		{"an offer", func(*Pass) {}, TypeOffer, 2, now, "header"},
		{"of another server", func(p *Pass) { p.Server = 1 }, TypePull, 2, now, "server 1"},
		{"of a server that is not registered", func(p *Pass) { p.Server = 99 }, TypePull, 2, now, "not active"},
		{"for another URL", func(p *Pass) { p.URL = "https://b.example" }, TypePull, 2, now, "this is"},
		{"for other evidence", func(p *Pass) { p.Evidence = Sum(nil) }, TypePull, 2, now, "other evidence"},
		{"for the list", func(p *Pass) { p.Evidence = Digest{} }, TypePull, 2, now, "other evidence"},
		{"other registry", func(p *Pass) { p.Registry.Chain = "eip155:1" }, TypePull, 2, now, "another registry"},
		{"foreign key", func(*Pass) {}, TypePull, 3, now, "none of this server's"},
	} {
		p := good
		c.change(&p)
		got, err := CheckPass(s, TypePull, p.Sign(c.typ, testKey(c.key)), here, evidence, c.now)
		if c.want == "" && (err != nil || got != p) || c.want != "" && (!errors.Is(err, ErrPass) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %+v, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestPassHasOneSpelling(t *testing.T) {
	good := string(Pass{Registry: testRegistry, Server: 2, URL: "https://a.example/a&b", IssuedAt: 5}.Payload())
	for name, payload := range map[string]string{
		"another version":  strings.Replace(good, `"v":1`, `"v":2`, 1),
		"another member":   strings.Replace(good, `{`, `{"x":1,`, 1),
		"white space":      strings.Replace(good, `:2,`, `: 2,`, 1),
		"escaped":          strings.Replace(good, `&`, `\u0026`, 1),
		"no chain":         strings.Replace(good, testRegistry.Chain, "", 1),
		"no JSON":          good[:9],
		"members exchange": strings.Replace(good, `{"v":1,`, `{`, 1),
	} {
		if _, _, err := ParsePass(TypePull, Sign(TypePull, []byte(payload), testKey(2))); payload == good || !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v, want ErrToken", name, err)
		}
	}
	if _, _, err := ParsePass(TypePull, Sign(TypePull, []byte(good), testKey(2))); err != nil {
		t.Error(err)
	}
}

func FuzzParsePass(f *testing.F) {
	f.Add(Pass{Registry: testRegistry, Server: 2, URL: "https://a.example", IssuedAt: 5}.Payload())
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, token, err := ParsePass(TypePull, Sign(TypePull, payload, testKey(1)))
		if err == nil && (!bytes.Equal(p.Payload(), payload) || !bytes.Equal(token.Payload, payload)) {
			t.Errorf("%q is read as %+v", payload, p)
		}
	})
}
