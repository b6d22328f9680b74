package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

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
	f := snapshotFile{}
	if err := f.readFrom(r, MaxSnapshot, f.member); err != nil {
		return nil, err
	}
	return barnraise.NewSnapshot(f.registry, f.block, f.hash, f.grace, f.services, f.servers), nil
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

// outerFile is what all snapshot files have in common.
type outerFile struct {
	d        *json.Decoder
	seen     map[string]bool
	version  int
	registry barnraise.Registry
	block    uint64
	hash     BlockHash
	time     int64
	grace    uint64
}

// readFrom reads a whole file of no more than so many bytes. Each member of it is given to a function, once.
func (f *outerFile) readFrom(r io.Reader, most int64, member func(name string) error) error {
	limited := &io.LimitedReader{R: r, N: most + 1}
	noting := &notingReader{r: limited}
	f.d, f.seen = json.NewDecoder(noting), map[string]bool{}
	err := f.read(member)
	switch {
	case limited.N == 0:
		return fmt.Errorf("read snapshot: more than %d bytes: %w", most, ErrSnapshot)
	case noting.err != nil:
		return fmt.Errorf("read snapshot: %w", noting.err)
	case err != nil:
		return fmt.Errorf("read snapshot: %w", err)
	}
	return nil
}

// read reads the outer object, item by item.
func (f *outerFile) read(member func(name string) error) error {
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
		if err := member(name); err != nil {
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

// member reads what stands in all files. What it does not know it passes over.
func (f *outerFile) member(name string) error {
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
	case "time":
		return f.value(&f.time)
	case "grace":
		return f.value(&f.grace)
	}
	return f.value(new(json.RawMessage))
}

func (f *outerFile) value(v any) error {
	if err := f.d.Decode(v); err != nil {
		return malformed(err)
	}
	return nil
}

func (f *outerFile) token(want json.Delim) error {
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
func readItems[W, V any](f *outerFile, list *[]V, record func(W) (V, error), id func(V) uint32) error {
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

// snapshotFile is what a plan needs of one.
type snapshotFile struct {
	outerFile
	services []barnraise.Service
	servers  []barnraise.Server
}

func (f *snapshotFile) member(name string) error {
	switch name {
	case "service":
		return readItems(&f.outerFile, &f.services, wireService.service, func(s barnraise.Service) uint32 { return uint32(s.ID) })
	case "server":
		return readItems(&f.outerFile, &f.servers, wireServer.server, func(s barnraise.Server) uint32 { return uint32(s.ID) })
	}
	return f.outerFile.member(name)
}
