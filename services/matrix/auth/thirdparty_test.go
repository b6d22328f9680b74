package auth_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/event"
)

var (
	identity = ed25519.NewKeyFromSeed([]byte("a seed of an identity server ...")) // 32 bytes
	public   = base64.RawStdEncoding.EncodeToString(identity.Public().(ed25519.PublicKey))
	inURLs   = base64.URLEncoding.EncodeToString(identity.Public().(ed25519.PublicKey))
	other    = base64.RawStdEncoding.EncodeToString(make([]byte, ed25519.PublicKeySize))
)

// bySigned is an invite with what an identity server signed, which is the text without its last brace.
func bySigned(object string) string {
	signature := base64.RawStdEncoding.EncodeToString(ed25519.Sign(identity, []byte(object+"}")))
	return fmt.Sprintf(`%s,"signatures":{"id":{"ed25519:0":%q}}}`, object, signature)
}

func invites(signed string) string {
	return `member @eve:e @cid:c {"membership":"invite","third_party_invite":{"signed":` + signed + `}}`
}

func TestThirdPartyInvite(t *testing.T) {
	good := bySigned(`{"mxid":"@eve:e","token":"t"`)
	asked := func(content string) string { return `third_party_invite t @cid:c ` + content }
	byPublic := asked(`{"public_key":"` + public + `"}`)
	for name, tt := range map[string]struct{ event, state, rule string }{
		"signed": {invites(good), byPublic, "+7"},
		"signed by one of the keys": {invites(good), asked(`{"public_key":"` + other + `","public_keys":[{"public_key":"` + public + `"}]}`),
			"+7"},
		"a key as in URLs":        {invites(good), asked(`{"public_key":"` + inURLs + `"}`), "+7"},
		"with something unsigned": {invites(strings.TrimSuffix(good, "}") + `,"unsigned":{"a":1}}`), byPublic, "+7"},
		"of the banned":           {strings.ReplaceAll(invites(good), "@eve:e", "@dan:d"), byPublic, "-1"},
		"nothing signed": {`member @eve:e @cid:c {"membership":"invite","third_party_invite":{}}`, byPublic,
			"-2"},
		"no user":                  {invites(bySigned(`{"token":"t"`)), byPublic, "-3"},
		"no token":                 {invites(bySigned(`{"mxid":"@eve:e"`)), byPublic, "-3"},
		"another user":             {invites(bySigned(`{"mxid":"@fay:f","token":"t"`)), byPublic, "-4"},
		"another token":            {invites(bySigned(`{"mxid":"@eve:e","token":"u"`)), byPublic, "-5"},
		"nobody asked":             {invites(good), "", "-5"},
		"a token that is a number": {invites(bySigned(`{"mxid":"@eve:e","token":1`)), byPublic, "-5"},
		"somebody else asked":      {invites(good), strings.Replace(byPublic, "@cid:c", "@bob:b", 1), "-6"},
		"another key":              {invites(good), asked(`{"public_key":"` + other + `"}`), "-8"},
		"a key that is none":       {invites(good), asked(`{"public_key":"x","public_keys":7}`), "-8"},
		"something else signed":    {invites(strings.Replace(good, `,"token"`, `,"sneaked":1,"token"`, 1)), byPublic, "-8"},
		"unsigned":                 {invites(`{"mxid":"@eve:e","token":"t"}`), byPublic, "-8"},
		"by another algorithm":     {invites(strings.Replace(good, "ed25519:0", "rsa:0", 1)), byPublic, "-8"},
		"a signature that is none": {invites(`{"mxid":"@eve:e","token":"t","signatures":{"id":{"ed25519:0":7},"x":1}}`), byPublic,
			"-8"},
	} {
		for v, prefix := range map[event.Version]string{1: "5.3.1.", 5: "5.3.1.", 6: "4.3.1.", 7: "4.3.1.", 8: "4.4.1.", 11: "4.4.1.", 12: "5.4.1."} {
			state := room(t, v, tt.state)
			e := line(t, v, "$event", tt.event)
			d, err := auth.Check(v, e, selected(v, e, state), state, nil)
			if got, want := verdict(d), tt.rule[:1]+prefix+tt.rule[1:]; err != nil || got != want {
				t.Errorf("%s: version %d: %s, %v, want %s", name, v, got, err, want)
			}
		}
	}
}

func TestTooManySignatures(t *testing.T) {
	var signatures []string
	for i := range 2 * auth.MaxSignatures {
		signatures = append(signatures, fmt.Sprintf(`"ed25519:%d":%q`, i, base64.RawStdEncoding.EncodeToString(make([]byte, ed25519.SignatureSize))))
	}
	state := room(t, 10, `third_party_invite t @cid:c {"public_key":"`+public+`"}`)
	e := line(t, 10, "$event", invites(`{"mxid":"@eve:e","token":"t","signatures":{"id":{`+strings.Join(signatures, ",")+`}}}`))
	if _, err := auth.Check(10, e, selected(10, e, state), state, nil); !errors.Is(err, auth.ErrSignatures) {
		t.Errorf("got %v, want %v", err, auth.ErrSignatures)
	}
}
