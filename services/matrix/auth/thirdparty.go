package auth

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"

	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

// thirdParty is the rules on an invite by way of a third party, such as an e-mail address.
func (c *check) thirdParty(third canonical.Value, n, m, k int) Decision {
	signed := third.Get("signed")
	mxid, token := signed.Get("mxid"), signed.Get("token")
	target := *c.event.StateKey
	if c.membership(target) == ban {
		return reject(n, m, k, 1)
	}
	if !signed.Exists() {
		return reject(n, m, k, 2)
	}
	if !mxid.Exists() || !token.Exists() {
		return reject(n, m, k, 3)
	}
	if s, ok := mxid.Str(); !ok || s != target {
		return reject(n, m, k, 4)
	}
	var asked *event.Event
	if s, ok := token.Str(); ok {
		asked = c.state(at(ThirdPartyInvite, s))
	}
	switch {
	case asked == nil:
		return reject(n, m, k, 5)
	case asked.Sender != c.event.Sender:
		return reject(n, m, k, 6)
	case c.signed(signed, publicKeys(asked.Content)):
		return allow(n, m, k, 7)
	}
	return reject(n, m, k, 8)
}

// publicKeys are those of the content of an event of type m.room.third_party_invite.
func publicKeys(content canonical.Value) []ed25519.PublicKey {
	values := []canonical.Value{content.Get("public_key")}
	for _, item := range content.Get("public_keys").Items() {
		values = append(values, item.Get("public_key"))
	}
	var keys []ed25519.PublicKey
	for _, v := range values {
		if b := decoded(v); len(b) == ed25519.PublicKeySize {
			keys = append(keys, b)
		}
	}
	return keys
}

// signed reports whether any of the signatures on an object is by any of the keys.
func (c *check) signed(object canonical.Value, keys []ed25519.PublicKey) bool {
	message, err := object.Without("signatures", "unsigned").Append(nil, false)
	if err != nil {
		return false
	}
	for _, server := range object.Get("signatures").Members() {
		for _, s := range server.Value.Members() {
			signature := decoded(s.Value)
			if !strings.HasPrefix(s.Name, "ed25519:") || len(signature) != ed25519.SignatureSize {
				continue
			}
			for _, key := range keys {
				if c.verify(key, message, signature) {
					return true
				}
			}
		}
	}
	return false
}

// verify checks a signature, if one more may be checked.
func (r *Rules) verify(key ed25519.PublicKey, message, signature []byte) bool {
	if r.signatures <= 0 {
		r.exhausted = true
		return false
	}
	r.signatures--
	return ed25519.Verify(key, message, signature)
}

// decoded is the bytes of a string of base64, in either alphabet and with or without padding: identity servers have used all.
func decoded(v canonical.Value) []byte {
	s, _ := v.Str()
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
