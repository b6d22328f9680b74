package devnet

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"barnraise"
	"barnraise/content"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/server"
	"barnraise/verifiers"

	"github.com/go-json-experiment/json/jsontext"
)

// shipped is a service that the project ships: a Go program in the tree, and a step before it is built, if it has one.
type shipped struct {
	dir     string   // within the module
	prepare []string // a go command that writes index.bin, and what its verifier has to know, into the directory that follows
}

var ships = []shipped{
	{dir: "services/search", prepare: []string{"run", "./services/search/search-build", "-go", "-out"}},
	{dir: "services/matrix"},
	{dir: "services/whisper"},
}

func (s shipped) name() string { return filepath.Base(s.dir) }

// program is what the service runs.
func (s Service) program() (shipped, error) {
	name := s.Program
	if name == "" {
		name = s.Name
	}
	if strings.Contains(name, "/") && filepath.IsLocal(name) {
		return shipped{dir: name}, nil
	}
	var names []string
	for _, p := range ships {
		if p.name() == name {
			return p, nil
		}
		names = append(names, p.name())
	}
	return shipped{}, fmt.Errorf("the project ships no program %q; there are %s", name, strings.Join(names, ", "))
}

// registerServices builds the services' programs, publishes manifests and verifiers, and registers the services that are not
// registered yet.
func (n *Net) registerServices(ctx context.Context) error {
	snapshot, err := n.registry.Snapshot(ctx)
	if err != nil {
		return err
	}
	names := make(map[string]barnraise.ServiceID)
	for _, s := range n.layout.Services {
		if err := n.openHome(s.Home); err != nil {
			return err
		}
		for _, v := range snapshot.Named(s.Name) {
			if v.Owner == n.accounts.author.Address() {
				names[s.Name] = v.ID
			}
		}
		if names[s.Name] != 0 {
			continue
		}
		if names[s.Name], err = n.registerService(ctx, s); err != nil {
			return fmt.Errorf("service %s: %w", s.Name, err)
		}
	}
	n.Network.Names = names
	return n.writeNetwork()
}

// openHome opens what server i is the home of. Nobody else has that before he pulls it.
func (n *Net) openHome(i int) (err error) {
	if n.homes[i] != nil {
		return nil
	}
	dir := filepath.Join(n.options.Dir, "published", strconv.Itoa(i+1))
	home := &server.Local{}
	if home.Images, err = image.Open(filepath.Join(dir, "images")); err != nil {
		return err
	}
	if home.Content, err = content.Open(filepath.Join(dir, "content")); err != nil {
		return err
	}
	n.homes[i] = home
	return nil
}

func (n *Net) registerService(ctx context.Context, s Service) (barnraise.ServiceID, error) {
	program, err := s.program()
	if err != nil {
		return 0, err
	}
	root, err := moduleRoot()
	if err != nil {
		return 0, err
	}
	source, err := manifest.ReadSource(filepath.Join(root, program.dir, "service.yaml"))
	if err != nil {
		return 0, err
	}
	built, err := n.build(ctx, root, program)
	if err != nil {
		return 0, err
	}
	r, verifier, err := n.publish(s, source, built)
	if err != nil {
		return 0, err
	}
	id, _, err := n.registry.RegisterService(ctx, n.accounts.author, s.Name, r, nil)
	if err != nil {
		return 0, err
	}
	n.say("service %s %q registered: image %s, verifier %s (%s), home server %d", id, s.Name, built.Image, r.Verifier, verifier, r.Home)
	return id, nil
}

// publish gives a service's home what belongs to its revision, and returns that with the verifier's name.
func (n *Net) publish(s Service, source manifest.Source, built made) (r barnraise.Revision, verifier string, err error) {
	home, m := n.homes[s.Home], source.Manifest
	verifier = cmp.Or(s.Verifier, source.Verifier)
	module, err := readVerifier(source.Dir, verifier, m.VerifierLimits.Module)
	if err != nil {
		return r, "", err
	}
	for _, config := range []jsontext.Value{built.Config, jsontext.Value(s.Config)} {
		if config != nil {
			m.Config = config
		}
	}
	m.Name, m.Image, m.Home = s.Name, built.Image, n.Servers[s.Home].ID
	if m.Verifier, _, err = home.Content.Add(bytes.NewReader(module), content.MaxFile); err != nil {
		return r, "", err
	}
	document, err := m.Encode()
	if err != nil {
		return r, "", err
	}
	r = barnraise.Revision{Reference: built.Image, Verifier: m.Verifier, Home: m.Home}
	if _, r.Image, err = image.ParseReference(built.Image); err != nil {
		return r, "", err
	}
	if r.Manifest, err = home.Content.Put(document); err != nil {
		return r, "", err
	}
	return r, verifier, home.Images.Adopt(n.images, r.Image)
}

// readVerifier returns the module that a service.yaml in the directory names: a standard one, or a file beside it, which may be as
// long as its manifest grants.
func readVerifier(dir, name string, most manifest.Bytes) ([]byte, error) {
	if module, ok := verifiers.Module(name); ok {
		return module, nil
	}
	if name == "" || !filepath.IsLocal(name) {
		return nil, fmt.Errorf("verifier %q is none of the standard ones (%s), and no file beside service.yaml", name, strings.Join(verifiers.Names(), ", "))
	}
	module, err := os.ReadFile(filepath.Join(dir, name))
	if err == nil && manifest.Bytes(len(module)) > most {
		err = fmt.Errorf("%s has %d bytes, the manifest grants %s: see verifierLimits", name, len(module), most)
	}
	if err != nil {
		return nil, fmt.Errorf("read verifier: %w", err)
	}
	return module, nil
}
