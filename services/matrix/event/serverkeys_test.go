package event_test

import (
	"crypto/ed25519"
	"errors"
	"testing"

	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

// What a Synapse published; it is in gomatrixserverlib's keyring_test.go.
const synapseKeys = `{"old_verify_keys": {"ed25519:old": {"expired_ts": 929059200, "key": "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik"}},
	"server_name": "localhost:8800", "signatures": {"localhost:8800": {"ed25519:a_Obwu":
	"xkr4Z49ODoQnRi//ePfXlt8Q68vzd+DkzBNCt60NcwnLjNREx0qVQrw1iTFSoxkgGtz30NDkmyffDrCrmX5KBw"}},
	"tls_fingerprints": [{"sha256": "I2ohBnqpb5m3HldWFwyA10WdjqDksukiKVUdZ690WzM"}], "valid_until_ts": 1493142432964,
	"verify_keys": {"ed25519:a_Obwu": {"key": "2UwTWD4+tgTgENV7znGGNqhAOGY+BW1mRAnC6W6FBQg"}}}`

func TestServerKeysOfSynapse(t *testing.T) {
	const until = 1493142432964
	for _, c := range []struct{ at, want int64 }{{until, until}, {until - 1000, until}, {until - event.MaxValidity - 1, until - 1}} {
		keys, err := event.VerifyServerKeys("localhost:8800", parse(t, synapseKeys), c.at)
		if err != nil || keys.Reason != "" || keys.ValidUntil != c.want || len(keys.Keys) != 1 || keys.Keys[0].ID != "ed25519:a_Obwu" ||
			len(keys.Old) != 1 || keys.Old[0].Expired != 929059200 {
			t.Errorf("at %d: %+v, %v, want them valid until %d", c.at, keys, err, c.want)
		}
	}
}

func TestServerKeys(t *testing.T) {
	public := event.Encode64(specKey(t).Public().(ed25519.PublicKey))
	good := parse(t, `{"server_name":"domain","valid_until_ts":1000,"verify_keys":{"ed25519:1":{"key":"`+public+`"},"rsa:1":{"key":7}},
		"old_verify_keys":{"ed25519:0":{"key":"`+public+`","expired_ts":1},"rsa:0":7}}`)
	signed := func(v canonical.Value, server, key string) canonical.Value {
		out, err := v.Without("signatures").Append(nil, true)
		if err != nil {
			t.Fatal(err)
		}
		all := v.Get("signatures")
		signature := canonical.OfString(event.Encode64(ed25519.Sign(specKey(t), out)))
		return v.With("signatures", all.With(server, all.Get(server).With(key, signature)))
	}
	own := func(v canonical.Value) canonical.Value { return signed(v, "domain", "ed25519:1") }
	with := func(member, value string) canonical.Value { return own(good.With(member, parse(t, value))) }
	for _, c := range []struct {
		name     string
		response canonical.Value
		want     event.Reason
	}{
		{"good", own(good), ""},
		{"a notary's signature does not matter", own(good).With("signatures", own(good).Get("signatures").With("notary", parse(t, `{"ed25519:1":"x"}`))), ""},
		{"another of its signatures is by no key here", signed(own(good), "domain", "ed25519:9"), ""},
		{"nothing old", own(good.Without("old_verify_keys")), ""},
		{"not signed", good, event.Missing},
		{"signed by a notary only", signed(good, "notary", "ed25519:1"), event.Missing},
		{"signed by an old key only", signed(good, "domain", "ed25519:0"), event.Missing},
		{"changed", own(good).With("valid_until_ts", canonical.OfInt(999)), event.Bad},
		{"another server", with("server_name", `"else"`), event.WrongServer},
		{"no server", with("server_name", `7`), event.WrongServer},
		{"no keys", with("verify_keys", `{}`), event.NoKeys},
		{"keys of others only", with("verify_keys", `{"rsa:1":{"key":"x"}}`), event.NoKeys},
		{"short key", with("verify_keys", `{"ed25519:1":{"key":"AAAA"}}`), event.BadKey},
		{"keys are a list", with("verify_keys", `[]`), event.BadKey},
		{"old key without its end", with("old_verify_keys", `{"ed25519:0":{"key":"`+public+`"}}`), event.BadKey},
		{"no end", own(good.Without("valid_until_ts")), event.NoValidity},
		{"over", with("valid_until_ts", `499`), event.OutOfDate},
		{"just not over", with("valid_until_ts", `500`), ""},
	} {
		keys, err := event.VerifyServerKeys("domain", c.response, 500)
		if err != nil || keys.Reason != c.want || keys.Reason != "" && len(keys.Keys)+len(keys.Old) > 0 {
			t.Errorf("%s: %+v, %v, want %q", c.name, keys, err, c.want)
		}
	}
	var format *event.FormatError
	if _, err := event.VerifyServerKeys("domain", parse(t, `[]`), 1); !errors.As(err, &format) {
		t.Error(err)
	}
	var syntax *canonical.SyntaxError
	if _, err := event.VerifyServerKeys("domain", parse(t, `{"a":0.5}`), 1); !errors.As(err, &syntax) {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(10, everyMember)
	f.Add(1, signedEvents[1].event)
	f.Add(12, synapseKeys)
	f.Fuzz(func(t *testing.T, version int, text string) {
		j, err := canonical.ParseString(text)
		if err != nil {
			return
		}
		v := event.Version(version)
		if v < 1 || v > event.Latest {
			return
		}
		e, err := event.Read(v, j, "")
		if err == nil && (e.ID == "" || e.Type == "" && !j.Get("type").Exists()) {
			t.Fatalf("%s is read as %+v", text, e)
		}
		if _, err := v.Verify(j, specKeys(t)); err == nil && e == nil && j.Kind() != canonical.Object {
			t.Fatalf("%s is verified", text)
		}
		if _, err := event.VerifyServerKeys("domain", j, 1); err == nil && j.Kind() != canonical.Object {
			t.Fatalf("%s are keys", text)
		}
	})
}
