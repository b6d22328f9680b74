package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"barnraise/services/matrix/canonical"
)

// MaxBytes is how long an event may be in canonical form (client-server API, "Size limits").
const MaxBytes = 65536

// usual is as long as most events are.
const usual = 1024

// ErrTooLarge is the error for an event of more than [MaxBytes].
var ErrTooLarge = errors.New("the event is too large")

// Check reports whether an event has a canonical form and is not too long. It fails with a [*canonical.SyntaxError], a
// [*FormatError] where it is no object, or [ErrTooLarge].
func (v Version) Check(e canonical.Value) error {
	if e.Kind() != canonical.Object {
		return &FormatError{"", "an object"}
	}
	out, err := e.Append(make([]byte, 0, usual), v.Strict())
	if err == nil && len(out) > MaxBytes {
		err = ErrTooLarge
	}
	return err
}

// ContentHash covers the whole event but its hashes, its signatures and what is unsigned (server-server API, "Calculating the
// content hash for an event"). It fails with a [*canonical.SyntaxError] where the event has no canonical form.
func (v Version) ContentHash(e canonical.Value) ([sha256.Size]byte, error) {
	out, err := e.Without("hashes", "signatures", "unsigned").Append(nil, v.Strict())
	return sha256.Sum256(out), err
}

// HasContentHash reports whether the event says of itself that it has that content hash.
func HasContentHash(e canonical.Value, hash [sha256.Size]byte) bool {
	said, _ := e.Get("hashes").Get("sha256").Str()
	b, ok := decode64(said)
	return ok && bytes.Equal(b, hash[:])
}

// ReferenceHash covers what redaction leaves of the event, but its signatures (server-server API, "Calculating the reference
// hash for an event"). It fails where [Version.Redact] does, or with a [*canonical.SyntaxError].
func (v Version) ReferenceHash(e canonical.Value) ([sha256.Size]byte, error) {
	e, err := v.redact(e, false) // age_ts and what is unsigned go with what is not kept
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	out, err := e.Append(make([]byte, 0, usual), v.Strict())
	return sha256.Sum256(out), err
}

// ID is the event's id: what it says itself in versions 1 and 2, empty where it does not; since version 3 made of the
// reference hash, and in base64 for URLs since version 4.
func (v Version) ID(e canonical.Value, reference [sha256.Size]byte) string {
	switch {
	case v.GivenIDs():
		id, _ := e.Get("event_id").Str()
		return id
	case v == 3:
		return "$" + Encode64(reference[:])
	}
	return "$" + base64.RawURLEncoding.EncodeToString(reference[:])
}

// Encode64 is unpadded base64 (appendices, "Unpadded Base64").
func Encode64(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

// decode64 reads base64 with or without padding.
func decode64(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") { // which the library passes over
		return nil, false
	}
	if n := len(s) % 4; n == 0 {
		s = strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
	}
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil
}
