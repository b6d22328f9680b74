package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"barnraise/content"
	"barnraise/manifest"
	"barnraise/verifier"
	"barnraise/verifiers"
	"barnraise/wasm"

	"github.com/spf13/cobra"
)

func (a *app) verifier() *cobra.Command {
	c := &cobra.Command{Use: "verifier", Short: "Write, look at, run and test verifiers"}
	c.AddCommand(a.verifierNew(), a.verifierInspect(), a.verifierRun(), a.verifierTest(), a.verifierFuzz())
	return c
}

// candidate is a module whose author wants to know what becomes of it.
type candidate struct {
	name     string // as the author named it
	module   []byte
	limits   verifier.Limits
	manifest string // file that the limits are from; empty where nobody named one
	config   []byte // of that manifest; empty where there is none
}

// manifestFlag lets a command take the limits of a service.yaml.
func manifestFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "manifest", "", "the service.yaml whose verifierLimits count; else the defaults")
}

// candidate reads a module: a file, or a verifier of the house by its name. A service.yaml, where one is named, says what the
// module is granted.
func (a *app) candidate(name, manifestFile string) (candidate, error) {
	v := candidate{name: name, manifest: manifestFile}
	if manifestFile != "" {
		source, err := manifest.ReadSource(manifestFile)
		if err != nil {
			return v, err
		}
		v.limits = granted(source.Manifest)
		v.config = source.Manifest.VerifierConfig()
	}
	if module, ok := verifiers.Module(name); ok {
		v.module = module
		return v, nil
	}
	module, err := readLimited(name, content.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; name a file, or one of %s", err, standardNames())
	}
	v.module = module
	return v, err
}

// granted is what a manifest grants its verifier.
func granted(m manifest.Manifest) verifier.Limits {
	l := m.VerifierLimits
	return verifier.Limits{Module: uint64(l.Module), Memory: uint64(l.Memory), Fuel: l.Fuel}
}

func standardNames() string { return strings.Join(verifiers.Names(), ", ") }

// projectModule is the module of a project, and the service.yaml that lies beside it: the one file that ends in .wasm, unless
// the author names another.
func projectModule(dir, named, manifestFile string) (module, service string, err error) {
	if service = manifestFile; service == "" {
		if file := filepath.Join(dir, "service.yaml"); exists(file) {
			service = file
		}
	}
	if named != "" {
		return named, service, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", "", err
	}
	var found []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".wasm" && !e.IsDir() {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	switch len(found) {
	case 1:
		return found[0], service, nil
	case 0:
		return "", "", fmt.Errorf("find module in %s: no file ends in .wasm; build it first, with: sh %s", dir, filepath.Join(dir, "build.sh"))
	}
	return "", "", fmt.Errorf("%w: %s: name one of them with --module", errUsage, strings.Join(found, ", "))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// engine compiles modules, and keeps what it compiled in the cache directory. There is one for each run of the program.
func (a *app) engine() (*wasm.Engine, error) {
	if a.compiler != nil {
		return a.compiler, nil
	}
	cache, err := a.cacheDir()
	if err == nil {
		a.compiler, err = wasm.NewEngine(filepath.Join(cache, "wasm"))
	}
	return a.compiler, err
}

// load makes a verifier of the candidate. Where no manifest was named, the module may be as large as one can allow, and the
// author is told what it has to say.
func (a *app) load(ctx context.Context, v *candidate) (*verifier.Verifier, error) {
	engine, err := a.engine()
	if err != nil {
		return nil, err
	}
	h := verifier.NewHost(engine)
	loaded, err := h.Load(ctx, v.module, v.limits)
	if err == nil || v.manifest != "" || !errors.Is(err, wasm.ErrRefused) {
		return loaded, err
	}
	most := v.limits
	most.Module = verifier.MaxLimits.Module
	if loaded, mostErr := h.Load(ctx, v.module, most); mostErr == nil {
		v.limits = most
		a.say("%s", v.hint())
		return loaded, nil
	}
	return nil, err
}

// hint says what the manifest has to allow for a module that is too large by default.
func (v *candidate) hint() string {
	return fmt.Sprintf("%s needs more than verifiers may have by default: let its service.yaml say verifierLimits: {module: %s}",
		v.name, strings.ReplaceAll(manifest.Bytes(v.roomy()).String(), " ", ""))
}

// roomy is a figure for verifierLimits.module with which the module is taken, in bytes: its size, or a power of two above.
func (v *candidate) roomy() uint64 {
	size := verifier.Module
	for size < verifier.MaxLimits.Module {
		if _, err := wasm.Check(v.module, wasm.VerifierCapsFor(int(size))); err == nil {
			return size
		}
		size *= 2
	}
	return verifier.MaxLimits.Module
}

// problemOf says why there is no verdict of the verifier's, as a vector does; ok is false for what says nothing about it.
func problemOf(err error) (p verifiers.Problem, ok bool) {
	switch {
	case err == nil:
		return verifiers.NoProblem, true
	case errors.Is(err, wasm.ErrFuel):
		return verifiers.OutOfFuel, true
	case errors.Is(err, wasm.ErrTrap), errors.Is(err, wasm.ErrExit):
		return verifiers.Trap, true
	case errors.Is(err, verifier.ErrMalformed):
		return verifiers.BadVerdict, true
	}
	return verifiers.NoProblem, false
}
