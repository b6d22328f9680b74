// Markdown is CommonMark as a service: HTML that can stand in anybody's page, and tables of contents. The same image gives the
// same answers everywhere, so it does not matter who runs it.
package main

import (
	"errors"
	"fmt"

	"barnraise/jsonrpc"
	"barnraise/service"
	"barnraise/services/markdown/page"

	"github.com/go-json-experiment/json/jsontext"
)

var program = service.New("markdown", "",
	service.Method("markdown_html", html).
		Doc("Makes HTML of a text.\nRaw HTML in it is left out, and so are addresses that run scripts. A text has at most 65,536 bytes.").
		Errors(errComplex).
		Example("a line", source{Text: "Run *my* service.\n"}, document{"<p>Run <em>my</em> service.</p>\n"}).
		Example("raw HTML", source{Text: "a <b onclick=\"x\">b</b>"},
			document{"<p>a <!-- raw HTML omitted -->b<!-- raw HTML omitted --></p>\n"}).
		Example("a table", source{Text: "|a|b|\n|-|-|\n|1|2|\n"},
			document{"<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>\n"}).
		Example("CommonMark alone", source{Text: "~~a~~ https://b.example", Strict: true}, document{"<p>~~a~~ https://b.example</p>\n"}),
	service.Method("markdown_toc", contents).
		Doc("Lists the headings of a text.\nEach has the id that markdown_html gives its element.").
		Errors(errComplex).
		Example("two headings", source{Text: "# The *barn*\n\n## A door\n"}, table{[]page.Heading{{Level: 1, Title: "The barn", ID: "the-barn"}, {Level: 2, Title: "A door", ID: "a-door"}}}).
		Example("none", source{Text: "a line"}, table{[]page.Heading{}}),
).Warm(func(s *service.Service) {
	s.Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"markdown_html","params":["# a\n\n*b*"]}`))
})

func main() { program.Serve() }

// errComplex is the error for a text that is nested, or would grow, beyond what people write.
var errComplex = &jsonrpc.Error{Code: -32010, Message: "too_complex"}

type source struct {
	Text   string `json:"text"`
	Strict bool   `json:"strict,omitzero" doc:"CommonMark alone, without tables, task lists, strikethrough and bare links"`
}

type document struct {
	HTML string `json:"html"`
}

func html(s source) (document, *jsonrpc.Error) {
	p, err := page.Parse(s.Text, s.Strict)
	if err != nil {
		return document{}, failure(err)
	}
	made, err := p.HTML()
	if err != nil {
		return document{}, failure(err)
	}
	return document{made}, nil
}

type table struct {
	Headings []page.Heading `json:"headings"`
}

func contents(s source) (table, *jsonrpc.Error) {
	p, err := page.Parse(s.Text, s.Strict)
	if err != nil {
		return table{}, failure(err)
	}
	return table{p.Headings()}, nil
}

// failure is the caller's error for one of the page's.
func failure(err error) *jsonrpc.Error {
	if errors.Is(err, page.ErrTooComplex) {
		data, _ := jsontext.AppendQuote(nil, err.Error()) // our own words: valid UTF-8
		return &jsonrpc.Error{Code: errComplex.Code, Message: errComplex.Message, Data: data}
	}
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf("param %q: %v", "text", err)}
}
