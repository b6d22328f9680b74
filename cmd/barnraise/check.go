package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"barnraise"
	"barnraise/conformance"
	"barnraise/content"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"

	"github.com/spf13/cobra"
)

// checking is what an author says on the command line when he has an image checked.
type checking struct {
	file, image, report string
	seed                uint64
	requests            int
}

func (a *app) check() *cobra.Command {
	var k checking
	c := &cobra.Command{
		Use:   "check SERVICE.yaml|NAME@sha256:DIGEST|PATH[@sha256:DIGEST]",
		Short: "Try whether an image is deterministic and stateless, and keeps its limits",
		Long: `Check runs an image with the examples of its OpenRPC document and with requests made up from it: again and again, in
surroundings varied one at a time, in other orders, after a crash, on every platform that this machine runs, and compares the
answers byte by byte. It says what differs, where, and why; what each method takes; and which limits and cost to put into
service.yaml. An image without a service.yaml is asked for its OpenRPC document by rpc.discover.

The report is kept where servers of this machine find it; its CID belongs into service.yaml, under report. Check exits 1
where the image does not pass.`,
		Example: "  barnraise check services/search/service.yaml --image search@sha256:…",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			k.file = args[0]
			if k.requests < 0 || k.seed > conformance.MaxSeed {
				return fmt.Errorf("%w: --requests is at least 1, --seed at most %d", errUsage, uint64(conformance.MaxSeed))
			}
			return a.runCheck(c.Context(), k)
		},
	}
	c.Flags().StringVar(&k.image, "image", "", "NAME@sha256:DIGEST of an image built here, or the path of an OCI layout; else as service.yaml says")
	c.Flags().StringVar(&k.report, "report", "", "write the report to this file as well")
	c.Flags().Uint64Var(&k.seed, "seed", 1, "of the requests that are made up")
	c.Flags().IntVar(&k.requests, "requests", 0, "how many are made up for each method; else 24")
	return c
}

func (a *app) runCheck(ctx context.Context, k checking) error {
	m, ref, err := k.manifest()
	if err != nil {
		return err
	}
	images, name, index, err := a.findImage(ref)
	if err != nil {
		return err
	}
	r, done, err := a.lab(ctx, images)
	if err != nil {
		return err
	}
	defer done()
	subject := conformance.Subject{Image: index, Manifest: m}
	if subject.Variants, err = a.heldVariants(ctx, images, index); err != nil {
		return err
	}
	if len(m.OpenRPC) == 0 {
		if subject.Manifest, err = discovered(ctx, r, subject); err != nil {
			return err
		}
	}
	report, err := conformance.Check(ctx, r, subject, conformance.Options{
		Seed: k.seed, Requests: k.requests, Now: time.Now(),
		Progress: func(platform, run string) { a.say("%s: %s", platform, run) },
	})
	if err != nil {
		return fmt.Errorf("check %s: %w", name, err)
	}
	return a.reported(k, name, report)
}

// manifest reads service.yaml where the argument is one, and returns the reference of the image to check.
func (k checking) manifest() (m manifest.Manifest, ref string, err error) {
	file := k.file
	if info, err := os.Stat(file); err == nil && info.IsDir() && !isLayout(file) {
		file = filepath.Join(file, "service.yaml")
	}
	if ext := filepath.Ext(file); ext != ".yaml" && ext != ".yml" {
		if k.image != "" {
			return m, "", fmt.Errorf("%w: --image goes with a service.yaml, and %s is none", errUsage, k.file)
		}
		return manifest.Manifest{Limits: manifest.DefaultLimits}, k.file, nil
	}
	source, err := manifest.ReadSource(file)
	if err != nil {
		return m, "", err
	}
	if k.image != "" {
		source.Image = k.image
	}
	if source.Image == "" {
		return m, "", fmt.Errorf("%w: no image: build one with: barnraise image build %s, and name it with --image", errUsage, source.Dir)
	}
	return source.Manifest, source.Image, nil
}

// heldVariants lists the variants of which all is on this machine.
func (a *app) heldVariants(ctx context.Context, images *image.Store, index barnraise.Digest) (map[string]barnraise.Digest, error) {
	const hint = "build it with: barnraise image build DIR, or fetch it, as with: skopeo copy --all docker://NAME@sha256:… oci:DIR"
	variants, err := images.Variants(index)
	if errors.Is(err, image.ErrNotFound) {
		return nil, fmt.Errorf("%w: %s is not on this machine: %s", err, index, hint)
	}
	if err != nil {
		return nil, err
	}
	held := make(map[string]barnraise.Digest)
	looks := image.Puller{Store: images} // from nobody: it finds what is there
	for _, v := range variants {
		if _, err := looks.Pull(ctx, index, nil, v.Platform); err != nil {
			a.say("%s is not all on this machine and is left out", v.Platform)
			continue
		}
		held[v.Platform] = v.Manifest
	}
	if len(held) == 0 {
		return nil, fmt.Errorf("no variant of %s is all on this machine: %s", index, hint)
	}
	return held, nil
}

// discovered is the manifest of an image that has none: its own description, and the limits that stand where a manifest is
// silent.
func discovered(ctx context.Context, r runtime.Runtime, s conformance.Subject) (manifest.Manifest, error) {
	document, err := conformance.Discover(ctx, r, s)
	if err != nil {
		return s.Manifest, fmt.Errorf("%w; name a service.yaml with an OpenRPC document", err)
	}
	m := s.Manifest
	m.Name, m.OpenRPC = "image", document
	b, err := m.Encode()
	if err != nil {
		return m, fmt.Errorf("read what rpc.discover answers: %w", err)
	}
	if m, err = manifest.Parse(b); err != nil {
		return m, fmt.Errorf("read what rpc.discover answers: %w", err)
	}
	return m, nil
}

// reported keeps, writes and prints a report. It fails where the image did not pass.
func (a *app) reported(k checking, name string, r conformance.Report) error {
	document, err := r.Encode()
	if err != nil {
		return err
	}
	if r, err = conformance.ParseReport(document); err != nil { // as others will read it
		return err
	}
	store, _, err := a.store()
	if err != nil {
		return err
	}
	cid, _, err := store.Add(bytes.NewReader(document), content.MaxFile)
	if err != nil {
		return err
	}
	if k.report != "" {
		if err := os.WriteFile(k.report, document, 0o644); err != nil {
			return err
		}
	}
	result := newCheckResult(name, cid, r)
	if err := a.print(result, result.text); err != nil || r.Passed {
		return err
	}
	return fmt.Errorf("check %s: %w", name, conformance.ErrFailed)
}
