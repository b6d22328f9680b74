package event

import (
	"strings"

	"barnraise/services/matrix/canonical"
)

// MaxValidity is how far ahead a server can say that its keys are valid: 7 days, in milliseconds.
const MaxValidity = 7 * 24 * 60 * 60 * 1000

// Why a server's keys cannot be used.
const (
	WrongServer Reason = "wrong_server" // they are another server's
	NoKeys      Reason = "no_keys"      // there is no Ed25519 key among those that it signs with
	BadKey      Reason = "bad_key"      // a key is not what it has to be
	NoValidity  Reason = "no_validity"  // it does not say until when they are valid
	OutOfDate   Reason = "expired"      // they were valid once
)

// ServerKeys are the keys that a server publishes. Where Reason is not empty they cannot be used, and there are none.
type ServerKeys struct {
	Reason     Reason
	Keys, Old  []NamedKey // by key id
	ValidUntil int64
}

// NamedKey is a key with its id, and in milliseconds when it expired if it is an old one.
type NamedKey struct {
	ID, Key string
	Expired int64
}

// VerifyServerKeys looks at what a server publishes as its keys (server-server API, "Publishing Keys"), or what a notary says
// it does, at a time in milliseconds. They can be used where they are that server's, signed by one of the keys that it names
// with no other such signature wrong, and valid at that time. They are valid until the server says or for [MaxValidity],
// whichever is less. Signatures of others, such as notaries, do not matter, nor do keys of other algorithms.
// It fails with [*FormatError] where the response is no object, with a [*canonical.SyntaxError] where it has no canonical
// form, with [ErrTooLarge] where that is longer than an event's may be, or with [ErrSignatures].
func VerifyServerKeys(server string, response canonical.Value, at int64) (ServerKeys, error) {
	if err := Latest.Check(response); err != nil {
		return ServerKeys{}, err
	}
	unusable := func(r Reason) (ServerKeys, error) { return ServerKeys{Reason: r}, nil }
	signatures := response.Get("signatures").Keep(func(name string) bool { return name == server })
	public := map[string][]byte{}
	current, expired := readKeys(response.Get("verify_keys"), public), readKeys(response.Get("old_verify_keys"), nil)
	list, err := check(response.With("signatures", signatures), true, func(_, id string) ([]byte, Reason) {
		if key, ok := public[id]; ok {
			return key, ""
		}
		return nil, UnknownKey
	})
	if err != nil {
		return ServerKeys{}, err
	}
	if name, ok := response.Get("server_name").Str(); !ok || name != server {
		return unusable(WrongServer)
	}
	switch {
	case current.bad || expired.bad:
		return unusable(BadKey)
	case len(current.keys) == 0:
		return unusable(NoKeys)
	}
	if reason := selfSigned(list); reason != "" {
		return unusable(reason)
	}
	until, ok := response.Get("valid_until_ts").Int()
	switch {
	case !ok:
		return unusable(NoValidity)
	case until < at:
		return unusable(OutOfDate)
	}
	return ServerKeys{Keys: current.keys, Old: expired.keys, ValidUntil: min(until, at+MaxValidity)}, nil
}

// selfSigned reports why a server's signatures on its keys do not do.
func selfSigned(list []Signature) Reason {
	reason := Missing
	for _, s := range list {
		switch s.Reason {
		case "":
			reason = ""
		case Bad:
			return Bad
		}
	}
	return reason
}

// keyList is what verify_keys or old_verify_keys hold.
type keyList struct {
	keys []NamedKey
	bad  bool
}

// readKeys reads the Ed25519 keys of an object. With public they go there too, by id; without, they are old ones, which have to
// say when they expired.
func readKeys(object canonical.Value, public map[string][]byte) (l keyList) {
	l.bad = object.Exists() && object.Kind() != canonical.Object
	for _, m := range object.Members() {
		if !strings.HasPrefix(m.Name, algorithm) {
			continue
		}
		text, _ := m.Value.Get("key").Str()
		key, ok := ReadPublicKey(text)
		expired, dated := m.Value.Get("expired_ts").Int()
		l.bad = l.bad || !ok || public == nil && !dated
		l.keys = append(l.keys, NamedKey{m.Name, text, expired})
		if public != nil {
			public[m.Name] = key
		}
	}
	return l
}
