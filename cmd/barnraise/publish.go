package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"barnraise"
	"barnraise/content"
	"barnraise/dial"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/verifier"
	"barnraise/verifiers"

	"github.com/spf13/cobra"
)

// publication is what an author says on the command line when he registers or publishes.
type publication struct {
	file, image, verifier string
	home                  uint32
	account               accountFlags
}

func (p *publication) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.image, "image", "", "NAME@sha256:DIGEST of an image built here, or the path of an OCI layout; else as service.yaml says")
	c.Flags().StringVar(&p.verifier, "verifier", "", "a file, a CID, or one of "+strings.Join(verifiers.Names(), ", ")+"; else as service.yaml says")
	c.Flags().Uint32Var(&p.home, "home", 0, "id of the service's home server; else as service.yaml says")
	p.account.flags(c)
}

// looked says in the help what happens before anything is written.
const looked = `Before anything is written, all that others will need is looked at, since a revision never changes: the image is whole on
this machine, the verifier loads, the home is a registered server, the examples can be sent. What is published is kept where
servers of this machine find it.`

func (a *app) servicesRegister() *cobra.Command {
	var p publication
	var deposit ether
	c := &cobra.Command{
		Use:     "register SERVICE.yaml",
		Short:   "Register a service with its first revision",
		Long:    "Register registers a service with its first revision, which is active at once.\n\n" + looked,
		Example: "  barnraise services register services/search/service.yaml --image search@sha256:… --home 1 --account owner.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			p.file = args[0]
			return a.write(c.Context(), p.account, func(w *writing) error {
				s, err := w.registry.Snapshot(c.Context())
				if err != nil {
					return err
				}
				d, err := a.draft(p)
				if err != nil {
					return err
				}
				revision, err := d.revision(c.Context(), w.registry.Network(), s)
				if err != nil {
					return err
				}
				id, tx, err := w.registry.RegisterService(c.Context(), w.account, d.Name, revision, deposit.wei)
				return w.published(id, 1, revision, w.did("register", tx, err))
			})
		},
	}
	p.flags(c)
	deposit.flags(c)
	return c
}

func (a *app) servicesPublish() *cobra.Command {
	var p publication
	var activeFrom uint64
	c := &cobra.Command{
		Use:   "publish SERVICE SERVICE.yaml",
		Short: "Publish the next revision of a service",
		Long:  "Publish publishes the next revision of a service, which callers use once the registry's grace is over.\n\n" + looked,
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			p.file = args[1]
			return a.write(c.Context(), p.account, func(w *writing) error {
				s, err := w.registry.Snapshot(c.Context())
				if err != nil {
					return err
				}
				id, _, err := registry.Resolve(s, w.registry.Network().Names, args[0])
				if err != nil {
					return err
				}
				d, err := a.draft(p)
				if err != nil {
					return err
				}
				if v, _ := s.Service(id); v.Name != d.Name { // protocol 2.5
					return fmt.Errorf("publish revision of service %s: it is called %q, and %s says %q", id, v.Name, p.file, d.Name)
				}
				revision, err := d.revision(c.Context(), w.registry.Network(), s)
				if err != nil {
					return err
				}
				revision.ActiveFrom = activeFrom
				number, tx, err := w.registry.Publish(c.Context(), w.account, id, revision)
				return w.published(id, number, revision, w.did("publish", tx, err))
			})
		},
	}
	p.flags(c)
	c.Flags().Uint64Var(&activeFrom, "active-from", 0, "block from which callers use it; else as soon as the registry's grace allows")
	return c
}

// published notes what was made, if nothing failed.
func (w *writing) published(id barnraise.ServiceID, number uint32, r barnraise.Revision, err error) error {
	if err == nil {
		w.made = map[string]any{"id": id, "revision": number, "image": pinned(r), "manifest": r.Manifest, "verifier": r.Verifier}
	}
	return err
}

// draft is a revision before it is published.
type draft struct {
	*app
	manifest.Manifest        // as service.yaml and the command line have it; image and verifier are as they were named
	verifier          string // a file, a CID, or the name of a standard verifier
}

// draft reads service.yaml. What the command line says goes before it; the files that it names are of the working directory.
func (a *app) draft(p publication) (draft, error) {
	if info, err := os.Stat(p.file); err == nil && info.IsDir() {
		p.file = filepath.Join(p.file, "service.yaml")
	}
	source, err := manifest.ReadSource(p.file)
	if err != nil {
		return draft{}, err
	}
	d := draft{a, source.Manifest, p.verifier}
	if d.verifier == "" && source.Verifier != "" {
		d.verifier = source.Verifier
		if isVerifierFile(d.verifier) && !filepath.IsAbs(d.verifier) {
			d.verifier = filepath.Join(source.Dir, d.verifier)
		}
	}
	if p.image != "" {
		d.Image = p.image
	}
	if p.home != 0 {
		d.Home = barnraise.ServerID(p.home)
	}
	switch {
	case d.Image == "":
		return d, fmt.Errorf("%w: no image: build one with: barnraise image build %s, and name it with --image", errUsage, source.Dir)
	case d.Home == 0:
		return d, fmt.Errorf("%w: no home: name the server that answers for the service with --home ID", errUsage)
	case d.verifier == "":
		return d, fmt.Errorf("%w: no verifier: name a file, a CID or one of %s with --verifier", errUsage, strings.Join(verifiers.Names(), ", "))
	}
	if _, err := os.Stat(d.verifier); isVerifierFile(d.verifier) && errors.Is(err, fs.ErrNotExist) {
		return d, fmt.Errorf("%w: verifier %q is no file, no CID and none of %s", errUsage, d.verifier, strings.Join(verifiers.Names(), ", "))
	}
	return d, nil
}

// isVerifierFile reports whether what names a verifier can only be a file.
func isVerifierFile(name string) bool {
	_, standard := verifiers.Module(name)
	_, err := content.Parse(name)
	return !standard && err != nil
}

// revision makes of the draft what is registered, having looked at all of it, and keeps image, manifest and verifier where
// servers of this machine find them.
func (d *draft) revision(ctx context.Context, network registry.Network, s *barnraise.Snapshot) (r barnraise.Revision, err error) {
	home, ok := s.Server(d.Home)
	if !ok || home.Status != barnraise.StatusActive {
		return r, fmt.Errorf("use server %d as home: the registry has no active server of that id: see barnraise servers list", d.Home)
	}
	if _, err := d.Examples(); err != nil {
		return r, err
	}
	index, err := d.adoptImage(ctx, network.Private())
	if err != nil {
		return r, err
	}
	store, _, err := d.store()
	if err != nil {
		return r, err
	}
	module, err := d.module(ctx, network, store, home.URL)
	if err != nil {
		return r, fmt.Errorf("use %s as verifier: %w", d.verifier, err)
	}
	if d.Verifier, _, err = store.Add(bytes.NewReader(module), content.MaxFile); err != nil {
		return r, err
	}
	document, err := d.Encode()
	if err != nil {
		return r, err
	}
	r = barnraise.Revision{Image: index, Reference: d.Image, Verifier: d.Verifier, Home: d.Home}
	if r.Manifest, err = store.Put(document); err != nil {
		return r, err
	}
	reason := "published as " + d.Name // so that no collection takes them
	return r, errors.Join(store.Pin(r.Verifier, reason), store.Pin(r.Manifest, reason))
}

// adoptImage finds the image, makes the manifest name it by digest, and copies it to where servers of this machine look; what is
// not here comes from the registry that its name names. It fails where not all of it is to be had: then nobody could run it.
func (d *draft) adoptImage(ctx context.Context, private bool) (index barnraise.Digest, err error) {
	from, name, index, err := d.findImage(d.Image)
	if err != nil {
		return index, err
	}
	sources := image.Sources(nil, "", name)
	if len(sources) == 0 && !image.ValidName(name) {
		name = d.Name
	}
	into, err := d.images()
	if err != nil {
		return index, err
	}
	if err = into.Adopt(from, index); err == nil || errors.Is(err, image.ErrNotFound) {
		puller := image.Puller{Client: dial.Client(private, 0), Store: into}
		_, err = puller.Pull(ctx, index, sources) // where there is no registry it only looks
	}
	if errors.Is(err, image.ErrNotFound) {
		return index, fmt.Errorf("use image %s: not all of it is on this machine: build it with: barnraise image build DIR, "+
			"or push it to a registry first, with: barnraise image push DIR HOST/NAME, and name it with --image HOST/NAME@sha256:…: %w", d.Image, err)
	}
	d.Image = name + "@" + index.String()
	return index, err
}

// module gets the verifier and loads it as whoever calls the service will. A CID is looked for here, at the gateways of the
// network, and at the home.
func (d *draft) module(ctx context.Context, network registry.Network, store *content.Store, home string) ([]byte, error) {
	if module, ok := verifiers.Module(d.verifier); ok {
		return module, nil
	}
	var module []byte
	cid, err := content.Parse(d.verifier)
	if err == nil {
		f := content.Fetcher{Client: dial.Client(network.Private(), 0), Store: store}
		if module, err = f.FetchUpTo(ctx, cid, int64(d.VerifierLimits.Module), slices.Concat(network.Gateways, []string{home})); errors.Is(err, content.ErrTooLarge) {
			err = fmt.Errorf("%w; service.yaml can allow more: verifierLimits: {module: BYTES}", err)
		} else if err != nil {
			err = fmt.Errorf("%w; keep the file here first, with: barnraise content add FILE", err)
		}
	} else {
		module, err = readLimited(d.verifier, content.MaxFile)
	}
	if err != nil {
		return nil, err
	}
	engine, err := d.engine()
	if err != nil {
		return nil, err
	}
	_, err = verifier.NewHost(engine).Load(ctx, module, granted(d.Manifest))
	return module, err
}
