package registry

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"barnraise"
)

// wireService is an item of services list.
type wireService struct {
	ID    barnraise.ServiceID `json:"id"`
	Owner barnraise.Address   `json:"owner"`
	Name  string              `json:"name"`
	wireRevision
	Status    string            `json:"status,omitempty"`
	Since     uint64            `json:"since"`
	Delegate  barnraise.Address `json:"delegate,omitzero"`
	Revisions []wireRevision    `json:"revisions,omitempty"`
}

type wireRevision struct {
	Revision   uint32             `json:"revision"`
	Image      string             `json:"image"`
	Reference  string             `json:"reference,omitempty"` // where it is not the image
	Verifier   barnraise.CID      `json:"verifier"`
	Manifest   barnraise.CID      `json:"manifest"`
	Home       barnraise.ServerID `json:"home"`
	ActiveFrom uint64             `json:"activeFrom"`
	Revoked    bool               `json:"revoked,omitempty"`
	Reason     string             `json:"reason,omitempty"`
	Exact      *exactRevision     `json:"exact,omitempty"`
}

// exactRevision has the bytes of what a listing cannot show: texts with characters that nobody should see, foreign CIDs.
type exactRevision struct {
	Reference []byte `json:"reference,omitempty"` // the first three stand together or not at all
	Verifier  []byte `json:"verifier,omitempty"`
	Manifest  []byte `json:"manifest,omitempty"`
	Reason    []byte `json:"reason,omitempty"`
}

func (w wireService) service() (barnraise.Service, error) {
	s := barnraise.Service{ID: w.ID, Owner: w.Owner, Delegate: w.Delegate, Name: w.Name, Since: w.Since}
	var err error
	if s.Status, err = parseStatus(w.Status); err != nil {
		return s, err
	}
	if len(w.Revisions) == 0 {
		w.Revision = max(w.Revision, 1)
		w.Revisions = []wireRevision{w.wireRevision}
	}
	for _, r := range w.Revisions {
		v, err := r.revision()
		if err != nil {
			return s, err
		}
		if n := len(s.Revisions); v.Number == 0 || n > 0 && v.Number <= s.Revisions[n-1].Number {
			return s, fmt.Errorf("revision %d is none or out of order: %w", v.Number, ErrSnapshot)
		}
		s.Revisions = append(s.Revisions, v)
	}
	return s, nil
}

func (w wireRevision) revision() (barnraise.Revision, error) {
	r := barnraise.Revision{
		Number: w.Revision, Reference: w.Image, Verifier: w.Verifier, Manifest: w.Manifest, Home: w.Home, ActiveFrom: w.ActiveFrom,
		Revoked: w.Revoked, Reason: w.Reason,
	}
	if w.Reference != "" {
		r.Reference = w.Reference
	}
	if w.Image == "" {
		return r, nil
	}
	digest := w.Image[strings.LastIndexByte(w.Image, '@')+1:] // of a reference, or alone
	var err error
	if r.Image, err = barnraise.ParseDigest(digest); err != nil {
		return r, fmt.Errorf("image %.80q: %w: %w", w.Image, ErrSnapshot, err)
	}
	return r, nil
}

// wireServer is an item of servers list.
type wireServer struct {
	ID       barnraise.ServerID    `json:"id"`
	Owner    barnraise.Address     `json:"owner"`
	URL      string                `json:"url"`
	Key      string                `json:"key"`
	Keys     []wireKey             `json:"keys,omitempty"`
	Offers   []barnraise.ServiceID `json:"offers"`
	Rewards  []barnraise.ServiceID `json:"rewards"`
	Capacity uint32                `json:"capacity"`
	Status   string                `json:"status,omitempty"`
	Since    uint64                `json:"since"`
	Delegate barnraise.Address     `json:"delegate,omitzero"`
}

type wireKey struct {
	Key        string `json:"key"`
	From       uint64 `json:"from"`
	To         uint64 `json:"to,omitempty"`
	ReplacedAt int64  `json:"replacedAt,omitempty"`
}

func (w wireServer) server() (barnraise.Server, error) {
	s := barnraise.Server{
		ID: w.ID, Operator: w.Owner, Delegate: w.Delegate, URL: w.URL, Capacity: w.Capacity, Since: w.Since, Offers: w.Offers, Rewards: w.Rewards,
	}
	slices.Sort(s.Offers)
	slices.Sort(s.Rewards)
	if !barnraise.ValidList(s.Offers, barnraise.MaxOffers) || !barnraise.ValidList(s.Rewards, barnraise.MaxRewards) {
		return s, fmt.Errorf("offers or rewards are no list of a registry: %w", ErrSnapshot)
	}
	var err error
	if s.Status, err = parseStatus(w.Status); err != nil {
		return s, err
	}
	if len(w.Keys) == 0 && w.Key != "" {
		w.Keys = []wireKey{{Key: w.Key, From: w.Since}}
	}
	for _, k := range w.Keys {
		key, err := barnraise.ParsePublicKey(k.Key)
		if err != nil {
			return s, fmt.Errorf("key %.80q: %w: %w", k.Key, ErrSnapshot, err)
		}
		s.Keys = append(s.Keys, barnraise.Key{Key: key, From: k.From, To: k.To, ReplacedAt: k.ReplacedAt})
	}
	return s, nil
}

// parseStatus reads the words of [barnraise.Status.String]. What says nothing is active: so is all that services list shows.
func parseStatus(s string) (barnraise.Status, error) {
	if s == "" {
		return barnraise.StatusActive, nil
	}
	for status := barnraise.StatusNone; status <= barnraise.StatusGone; status++ {
		if s == status.String() {
			return status, nil
		}
	}
	return 0, fmt.Errorf("status %.80q: %w", s, ErrSnapshot)
}

// writeStatus leaves out what an item says by saying nothing.
func writeStatus(s barnraise.Status) string {
	if s == barnraise.StatusActive {
		return ""
	}
	return s.String()
}

// wireHead is what of a head the lists do not show.
type wireHead struct {
	PendingOwner barnraise.Address `json:"pendingOwner,omitzero"`
	Deposit      string            `json:"deposit"` // wei, decimal
	UnlockAt     uint64            `json:"unlockAt,omitempty"`
}

// maxDigits is how many digits the largest deposit has.
const maxDigits = 29

func (w wireHead) head(owner, delegate barnraise.Address, status barnraise.Status, since uint64, edits uint32) (Head, error) {
	deposit, ok := new(big.Int).SetString(w.Deposit, 10)
	h := Head{
		Owner: owner, Delegate: delegate, PendingOwner: w.PendingOwner, Status: status, Deposit: deposit, Since: since,
		UnlockAt: w.UnlockAt, Edits: edits,
	}
	switch {
	case !ok || len(w.Deposit) > maxDigits || !validAmount(deposit) || deposit.String() != w.Deposit:
		return h, fmt.Errorf("deposit %.80q: %w", w.Deposit, ErrSnapshot)
	case owner.IsZero() || since == 0 || status == barnraise.StatusNone:
		return h, fmt.Errorf("it has no owner, no block of registration or no status: %w", ErrSnapshot)
	}
	return h, nil
}

func headOf(h *Head) wireHead {
	return wireHead{PendingOwner: h.PendingOwner, Deposit: h.Deposit.String(), UnlockAt: h.UnlockAt}
}
