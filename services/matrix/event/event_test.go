package event_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

func parse(t testing.TB, text string) canonical.Value {
	t.Helper()
	v, err := canonical.ParseString(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func text(t testing.TB, v canonical.Value) string {
	t.Helper()
	out, err := v.Append(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Appendices, "Unpadded Base64".
func TestBase64(t *testing.T) {
	for given, want := range map[string]string{"": "", "f": "Zg", "fo": "Zm8", "foo": "Zm9v", "foob": "Zm9vYg", "fooba": "Zm9vYmE",
		"foobar": "Zm9vYmFy"} {
		if got := event.Encode64([]byte(given)); got != want {
			t.Errorf("%q is %s, want %s", given, got, want)
		}
	}
}

func TestPublicKeys(t *testing.T) {
	key := event.Encode64(make([]byte, 32))
	for given, want := range map[string]bool{key: true, key + "=": true, key + "==": false, key + "\n": false, "": false, key[1:]: false,
		strings.Replace(key, "A", "-", 1): false} {
		if _, ok := event.ReadPublicKey(given); ok != want {
			t.Errorf("%q is read: %v, want %v", given, ok, want)
		}
	}
}

func TestVersions(t *testing.T) {
	for _, name := range []string{"", "0", "13", "01", "+1", "1.0", "-1", "org.matrix.msc3757.10", "99999999999999999999"} {
		if v, ok := event.ParseVersion(name); ok {
			t.Errorf("%q is read as %v", name, v)
		}
	}
	for v := event.Version(1); v <= event.Latest; v++ {
		if got, ok := event.ParseVersion(v.String()); !ok || got != v {
			t.Errorf("version %d is read as %v", v, got)
		}
	}
}

// The key of appendices, "Cryptographic Test Vectors", "Signing Key".
func specKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	seed, err := base64.RawStdEncoding.DecodeString("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1")
	if err != nil {
		t.Fatal(err)
	}
	return ed25519.NewKeyFromSeed(seed)
}

func specKeys(t testing.TB) event.Keys {
	return event.Keys{"domain": {"ed25519:1": {Key: specKey(t).Public().(ed25519.PublicKey)}}}
}

// Appendices, "Event Signing".
var signedEvents = []struct{ name, event, hash string }{
	{"minimal", `{"auth_events":[],"content":{},"depth":3,"hashes":{"sha256":"5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos"},"origin":"domain",` +
		`"origin_server_ts":1000000,"prev_events":[],"room_id":"!x:domain","sender":"@a:domain","signatures":{"domain":{"ed25519:1":` +
		`"KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg"}},"type":"X","unsigned":{"age_ts":1000000}}`,
		"5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos"},
	{"redactable content", `{"content":{"body":"Here is the message content"},"event_id":"$0:domain","hashes":{"sha256":` +
		`"onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g"},"origin":"domain","origin_server_ts":1000000,"type":"m.room.message",` +
		`"room_id":"!r:domain","sender":"@u:domain","signatures":{"domain":{"ed25519:1":` +
		`"Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA"}},"unsigned":{"age_ts":1000000}}`,
		"onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g"},
}

func TestEventSigning(t *testing.T) {
	for _, c := range signedEvents {
		e := parse(t, c.event)
		hash, err := event.Version(1).ContentHash(e)
		if got := event.Encode64(hash[:]); err != nil || got != c.hash || !event.HasContentHash(e, hash) {
			t.Errorf("%s: content hash %s, %v, want %s", c.name, got, err, c.hash)
		}
		done, err := event.Version(3).Verify(e, specKeys(t))
		if err != nil || !done.Signed || !done.Unredacted || len(done.Signatures) != 1 {
			t.Errorf("%s: %+v, %v", c.name, done, err)
		}
		done, err = event.Version(3).Verify(e.With("content", parse(t, `{"body":"another"}`)), specKeys(t))
		if err != nil || !done.Signed || done.Unredacted {
			t.Errorf("%s, with other content: %+v, %v", c.name, done, err)
		}
		done, err = event.Version(3).Verify(e.With("depth", canonical.OfInt(4)), specKeys(t))
		if err != nil || done.Signed || done.Signatures[0].Reason != event.Bad {
			t.Errorf("%s, with another depth: %+v, %v", c.name, done, err)
		}
	}
	// Since version 11 origin is not kept, so the signature covers less.
	if done, err := event.Version(11).Verify(parse(t, signedEvents[0].event), specKeys(t)); err != nil || done.Signed {
		t.Errorf("%+v, %v", done, err)
	}
}

// The event that the appendices had before events needed a sender and content. What was signed has an empty content.
func TestEventOfTheFirstSpecification(t *testing.T) {
	e := parse(t, `{"event_id":"$0:domain","hashes":{"sha256":"6tJjLpXtggfke8UxFhAKg82QVkJzvKOVOOSjUDK4ZSI"},"origin":"domain",
		"origin_server_ts":1000000,"signatures":{"domain":{"ed25519:1":
		"2Wptgo4CwmLo/Y8B8qinxApKaCkBG2fjTWB7AbP5Uy+aIbygsSdLOFzvdDjww8zUVKCmI02eP9xtyJxc/cLiBA"}},"type":"X","unsigned":{"age_ts":1000000}}`)
	if done, err := event.Version(1).Verify(e, specKeys(t)); err != nil || !done.Signed || !done.Unredacted {
		t.Errorf("%+v, %v", done, err)
	}
	if done, err := event.Version(1).Verify(e.With("type", canonical.OfString("modified")), specKeys(t)); err != nil || done.Signed {
		t.Errorf("modified: %+v, %v", done, err)
	}
	if done, err := event.Version(3).Verify(e, specKeys(t)); err == nil {
		t.Errorf("nobody has to sign it: %+v", done)
	}
}

// Appendices, "JSON Signing".
func TestJSONSigning(t *testing.T) {
	for _, c := range []struct{ object, signature string }{
		{`{}`, "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"},
		{`{"one":1,"two":"Two"}`, "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"},
	} {
		if got := event.Encode64(ed25519.Sign(specKey(t), []byte(c.object))); got != c.signature {
			t.Errorf("%s: %s, want %s", c.object, got, c.signature)
		}
	}
}

// Server-server API, "Validating hashes and signatures on received events".
func TestSigners(t *testing.T) {
	for _, c := range []struct {
		name    string
		v       event.Version
		e, want string
	}{
		{"sender", 3, `{"type":"X","sender":"@a:a.org:8448","event_id":"$x:b.org"}`, "a.org:8448"},
		{"id", 2, `{"type":"X","sender":"@a:a.org","event_id":"$x:b.org"}`, "a.org b.org"},
		{"both the same", 1, `{"type":"X","sender":"@a:a.org","event_id":"$x:a.org"}`, "a.org"},
		{"invite", 3, `{"type":"m.room.member","sender":"@a:a.org","content":{"membership":"invite"}}`, "a.org"},
		{"invite of a third party", 3, `{"type":"m.room.member","sender":"@a:a.org","content":{"membership":"invite","third_party_invite":{}}}`, ""},
		{"invite of nobody", 3, `{"type":"m.room.member","sender":"@a:a.org","content":{"membership":"invite","third_party_invite":null}}`, "a.org"},
		{"not an invite", 3, `{"type":"m.room.member","sender":"@a:a.org","content":{"membership":"join","third_party_invite":{}}}`, "a.org"},
		{"let in", 8, `{"type":"m.room.member","sender":"@a:a.org","content":{"membership":"join","join_authorised_via_users_server":"@b:b.org"}}`,
			"a.org b.org"},
		{"not yet", 7, `{"type":"m.room.member","sender":"@a:a.org","content":{"membership":"join","join_authorised_via_users_server":"@b:b.org"}}`,
			"a.org"},
		{"no member", 8, `{"type":"X","sender":"@a:a.org","content":{"join_authorised_via_users_server":"@b:b.org"}}`, "a.org"},
		{"no user", 3, `{"type":"X","sender":"a"}`, `want a user id as "sender"`},
		{"no id", 1, `{"type":"X","sender":"@a:a.org"}`, "a.org"},
		{"no sender", 1, `{"type":"X","event_id":"$x:b.org"}`, "b.org"},
		{"no sender nor id", 1, `{"type":"X"}`, `want a user id as "sender"`},
		{"no sender, and ids that nobody makes", 3, `{"type":"X","event_id":"$x:b.org"}`, `want a user id as "sender"`},
		{"an id of no server", 1, `{"type":"X","sender":"@a:a.org","event_id":"$x"}`, `want an event id as "event_id"`},
		{"nobody", 8, `{"type":"m.room.member","sender":"@a:a.org","content":{"join_authorised_via_users_server":7}}`,
			`want a user id as "join_authorised_via_users_server"`},
	} {
		servers, err := c.v.Signers(parse(t, c.e))
		got := strings.Join(servers, " ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// sign adds a signature of the specification's key to an event.
func sign(t testing.TB, v event.Version, e canonical.Value, server, key string) canonical.Value {
	t.Helper()
	redacted, err := v.Redact(e)
	if err != nil {
		t.Fatal(err)
	}
	out, err := redacted.Without("signatures", "unsigned").Append(nil, true)
	if err != nil {
		t.Fatal(err)
	}
	signature := canonical.OfString(event.Encode64(ed25519.Sign(specKey(t), out)))
	all := e.Get("signatures")
	return e.With("signatures", all.With(server, all.Get(server).With(key, signature)))
}

func TestSignatures(t *testing.T) {
	public := specKey(t).Public().(ed25519.PublicKey)
	keys := event.Keys{"domain": {
		"ed25519:1": {Key: public}, "ed25519:until": {Key: public, ValidUntil: new(int64(100))}, "ed25519:old": {Key: public, Expired: new(int64(100))},
		"ed25519:other": {Key: make([]byte, 32)}, "ed25519:short": {Key: public[:31]},
	}}
	plain := parse(t, `{"type":"X","content":{},"sender":"@a:domain","origin_server_ts":100}`)
	late := plain.With("origin_server_ts", canonical.OfInt(101))
	forged := func(signature string) canonical.Value {
		return plain.With("signatures", parse(t, `{"domain":{"ed25519:1":`+signature+`}}`))
	}
	for _, c := range []struct {
		name string
		v    event.Version
		e    canonical.Value
		ok   bool
		want string
	}{
		{"holds", 10, sign(t, 10, plain, "domain", "ed25519:1"), true, "domain ed25519:1 ."},
		{"none", 10, plain, false, "domain  missing."},
		{"another's", 10, sign(t, 10, plain, "else", "ed25519:1"), false, "domain  missing.else ed25519:1 unknown_key."},
		{"one is enough", 10, sign(t, 10, sign(t, 10, plain, "domain", "ed25519:1"), "domain", "ed25519:2"), true,
			"domain ed25519:1 .domain ed25519:2 unknown_key."},
		{"other algorithm", 10, sign(t, 10, plain, "domain", "rsa:1"), false, "domain rsa:1 unsupported_algorithm."},
		{"other key", 10, sign(t, 10, plain, "domain", "ed25519:other"), false, "domain ed25519:other bad_signature."},
		{"short key", 10, sign(t, 10, plain, "domain", "ed25519:short"), false, "domain ed25519:short bad_signature."},
		{"just in time", 10, sign(t, 10, plain, "domain", "ed25519:until"), true, "domain ed25519:until ."},
		{"too late", 10, sign(t, 10, late, "domain", "ed25519:until"), false, "domain ed25519:until key_expired."},
		{"too late, but who cares", 4, sign(t, 4, late, "domain", "ed25519:until"), true, "domain ed25519:until ."},
		{"old key in time", 10, sign(t, 10, plain, "domain", "ed25519:old"), true, "domain ed25519:old ."},
		{"old key", 4, sign(t, 4, late, "domain", "ed25519:old"), false, "domain ed25519:old key_expired."},
		{"no base64", 10, forged(`"!"`), false, "domain ed25519:1 bad_signature."},
		{"no string", 10, forged(`7`), false, "domain ed25519:1 bad_signature."},
		{"short", 10, forged(`"AAAA"`), false, "domain ed25519:1 bad_signature."},
		{"no object", 10, plain.With("signatures", canonical.OfInt(1)), false, "domain  missing."},
	} {
		done, err := c.v.Verify(c.e, keys)
		var got strings.Builder
		for _, s := range done.Signatures {
			got.WriteString(s.Server + " " + s.Key + " " + string(s.Reason) + ".")
		}
		if err != nil || done.Signed != c.ok || got.String() != c.want {
			t.Errorf("%s: %v %s %v, want %v %s", c.name, done.Signed, &got, err, c.ok, c.want)
		}
	}
}

func TestTooMuch(t *testing.T) {
	list := make([]canonical.Member, event.MaxSignatures+1)
	for i := range list {
		list[i] = canonical.Member{Name: "k" + event.Version(i).String(), Value: canonical.OfString("")}
	}
	e := parse(t, `{"type":"X","content":{},"sender":"@a:domain","origin_server_ts":100}`)
	e = e.With("signatures", canonical.OfMembers(canonical.Member{Name: "s", Value: canonical.OfMembers(list...)}))
	if _, err := event.Version(10).Verify(e, nil); !errors.Is(err, event.ErrSignatures) {
		t.Errorf("%d signatures: %v", len(list), err)
	}
	long := e.Without("signatures").With("x", canonical.OfString(""))
	long = long.With("x", canonical.OfString(strings.Repeat("x", event.MaxBytes-len(text(t, long)))))
	if err := event.Version(10).Check(long); err != nil {
		t.Error(err)
	}
	long = long.With("y", canonical.OfInt(0))
	if err := event.Version(10).Check(long); !errors.Is(err, event.ErrTooLarge) {
		t.Errorf("one byte more: %v", err)
	}
}
