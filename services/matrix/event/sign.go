package event

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"

	"barnraise/services/matrix/canonical"
)

// MaxSignatures is how many signatures are looked at in one event.
const MaxSignatures = 500

// ErrSignatures is the error for more than [MaxSignatures] signatures.
var ErrSignatures = errors.New("too many signatures")

// PublicKey is a key of a server, and until when it counts. Times are in milliseconds; nil is none.
type PublicKey struct {
	Key        []byte // Ed25519; one that has not 32 bytes signs nothing
	ValidUntil *int64 // it counts for events up to then; does not matter before room version 5
	Expired    *int64 // it counts for events up to then
}

// Keys are the keys of servers, by server and key id.
type Keys map[string]map[string]PublicKey

// Reason says why a signature does not hold.
type Reason string

// The reasons.
const (
	Missing     Reason = "missing"               // the server has not signed
	Unsupported Reason = "unsupported_algorithm" // the key id does not begin with ed25519:
	UnknownKey  Reason = "unknown_key"           // the key is not among those given
	Expired     Reason = "key_expired"           // the key was not valid when the event was sent
	Bad         Reason = "bad_signature"         // it is no signature of this event by this key
)

// Signature is what came of looking at one. Reason is empty where it holds.
type Signature struct {
	Server, Key string // Key is empty where Reason is Missing
	Reason      Reason
}

// Verification is what came of looking at an event's signatures and its content hash.
type Verification struct {
	Signed     bool // whoever has to sign the event has
	Unredacted bool // the content is what was hashed; otherwise the event counts in its redacted form only
	Signatures []Signature
}

// Verify looks at an event's signatures, sorted by server and key id, and at its content hash (server-server API, "Validating
// hashes and signatures on received events"). One signature that holds is enough of each server that has to sign, which are
// those of [Version.Signers]; what others have signed is looked at too, and changes nothing.
// It fails as [Version.Check] does, with a [*FormatError], or with [ErrSignatures].
func (v Version) Verify(e canonical.Value, keys Keys) (Verification, error) {
	if err := v.Check(e); err != nil {
		return Verification{}, err
	}
	signers, err := v.Signers(e)
	if err != nil {
		return Verification{}, err
	}
	sent, ok := e.Get("origin_server_ts").Int()
	if !ok {
		return Verification{}, &FormatError{"origin_server_ts", "an integer"}
	}
	redacted, err := v.Redact(e)
	if err != nil {
		return Verification{}, err
	}
	list, err := check(redacted, v.Strict(), func(server, id string) ([]byte, Reason) { return v.key(keys, server, id, sent) })
	if err != nil {
		return Verification{}, err
	}
	done := Verification{Signed: true, Signatures: list}
	for _, server := range signers {
		of := func(s Signature) bool { return s.Server == server }
		held := func(s Signature) bool { return of(s) && s.Reason == "" }
		if !slices.ContainsFunc(list, of) {
			done.Signatures = append(done.Signatures, Signature{server, "", Missing})
		}
		done.Signed = done.Signed && slices.ContainsFunc(list, held)
	}
	slices.SortFunc(done.Signatures, func(a, b Signature) int {
		return 2*strings.Compare(a.Server, b.Server) + strings.Compare(a.Key, b.Key)
	})
	hash, err := v.ContentHash(e)
	done.Unredacted = HasContentHash(e, hash)
	return done, err
}

// Signers are the servers that have to sign an event: the sender's, unless a third party's invitation made it; in room versions
// 1 and 2 also the one that made its id, which is enough where there is no sender, as in early events; since version 8 that of
// the user who let the sender into a restricted room. It fails with a [*FormatError] where one of them cannot be told.
func (v Version) Signers(e canonical.Value) (servers []string, err error) {
	kind, _ := e.Get("type").Str()
	content := e.Get("content")
	membership, _ := content.Get("membership").Str()
	add := func(id canonical.Value, member, want string) {
		s, _ := id.Str()
		switch domain := Domain(s); {
		case domain == "" && err == nil:
			err = &FormatError{member, want}
		case !slices.Contains(servers, domain):
			servers = append(servers, domain)
		}
	}
	sender, id := e.Get("sender"), e.Get("event_id")
	made := v.GivenIDs() && id.Exists()
	invited := kind == "m.room.member" && membership == "invite" && content.Get(thirdParty).Kind() == canonical.Object
	if !invited && (sender.Exists() || !made) {
		add(sender, "sender", "a user id")
	}
	if made {
		add(id, "event_id", "an event id")
	}
	const voucher = "join_authorised_via_users_server"
	if by := content.Get(voucher); v.Restricted() && kind == "m.room.member" && by.Exists() {
		add(by, voucher, "a user id")
	}
	return servers, err
}

// key is the key that a signature has to be made with, or why there is none.
func (v Version) key(keys Keys, server, id string, sent int64) ([]byte, Reason) {
	k, known := keys[server][id]
	switch {
	case !known:
		return nil, UnknownKey
	case k.Expired != nil && sent > *k.Expired, v.KeysExpire() && k.ValidUntil != nil && sent > *k.ValidUntil:
		return nil, Expired
	}
	return k.Key, ""
}

// check looks at all signatures of an object (appendices, "Checking for a Signature"). It fails with [ErrSignatures], or where
// the object has no canonical form.
func check(object canonical.Value, strict bool, key func(server, id string) ([]byte, Reason)) ([]Signature, error) {
	signed, err := object.Without("signatures", "unsigned").Append(nil, strict)
	if err != nil {
		return nil, err
	}
	list := []Signature{}
	for _, server := range object.Get("signatures").Members() {
		for _, signature := range server.Value.Members() {
			if len(list) == MaxSignatures {
				return nil, ErrSignatures
			}
			list = append(list, Signature{server.Name, signature.Name, holds(signed, server.Name, signature, key)})
		}
	}
	return list, nil
}

func holds(signed []byte, server string, signature canonical.Member, key func(server, id string) ([]byte, Reason)) Reason {
	if !strings.HasPrefix(signature.Name, algorithm) {
		return Unsupported
	}
	public, reason := key(server, signature.Name)
	if reason != "" {
		return reason
	}
	text, _ := signature.Value.Str()
	if b, ok := decode64(text); !ok || len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, signed, b) {
		return Bad
	}
	return ""
}

// algorithm begins the ids of the keys that are supported.
const algorithm = "ed25519:"

// ReadPublicKey reads an Ed25519 key, and is false for what is none.
func ReadPublicKey(text string) ([]byte, bool) {
	b, ok := decode64(text)
	return b, ok && len(b) == ed25519.PublicKeySize
}
