package store

import (
	"context"
	"errors"
)

// Documents are those of one kind, for who knows nothing of the rest.
type Documents struct {
	store *Store
	kind  string
}

// Documents returns the documents of a kind.
func (s *Store) Documents(kind string) Documents { return Documents{s, kind} }

// Load reads into v what is kept under a key, and reports whether anything is.
func (d Documents) Load(key string, v any) (found bool, err error) {
	err = d.store.Get(context.Background(), d.kind, key, v)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Save keeps v under a key. It is on disk then.
func (d Documents) Save(key string, v any) error {
	return d.store.Put(context.Background(), d.kind, key, v)
}

// Base is the index of a registry, as far as it was confirmed, in one document.
type Base struct{ documents Documents }

// Base returns the place of an index. Nobody's bytes are interpreted here.
func (s *Store) Base() Base { return Base{s.Documents("index")} }

// LoadBase returns what was kept, and nothing where nothing was.
func (b Base) LoadBase(ctx context.Context) (data []byte, err error) {
	err = b.documents.store.Get(ctx, b.documents.kind, "base", &data)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return data, err
}

// SaveBase keeps data in place of what was kept before. It is on disk then. It fails with [ErrTooLarge] for what is longer than a
// document, as JSON.
func (b Base) SaveBase(ctx context.Context, data []byte) error {
	return b.documents.store.Put(ctx, b.documents.kind, "base", data)
}
