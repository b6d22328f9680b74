package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/registry"
	"barnraise/score"
	"barnraise/store"

	"github.com/spf13/cobra"
)

// notebook is what this user's own calls have shown of a network, as it was kept last; other processes may add to it meanwhile.
type notebook struct {
	app     *app
	network registry.Network
	store   *store.Store // nil where nothing was kept yet
	book    *score.Book
	now     time.Time
}

// notebook opens it for reading, does something, and closes it.
func (a *app) notebook(ctx context.Context, do func(*notebook) error) error {
	n := &notebook{app: a, book: new(score.Book), now: time.Now()}
	var err error
	if n.network, err = a.readNetwork(); err != nil {
		return err
	}
	dir, err := client.NetworkDirectory(n.network)
	if err != nil {
		return err
	}
	n.store, err = store.OpenReadOnly(ctx, filepath.Join(dir, scoresFile), store.Options{})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return do(n)
	case err != nil:
		return err
	}
	if n.book, err = n.store.Tell(ctx, nil); err == nil {
		n.book.Advance(n.now)
		err = do(n)
	}
	return errors.Join(err, n.store.Close())
}

// opinion is what one's own calls have shown of a server.
type opinion struct {
	Server   barnraise.ServerID `json:"server"`
	URL      string             `json:"url"`
	Status   string             `json:"status,omitempty"` // this and the next one: where the registry can be read
	Since    uint64             `json:"since,omitempty"`  // block
	First    *time.Time         `json:"first"`            // since when it is known here; null where it is not
	Scores   *scoreResult       `json:"scores"`           // null where it is not
	Evidence []keptResult       `json:"evidence"`
	Events   []store.Event      `json:"events"` // newest last
}

func (n *notebook) explain(ctx context.Context, id barnraise.ServerID) error {
	o := opinion{Server: id, Evidence: []keptResult{}, Events: []store.Event{}}
	names, err := n.register(ctx, &o)
	if err != nil {
		return err
	}
	if row, known := n.book.Row(id); known {
		s := scoreOf(n.book, row, epochOf(n.now), n.now)
		if o.Scores = &s; !row.First.IsZero() {
			o.First = &row.First
		}
		if o.URL == "" {
			o.URL = row.URL
		}
	}
	dir, err := client.EvidenceDirectory()
	if err != nil {
		return err
	}
	if o.Evidence, err = keptOf(dir, func(v client.Kept) bool { return signedBy(v, id) && v.Registry == n.network.Registry() }); err != nil {
		return err
	}
	if n.store != nil {
		if o.Events, err = eventsOf(ctx, n.store, store.EventFilter{Server: id}); err != nil {
			return err
		}
	}
	return n.app.print(o, func(w io.Writer) { o.text(w, names) })
}

// register adds what the registry says, where it can be read: what was learnt is there without it.
func (n *notebook) register(ctx context.Context, o *opinion) (serviceNames, error) {
	names := func(barnraise.ServiceID) string { return "" }
	reader, err := n.app.dial(ctx, n.network)
	if err != nil {
		n.app.say("registry: %v", err)
		return names, nil
	}
	defer reader.Close()
	s, err := reader.Snapshot(ctx)
	if err != nil {
		n.app.say("registry: %v", err)
		return names, nil
	}
	v, ok := s.Server(o.Server)
	if !ok {
		return nil, fmt.Errorf("the registry has no server %d; list them with: barnraise servers list", o.Server)
	}
	o.URL, o.Status, o.Since = v.URL, v.Status.String(), v.Since
	return namesOf(s), nil
}

func (o opinion) text(w io.Writer, names serviceNames) {
	fmt.Fprintf(w, "server %d at %s", o.Server, o.URL)
	if o.Status != "" {
		fmt.Fprintf(w, ", %s since block %d", o.Status, o.Since)
	}
	if o.First == nil {
		fmt.Fprintln(w, ", not known to your calls")
	} else {
		fmt.Fprintf(w, ", known to your calls since %s\n", o.First.UTC().Format(time.DateTime))
	}
	o.Scores.text(w, names)
	if len(o.Evidence) > 0 {
		fmt.Fprintln(w)
		writeKept(w, o.Evidence)
	}
	fmt.Fprintln(w)
	writeEvents(w, o.Events)
}

// evidenceFlags say whose evidence is meant: the user's own, or that of a server.
type evidenceFlags struct{ config, directory string }

func (f *evidenceFlags) on(c *cobra.Command) {
	configFlag(c, &f.config)
	c.Flags().StringVar(&f.directory, "evidence", "", "directory for evidence; else the user's")
}

// own is the user's directory; not ok where a server's evidence is meant.
func (f evidenceFlags) own() (dir client.Directory, ok bool, err error) {
	switch {
	case f.config != "" && f.directory != "":
		return "", false, fmt.Errorf("%w: a server keeps its evidence with what else it must not forget: leave out --evidence, or --config", errUsage)
	case f.config != "":
		return "", false, nil
	case f.directory != "":
		return client.Directory(f.directory), true, nil
	}
	dir, err = client.EvidenceDirectory()
	return dir, true, err
}
