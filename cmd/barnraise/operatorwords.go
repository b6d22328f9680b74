package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"barnraise"
	"barnraise/hosting"
	"barnraise/registry"
	"barnraise/server"
	"barnraise/store"
)

// The kinds of events that say what an operator said.
const (
	eventApproved = "approved"
	eventDenied   = "denied"
	eventLifted   = "allowed-again" // a denial was taken back
)

// errUnread is the error where the registry cannot be read, or does not have this server.
var errUnread = errors.New("look at the registry")

// resolve finds the service that an operator means.
func (d *desk) resolve(ctx context.Context, ref string) (v view, id barnraise.ServiceID, revision uint32, err error) {
	if v, err = d.look(ctx); err != nil {
		return v, 0, 0, fmt.Errorf("%w: %w", errUnread, err)
	}
	id, revision, err = registry.Resolve(v.confirmed, v.network.Names, ref)
	if errors.Is(err, registry.ErrReference) { // what was registered a moment ago
		id, revision, err = registry.Resolve(v.head, v.network.Names, ref)
	}
	return v, id, revision, err
}

// change alters what the operator has said, all at once with the event that says so: a server may read it meanwhile, and somebody
// else write it.
func (d *desk) change(ctx context.Context, e store.Event, alter func(*server.Words)) error {
	e.At = d.now
	return d.store.Update(ctx, func(tx *store.Tx) error {
		w, err := server.ReadWords(changing{tx})
		if err != nil {
			return err
		}
		if w.Approved == nil {
			w.Approved = make(map[barnraise.ServiceID]uint32)
		}
		if w.Denied == nil {
			w.Denied = make(map[barnraise.ServiceID]string)
		}
		alter(&w)
		if err := server.WriteWords(changing{tx}, w); err != nil {
			return err
		}
		return tx.Append(e)
	})
}

// changing is a server's memory within a change of its store.
type changing struct{ *store.Tx }

// Load is one of [server.Memory]'s.
func (c changing) Load(key string, v any) (bool, error) {
	err := c.Get(server.MemoryKind, key, v)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Save is one of [server.Memory]'s.
func (c changing) Save(key string, v any) error { return c.Put(server.MemoryKind, key, v) }

// wordResult is what an operator's words come to for a service.
type wordResult struct {
	Service barnraise.ServiceID `json:"service"`
	Word    string              `json:"word"` // yes, ask, no
	Why     string              `json:"why"`
}

// stands says what the operator's words come to now, beside his configuration.
func (d *desk) stands(ctx context.Context, v view, id barnraise.ServiceID) error {
	f, err := d.foresee(ctx, v)
	if err != nil {
		return err
	}
	word, why := f.Word(id)
	if slices.Contains(f.Input.Own, id) {
		if word, why = hosting.Yes, "it is one of this server's own"; f.Forbidden(id) != "" {
			word, why = hosting.No, f.Forbidden(id)
		}
	}
	return d.said(wordResult{id, consentWord(word), why})
}

func (d *desk) said(r wordResult) error {
	return d.app.print(r, func(w io.Writer) {
		switch r.Word {
		case consentWord(hosting.Yes):
			fmt.Fprintf(w, "%s may run here: %s\n", r.Service, r.Why)
		case consentWord(hosting.No):
			fmt.Fprintf(w, "%s does not run here: %s\n", r.Service, r.Why)
		default:
			fmt.Fprintf(w, "%s %s\n", r.Service, r.Why)
		}
	})
}
