package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"barnraise"
	"barnraise/content"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/registry/evm"
	"barnraise/verifiers"

	"github.com/spf13/cobra"
)

func (a *app) services() *cobra.Command {
	c := &cobra.Command{Use: "services", Short: "Look at services, register and publish them"}
	c.AddCommand(a.servicesList(), a.servicesShow(), a.servicesRegister(), a.servicesPublish())
	return c
}

// registry opens the network's registry. The caller closes it.
func (a *app) registry(ctx context.Context) (*evm.Registry, error) {
	network, err := a.readNetwork()
	if err != nil {
		return nil, err
	}
	return evm.Dial(ctx, network)
}

func (a *app) snapshot(ctx context.Context) (*barnraise.Snapshot, registry.Network, error) {
	r, err := a.registry(ctx)
	if err != nil {
		return nil, registry.Network{}, err
	}
	defer r.Close()
	s, err := r.Snapshot(ctx)
	return s, r.Network(), err
}

// serviceResult is an item of services list: a service with its active revision, or its newest where none is active.
type serviceResult struct {
	ID         barnraise.ServiceID `json:"id"`
	Owner      barnraise.Address   `json:"owner"`
	Name       string              `json:"name"`
	Revision   uint32              `json:"revision"`
	Image      string              `json:"image"`
	Verifier   barnraise.CID       `json:"verifier"`
	Manifest   barnraise.CID       `json:"manifest"`
	Home       barnraise.ServerID  `json:"home"`
	ActiveFrom uint64              `json:"activeFrom"`
	Revoked    bool                `json:"revoked"`
}

func describeRevision(v barnraise.Service, r barnraise.Revision) serviceResult {
	return serviceResult{
		ID: v.ID, Owner: v.Owner, Name: v.Name, Revision: r.Number, Image: pinned(r), Verifier: r.Verifier, Manifest: r.Manifest,
		Home: r.Home, ActiveFrom: r.ActiveFrom, Revoked: r.Revoked,
	}
}

// pinned is a revision's image as name@sha256:…, whatever its reference says of the digest.
func pinned(r barnraise.Revision) string {
	name, _, _ := strings.Cut(r.Reference, "@")
	return name + "@" + r.Image.String()
}

func (a *app) servicesList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the services with their active revisions",
		RunE: func(c *cobra.Command, _ []string) error {
			s, _, err := a.snapshot(c.Context())
			if err != nil {
				return err
			}
			list := []serviceResult{}
			for _, v := range s.Services() {
				if _, r, ok := s.Active(v.ID); ok {
					list = append(list, describeRevision(v, r))
				}
			}
			return a.print(list, func(w io.Writer) {
				t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
				fmt.Fprintln(t, "ID\tNAME\tREVISION\tHOME\tHOSTS\tOWNER")
				for _, v := range list {
					fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\n", v.ID, v.Name, v.Revision, v.Home, len(s.Hosts(v.ID)), registry.Checksum(v.Owner))
				}
				t.Flush()
			})
		},
	}
}

// serviceDetail is what services show prints as JSON.
type serviceDetail struct {
	serviceResult
	Status    string               `json:"status"`
	Since     uint64               `json:"since"`
	Delegate  barnraise.Address    `json:"delegate"`
	Hosts     []barnraise.ServerID `json:"hosts"`
	Revisions []revisionDetail     `json:"revisions"`
}

type revisionDetail struct {
	Revision   uint32             `json:"revision"`
	Image      string             `json:"image"`
	Verifier   barnraise.CID      `json:"verifier"`
	Manifest   barnraise.CID      `json:"manifest"`
	Home       barnraise.ServerID `json:"home"`
	ActiveFrom uint64             `json:"activeFrom"`
	Revoked    bool               `json:"revoked"`
	Reason     string             `json:"reason,omitempty"`
}

func (a *app) servicesShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show SERVICE",
		Short: "Show a service with all its revisions",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, network, err := a.snapshot(c.Context())
			if err != nil {
				return err
			}
			id, _, err := registry.Resolve(s, network.Names, args[0])
			if err != nil {
				return err
			}
			d := describeService(s, id)
			return a.print(d, func(w io.Writer) {
				fmt.Fprintf(w, "service %s %q\nowner    %s\nstatus   %s since block %d\nhosts    %v\n", d.ID, d.Name, registry.Checksum(d.Owner), d.Status, d.Since, d.Hosts)
				for _, r := range d.Revisions {
					state := map[bool]string{true: "active", false: ""}[r.Revision == d.Revision && !r.Revoked]
					if r.Revoked {
						state = fmt.Sprintf("revoked: %q", r.Reason)
					}
					fmt.Fprintf(w, "revision %d from block %d %s\n  image    %s\n  verifier %s\n  manifest %s\n  home     %d\n",
						r.Revision, r.ActiveFrom, state, r.Image, r.Verifier, r.Manifest, r.Home)
				}
			})
		},
	}
}

func describeService(s *barnraise.Snapshot, id barnraise.ServiceID) serviceDetail {
	v, active, ok := s.Active(id)
	if !ok && len(v.Revisions) > 0 {
		active = v.Revisions[len(v.Revisions)-1]
	}
	d := serviceDetail{
		serviceResult: describeRevision(v, active), Status: v.Status.String(), Since: v.Since, Delegate: v.Delegate,
		Hosts: append([]barnraise.ServerID{}, s.Hosts(id)...),
	}
	for _, r := range v.Revisions {
		d.Revisions = append(d.Revisions, revisionDetail{r.Number, pinned(r), r.Verifier, r.Manifest, r.Home, r.ActiveFrom, r.Revoked, r.Reason})
	}
	return d
}

// publication is what an author says on the command line when he registers or publishes.
type publication struct {
	file, image, verifier string
	home                  uint32
	account               accountFlags
}

func (p *publication) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.image, "image", "", "NAME@sha256:DIGEST of an image built here, or the path of its OCI layout; else as service.yaml says")
	c.Flags().StringVar(&p.verifier, "verifier", "", "a file, a CID, or one of "+strings.Join(verifiers.Names(), ", ")+"; else as service.yaml says")
	c.Flags().Uint32Var(&p.home, "home", 0, "id of the service's home server; else as service.yaml says")
	p.account.flags(c)
}

func (a *app) servicesRegister() *cobra.Command {
	var p publication
	c := &cobra.Command{
		Use:     "register SERVICE.yaml",
		Short:   "Register a service with its first revision",
		Example: "  barnraise services register services/search/service.yaml --image search@sha256:… --home 1 --account owner.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			p.file = args[0]
			return a.write(c.Context(), p.account, func(r *evm.Registry, account *evm.Account) (map[string]any, evm.Tx, error) {
				name, revision, err := a.revision(p)
				if err != nil {
					return nil, evm.Tx{}, err
				}
				id, tx, err := r.RegisterService(c.Context(), account, name, revision, p.account.wei())
				return map[string]any{"id": id, "revision": 1, "image": pinned(revision), "manifest": revision.Manifest, "verifier": revision.Verifier}, tx, err
			})
		},
	}
	p.flags(c)
	return c
}

func (a *app) servicesPublish() *cobra.Command {
	var p publication
	var activeFrom uint64
	c := &cobra.Command{
		Use:   "publish SERVICE SERVICE.yaml",
		Short: "Publish the next revision of a service",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			p.file = args[1]
			return a.write(c.Context(), p.account, func(r *evm.Registry, account *evm.Account) (map[string]any, evm.Tx, error) {
				s, err := r.Snapshot(c.Context())
				if err != nil {
					return nil, evm.Tx{}, err
				}
				id, _, err := registry.Resolve(s, r.Network().Names, args[0])
				if err != nil {
					return nil, evm.Tx{}, err
				}
				_, revision, err := a.revision(p)
				if err != nil {
					return nil, evm.Tx{}, err
				}
				revision.ActiveFrom = activeFrom
				number, tx, err := r.Publish(c.Context(), account, id, revision)
				return map[string]any{"id": id, "revision": number, "image": pinned(revision), "manifest": revision.Manifest, "verifier": revision.Verifier}, tx, err
			})
		},
	}
	p.flags(c)
	c.Flags().Uint64Var(&activeFrom, "active-from", 0, "block from which callers use it; else as soon as the registry's grace allows")
	return c
}

// revision puts together what is registered, and keeps manifest and verifier where servers of this machine find them.
func (a *app) revision(p publication) (name string, r barnraise.Revision, err error) {
	if info, err := os.Stat(p.file); err == nil && info.IsDir() {
		p.file = filepath.Join(p.file, "service.yaml")
	}
	source, err := manifest.ReadSource(p.file)
	if err != nil {
		return "", r, err
	}
	m := source.Manifest
	if p.image != "" {
		m.Image = p.image
	}
	if m.Image == "" {
		return "", r, fmt.Errorf("%w: no image: build one with: barnraise image build %s, and name it with --image", errUsage, source.Dir)
	}
	_, imageName, index, err := a.findImage(m.Image)
	if err != nil {
		return "", r, err
	}
	m.Image = imageName + "@" + index.String()
	if p.home != 0 {
		m.Home = barnraise.ServerID(p.home)
	}
	if m.Home == 0 {
		return "", r, fmt.Errorf("%w: no home: name the server that answers for the service with --home ID", errUsage)
	}
	if p.verifier != "" {
		source.Verifier = p.verifier
	}
	store, _, err := a.store()
	if err != nil {
		return "", r, err
	}
	if m.Verifier, err = verifierCID(store, source); err != nil {
		return "", r, err
	}
	document, err := m.Encode()
	if err != nil {
		return "", r, err
	}
	r = barnraise.Revision{Image: index, Reference: m.Image, Verifier: m.Verifier, Home: m.Home}
	r.Manifest, err = store.Put(document)
	return m.Name, r, err
}

// verifierCID says which verifier service.yaml means: a standard one, a CID, or a file, which is kept.
func verifierCID(store *content.Store, s manifest.Source) (barnraise.CID, error) {
	if module, ok := verifiers.Module(s.Verifier); ok {
		return store.Put(module)
	}
	if c, err := content.Parse(s.Verifier); err == nil {
		return c, nil
	}
	path := s.Verifier
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.Dir, path)
	}
	module, err := readLimited(path, content.MaxBlock)
	if errors.Is(err, fs.ErrNotExist) || s.Verifier == "" {
		return "", fmt.Errorf("%w: verifier %q is no file, no CID and none of %s", errUsage, s.Verifier, strings.Join(verifiers.Names(), ", "))
	}
	if err != nil {
		return "", err
	}
	return store.Put(module)
}
