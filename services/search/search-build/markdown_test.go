package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"barnraise/services/search/index"
)

func TestPlain(t *testing.T) {
	for _, c := range []struct{ name, file, title, text string }{
		{"empty", "", "", ""},
		{"no heading", "Only words.\n", "", "Only words."},
		{"heading", "intro\n\n## The *first* `one` ##\n\n# The second\n", "The first one", "intro\n\nThe first one\n\nThe second"},
		{"underlined", "The title\n=========\n\nwords\n-----\n", "The title", "The title\n\nwords"},
		{"hash tags", "#no heading\n\n#\n# One\n", "One", "#no heading\n\nOne"},
		{"front matter", "---\ntitle: x\ntags: [a]\n---\n# One\n\ntwo\n\n---\n\nthree\n", "One", "One\n\ntwo\n\nthree"},
		{"other front matter", "+++\nt = 1\n+++\nwords", "", "words"},
		{"no front matter", "---\nwords\n", "", "words"},
		{"windows", "\ufeff---\r\nx: y\r\n---\r\n# One\r\n\r\ntwo\r\n", "One", "One\n\ntwo"},
		{"code", "```go\n# not a heading\n[a](b) **c**\n```\n\n# One\n~~~\n```\n~~~\nend", "One", "# not a heading\n[a](b) **c**\nOne\n```\nend"},
		{"links", "See [the _docs_](https://a.example/x_(y) \"t\") and ![a picture](p.png), [one][two], <https://b.example>.\n\n[two]: https://c.example\n",
			"", "See the docs and a picture, one, <https://b.example>."},
		{"a link on two lines", "[to\nthere](https://a.example/x)", "", "to\nthere"},
		{"badge", "[![build](b.svg)](https://a.example) x", "", "build x"},
		{"emphasis", "**bold** _it_ ~~gone~~ `snake_case` __init__ a_b_c 2 \\* 3", "", "bold it gone snake_case init a_b_c 2  3"},
		{"lists", "- one\n  * [x] two\n1. three\n> quoted\n> > twice\n* * *\n", "", "one\ntwo\nthree\nquoted\ntwice"},
		{"table", "| a | b |\n|---|:-:|\n| 1 | 2 |\n", "", "a   b\n\n1   2"},
		{"html", "a<br/>b &amp; c<!-- hidden\n# too -->d <p class=\"x\">e</p> 1 < 2\n<!-- open", "", "a b & cd  e  1 < 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			title, text := plain(c.file)
			if title != c.title || text != c.text {
				t.Errorf("\n got %q, %q\nwant %q, %q", title, text, c.title, c.text)
			}
		})
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("---\nx: y\n---\n# One *two*\n\n```\ncode\n```\n[a](b) ![c](d) <e> &amp; | f |\n")
	f.Fuzz(func(t *testing.T, file string) {
		title, text := plain(file)
		if utf8.ValidString(file) && !utf8.ValidString(title+text) {
			t.Errorf("%q becomes %q, %q", file, title, text)
		}
	})
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadMarkdown(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"b.md": "# Bee\nbuzz", "a/z.md": "no heading", "a-b.MARKDOWN": "# Long " + strings.Repeat("é", 200), "a/x.txt": "no", ".git/c.md": "no",
		"a/.d.md": "no", "a/b/c.md": "---\ntitle: x\n---\n",
	})
	outside := t.TempDir()
	write(t, outside, map[string]string{"out.md": "no"})
	for from, to := range map[string]string{"link.md": filepath.Join(outside, "out.md"), "linked": outside} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readMarkdown(dir)
	if err != nil {
		t.Fatal(err)
	}
	long := "Long " + strings.Repeat("é", 200)
	want := []index.Document{
		{ID: "a-b.MARKDOWN", Title: cut(long), Text: long},
		{ID: "a/b/c.md", Title: "c"},
		{ID: "a/z.md", Title: "z", Text: "no heading"},
		{ID: "b.md", Title: "Bee", Text: "Bee\nbuzz"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestReadMarkdownRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := readMarkdown(dir); err == nil || !strings.Contains(err.Error(), "no files *.md") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := readMarkdown(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("no folder: %v", err)
	}
	write(t, dir, map[string]string{"sub/long.md": string(bytes.Repeat([]byte("x "), index.MaxText/2+1))})
	if _, err := readMarkdown(dir); err == nil || !strings.Contains(err.Error(), "sub/long.md: more than 1048576 bytes") {
		t.Errorf("a long file: %v", err)
	}
}
