package registry

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"barnraise"

	"golang.org/x/crypto/sha3"
)

// ErrReference is the error for a reference that is neither an id nor a name, or names what the registry does not have.
var ErrReference = errors.New("no such service or revision")

// Candidate is a service that a bare name might mean.
type Candidate struct {
	ID    barnraise.ServiceID
	Owner barnraise.Address
}

// UnknownNameError is the error for a bare name of which nobody the user trusts has said what it means. Anyone may register
// a name, so that a service goes by it proves nothing, even where it is the only one (protocol 1.10).
type UnknownNameError struct {
	Name       string
	Candidates []Candidate // the services of that name, by id
}

// Error lists the candidates with their whole checksummed owners, the first dozen of them.
func (e *UnknownNameError) Error() string {
	if len(e.Candidates) == 0 {
		return fmt.Sprintf("no service is called %q; list them with: barnraise services list", e.Name)
	}
	const most = 12
	var b strings.Builder
	fmt.Fprintf(&b, "%q may be anybody's; services of that name:", e.Name)
	for _, c := range e.Candidates[:min(most, len(e.Candidates))] {
		fmt.Fprintf(&b, " %s of owner %s,", c.ID, Checksum(c.Owner))
	}
	if more := len(e.Candidates) - most; more > 0 {
		fmt.Fprintf(&b, " and %d more,", more)
	}
	text := strings.TrimSuffix(b.String(), ",")
	return text + fmt.Sprintf("; write the id, or say under names: in the network file which one %q is", e.Name)
}

// Is makes the error an [ErrReference].
func (e *UnknownNameError) Is(target error) bool { return target == ErrReference }

// Resolve says which service a user means by "#3", "3", "#3@2", "search" or "search@2". Digits alone are always an id, also
// where a service is called so; anything else means only what names says it means. The revision is zero where the user pins
// none.
//
// It fails with [ErrReference] where the registry has no such service or revision, and with an [UnknownNameError] where
// names does not have the name.
func Resolve(s *barnraise.Snapshot, names map[string]barnraise.ServiceID, ref string) (barnraise.ServiceID, uint32, error) {
	base, pin, pinned := strings.Cut(ref, "@")
	id, err := resolveBase(s, names, base)
	if err != nil {
		return 0, 0, fmt.Errorf("resolve %.80q: %w", ref, err)
	}
	service, ok := s.Service(id)
	switch {
	case !ok && onlyDigits(base):
		return 0, 0, fmt.Errorf("resolve %.80q: digits alone are an id, and the registry has no service %s: %w", ref, id, ErrReference)
	case !ok:
		return 0, 0, fmt.Errorf("resolve %.80q: the registry has no service %s: %w", ref, id, ErrReference)
	}
	if !pinned {
		return id, 0, nil
	}
	number, ok := parseNumber(pin)
	if !ok {
		return 0, 0, fmt.Errorf("resolve %.80q: want the number of a revision after the @: %w", ref, ErrReference)
	}
	if _, ok := service.Revision(number); !ok {
		return 0, 0, fmt.Errorf("resolve %.80q: service %s has no revision %d: %w", ref, id, number, ErrReference)
	}
	return id, number, nil
}

func resolveBase(s *barnraise.Snapshot, names map[string]barnraise.ServiceID, base string) (barnraise.ServiceID, error) {
	digits, marked := strings.CutPrefix(base, "#")
	if marked || onlyDigits(base) {
		id, ok := parseNumber(digits)
		if !ok {
			return 0, fmt.Errorf("want an id such as #3, or a name (digits alone are an id): %w", ErrReference)
		}
		return barnraise.ServiceID(id), nil
	}
	if !barnraise.ValidName(base) {
		return 0, fmt.Errorf("want an id such as #3, or a name of a-z, 0-9 and hyphens: %w", ErrReference)
	}
	if id, ok := names[base]; ok {
		return id, nil
	}
	e := &UnknownNameError{Name: base}
	for _, v := range s.Named(base) {
		e.Candidates = append(e.Candidates, Candidate{v.ID, v.Owner})
	}
	return 0, e
}

func onlyDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// parseNumber reads a positive number in its one spelling.
func parseNumber(digits string) (uint32, bool) {
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), err == nil && n > 0 && digits[0] != '0'
}

// Checksum writes an address in the mixed case of EIP-55, the form in which people compare owners.
func Checksum(a barnraise.Address) string {
	digits := []byte(hex.EncodeToString(a[:]))
	h := sha3.NewLegacyKeccak256()
	h.Write(digits)
	sum := hex.EncodeToString(h.Sum(nil))
	for i, c := range digits {
		if c >= 'a' && sum[i] >= '8' {
			digits[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(digits)
}
