package main

import (
	"html"
	"regexp"
	"strings"
)

// plain is the first heading of a Markdown file, and its text as a reader sees it: without front matter, fences, comments, tags,
// addresses of links and the signs that make headings, lists, tables and emphasis. What is between fences stays as it is. It is no
// parser: what it takes for markup or not decides only which words are found.
func plain(file string) (title, text string) {
	file = strings.TrimPrefix(strings.ReplaceAll(file, "\r\n", "\n"), "\ufeff")
	lines := strings.Split(withoutComments(withoutFrontMatter(file)), "\n")
	var out, prose []string
	fence := ""
	flush := func() {
		out = append(out, inline(strings.Join(prose, "\n")))
		prose = nil
	}
	for i, line := range lines {
		mark := fenceOf(line)
		switch {
		case mark != "" && fence == "":
			flush()
			fence = mark
		case mark != "" && mark == fence:
			fence = ""
		case fence != "":
			out = append(out, line)
		default:
			shown, heading := block(line, next(lines, i))
			if heading && title == "" {
				title = inline(shown)
			}
			prose = append(prose, shown)
		}
	}
	flush()
	return title, strings.TrimSpace(blankLines.ReplaceAllString(strings.Join(out, "\n"), "\n\n"))
}

func next(lines []string, i int) string {
	if i+1 < len(lines) {
		return lines[i+1]
	}
	return ""
}

// withoutFrontMatter leaves out what stands between two lines of --- or +++ at the top.
func withoutFrontMatter(file string) string {
	for _, mark := range []string{"---\n", "+++\n"} {
		rest, ok := strings.CutPrefix(file, mark)
		if !ok {
			continue
		}
		if at := strings.Index("\n"+rest, "\n"+mark); at >= 0 {
			return rest[at+len(mark):]
		}
	}
	return file
}

// withoutComments leaves out the comments of HTML.
func withoutComments(file string) string {
	var out strings.Builder
	for {
		before, after, ok := strings.Cut(file, "<!--")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		_, file, ok = strings.Cut(after, "-->")
		if !ok {
			return out.String()
		}
	}
}

// fenceOf is the mark by which a line opens or closes a block of code.
func fenceOf(line string) string {
	line = strings.TrimLeft(line, " ")
	for _, mark := range []string{"```", "~~~"} {
		if strings.HasPrefix(line, mark) {
			return mark
		}
	}
	return ""
}

var (
	blankLines = regexp.MustCompile(`\n[ \t\n]*\n`)
	hashes     = regexp.MustCompile(`^ {0,3}#{1,6}(?:[ \t]+|$)`)
	underline  = regexp.MustCompile(`^ {0,3}(?:=+|-{2,})[ \t]*$`)
	rule       = regexp.MustCompile(`^[ \t]*(?:(?:-[ \t]*){2,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|=+)$`)
	tableRule  = regexp.MustCompile(`^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)+$`)
	definition = regexp.MustCompile(`^ {0,3}\[[^\]]+\]:[ \t]*\S+`)
	prefixes   = regexp.MustCompile(`^(?:[ \t]*(?:>|[-*+][ \t]+(?:\[[ xX]\][ \t]+)?|[0-9]{1,9}[.)][ \t]+))+`)
	picture    = regexp.MustCompile(`!\[([^\]]*)\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+"[^"]*")?\)|\[[^\]]*\])`)
	link       = regexp.MustCompile(`\[([^\]]*)\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+"[^"]*")?\)|\[[^\]]*\])`)
	tag        = regexp.MustCompile(`</?[A-Za-z][A-Za-z0-9-]*(?:\s+[^<>]*)?/?>`)
	emphasis   = regexp.MustCompile("[*~`]+|(^|[^\\pL\\pN_])_+|_+([^\\pL\\pN_]|$)")
	escaped    = regexp.MustCompile(`\\([!-/:-@\[-` + "`" + `{-~])`)
)

// block is a line outside of fences without what makes it a heading, a quotation, an item or a row, and whether it is a heading.
func block(line, next string) (shown string, heading bool) {
	if rule.MatchString(line) || tableRule.MatchString(line) || definition.MatchString(line) {
		return "", false
	}
	if mark := hashes.FindString(line); mark != "" {
		return strings.TrimSpace(strings.TrimRight(strings.TrimSpace(line[len(mark):]), "#")), true
	}
	shown = strings.TrimSpace(strings.TrimPrefix(line, prefixes.FindString(line)))
	heading = shown != "" && shown[0] != '|' && underline.MatchString(next)
	return strings.TrimSpace(strings.ReplaceAll(shown, "|", " ")), heading
}

// inline is a text without the signs within lines.
func inline(text string) string {
	text = picture.ReplaceAllString(text, "$1")
	text = link.ReplaceAllString(text, "$1")
	text = tag.ReplaceAllString(text, " ")
	text = escaped.ReplaceAllString(text, "$1")
	text = emphasis.ReplaceAllString(text, "$1$2")
	return strings.TrimSpace(html.UnescapeString(text))
}
