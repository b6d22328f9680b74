package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"barnraise"
)

// The longest snapshot file, and how many services and how many servers may stand in it.
const (
	MaxSnapshot = 64 << 20
	maxRecords  = 1 << 17
)

// ErrSnapshot is the error for a snapshot file that is badly written or says what no registry can say.
var ErrSnapshot = errors.New("no snapshot")

// ReadSnapshot reads a snapshot file (docs/files.md). It is bounded, and strict in what it reads: no id twice, no list longer
// than a registry has them, nothing after the end. Members that it does not know are passed over, because more may be added.
// It fails with [ErrSnapshot], or with the error of the reader. Nobody has checked a snapshot against a chain.
func ReadSnapshot(r io.Reader) (*barnraise.Snapshot, error) {
	limited := &io.LimitedReader{R: r, N: MaxSnapshot + 1}
	noting := &notingReader{r: limited}
	f := snapshotFile{d: json.NewDecoder(noting), seen: map[string]bool{}}
	err := f.read()
	switch {
	case limited.N == 0:
		return nil, fmt.Errorf("read snapshot: more than %d bytes: %w", MaxSnapshot, ErrSnapshot)
	case noting.err != nil:
		return nil, fmt.Errorf("read snapshot: %w", noting.err)
	case err != nil:
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	return barnraise.NewSnapshot(f.registry, f.block, f.hash, 0, f.services, f.servers), nil
}

// notingReader notes why it failed, if it did.
type notingReader struct {
	r   io.Reader
	err error
}

func (r *notingReader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

type snapshotFile struct {
	d        *json.Decoder
	seen     map[string]bool
	version  int
	registry barnraise.Registry
	block    uint64
	hash     BlockHash
	services []barnraise.Service
	servers  []barnraise.Server
}

// read reads the outer object, item by item.
func (f *snapshotFile) read() error {
	if err := f.token('{'); err != nil {
		return err
	}
	for f.d.More() {
		t, err := f.d.Token()
		if err != nil {
			return malformed(err)
		}
		name, _ := t.(string)
		if f.seen[name] {
			return fmt.Errorf("member %.80q stands twice: %w", name, ErrSnapshot)
		}
		f.seen[name] = true
		if err := f.member(name); err != nil {
			return fmt.Errorf("%.80s: %w", name, err)
		}
	}
	if err := f.token('}'); err != nil {
		return err
	}
	if _, err := f.d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something stands after its end: %w", ErrSnapshot)
	}
	if f.version != 1 {
		return fmt.Errorf("version %d, want 1: %w", f.version, ErrSnapshot)
	}
	return nil
}

func (f *snapshotFile) member(name string) error {
	switch name {
	case "v":
		return f.value(&f.version)
	case "chain":
		return f.value(&f.registry.Chain)
	case "services":
		return f.value(&f.registry.Services)
	case "servers":
		return f.value(&f.registry.Servers)
	case "block":
		return f.value(&f.block)
	case "hash":
		return f.value(&f.hash)
	case "service":
		return readItems(f, &f.services, wireService.service, func(s barnraise.Service) uint32 { return uint32(s.ID) })
	case "server":
		return readItems(f, &f.servers, wireServer.server, func(s barnraise.Server) uint32 { return uint32(s.ID) })
	}
	return f.value(new(json.RawMessage))
}

func (f *snapshotFile) value(v any) error {
	if err := f.d.Decode(v); err != nil {
		return malformed(err)
	}
	return nil
}

func (f *snapshotFile) token(want json.Delim) error {
	t, err := f.d.Token()
	if err != nil {
		return malformed(err)
	}
	if t != want {
		return fmt.Errorf("%.80v where %s should be: %w", t, want, ErrSnapshot)
	}
	return nil
}

func malformed(err error) error { return fmt.Errorf("%w: %.200v", ErrSnapshot, err) }

// readItems reads a list of items and makes records of them.
func readItems[W, V any](f *snapshotFile, list *[]V, record func(W) (V, error), id func(V) uint32) error {
	if err := f.token('['); err != nil {
		return err
	}
	seen := map[uint32]bool{}
	for n := 1; f.d.More(); n++ {
		var w W
		if err := f.value(&w); err != nil {
			return fmt.Errorf("item %d: %w", n, err)
		}
		v, err := record(w)
		if err != nil {
			return fmt.Errorf("item %d: %w", n, err)
		}
		if id(v) == 0 || seen[id(v)] || n > maxRecords {
			return fmt.Errorf("item %d: id %d is none, stands twice, or is one of too many: %w", n, id(v), ErrSnapshot)
		}
		seen[id(v)] = true
		*list = append(*list, v)
	}
	return f.token(']')
}

// wireService is an item of services list.
type wireService struct {
	ID    barnraise.ServiceID `json:"id"`
	Owner barnraise.Address   `json:"owner"`
	Name  string              `json:"name"`
	wireRevision
	Status    string            `json:"status"`
	Since     uint64            `json:"since"`
	Delegate  barnraise.Address `json:"delegate"`
	Revisions []wireRevision    `json:"revisions"`
}

type wireRevision struct {
	Revision   uint32             `json:"revision"`
	Image      string             `json:"image"`
	Verifier   barnraise.CID      `json:"verifier"`
	Manifest   barnraise.CID      `json:"manifest"`
	Home       barnraise.ServerID `json:"home"`
	ActiveFrom uint64             `json:"activeFrom"`
	Revoked    bool               `json:"revoked"`
	Reason     string             `json:"reason"`
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
	Keys     []wireKey             `json:"keys"`
	Offers   []barnraise.ServiceID `json:"offers"`
	Rewards  []barnraise.ServiceID `json:"rewards"`
	Capacity uint32                `json:"capacity"`
	Status   string                `json:"status"`
	Since    uint64                `json:"since"`
	Delegate barnraise.Address     `json:"delegate"`
}

type wireKey struct {
	Key  string `json:"key"`
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
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
		s.Keys = append(s.Keys, barnraise.Key{Key: key, From: k.From, To: k.To})
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
