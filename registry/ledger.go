package registry

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode"

	"barnraise"
)

// MaxRecords is how many services, and how many servers, a registry may have before reading it is given up.
const MaxRecords = 1 << 20

// MaxHistory is how many revisions, and how many keys, a registry may have before reading it is given up.
const MaxHistory = 1 << 22

// The bounds that the contracts set to their fields, in bytes.
const (
	maxReference = 160
	maxCID       = 64
	maxReason    = 128
	minServerURL = 8
	maxServerURL = 128
	depositBits  = 96
)

// ErrEvents is the error for events that the contracts would not have written, or not in this order: some are missing, or
// whoever gave them lies.
var ErrEvents = errors.New("these are not the events of a registry")

// Head is what a record is besides its service or server: who has a say in it, and its deposit. The contract stores the same,
// so that one can be held against the other.
type Head struct {
	Owner        barnraise.Address
	Delegate     barnraise.Address // zero for none
	PendingOwner barnraise.Address // to whom it is offered; zero for nobody
	Status       barnraise.Status
	Deposit      *big.Int // in wei; not to be changed
	Since        uint64   // block of registration
	UnlockAt     uint64   // Unix seconds from which the deposit can be withdrawn; zero before the owner left
	Edits        uint32   // revisions of a service; writes of URL, key and lists of a server
}

// words are those with which every commitment begins.
func (h *Head) words(id uint32) words {
	return words(nil).uint(uint64(id)).address(h.Owner).address(h.Delegate).address(h.PendingOwner).uint(uint64(h.Status)).
		big(h.Deposit).uint(h.Since).uint(h.UnlockAt).uint(uint64(h.Edits))
}

// ledger is what both contracts have in common: heads, commitments and the running hash.
type ledger struct {
	log         [32]byte
	heads       []Head     // of ids 1, 2, …
	commitments [][32]byte // likewise
	history     int        // revisions or keys
	block       uint64     // of the newest event
}

// Log is the running hash over all events applied.
func (l *ledger) Log() [32]byte { return l.log }

// Count is how many records there are.
func (l *ledger) Count() uint32 { return uint32(len(l.heads)) }

// Head returns the head of a record, and false where there is none of that id.
func (l *ledger) Head(id uint32) (Head, bool) {
	h := l.head(id)
	if h == nil {
		return Head{}, false
	}
	return *h, true
}

// Commitment returns the commitment to a record, to be held against the one that the contract stores (protocol 1.8), and false
// where there is none of that id.
func (l *ledger) Commitment(id uint32) ([32]byte, bool) {
	if l.head(id) == nil {
		return [32]byte{}, false
	}
	return l.commitments[id-1], true
}

func (l *ledger) clone() ledger {
	c := *l
	c.heads, c.commitments = slices.Clone(l.heads), slices.Clone(l.commitments)
	return c
}

func (l *ledger) head(id uint32) *Head {
	if id == 0 || int64(id) > int64(len(l.heads)) {
		return nil
	}
	return &l.heads[id-1]
}

// open adds a record.
func (l *ledger) open(at Block, id uint32, owner barnraise.Address, deposit *big.Int) error {
	switch {
	case len(l.heads) >= MaxRecords:
		return fmt.Errorf("more than %d records", MaxRecords)
	case int64(id) != int64(len(l.heads))+1:
		return wrong("record %d follows on record %d", id, len(l.heads))
	case owner.IsZero():
		return wrong("record %d has no owner", id)
	case !validAmount(deposit):
		return wrong("record %d has a deposit of no uint96", id)
	}
	l.heads = append(l.heads, Head{Owner: owner, Status: barnraise.StatusActive, Deposit: deposit, Since: at.Number})
	l.commitments = append(l.commitments, [32]byte{})
	return nil
}

// begin checks what holds for every event: blocks do not go backwards, and the record is there and not gone. For an event
// that opens a record the head is nil.
func (l *ledger) begin(at Block, e Event) (*Head, error) {
	if at.Number == 0 || at.Number < l.block {
		return nil, wrong("block %d follows on block %d", at.Number, l.block)
	}
	kind, id := e.step()
	if kind == kindRegistered {
		return nil, nil
	}
	h := l.head(id)
	if h == nil {
		return nil, wrong("%T of record %d, which was never registered", e, id)
	}
	want := barnraise.StatusActive
	if kind == kindWithdrawn || kind == kindRevoked && h.Status == barnraise.StatusLeaving {
		want = barnraise.StatusLeaving
	}
	if h.Status != want {
		return nil, wrong("%T of record %d, which is %s", e, id, h.Status)
	}
	return h, nil
}

// apply takes the events that both contracts have.
func (l *ledger) apply(h *Head, e Event) error {
	switch e := e.(type) {
	case OwnershipOffered:
		h.PendingOwner = e.To
	case OwnershipTransferred:
		if e.From != h.Owner || e.To != h.PendingOwner || e.To.IsZero() {
			return wrong("record %d passes from %s to %s, it was offered by %s to %s",
				e.ID, e.From, e.To, h.Owner, h.PendingOwner)
		}
		h.Owner, h.PendingOwner, h.Delegate = e.To, barnraise.Address{}, barnraise.Address{}
	case DelegateSet:
		h.Delegate = e.Delegate
	case DepositAdded:
		if !validAmount(e.Deposit) || e.Deposit.Cmp(h.Deposit) < 0 {
			return wrong("deposit of record %d does not grow", e.ID)
		}
		h.Deposit = e.Deposit
	case Unregistered:
		h.Status, h.UnlockAt, h.PendingOwner = barnraise.StatusLeaving, e.UnlockAt, barnraise.Address{}
	case Withdrawn:
		if e.To != h.Owner || !validAmount(e.Amount) || e.Amount.Cmp(h.Deposit) != 0 {
			return wrong("record %d pays %s to %s, its deposit is %s of %s", e.ID, e.Amount, e.To, h.Deposit, h.Owner)
		}
		h.Status, h.Deposit = barnraise.StatusGone, new(big.Int)
	default:
		kind, id := e.step()
		return wrong("%T of record %d (kind %d) in the other registry", e, id, kind)
	}
	return nil
}

// end takes one step of the running hash.
func (l *ledger) end(at Block, e Event, commitment [32]byte) {
	kind, id := e.step()
	l.commitments[id-1] = commitment
	l.log = words(nil).hash(l.log).uint(uint64(kind)).uint(uint64(id)).hash(commitment).keccak()
	l.block = at.Number
}

// remember counts a revision or a key.
func (l *ledger) remember() error {
	if l.history >= MaxHistory {
		return fmt.Errorf("more than %d revisions or keys", MaxHistory)
	}
	l.history++
	return nil
}

func validAmount(v *big.Int) bool { return v != nil && v.Sign() >= 0 && v.BitLen() <= depositBits }

func wrong(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrEvents)...)
}

// Printable replaces what a stranger could steer a terminal or a reader with: anything that is no printable character.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
