package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"barnraise/services/search/index"
)

// standardLibrary reads the documentation of the standard library under goroot, by default that of the go command: a
// document for each package, exported function, type, method, and group of constants or variables. It sees the library as
// linux/amd64 does, on whatever machine it runs.
func standardLibrary(goroot string, stderr io.Writer) (documents []index.Document, about index.About, err error) {
	src, release, err := findGo(goroot)
	if err != nil {
		return nil, about, err
	}
	packages := 0
	err = filepath.WalkDir(src, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || dir == src {
			return err
		}
		if isHidden(d.Name()) {
			return fs.SkipDir
		}
		p, err := parsePackage(src, dir)
		if err != nil || p == nil {
			return err
		}
		packages++
		documents = append(documents, p.documents()...)
		return nil
	})
	if err == nil && packages == 0 {
		err = fmt.Errorf("no packages in %s; -goroot wants a Go installation with its source", src)
	}
	if err != nil {
		return nil, about, fmt.Errorf("read the standard library: %w", err)
	}
	fmt.Fprintf(stderr, "search-build: read %d packages of %s\n", packages, release)
	return documents, index.About{
		Name:    "Go standard library",
		Corpus:  release + " linux/amd64, documentation of the standard library",
		Licence: "BSD-3-Clause",
	}, nil
}

// findGo is where the source of the standard library lies, and its release.
func findGo(goroot string) (src, release string, err error) {
	if goroot == "" {
		out, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			return "", "", fmt.Errorf("find the Go installation: %w; say -goroot DIR", err)
		}
		goroot = strings.TrimSpace(string(out))
	}
	version, err := os.ReadFile(filepath.Join(goroot, "VERSION"))
	if err == nil {
		src, err = filepath.EvalSymlinks(filepath.Join(goroot, "src")) // which some distributions link to elsewhere
	}
	if err != nil {
		return "", "", fmt.Errorf("find the standard library: %w; -goroot wants a Go installation with its source", err)
	}
	release, _, _ = strings.Cut(string(version), "\n")
	return src, release, nil
}

// isHidden reports whether a directory of that name holds nothing that programs import.
func isHidden(name string) bool {
	return slices.Contains([]string{"cmd", "vendor", "internal", "testdata"}, name) || name[0] == '.' || name[0] == '_'
}

// linux is the one platform that documentation is read for.
func linux(goroot string) *build.Context {
	return &build.Context{
		GOOS: "linux", GOARCH: "amd64", GOROOT: goroot, Compiler: "gc", CgoEnabled: true, ReleaseTags: build.Default.ReleaseTags,
	}
}

// pkg is one package, parsed.
type pkg struct {
	*doc.Package
	files *token.FileSet
}

// parsePackage reads the package in dir, nil where there is none to document.
func parsePackage(src, dir string) (*pkg, error) {
	rel, err := filepath.Rel(src, dir)
	if err != nil {
		return nil, err
	}
	found, err := linux(filepath.Dir(src)).ImportDir(dir, 0)
	if _, none := err.(*build.NoGoError); none || err == nil && found.Name == "main" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &pkg{files: token.NewFileSet()}
	var parsed []*ast.File
	for _, name := range append(found.GoFiles, found.CgoFiles...) {
		file, err := parser.ParseFile(p.files, filepath.Join(dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, file)
	}
	mode := doc.Mode(0)
	if rel == "builtin" { // whose names are not exported
		mode = doc.AllDecls
	}
	p.Package, err = doc.NewFromFiles(p.files, parsed, filepath.ToSlash(rel), mode)
	return p, err
}

// documents are the package's, in the order in which go doc lists them.
func (p *pkg) documents() []index.Document {
	out := []index.Document{{ID: p.ImportPath, Title: "package " + p.Name, Text: text(p.Doc)}}
	out = append(out, p.values(p.Consts)...)
	out = append(out, p.values(p.Vars)...)
	out = append(out, p.funcs(p.Funcs)...)
	for _, t := range p.Types {
		out = append(out, p.typ(t))
		out = append(out, p.values(t.Consts)...)
		out = append(out, p.values(t.Vars)...)
		out = append(out, p.funcs(t.Funcs)...)
		out = append(out, p.funcs(t.Methods)...)
		out = append(out, p.abstract(t)...)
	}
	return out
}

// values are groups of constants or variables, named by their first.
func (p *pkg) values(groups []*doc.Value) (out []index.Document) {
	for _, v := range groups {
		lines := []string{text(v.Doc)}
		for _, spec := range v.Decl.Specs {
			s, ok := spec.(*ast.ValueSpec)
			if !ok {
				continue
			}
			lines = append(lines, member(s.Names, s.Doc, s.Comment))
		}
		title := v.Decl.Tok.String() + " " + p.Name + "." + strings.Join(v.Names, ", ")
		out = append(out, index.Document{ID: p.id(v.Names[0]), Title: cut(title), Text: join(lines)})
	}
	return out
}

func (p *pkg) funcs(list []*doc.Func) (out []index.Document) {
	for _, f := range list {
		out = append(out, p.function(f.Recv, f.Name, f.Decl.Type, text(f.Doc)))
	}
	return out
}

// function is a function or, with a receiver such as Reader or *List[T], a method.
func (p *pkg) function(receiver, name string, t *ast.FuncType, text string) index.Document {
	title := "func " + p.Name + "." + name
	if receiver != "" {
		star, of := "", receiver
		if strings.HasPrefix(of, "*") {
			star, of = "*", of[1:]
		}
		title = "func (" + star + p.Name + "." + of + ") " + name
		of, _, _ = strings.Cut(of, "[")
		name = of + "." + name
	}
	return index.Document{ID: p.id(name), Title: cut(title + strings.TrimPrefix(p.line(t), "func")), Text: text}
}

// typ is a type, and what it says about its fields.
func (p *pkg) typ(t *doc.Type) index.Document {
	title, lines := "type "+p.Name+"."+t.Name, []string{text(t.Doc)}
	for _, spec := range t.Decl.Specs {
		s, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		if s.TypeParams != nil {
			params := p.line(&ast.FuncType{TypeParams: s.TypeParams, Params: &ast.FieldList{}})
			title += strings.TrimSuffix(strings.TrimPrefix(params, "func"), "()")
		}
		if s.Assign.IsValid() {
			title += " ="
		}
		switch shape := s.Type.(type) {
		case *ast.StructType:
			title += " struct{ ... }"
			for _, f := range shape.Fields.List {
				if f.Doc != nil || f.Comment != nil {
					lines = append(lines, member(f.Names, f.Doc, f.Comment))
				}
			}
		case *ast.InterfaceType:
			title += " interface{ ... }"
		default:
			title += " " + p.line(s.Type)
		}
	}
	return index.Document{ID: p.id(t.Name), Title: cut(title), Text: join(lines)}
}

// abstract are the methods that an interface asks for.
func (p *pkg) abstract(t *doc.Type) (out []index.Document) {
	for _, spec := range t.Decl.Specs {
		s, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		i, ok := s.Type.(*ast.InterfaceType)
		if !ok {
			continue
		}
		for _, f := range i.Methods.List {
			if method, ok := f.Type.(*ast.FuncType); ok {
				out = append(out, p.function(t.Name, f.Names[0].Name, method, member(nil, f.Doc, f.Comment)))
			}
		}
	}
	return out
}

// id is the name by which go doc finds a symbol.
func (p *pkg) id(name string) string { return p.ImportPath + "." + name }

// line prints Go code on one line.
func (p *pkg) line(node any) string {
	var out bytes.Buffer
	if err := format.Node(&out, p.files, node); err != nil {
		return ""
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// member is a line for names within a declaration, with what the comments at them say.
func member(names []*ast.Ident, comments ...*ast.CommentGroup) string {
	var named, said []string
	for _, name := range names {
		named = append(named, name.Name)
	}
	for _, c := range comments {
		if s := text(c.Text()); s != "" {
			said = append(said, s)
		}
	}
	line := strings.Join(named, ", ")
	if line != "" && len(said) > 0 {
		line += ": "
	}
	return line + strings.Join(said, " ")
}

// text is a comment as it was written, without the blank around it.
func text(comment string) string { return strings.TrimSpace(comment) }

// join puts the parts of a text under one another, leaving out the empty ones.
func join(lines []string) string {
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
}

// cut keeps a title within an index's limits.
func cut(title string) string {
	const most = 300
	if len(title) <= most {
		return title
	}
	return strings.ToValidUTF8(title[:most], "") + "…"
}
