// Package event is what a Matrix event is in each room version, 1 to 12: how it is redacted, hashed, named and signed, and
// what authorization rules and state resolution read of it. Sections named in comments are those of the Matrix
// specification, https://spec.matrix.org.
package event

import (
	"slices"
	"strconv"
)

// Version is a room version. The zero Version is none.
type Version int

// Latest is the newest room version that is known.
const Latest Version = 12

// ParseVersion reads a room version, "1" to "12", and is false for any other.
func ParseVersion(name string) (Version, bool) {
	n, err := strconv.Atoi(name)
	v := Version(n)
	return v, err == nil && v >= 1 && v <= Latest && v.String() == name
}

// String is the version's name.
func (v Version) String() string { return strconv.Itoa(int(v)) }

// Strict reports whether events must have a canonical form: since version 6 (rooms/v6, "Canonical JSON").
func (v Version) Strict() bool { return v >= 6 }

// GivenIDs reports whether an event says itself what its id is, as it did in versions 1 and 2. Since version 3 the id is made
// of the event's reference hash.
func (v Version) GivenIDs() bool { return v <= 2 }

// KeysExpire reports whether a signature counts only while the key that made it was valid: since version 5 (rooms/v5,
// "Signing key validity period").
func (v Version) KeysExpire() bool { return v >= 5 }

// Restricted reports whether rooms may let in whom a member vouches for: since version 8.
func (v Version) Restricted() bool { return v >= 8 }

// RoomFromCreate reports whether a room's id is made of its create event, which then has none: since version 12.
func (v Version) RoomFromCreate() bool { return v >= 12 }

// keepsMember reports whether redaction keeps a member of an event (rooms/v1 and rooms/v11, "Redactions").
func (v Version) keepsMember(name string) bool {
	return slices.Contains(alwaysKept, name) || v <= 10 && slices.Contains(keptTo10, name)
}

var (
	alwaysKept = []string{"auth_events", "content", "depth", "event_id", "hashes", "origin_server_ts", "prev_events", "room_id",
		"sender", "signatures", "state_key", "type"}
	keptTo10 = []string{"membership", "origin", "prev_state"}
)

// keepsContent reports whether redaction keeps a member of the content of an event of that type. There are five algorithms:
// those of versions 1 to 5, 6 and 7, 8, 9 and 10, 11 and 12.
func (v Version) keepsContent(kind, name string) bool {
	switch kind {
	case "m.room.member":
		return name == "membership" || v >= 9 && name == "join_authorised_via_users_server" || v >= 11 && name == thirdParty
	case "m.room.create":
		return name == "creator" || v >= 11
	case "m.room.join_rules":
		return name == "join_rule" || v >= 8 && name == "allow"
	case "m.room.power_levels":
		return slices.Contains(keptLevels, name) || v >= 11 && name == "invite"
	case "m.room.history_visibility":
		return name == "history_visibility"
	case "m.room.aliases":
		return v <= 5 && name == "aliases"
	case "m.room.redaction":
		return v >= 11 && name == "redacts"
	}
	return false
}

var keptLevels = []string{"ban", "events", "events_default", "kick", "redact", "state_default", "users", "users_default"}
