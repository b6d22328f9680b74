package registry

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"barnraise"
)

// Services is the registry of services as its events up to some block made it. The zero value is an empty one. It is not
// safe for concurrent use.
//
// What [Services.List] gives leaves out what only a commitment needs: the order of the revocations, the exact bytes of texts,
// and CIDs that are not of our kind. [WriteState] writes all of it.
type Services struct {
	ledger
	records []serviceRecord
	names   map[calling]bool // those in use
}

// calling is a name under its owner.
type calling struct {
	owner barnraise.Address
	name  string
}

type serviceRecord struct {
	service     barnraise.Service
	shared      bool                         // a list has the revisions too: they may grow, but those there are may not change
	exact       map[uint32]RevisionPublished // of revisions that are listed otherwise than they were published
	revoked     []revocation                 // in their order
	name        [32]byte
	revisions   [32]byte
	revocations [32]byte
}

type revocation struct {
	number uint32
	reason string // its exact bytes
}

// Apply takes the next event. It fails with [ErrEvents] for one that no such contract would have written after those before,
// and then changes nothing. What rests on the constants of a deployment, on the time or on the caller is not checked: the
// least deposit, the unlock delay, the grace, that a first revision follows at once. For those the hash stands that the
// contract keeps, and that [Services.Log] must come to.
func (s *Services) Apply(at Block, e Event) error {
	h, err := s.begin(at, e)
	if err != nil {
		return fmt.Errorf("read services: block %d: %w", at.Number, err)
	}
	switch e := e.(type) {
	case ServiceRegistered:
		err = s.register(at, e)
	case RevisionPublished:
		err = s.publish(at, h, e)
	case RevisionRevoked:
		err = s.revoke(h, e)
	case OwnershipTransferred:
		err = s.transfer(h, e)
	case Withdrawn:
		err = s.withdraw(h, e)
	default:
		err = s.apply(h, e)
	}
	if err != nil {
		return fmt.Errorf("read services: block %d: %w", at.Number, err)
	}
	_, id := e.step()
	s.end(at, e, s.records[id-1].commitment(s.head(id)))
	return nil
}

// Clone is a copy that goes its own way. It shares what neither changes any more, so it costs little.
func (s *Services) Clone() *Services {
	c := &Services{ledger: s.ledger.clone(), records: slices.Clone(s.records), names: maps.Clone(s.names)}
	for i := range s.records {
		s.records[i].shared = true
		r := &c.records[i]
		r.shared, r.exact = true, maps.Clone(r.exact)
		r.service.Revisions, r.revoked = slices.Clip(r.service.Revisions), slices.Clip(r.revoked) // the copy grows elsewhere
	}
	return c
}

// List is all services by id. It is the caller's; what the items hold is shared and not to be changed.
func (s *Services) List() []barnraise.Service {
	list := make([]barnraise.Service, len(s.records))
	for i := range s.records {
		s.records[i].shared = true
		list[i] = s.records[i].listed(&s.heads[i])
	}
	return list
}

func (s *Services) register(at Block, e ServiceRegistered) error {
	if !barnraise.ValidName(e.Name) {
		return wrong("service %d is called %.60q", e.ID, e.Name)
	}
	name := calling{e.Owner, e.Name}
	if s.names[name] {
		return wrong("service %d is called %q, like another one of %s", e.ID, e.Name, e.Owner)
	}
	if err := s.open(at, e.ID, e.Owner, e.Deposit); err != nil {
		return err
	}
	if s.names == nil {
		s.names = make(map[calling]bool)
	}
	s.names[name] = true
	s.records = append(s.records, serviceRecord{
		service: barnraise.Service{ID: barnraise.ServiceID(e.ID), Name: e.Name, Since: at.Number},
		name:    keccak([]byte(e.Name)),
	})
	return nil
}

func (s *Services) publish(at Block, h *Head, e RevisionPublished) error {
	if err := e.check(h.Edits + 1); err != nil {
		return err
	}
	if e.ActiveFrom < at.Number {
		return wrong("revision %d of service %d is active before it was published", e.Number, e.ID)
	}
	if err := s.remember(); err != nil {
		return err
	}
	h.Edits = e.Number
	s.records[e.ID-1].publish(e)
	return nil
}

// check finds what the contract would not have taken as revision next.
func (e RevisionPublished) check(next uint32) error {
	switch {
	case e.Number != next:
		return wrong("revision %d of service %d follows on revision %d", e.Number, e.ID, next-1)
	case e.Image.IsZero() || e.Home == 0:
		return wrong("revision %d of service %d has no image or no home", e.Number, e.ID)
	case outside(len(e.Reference), 1, maxReference) || outside(len(e.Verifier), 1, maxCID) || outside(len(e.Manifest), 1, maxCID):
		return wrong("revision %d of service %d has a field of a length that the contract refuses", e.Number, e.ID)
	}
	return nil
}

func (r *serviceRecord) publish(e RevisionPublished) {
	listed := e.revision()
	if !e.says(listed) {
		r.keepExact(e)
	}
	r.revisions = e.chain(r.revisions)
	r.service.Revisions = append(r.service.Revisions, listed)
}

func (r *serviceRecord) keepExact(e RevisionPublished) {
	if r.exact == nil {
		r.exact = map[uint32]RevisionPublished{}
	}
	e.Verifier, e.Manifest = slices.Clone(e.Verifier), slices.Clone(e.Manifest)
	r.exact[e.Number] = e
}

// says reports whether what is listed of it says all of it, byte for byte.
func (e RevisionPublished) says(r barnraise.Revision) bool {
	back, err := publishedAs(e.ID, r)
	return err == nil && back.Reference == e.Reference && bytes.Equal(back.Verifier, e.Verifier) &&
		bytes.Equal(back.Manifest, e.Manifest)
}

// publishedAs is the event behind what is listed, where that says all of it.
func publishedAs(id uint32, r barnraise.Revision) (RevisionPublished, error) {
	verifier, err := CIDBytes(r.Verifier)
	if err != nil {
		return RevisionPublished{}, err
	}
	manifest, err := CIDBytes(r.Manifest)
	return RevisionPublished{
		ID: id, Number: r.Number, Image: r.Image, Reference: r.Reference, Verifier: verifier, Manifest: manifest,
		Home: uint32(r.Home), ActiveFrom: r.ActiveFrom,
	}, err
}

// revision is what callers see of it. A CID that is not one of ours stays empty: nobody can fetch it, so nobody can call the
// revision, and nobody hosts it.
func (e RevisionPublished) revision() barnraise.Revision {
	verifier, _ := ParseCID(e.Verifier)
	manifest, _ := ParseCID(e.Manifest)
	return barnraise.Revision{
		Number: e.Number, Image: e.Image, Reference: Printable(e.Reference), Verifier: verifier, Manifest: manifest,
		Home: barnraise.ServerID(e.Home), ActiveFrom: e.ActiveFrom,
	}
}

// chain is abi.encode(h, number, image, ref, verifier, manifest, home, activeFrom), hashed: eight words, the texts behind.
func (e RevisionPublished) chain(h [32]byte) [32]byte {
	reference := 8 * 32
	verifier := reference + 32 + padded(len(e.Reference))
	manifest := verifier + 32 + padded(len(e.Verifier))
	return words(nil).hash(h).uint(uint64(e.Number)).hash(e.Image).
		uint(uint64(reference)).uint(uint64(verifier)).uint(uint64(manifest)).uint(uint64(e.Home)).uint(e.ActiveFrom).
		tail([]byte(e.Reference)).tail(e.Verifier).tail(e.Manifest).keccak()
}

func (s *Services) revoke(h *Head, e RevisionRevoked) error {
	r := &s.records[e.ID-1]
	switch {
	case e.Number == 0 || e.Number > h.Edits:
		return wrong("revocation of revision %d of service %d, which has %d", e.Number, e.ID, h.Edits)
	case r.service.Revisions[e.Number-1].Revoked:
		return wrong("revision %d of service %d is revoked twice", e.Number, e.ID)
	case len(e.Reason) > maxReason:
		return wrong("revocation of revision %d of service %d gives a reason of %d bytes", e.Number, e.ID, len(e.Reason))
	}
	r.revoke(e.Number, e.Reason)
	return nil
}

// revoke takes a revision that is there and not revoked.
func (r *serviceRecord) revoke(number uint32, reason string) {
	if r.shared {
		r.service.Revisions, r.shared = slices.Clone(r.service.Revisions), false
	}
	revision := &r.service.Revisions[number-1]
	revision.Revoked, revision.Reason = true, Printable(reason)
	r.revoked = append(r.revoked, revocation{number, reason})
	r.revocations = words(nil).hash(r.revocations).uint(uint64(number)).hash(keccak([]byte(reason))).keccak()
}

// transfer takes the name along, which the new owner must not have in use.
func (s *Services) transfer(h *Head, e OwnershipTransferred) error {
	name := s.records[e.ID-1].service.Name
	if s.names[calling{e.To, name}] {
		return wrong("service %d passes to %s, who has a service called %q", e.ID, e.To, name)
	}
	if err := s.apply(h, e); err != nil {
		return err
	}
	delete(s.names, calling{e.From, name})
	s.names[calling{e.To, name}] = true
	return nil
}

// withdraw sets the name free.
func (s *Services) withdraw(h *Head, e Withdrawn) error {
	if err := s.apply(h, e); err != nil {
		return err
	}
	delete(s.names, calling{h.Owner, s.records[e.ID-1].service.Name})
	return nil
}

// listed is the service with what its head says of it.
func (r *serviceRecord) listed(h *Head) barnraise.Service {
	v := r.service
	v.Owner, v.Delegate, v.Status = h.Owner, h.Delegate, h.Status
	return v
}

func (r *serviceRecord) commitment(h *Head) [32]byte {
	return h.words(uint32(r.service.ID)).hash(r.name).hash(r.revisions).hash(r.revocations).keccak()
}

func outside(n, least, most int) bool { return n < least || n > most }
