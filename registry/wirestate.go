package registry

import (
	"fmt"
	"slices"
	"strings"

	"barnraise"
)

// fullService is a service with all that its commitment rests on.
type fullService struct {
	wireService
	wireHead
	Revocations []uint32 `json:"revocations,omitempty"` // in their order, where it is not that of the numbers
}

type heldService struct {
	head Head
	serviceRecord
}

func (h heldService) id() uint32 { return uint32(h.service.ID) }

// held makes the record, which then lists what is listed in the item.
func (w fullService) held() (heldService, error) {
	v, err := w.service()
	if err != nil {
		return heldService{}, err
	}
	all := w.Revisions
	switch {
	case len(all) == 0 && w.Revision == 0:
		v.Revisions = nil
	case len(all) == 0:
		all = []wireRevision{w.wireRevision}
	case !slices.ContainsFunc(all, w.sameAs):
		return heldService{}, fmt.Errorf("revision %d is none of its revisions: %w", w.Revision, ErrSnapshot)
	}
	h := heldService{serviceRecord: serviceRecord{name: keccak([]byte(w.Name))}}
	h.service = barnraise.Service{ID: v.ID, Name: v.Name, Since: v.Since}
	if h.head, err = w.head(v.Owner, v.Delegate, v.Status, v.Since, uint32(len(all))); err != nil {
		return h, err
	}
	for i, r := range all {
		if err := h.add(v.Revisions[i], r.Exact); err != nil {
			return h, err
		}
	}
	if err := h.revokeAll(v.Revisions, all, w.Revocations); err != nil {
		return h, err
	}
	if !barnraise.ValidName(v.Name) || !slices.Equal(h.service.Revisions, v.Revisions) {
		return h, fmt.Errorf("name or revisions are none of a registry: %w", ErrSnapshot)
	}
	return h, nil
}

// sameAs compares what both an item and its list of revisions have.
func (w wireRevision) sameAs(r wireRevision) bool {
	w.Reference, w.Reason, w.Exact = r.Reference, r.Reason, r.Exact
	return w == r
}

func (h *heldService) add(r barnraise.Revision, exact *exactRevision) error {
	e, err := publishedAs(h.id(), r)
	if exact != nil && exact.Verifier != nil {
		e, err = RevisionPublished{
			ID: h.id(), Number: r.Number, Image: r.Image, Reference: string(exact.Reference), Verifier: exact.Verifier,
			Manifest: exact.Manifest, Home: uint32(r.Home), ActiveFrom: r.ActiveFrom,
		}, nil
	}
	if err == nil {
		err = e.check(uint32(len(h.service.Revisions)) + 1)
	}
	if err != nil {
		return fmt.Errorf("%w: %.300v", ErrSnapshot, err)
	}
	h.publish(e)
	return nil
}

func (h *heldService) revokeAll(listed []barnraise.Revision, all []wireRevision, order []uint32) error {
	if order == nil {
		for i, r := range listed {
			if r.Revoked {
				order = append(order, uint32(i+1))
			}
		}
	}
	for _, n := range order {
		if n == 0 || int64(n) > int64(len(listed)) || h.service.Revisions[n-1].Revoked {
			return fmt.Errorf("revocation of revision %d: %w", n, ErrSnapshot)
		}
		reason := listed[n-1].Reason
		if exact := all[n-1].Exact; exact != nil && exact.Reason != nil {
			reason = string(exact.Reason)
		}
		if len(reason) > maxReason {
			return fmt.Errorf("reason of %d bytes: %w", len(reason), ErrSnapshot)
		}
		h.revoke(n, reason)
	}
	return nil
}

// write makes the item for a block.
func (r *serviceRecord) write(h *Head, block uint64) fullService {
	w := fullService{wireHead: headOf(h)}
	v := r.listed(h)
	w.ID, w.Owner, w.Name, w.Since, w.Delegate, w.Status = v.ID, v.Owner, v.Name, v.Since, v.Delegate, writeStatus(v.Status)
	for _, revision := range v.Revisions {
		w.Revisions = append(w.Revisions, r.writeRevision(revision))
	}
	inOrder := true
	for i, revoked := range r.revoked {
		w.Revocations = append(w.Revocations, revoked.number)
		inOrder = inOrder && (i == 0 || r.revoked[i-1].number < revoked.number)
	}
	if inOrder {
		w.Revocations = nil
	}
	switch active, ok := v.Active(block); {
	case len(v.Revisions) == 1:
		w.wireRevision, w.Revisions = w.Revisions[0], nil
	case len(v.Revisions) > 1:
		if !ok {
			active = v.Revisions[len(v.Revisions)-1]
		}
		w.wireRevision = w.Revisions[active.Number-1]
		w.Reference, w.Reason, w.Exact = "", "", nil
	}
	return w
}

func (r *serviceRecord) writeRevision(v barnraise.Revision) wireRevision {
	name, _, _ := strings.Cut(v.Reference, "@")
	w := wireRevision{
		Revision: v.Number, Image: name + "@" + v.Image.String(), Verifier: v.Verifier, Manifest: v.Manifest, Home: v.Home,
		ActiveFrom: v.ActiveFrom, Revoked: v.Revoked, Reason: v.Reason,
	}
	if v.Reference != w.Image {
		w.Reference = v.Reference
	}
	var exact exactRevision
	if e, ok := r.exact[v.Number]; ok {
		exact = exactRevision{Reference: []byte(e.Reference), Verifier: e.Verifier, Manifest: e.Manifest}
		w.Exact = &exact
	}
	if v.Revoked {
		i := slices.IndexFunc(r.revoked, func(o revocation) bool { return o.number == v.Number })
		if o := r.revoked[i]; o.reason != v.Reason {
			exact.Reason, w.Exact = []byte(o.reason), &exact
		}
	}
	return w
}

// fullServer is a server with all that its commitment rests on.
type fullServer struct {
	wireServer
	wireHead
	Edits     uint32     `json:"edits"`
	RewardsAt *uint64    `json:"rewardsAt,omitempty"` // block of the last change, that of registration where it is left out
	ExactURL  []byte     `json:"exactURL,omitempty"`  // where the URL is not it, byte for byte
	WeakKeys  []wireWeak `json:"weakKeys,omitempty"`
}

// wireWeak is a key under which a signature proves nothing, which no list shows.
type wireWeak struct {
	At   int    `json:"at"` // how many keys the server had before
	Key  []byte `json:"key"`
	From uint64 `json:"from"`
}

type heldServer struct {
	head Head
	serverRecord
	rotations int
}

func (h heldServer) id() uint32 { return uint32(h.server.ID) }

// held makes the record, which then lists what is listed in the item.
func (w fullServer) held() (heldServer, error) {
	v, err := w.server()
	if err != nil {
		return heldServer{}, err
	}
	h := heldServer{serverRecord: serverRecord{server: barnraise.Server{ID: v.ID, Since: v.Since}, rewardsAt: v.Since}}
	if w.RewardsAt != nil {
		h.rewardsAt = *w.RewardsAt
	}
	if h.head, err = w.head(v.Operator, v.Delegate, v.Status, v.Since, w.Edits); err != nil {
		return h, err
	}
	url := v.URL
	if w.ExactURL != nil {
		url = string(w.ExactURL)
	}
	if url != "" {
		if outside(len(url), minServerURL, maxServerURL) {
			return h, fmt.Errorf("URL of %d bytes: %w", len(url), ErrSnapshot)
		}
		h.setURL(url)
	}
	if err := h.addKeys(v.Keys, w.WeakKeys); err != nil {
		return h, err
	}
	if h.rewardsAt > 0 { // or else no lists were ever set
		h.setLists(ListsSet{Offers: v.Offers, Rewards: v.Rewards, Capacity: v.Capacity})
	}
	if got := h.server; got.URL != v.URL || !slices.Equal(got.Keys, v.Keys) || got.Capacity != v.Capacity ||
		!slices.Equal(got.Offers, v.Offers) || !slices.Equal(got.Rewards, v.Rewards) {
		return h, fmt.Errorf("URL, keys or lists are none of a registry: %w", ErrSnapshot)
	}
	return h, nil
}

// addKeys takes the keys that are listed, and between them those that are not.
func (h *heldServer) addKeys(listed []barnraise.Key, weak []wireWeak) error {
	h.rotations = len(listed) + len(weak)
	var replaced int64
	last := h.server.Since
	for i := range h.rotations {
		var key [32]byte
		var from uint64
		switch {
		case len(weak) > 0 && weak[0].At == i && len(weak[0].Key) == len(key):
			key, from, weak = [32]byte(weak[0].Key), weak[0].From, weak[1:]
			if _, err := barnraise.NewPublicKey(key); err == nil || key == [32]byte{} {
				return fmt.Errorf("key %d is not weak: %w", i, ErrSnapshot)
			}
		case len(listed) > 0:
			key, from = listed[0].Key, listed[0].From
		}
		if from < last {
			return fmt.Errorf("key %d is from block %d, the one before is from block %d: %w", i, from, last, ErrSnapshot)
		}
		n := len(h.server.Keys)
		h.addKey(Block{Number: from, Time: replaced}, key)
		if len(h.server.Keys) > n {
			replaced, listed = listed[0].ReplacedAt, listed[1:]
		}
		last = from
	}
	return nil
}

// write makes the item.
func (r *serverRecord) write(h *Head) fullServer {
	v := r.listed(h)
	w := fullServer{wireHead: headOf(h), Edits: h.Edits}
	if r.rewardsAt != v.Since {
		w.RewardsAt = &r.rewardsAt
	}
	w.wireServer = wireServer{
		ID: v.ID, Owner: v.Operator, URL: v.URL, Capacity: v.Capacity, Since: v.Since, Delegate: v.Delegate, Status: writeStatus(v.Status),
		Offers: append([]barnraise.ServiceID{}, v.Offers...), Rewards: append([]barnraise.ServiceID{}, v.Rewards...),
	}
	if k, ok := v.Key(); ok {
		w.Key = k.Key.String()
	}
	for _, k := range v.Keys {
		w.Keys = append(w.Keys, wireKey{Key: k.Key.String(), From: k.From, To: k.To, ReplacedAt: k.ReplacedAt})
	}
	if len(v.Keys) == 1 && w.Key != "" && v.Keys[0].From == v.Since {
		w.Keys = nil
	}
	for _, k := range r.weak {
		w.WeakKeys = append(w.WeakKeys, wireWeak{At: k.at, Key: k.key[:], From: k.from})
	}
	if r.exactURL != "" {
		w.ExactURL = []byte(r.exactURL)
	}
	return w
}
