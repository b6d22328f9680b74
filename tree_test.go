package barnraise_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The tests of this file hold the house to its plan, docs/architecture.md.

// floors says on which floor each room stands. A room imports lower floors only.
var floors = map[string]int{
	"": 0, "until": 0, "head": 0, "whole": 0,
	"jsonrpc": 1, "strictyaml": 1, "dial": 1, "content": 1, "wasm": 1, "verifiers": 1, "endpoint": 1, "outbox": 1, "quick": 1,
	"score": 2, "manifest": 2, "service": 2, "image": 2, "verifier": 2, "registry": 2,
	"judge": 3, "runtime": 3, "barter": 3, "store": 3, "adversary": 3,
	"client": 4, "conformance": 4, "hosting": 4,
	"audit": 5, "budget": 5, "evidence": 5, "proxy": 5, "sim": 5,
	"server":   6,
	"devnet":   7,
	"cmd":      8,
	"services": 9, "examples": 9, "tools": 9, // apart: nobody imports them
}

// A ban is an import that the floors alone would allow, or that comes from outside.
type ban struct {
	importers string // prefix of the importing package
	except    []string
	imported  string // prefix of the imported package
	reason    string
}

var bans = []ban{
	{"barnraise", []string{"barnraise/devnet", "barnraise/cmd", "barnraise/registry/devchain"}, "barnraise/registry/devchain",
		"a whole go-ethereum node: whoever imports it links 40 MB"},
	{"barnraise", []string{"barnraise/registry/devchain"}, "github.com/ethereum/go-ethereum/eth",
		"the chain node lives in registry/devchain alone"},
	{"barnraise", []string{"barnraise/registry/devchain"}, "github.com/ethereum/go-ethereum/node",
		"the chain node lives in registry/devchain alone"},
	{"barnraise", nil, "github.com/ethereum/go-ethereum/cmd", "GPL-3.0, while its libraries are LGPL-3.0"},
	{"barnraise", []string{"barnraise/registry"}, "github.com/ethereum/go-ethereum", "the chain is behind registry"},
	{"barnraise", []string{"barnraise/wasm"}, "github.com/tetratelabs/wazero", "strangers' modules run behind the caps and the fuel of wasm"},
	{"barnraise", []string{"barnraise/runtime/docker"}, "github.com/moby", "a container engine is behind runtime/docker, which hardens what it starts"},
	{"barnraise", []string{"barnraise/image/push"}, "github.com/google/go-containerregistry",
		"images are behind image, which reads what strangers send with bounds of its own; a library is for pushing alone"},
	{"barnraise", []string{"barnraise/store"}, "modernc.org/sqlite", "the database is behind store"},
	{"barnraise", []string{"barnraise/store"}, "database/sql", "the database is behind store"},
	{"barnraise/client", nil, "barnraise/runtime", "a caller runs no images unless he is handed a Rerunner"},
	{"barnraise/client", nil, "barnraise/image", "a caller runs no images unless he is handed a Rerunner"},
	{"barnraise/proxy", nil, "barnraise/runtime", "a proxy gives out what a client verified, and runs nothing itself"},
	{"barnraise/proxy", nil, "barnraise/store", "a proxy keeps nothing; its client does"},
	{"barnraise", []string{"barnraise/proxy"}, "github.com/prometheus", "metrics are kept where they are shown"},
	{"barnraise/judge", nil, "net", "pure"}, {"barnraise/judge", nil, "os", "pure"}, {"barnraise/judge", nil, "time", "pure"},
	{"barnraise/judge", nil, "math/rand", "pure"}, {"barnraise/judge", nil, "barnraise/wasm", "pure"},
	{"barnraise/barter", nil, "net", "pure"}, {"barnraise/barter", nil, "os", "pure"}, {"barnraise/barter", nil, "time", "pure"},
	{"barnraise/barter", nil, "math/rand", "pure"},
	{"barnraise/score", nil, "net", "pure"}, {"barnraise/score", nil, "os", "pure"}, {"barnraise/score", nil, "math/rand", "pure"},
}

// inRoom lists the imports within a room other than a package's parent, each with its reason.
var inRoom = map[[2]string]string{
	{"barnraise/registry/devchain", "barnraise/registry/contracts/services"}: "it watches for a published activeFrom",
	{"barnraise/registry/evm", "barnraise/registry/contracts/services"}:      "it speaks to the contracts",
	{"barnraise/registry/evm", "barnraise/registry/contracts/servers"}:       "it speaks to the contracts",
	{"barnraise/registry/evm", "barnraise/registry/proof"}:                   "it fetches what is proven there",
	{"barnraise/registry/start", "barnraise/registry/proof"}:                 "it checks what strangers say",
	{"barnraise/registry/proof/prooftest", "barnraise/registry"}:             "it makes states of registries",
	{"barnraise/registry/evm/signer", "barnraise/registry"}:                  "what a signer says is shown as all strangers' words are",
}

// beyond lists what packages of services import beside service and jsonrpc, each with its reason.
var beyond = map[[2]string]string{
	{"barnraise/services/search/search-build", "barnraise"}:               "the same tool: what a service may be called",
	{"barnraise/services/search/search-build", "barnraise/image/overlay"}: "a tool, no part of the service: it makes the image of what it built",
	{"barnraise/services/whisper/mail-build", "barnraise"}:                "the same tool: what a service may be called",
	{"barnraise/services/whisper/mail-build", "barnraise/image/overlay"}:  "a tool, no part of the service: it makes the image of what it built",
}

type pkg struct {
	ImportPath, Dir, Name string
	Imports               []string
	GoFiles, CgoFiles     []string
}

// packages lists the packages of the house.
func packages(t *testing.T, args ...string) (list []pkg) {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Name,Imports,GoFiles"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", args, err, stderr(err))
	}
	d := json.NewDecoder(bytes.NewReader(out))
	for {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func stderr(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

// room is the first element of a package's path below the module: "" for the root.
func room(importPath string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(importPath, "barnraise"), "/")
	first, _, _ := strings.Cut(rest, "/")
	return first
}

func within(importPath, prefix string) bool {
	return importPath == prefix || strings.HasPrefix(importPath, prefix+"/")
}

func TestImportsPointDownTheFloors(t *testing.T) {
	for _, p := range packages(t, "./...") {
		floor, ok := floors[room(p.ImportPath)]
		if !ok {
			t.Errorf("%s: on which floor does this room stand? Say so in floors, and in docs/architecture.md", p.ImportPath)
			continue
		}
		for _, i := range p.Imports {
			if !within(i, "barnraise") || i == p.ImportPath {
				continue
			}
			switch {
			case room(i) == room(p.ImportPath) && room(i) == "services":
				if !sameService(i, p.ImportPath) {
					t.Errorf("%s imports %s: services do not know each other", p.ImportPath, i)
				}
			case room(i) == room(p.ImportPath):
				if path.Dir(p.ImportPath) != i && inRoom[[2]string{p.ImportPath, i}] == "" {
					t.Errorf("%s imports %s: within a room only the parent is imported; name an exception with its reason", p.ImportPath, i)
				}
			case floors[room(i)] >= floor:
				t.Errorf("%s (floor %d) imports %s (floor %d): imports point down", p.ImportPath, floor, i, floors[room(i)])
			case room(p.ImportPath) == "services" && room(i) != "service" && room(i) != "jsonrpc":
				if beyond[[2]string{p.ImportPath, i}] == "" {
					t.Errorf("%s imports %s: a service knows only service and jsonrpc; name an exception with its reason", p.ImportPath, i)
				}
			}
		}
	}
}

func sameService(a, b string) bool {
	name := func(p string) string { return strings.Split(p, "/")[2] }
	return name(a) == name(b)
}

func TestBans(t *testing.T) {
	for _, p := range packages(t, "./...") {
		for _, i := range p.Imports {
			for _, b := range bans {
				excepted := slices.ContainsFunc(b.except, func(e string) bool { return within(p.ImportPath, e) })
				if within(p.ImportPath, b.importers) && within(i, b.imported) && !excepted {
					t.Errorf("%s imports %s: %s", p.ImportPath, i, b.reason)
				}
			}
		}
	}
}

func TestRootImportsTheStandardLibraryOnly(t *testing.T) {
	for _, p := range packages(t, ".") {
		for _, i := range p.Imports {
			if strings.Contains(strings.Split(i, "/")[0], ".") || within(i, "barnraise") {
				t.Errorf("the root package imports %s", i)
			}
			if within(i, "net") || within(i, "os") {
				t.Errorf("the root package imports %s: it does no input or output", i)
			}
		}
	}
}

// One small package of p2p, which parses lists of networks, is linked by every RPC client.
func TestClientLinksNoNodeNoDatabaseNoRuntime(t *testing.T) {
	for _, p := range packages(t, "-deps", "./client") {
		for prefix, what := range map[string]string{
			"github.com/ethereum/go-ethereum/eth":     "a chain node",
			"github.com/ethereum/go-ethereum/node":    "a chain node",
			"github.com/ethereum/go-ethereum/core/vm": "a chain node",
			"github.com/ethereum/go-ethereum/p2p":     "a chain node",
			"modernc.org/sqlite":                      "SQLite",
			"barnraise/runtime":                       "a runtime",
			"barnraise/image":                         "images",
			"github.com/google/go-containerregistry":  "images",
			"github.com/moby/moby":                    "a runtime",
			"testing":                                 "what tests need",
			"barnraise/verifiers/templates":           "projects for authors",
		} {
			if within(p.ImportPath, prefix) && p.ImportPath != "github.com/ethereum/go-ethereum/p2p/netutil" {
				t.Errorf("a program that imports only client links %s, %s", p.ImportPath, what)
			}
		}
	}
}

func TestNoPackageForEverything(t *testing.T) {
	for _, p := range packages(t, "./...") {
		for _, banned := range []string{"common", "core", "util", "utils", "types", "helpers", "helper", "misc", "internal"} {
			if slices.Contains(strings.Split(p.ImportPath, "/"), banned) {
				t.Errorf("%s: a package named %s becomes the place for everything", p.ImportPath, banned)
			}
		}
	}
}

// parsed reads a package's files, generated ones left out.
func parsed(t *testing.T, p pkg) (files []*ast.File) {
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if !ast.IsGenerated(f) {
			files = append(files, f)
		}
	}
	return files
}

func TestEveryPackageHasAComment(t *testing.T) {
	for _, p := range packages(t, "./...") {
		files := parsed(t, p)
		if len(files) > 0 && !slices.ContainsFunc(files, func(f *ast.File) bool { return f.Doc != nil }) {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	for _, p := range packages(t, "./...") {
		for _, f := range parsed(t, p) {
			for _, d := range f.Decls {
				for _, name := range undocumented(d) {
					t.Errorf("%s: %s is exported and not documented", p.ImportPath, name)
				}
			}
		}
	}
}

// undocumented lists the exported names that a declaration introduces without a comment. In a group a comment over the group
// or beside the line will do.
func undocumented(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || exportedReceiver(d.Recv)) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

func exportedReceiver(r *ast.FieldList) bool {
	t := r.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if generic, ok := t.(*ast.IndexExpr); ok {
		t = generic.X
	}
	name, ok := t.(*ast.Ident)
	return ok && name.IsExported()
}

// Nothing that a session of work leaves behind belongs into the tree.
func TestNoStrayFiles(t *testing.T) {
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(name); ext == ".orig" || ext == ".rej" || ext == ".test" || ext == ".prof" || strings.HasSuffix(name, "~") {
			t.Errorf("%s does not belong into the tree", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDependenciesAreExplained(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	reasons, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mod)) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) < 2 || !strings.Contains(fields[0], ".") || strings.Contains(line, "// indirect") {
			continue
		}
		if !strings.Contains(string(reasons), fields[0]) {
			t.Errorf("%s is imported and docs/dependencies.md does not say why", fields[0])
		}
	}
}

// Who decides is given the time, and reads no clock.
func TestPureRoomsReadNoClock(t *testing.T) {
	clocks := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	for _, p := range packages(t, "./...") {
		if !slices.Contains([]string{"score", "judge", "barter"}, room(p.ImportPath)) {
			continue
		}
		for _, f := range parsed(t, p) {
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clocks, s.Sel.Name) {
					t.Errorf("%s calls time.%s: the time comes in as a value", p.ImportPath, s.Sel.Name)
				}
				return true
			})
		}
	}
}
