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
