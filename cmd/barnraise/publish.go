package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
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
	delegate              string
	account               accountFlags
}

func (p *publication) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.image, "image", "", "NAME@sha256:DIGEST of an image built here, HOST/NAME:TAG or @sha256:DIGEST of one in a registry, or the path of an OCI layout; else as service.yaml says")
	c.Flags().StringVar(&p.verifier, "verifier", "", "a file, a CID, or one of "+strings.Join(verifiers.Names(), ", ")+"; else as service.yaml says")
	c.Flags().Uint32Var(&p.home, "home", 0, "id of the service's home server; else as service.yaml says")
	p.account.flags(c)
}

// looked says in the help what happens before anything is written.
const looked = `Before anything is written, all that others will need is looked at, since a revision never changes: the image is whole on
this machine or in its registry, where a tag is made a digest, the verifier loads, the home is a registered server, the examples
can be sent. What is published is kept where servers of this machine find it.`

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
			delegate, err := parseDelegate(p.delegate)
			if err != nil {
				return err
			}
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
				if err := w.published(id, 1, d, revision, w.did("register", tx, err)); err != nil || p.delegate == "" {
					return err
				}
				return w.delegates(c.Context(), id, delegate)
			})
		},
	}
	p.flags(c)
	deposit.flags(c)
	c.Flags().StringVar(&p.delegate, "delegate", "", serviceDelegate)
	return c
}

// delegates names a service's delegate, in a transaction of its own.
func (w *writing) delegates(ctx context.Context, id barnraise.ServiceID, delegate barnraise.Address) error {
	if w.made["delegate"] = delegate; w.dry() {
		w.follows("set delegate")
		return nil
	}
	tx, err := w.registry.SetServiceDelegate(ctx, w.account, id, delegate)
	return w.did("set delegate", tx, err)
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
			return a.write(c.Context(), p.account, func(w *writing) error { return p.publish(c.Context(), w, args[0], activeFrom) })
		},
	}
	p.flags(c)
	c.Flags().Uint64Var(&activeFrom, "active-from", 0, "block from which callers use it; else as soon as the registry's grace allows")
	return c
}

// publish publishes what the author says as the next revision of a service.
func (p *publication) publish(ctx context.Context, w *writing, service string, activeFrom uint64) error {
	s, err := w.registry.Snapshot(ctx)
	if err != nil {
		return err
	}
	id, _, err := registry.Resolve(s, w.registry.Network().Names, service)
	if err != nil {
		return err
	}
	d, err := w.app.draft(*p)
	if err != nil {
		return err
	}
	v, _ := s.Service(id)
	if v.Name != d.Name { // protocol 2.5
		return fmt.Errorf("publish revision of service %s: it is called %q, and %s says %q", id, v.Name, p.file, d.Name)
	}
	revision, err := d.revision(ctx, w.registry.Network(), s)
	if err != nil {
		return err
	}
	list := changes(v, revision)
	for _, c := range list {
		w.app.say("this revision changes the service's %s, from %s to %s", c.What, c.From, c.To)
	}
	revision.ActiveFrom = activeFrom
	number, tx, err := w.registry.Publish(ctx, w.account, id, revision)
	if len(list) > 0 {
		w.made["changes"] = list
	}
	return w.published(id, number, d, revision, w.did("publish", tx, err))
}

// change is what a revision has otherwise than the one before it, of what its callers go by.
type change struct {
	What string `json:"what"` // "verifier" or "home"
	From string `json:"from"`
	To   string `json:"to"`
}

// String is how it is shown among what was made.
func (c change) String() string { return c.What + ": " + c.From + " -> " + c.To }

// changes lists what of a service's trust the revision moves elsewhere.
func changes(v barnraise.Service, r barnraise.Revision) (list []change) {
	if len(v.Revisions) == 0 {
		return nil
	}
	old := v.Revisions[len(v.Revisions)-1]
	if old.Verifier != r.Verifier {
		list = append(list, change{"verifier", string(old.Verifier), string(r.Verifier)})
	}
	if old.Home != r.Home {
		list = append(list, change{"home", fmt.Sprintf("server %d", old.Home), fmt.Sprintf("server %d", r.Home)})
	}
	return list
}

// published notes what was made, if nothing failed.
func (w *writing) published(id barnraise.ServiceID, number uint32, d draft, r barnraise.Revision, err error) error {
	if err != nil {
		return err
	}
	maps.Copy(w.made, map[string]any{"id": id, "revision": number, "image": pinned(r), "manifest": r.Manifest, "verifier": r.Verifier})
	if d.tag != "" {
		w.made["tag"] = d.tag
	}
	return nil
}

// draft is a revision before it is published.
type draft struct {
	*app
	manifest.Manifest        // as service.yaml and the command line have it; image and verifier are as they were named
	verifier          string // a file, a CID, or the name of a standard verifier
	tag               string // as the image was named, where that was no digest
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
	d := draft{app: a, Manifest: source.Manifest, verifier: p.verifier}
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
	if err := d.resolveTag(ctx, private); err != nil {
		return index, err
	}
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

// resolveTag makes an image's tag in a registry a digest, which is what stands for good (protocol 2.7), and says which.
func (d *draft) resolveTag(ctx context.Context, private bool) error {
	if _, err := os.Stat(d.Image); err == nil || strings.Contains(d.Image, "@") || !image.IsTagged(d.Image) {
		return nil
	}
	named, err := image.Resolve(ctx, dial.Client(private, 0), d.Image)
	if err != nil {
		return err
	}
	d.say("%s is %s", d.Image, named)
	d.tag, d.Image = d.Image, named
	return nil
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
