// Package lock keeps what a bare name meant when it was first used, so that it goes on meaning that. Anyone may register a second
// service of the same name, a network file may change, and a service may be given away: whoever has a lock file notices
// (protocol 1.10). It also keeps the servers that a caller has pinned as anchors (protocol 6.5).
//
// A lock file is for one registry. It is written at the first use of a name, whole or not at all, also by several processes at
// once; comments that people write into it do not outlast that.
package lock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"barnraise"
	"barnraise/registry"
	"barnraise/strictyaml"
	"barnraise/whole"
)

// Name is what a lock file is called.
const Name = "barnraise.lock"

// Pin is what a name means.
type Pin struct {
	ID    barnraise.ServiceID `json:"id"`
	Owner barnraise.Address   `json:"owner"` // zero where a person wrote the id alone: it is filled in at the first use
}

// File is a lock file. It is safe for concurrent use.
type File struct {
	path     string
	registry barnraise.Registry

	writing sync.Mutex // before mu
	mu      sync.Mutex
	names   map[string]Pin
	anchors []barnraise.ServerID
}

// ErrFile is the error for a lock file that is damaged, or another registry's.
var ErrFile = errors.New("lock file cannot be used")

// ErrConflict is the error for a name that would mean another service, or one of another owner, than before: a [ConflictError].
var ErrConflict = errors.New("the name meant something else before")

// ConflictError says what a name meant and what it would mean now. Nobody is asked. Who believes the change removes the name from
// the file; who does not calls the service by its id.
type ConflictError struct {
	File, Name string
	Pinned     Pin // as the file has it
	Now        Pin // by the network file, where the ids differ, and else by the registry
}

// Error says both, and what to do.
func (e *ConflictError) Error() string {
	now := fmt.Sprintf("now %s belongs to %s", e.Now.ID, registry.Checksum(e.Now.Owner))
	if e.Now.ID != e.Pinned.ID {
		now = fmt.Sprintf("the network file says %s", e.Now.ID)
	}
	owner := ""
	if !e.Pinned.Owner.IsZero() {
		owner = " of owner " + registry.Checksum(e.Pinned.Owner)
	}
	return fmt.Sprintf("%q meant %s%s, and %s: if that is right remove the name from %s, else write the id",
		e.Name, e.Pinned.ID, owner, now, e.File)
}

// Is makes the error an [ErrConflict].
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// Open reads the lock file of a registry. One that is not there is empty, and is made at the first use of a name. It fails with
// [ErrFile], and says what to do.
func Open(path string, r barnraise.Registry) (*File, error) {
	f := &File{path: path, registry: r}
	c, err := f.read()
	if err != nil {
		return nil, err
	}
	f.names, f.anchors = c.Names, c.Anchors
	return f, nil
}

// Anchors are the servers that the caller has pinned.
func (f *File) Anchors() []barnraise.ServerID { return slices.Clone(f.anchors) }

// Resolve says which service a reference means, as [registry.Resolve] does, and holds a bare name to what the file says. A name that the
// file does not have means what names says; once the registry's confirmed state has the service, the file keeps it.
//
// It fails as [registry.Resolve] does, with a [ConflictError], with the error of confirmed, and where the file cannot be written.
func (f *File) Resolve(
	ctx context.Context, head *barnraise.Snapshot, confirmed func(context.Context) (*barnraise.Snapshot, error),
	names map[string]barnraise.ServiceID, ref string,
) (barnraise.ServiceID, uint32, error) {
	name, _, _ := strings.Cut(ref, "@")
	if !isName(name) {
		return registry.Resolve(head, nil, ref)
	}
	known, listed := names[name]
	pin, pinned := f.pin(name)
	if pinned {
		if listed && known != pin.ID {
			return 0, 0, &ConflictError{f.path, name, pin, Pin{ID: known}}
		}
		names = map[string]barnraise.ServiceID{name: pin.ID}
	}
	id, revision, err := registry.Resolve(head, names, ref)
	if err != nil {
		return 0, 0, f.hint(err)
	}
	service, _ := head.Service(id)
	now := Pin{id, service.Owner}
	if err := f.check(name, now); err != nil || pinned && !pin.Owner.IsZero() {
		return id, revision, err
	}
	s, err := confirmed(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("read registry: %w", err)
	}
	if v, ok := s.Service(id); !ok || v.Owner != now.Owner {
		return id, revision, nil // what it means may still change
	}
	return id, revision, f.keep(ctx, name, now)
}

func (f *File) pin(name string) (Pin, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.names[name]
	return p, ok
}

// check holds a name to what the file says.
func (f *File) check(name string, now Pin) error {
	if p, ok := f.pin(name); ok && (p.ID != now.ID || !p.Owner.IsZero() && p.Owner != now.Owner) {
		return &ConflictError{f.path, name, p, now}
	}
	return nil
}

// hint says how a name that nobody has said the meaning of gets one.
func (f *File) hint(err error) error {
	var unknown *registry.UnknownNameError
	if !errors.As(err, &unknown) || len(unknown.Candidates) == 0 {
		return err
	}
	c := unknown.Candidates[0]
	return fmt.Errorf("%w; or in %s, as in: names: {%s: {id: %d, owner: %q}}", err, f.path, unknown.Name, c.ID, registry.Checksum(c.Owner))
}

// keep writes what a name means, beside what others have written meanwhile. Where they wrote something else, that stands.
func (f *File) keep(ctx context.Context, name string, p Pin) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	if q, ok := f.pin(name); ok && q == p {
		return nil
	}
	release, err := exclude(ctx, f.path)
	if err != nil {
		return unwritten(name, err)
	}
	defer release()
	c, err := f.read()
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.names = maps.Clone(c.Names)
	f.mu.Unlock()
	if err := f.check(name, p); err != nil {
		return err
	}
	if c.Names[name] == p {
		return nil
	}
	if len(c.Names) >= maxNames {
		return fmt.Errorf("%w: %s has %d names: remove some", ErrFile, f.path, maxNames)
	}
	c.Names[name] = p
	c.Chain, c.Services, c.Servers = f.registry.Chain, f.registry.Services, f.registry.Servers
	if err := whole.Write(f.path, c.encode(), shared); err != nil {
		return unwritten(name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names = c.Names
	return nil
}

// unwritten says what to do where the file cannot be written: without it a name might mean something else the next time.
func unwritten(name string, err error) error {
	return fmt.Errorf("write lock file: %w; it keeps what %q means: choose another place with --lock FILE, or write the id", err, name)
}

// read reads what is on disk.
func (f *File) read() (contents, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return contents{Names: make(map[string]Pin)}, nil
	}
	if err != nil {
		return contents{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, strictyaml.MaxSize+1))
	if err != nil {
		return contents{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	c, err := parse(f.path, b)
	if err != nil {
		return contents{}, fmt.Errorf("%w: %w; repair it, or remove it if you believe what the network file says today", ErrFile, err)
	}
	if r := c.registry(); r != (barnraise.Registry{}) && r != f.registry {
		return contents{}, fmt.Errorf("%w: %s is of the registry %s, this network's is %s: use another file for this network",
			ErrFile, f.path, c.registry(), f.registry)
	}
	return c, nil
}
