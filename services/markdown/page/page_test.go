package page

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func render(t testing.TB, source string, commonMark bool) string {
	t.Helper()
	p, err := Parse(source, commonMark)
	if err != nil {
		t.Fatal(err)
	}
	html, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	return html
}

func TestHTML(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"nothing", "", ""},
		{"text", "a\nb  \nc & <", "<p>a\nb<br>\nc &amp; &lt;</p>\n"},
		{"nested", "1. a\n   - b\n     > c\n", "<ol>\n<li>a\n<ul>\n<li>b\n<blockquote>\n<p>c</p>\n</blockquote>\n</li>\n</ul>\n</li>\n</ol>\n"},
		{"code", "```go\na<b\n```\n", "<pre><code class=\"language-go\">a&lt;b\n</code></pre>\n"},
		{"a block of HTML", "<script>alert(1)</script>\n\nb", "<!-- raw HTML omitted -->\n<p>b</p>\n"},
		{"HTML in a line", "a<img src=x onerror=y>b", "<p>a<!-- raw HTML omitted -->b</p>\n"},
		{"a link", "[a](https://b.example \"c\")", "<p><a href=\"https://b.example\" title=\"c\">a</a></p>\n"},
		{"a script's address", "[a](javascript:alert(1)) ![b](vbscript:c)", "<p><a href=\"\">a</a> <img src=\"\" alt=\"b\"></p>\n"},
		{"the same in disguise", "[a](  JaVaScRiPt&#58;alert(1))", "<p><a href=\"\">a</a></p>\n"},
		{"a page in an address", "[a](data:text/html,b)", "<p><a href=\"\">a</a></p>\n"},
		{"out of an attribute", "[a](<x\"onclick=\"y> 'q\"z')", "<p><a href=\"x%22onclick=%22y\" title=\"q&quot;z\">a</a></p>\n"},
		{"a task", "- [x] a\n", "<ul>\n<li><input checked=\"\" disabled=\"\" type=\"checkbox\"> a</li>\n</ul>\n"},
		{"a name for a heading", "# a {onclick=x}\n", "<h1 id=\"a-onclickx\">a {onclick=x}</h1>\n"},
		{"no byte zero", "a\x00b", "<p>a\uFFFDb</p>\n"},
	} {
		if got := render(t, c.source, false); got != c.want {
			t.Errorf("%s:\n%q, want\n%q", c.name, got, c.want)
		}
	}
	if got, want := render(t, "|a|\n|-|\n\n~~b~~ www.c.example", true), "<p>|a|\n|-|</p>\n<p>~~b~~ www.c.example</p>\n"; got != want {
		t.Errorf("CommonMark alone: %q, want %q", got, want)
	}
}

func TestHeadings(t *testing.T) {
	const source = "# The `barn` &amp; *its* \\*door\\* <b>\n\nDoor\n----\n\n# door\n# Door-1\n# door\n# Größe 日本\n#\n### [a link](b) <https://c.example>\n> # quoted\n"
	want := []Heading{
		{1, "The barn & its *door* ", "the-barn-amp-its-door-b"}, {2, "Door", "door"}, {1, "door", "door-1"}, {1, "Door-1", "door-1-1"},
		{1, "door", "door-2"}, {1, "Größe 日本", "größe-日本"}, {1, "", "heading"}, {3, "a link https://c.example", "a-linkb-httpscexample"},
		{1, "quoted", "quoted"},
	}
	p, err := Parse(source, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Headings(); !slices.Equal(got, want) {
		t.Errorf("headings are\n%+v, want\n%+v", got, want)
	}
	html := render(t, source, false)
	for _, h := range want {
		if !strings.Contains(html, fmt.Sprintf("<h%d id=%q>", h.Level, h.ID)) {
			t.Errorf("the HTML has no heading with id %s: %s", h.ID, html)
		}
	}
}

// What is refused takes a parser long, or makes its answer huge; what people write is not refused.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name, source string
		want         error
	}{
		{"long", strings.Repeat("a", MaxBytes+1), ErrTooLarge},
		{"quotes", strings.Repeat(">", maxNested+1), ErrTooComplex},
		{"lists", strings.Repeat("- ", maxNested+1) + "a", ErrTooComplex},
		{"numbered lists", "a\n" + strings.Repeat("1. 2) ", maxNested/2+1) + "a", ErrTooComplex},
		{"mixed", strings.Repeat("> - ", maxNested/2+1), ErrTooComplex},
		{"brackets", strings.Repeat("[", maxLinks+1), ErrTooComplex},
		{"stars", strings.Repeat("*a", maxStrong/2) + strings.Repeat("_~", maxStrong/4+1), ErrTooComplex},
		{"empty cells", strings.Repeat("|a", 40) + "\n" + strings.Repeat("|-", 40) + "\n" + strings.Repeat("a\n", 900), ErrTooComplex},
		{"a rule", strings.Repeat("-", 80) + "\n\na\n" + strings.Repeat("=", 80), nil},
		{"a wide table", strings.Repeat("|a", 40) + "\n" + strings.Repeat("|-", 40) + "\n" + strings.Repeat("a\n", 800), nil},
		{"deep enough", strings.Repeat("> ", maxNested) + "a", nil},
	} {
		if _, err := Parse(c.source, false); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	p, err := Parse("[a]: /"+strings.Repeat("b", MaxBytes/2)+"\n\n"+strings.Repeat("[a]", 100), false)
	if err != nil {
		t.Fatal(err)
	}
	if html, err := p.HTML(); !errors.Is(err, ErrTooComplex) {
		t.Errorf("%d bytes of HTML, %v", len(html), err)
	}
}

// What stands in an answer as an escape counts as that.
func TestRoomIsForJSON(t *testing.T) {
	b := bounded{room: 12}
	if _, err := b.Write([]byte("\"a\x01\n")); err != nil || b.room != 1 {
		t.Errorf("%v, room for %d more", err, b.room)
	}
	if _, err := b.Write([]byte("\\")); !errors.Is(err, ErrTooComplex) {
		t.Error(err)
	}
}

// Whatever the text is, its HTML has no tag of the text's own, and names are given once.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		"# a\n# a\n\n<b onclick=x>*c*</b>", "[a]: javascript:b\n[a] ![c](d \"e\")", "|a|b|\n|-|:-:|\n|`c`|d\n", "> - 1. a\n\n~~~\n<x>\n~~~",
		"&#0;&#x1F600;&amp;&nope; \\* www.a.example a@b.example", "a\r\nb\tc\x00\xff", "- [ ] a\n- [x] b", "<http://a.example/?q=\"'>",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, source string, commonMark bool) {
		p, err := Parse(source, commonMark)
		if err != nil {
			return
		}
		html, err := p.HTML()
		if err != nil {
			if !errors.Is(err, ErrTooComplex) {
				t.Errorf("%q: %v", source, err)
			}
			return
		}
		if again := render(t, source, commonMark); again != html {
			t.Errorf("%q gives %q and %q", source, html, again)
		}
		for tag := range strings.SplitSeq(html, "<") {
			name := strings.FieldsFunc(strings.TrimPrefix(tag, "/")+" ", func(r rune) bool { return r < 'a' || r > 'z' })
			if len(name) > 0 && strings.HasPrefix(strings.TrimPrefix(tag, "/"), name[0]) && slices.Contains([]string{"script", "iframe", "style", "object", "svg"}, name[0]) {
				t.Errorf("%q gives %q", source, html)
			}
		}
		seen := map[string]bool{}
		for _, h := range p.Headings() {
			if seen[h.ID] || h.ID == "" || h.Level < 1 || h.Level > 6 {
				t.Errorf("%q has heading %+v", source, h)
			}
			seen[h.ID] = true
		}
	})
}
