package barnraise

import "slices"

// Status says where a record stands between registration and withdrawal.
type Status uint8

// The life of a record. A leaving record waits for its unlock delay; a gone one has its deposit back.
const (
	StatusNone Status = iota
	StatusActive
	StatusLeaving
	StatusGone
)

// String is the lower-case word used in listings: "active", "leaving", "gone".
func (s Status) String() string {
	switch s {
	case StatusActive:
		return "active"
	case StatusLeaving:
		return "leaving"
	case StatusGone:
		return "gone"
	}
	return "none"
}

// Service is a registered service: who owns it, what it is called, and its revisions.
type Service struct {
	ID        ServiceID
	Owner     Address
	Delegate  Address // may revoke, nothing else; zero where there is none
	Name      string  // unique under its owner (protocol 1.2)
	Status    Status
	Since     uint64 // block of registration
	Revisions []Revision
}

// Revision is one immutable version of a service (protocol 1.3).
type Revision struct {
	Number     uint32   // from 1
	Image      Digest   // of the OCI index
	Reference  string   // where the image was first published; a hint, the digest decides
	Verifier   CID      // the wasm module that judges answers
	Manifest   CID      // limits, configuration, examples
	Home       ServerID // the author's own server, witness where answers differ
	ActiveFrom uint64   // block from which callers use it
	Revoked    bool     // final, and at once (protocol 1.4)
	Reason     string   // of the revocation
}

// Revision returns revision n, and false where the service has none of that number.
func (s Service) Revision(n uint32) (Revision, bool) {
	i := slices.IndexFunc(s.Revisions, func(r Revision) bool { return r.Number == n })
	if i < 0 {
		return Revision{}, false
	}
	return s.Revisions[i], true
}

// Active returns the newest revision that is in force at the block: its activeFrom is reached and it is not revoked
// (protocol 1.4). False where there is none.
func (s Service) Active(block uint64) (Revision, bool) {
	for _, r := range slices.Backward(s.Revisions) {
		if !r.Revoked && r.ActiveFrom <= block {
			return r, true
		}
	}
	return Revision{}, false
}

// ValidName reports whether a service may be called so: lower-case letters, digits and inner hyphens, 3 to 48 of them
// (protocol 1.2; the contract enforces the same).
func ValidName(name string) bool {
	if len(name) < 3 || len(name) > 48 || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}
