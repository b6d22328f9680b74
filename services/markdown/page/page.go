// Package page makes HTML and a table of contents of Markdown, as a pure function in bounded time and memory.
//
// What comes out can stand in a page that strangers write for: raw HTML is left out, and so are addresses that run scripts.
package page

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Page is a parsed text.
type Page struct {
	dialect goldmark.Markdown
	source  []byte
	root    ast.Node
}

// Heading is one of a text's headings.
type Heading struct {
	Level int    `json:"level" doc:"1 to 6"`
	Title string `json:"title" doc:"plain text"`
	ID    string `json:"id" doc:"of the element in the HTML"`
}

// The dialects: CommonMark, and the same with tables, task lists, strikethrough and bare links as on GitHub.
var (
	strict = goldmark.New(goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	gfm    = goldmark.New(goldmark.WithParserOptions(parser.WithAutoHeadingID()), goldmark.WithExtensions(extension.GFM))
)

// Parse reads a text, by CommonMark alone where it is to be strict. It fails with [ErrTooLarge] or [ErrTooComplex].
func Parse(source string, commonMark bool) (*Page, error) {
	if err := check(source); err != nil {
		return nil, err
	}
	p := &Page{dialect: gfm, source: []byte(source)}
	if commonMark {
		p.dialect = strict
	}
	names := parser.NewContext(parser.WithIDs(identifiers{}))
	p.root = p.dialect.Parser().Parse(text.NewReader(p.source), parser.WithContext(names))
	return p, nil
}

// HTML is the text as HTML. It fails with [ErrTooComplex] where that has more than [MaxHTML] bytes.
func (p *Page) HTML() (string, error) {
	out := bounded{room: MaxHTML}
	if err := p.dialect.Renderer().Render(&out, p.source, p.root); err != nil {
		return "", fmt.Errorf("write HTML: %w", err)
	}
	return out.String(), nil
}

// bounded takes so much HTML and no more.
type bounded struct {
	bytes.Buffer
	room int // for what is written as JSON
}

// Write fails with [ErrTooComplex].
func (b *bounded) Write(p []byte) (int, error) {
	for _, c := range p {
		switch {
		case c == '\n', c == '"', c == '\\':
			b.room -= len(`\n`)
		case c < ' ':
			b.room -= len(`\u0000`)
		default:
			b.room--
		}
	}
	if b.room < 0 {
		return 0, fmt.Errorf("%w: its HTML has more than %d bytes", ErrTooComplex, MaxHTML)
	}
	return b.Buffer.Write(p)
}

// Headings lists the headings in their order.
func (p *Page) Headings() []Heading {
	var list []Heading
	_ = ast.Walk(p.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // fails where this function does
		h, ok := n.(*ast.Heading)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		id, _ := h.AttributeString("id")
		name, _ := id.([]byte)
		list = append(list, Heading{h.Level, p.plain(h), string(name)})
		return ast.WalkSkipChildren, nil
	})
	return list
}

// plain is what a reader sees of a node, without any form.
func (p *Page) plain(n ast.Node) string {
	var out bytes.Buffer
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.CodeSpan:
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				if t, ok := c.(*ast.Text); ok {
					out.Write(t.Value(p.source))
				}
			}
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			out.Write(unescaped(n.Value(p.source)))
			if n.SoftLineBreak() || n.HardLineBreak() {
				out.WriteByte(' ')
			}
		case *ast.String:
			out.Write(n.Value)
		case *ast.AutoLink:
			out.Write(n.Label(p.source))
		}
		return ast.WalkContinue, nil
	})
	return out.String()
}

func unescaped(b []byte) []byte {
	return util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(b)))
}

// ErrTooLarge is the error for a text of more than [MaxBytes].
var ErrTooLarge = errors.New("text is too large")

// ErrTooComplex is the error for a text that is nested, or would grow, beyond what people write.
var ErrTooComplex = errors.New("text is too complex")
