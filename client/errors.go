package client

import (
	"errors"
	"fmt"
	"strings"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/lock"
)

// Errors to branch on.
var (
	ErrTooFew      = errors.New("too few servers answered")              // a [TooFewError]
	ErrUndecided   = errors.New("the answers contradict each other")     // an [UndecidedError]
	ErrNotFound    = registry.ErrReference                               // unknown, gone, or without an active revision; by name an [UnknownNameError]
	ErrConflict    = lock.ErrConflict                                    // a name meant something else before: a [ConflictError]
	ErrLock        = lock.ErrFile                                        // the lock file is damaged, or another network's
	ErrUnavailable = errors.New("manifest or verifier could not be had") // nobody delivers what judging needs
	errServer      = errors.New("server's failure")                      // lowers availability only
	errClosed      = errors.New("client is closed")
)

// Errors that say more.
type (
	// UnknownNameError lists the services that go by a name which nobody has said the meaning of, with their owners. It is an
	// [ErrNotFound].
	UnknownNameError = registry.UnknownNameError
	// ConflictError says what a name meant when it was first used, and what it would mean now. It is an [ErrConflict].
	ConflictError = lock.ConflictError
)

// UnconfirmedError is the error for evidence that names a newer block than is confirmed here (protocol 1.9). Whether it holds
// can be told once that block is confirmed.
type UnconfirmedError struct {
	Block     uint64 // the newest that its receipts name
	Confirmed uint64
}

// Error says from which block on to try again.
func (e *UnconfirmedError) Error() string {
	return fmt.Sprintf("recheck evidence: its receipts name block %d, only block %d is confirmed here: try again once block %d is",
		e.Block, e.Confirmed, e.Block)
}

// Candidate is a server that might have been asked, and why it gave no answer.
type Candidate struct {
	Server barnraise.ServerID
	URL    string
	Why    string
}

// TooFewError is the error where fewer operators answered than the service's verifier or the policy wants (protocol 6.1).
type TooFewError struct {
	Service    barnraise.ServiceID
	Revision   uint32
	Need, Have int // operators
	Candidates []Candidate
	Asked      []Asked
	Requests   int                  // that were sent
	Struck     []barnraise.ServerID // who lied
	Evidence   string               // the name under which that is kept; empty where nobody did
	Said       *Answer              // as in [UndecidedError]
}

// Error names candidates, as many as one call asks at most, and why each gave no answer. All are in Candidates.
func (e *TooFewError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "call %s@%d: %d operators answered, %d are wanted", e.Service, e.Revision, e.Have, e.Need)
	if len(e.Candidates) == 0 {
		b.WriteString("; no server offers it")
	}
	named := e.Candidates[:min(len(e.Candidates), barnraise.MaxAnswers)]
	for _, c := range named {
		fmt.Fprintf(&b, "; server %d (%.200q): %s", c.Server, c.URL, c.Why)
	}
	if more := len(e.Candidates) - len(named); more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Is makes the error an [ErrTooFew].
func (e *TooFewError) Is(target error) bool { return target == ErrTooFew }

// UndecidedError is the error where answers contradict each other, or the verifier cannot tell, and nobody can be asked any
// more. The call has failed closed.
type UndecidedError struct {
	Service  barnraise.ServiceID
	Revision uint32
	Verdict  barnraise.Verdict
	Reason   string
	Evidence string // the name under which the evidence is kept; empty where there is none
	Asked    []Asked
	Passed   []Candidate          // who was not asked and why, where [Explained] wants that
	Requests int                  // that were sent
	Struck   []barnraise.ServerID // who lied, which others of the answers may do as well
	// Said is what all servers that answered said, where they said the same: with verdict [Unverified], since nobody vouches for it.
	// It is nil where they did not, or where none answered.
	Said *Answer
}

// Error says what could not be told, and where the evidence is.
func (e *UndecidedError) Error() string {
	s := fmt.Sprintf("call %s@%d: %s after %d requests", e.Service, e.Revision, e.Reason, e.Requests)
	if e.Evidence != "" {
		s += "; evidence is in " + e.Evidence
	}
	return s
}

// Is makes the error an [ErrUndecided].
func (e *UndecidedError) Is(target error) bool { return target == ErrUndecided }
