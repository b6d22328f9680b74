// Diff is the comparison of texts as a service: unified diffs, their application, and three-way merges. The same image gives the
// same answers everywhere, so it does not matter who runs it.
package main

import (
	"errors"
	"fmt"

	"barnraise/jsonrpc"
	"barnraise/service"
	"barnraise/services/diff/text"

	"github.com/go-json-experiment/json/jsontext"
)

var program = service.New("diff", "",
	service.Method("diff_unified", unified).
		Doc("Compares two texts line by line.\nThe diff is empty where they are equal. Each text has at most 262,144 bytes and 10,000 lines.").
		Example("a line changed", pair{Old: "barn\ndoor\n", New: "barn\nroof\n"},
			difference{"--- old\n+++ new\n@@ -1,2 +1,2 @@\n barn\n-door\n+roof\n", 1, 1}).
		Example("nothing changed", pair{Old: "barn", New: "barn"}, difference{}),
	service.Method("diff_apply", apply).
		Doc("Applies a unified diff of one text.\nEach hunk has to stand where it says, to the byte: nothing is looked for elsewhere.").
		Errors(errPatch, errFit).
		Example("a line changed", patched{"barn\ndoor\n", "@@ -2 +2 @@\n-door\n+roof\n"}, whole{"barn\nroof\n"}),
	service.Method("diff_merge", merge).
		Doc("Puts the changes of two versions of a text together.\n"+
			"Where both changed the same lines, or lines next to each other, in different ways, the three versions stand between marks.").
		Example("both changed", versions{"a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n"}, merged{"A\nb\nC\n", 0}).
		Example("a conflict", versions{"a\n", "b\n", "c\n"},
			merged{"<<<<<<< ours\nb\n||||||| base\na\n=======\nc\n>>>>>>> theirs\n", 1}),
).Warm(func(s *service.Service) {
	s.Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"diff_unified","params":["a\n","b\n"]}`))
})

func main() { program.Serve() }

// The errors of the service.
var (
	errPatch = &jsonrpc.Error{Code: -32010, Message: "not_a_patch"}
	errFit   = &jsonrpc.Error{Code: -32011, Message: "does_not_fit"}
)

// context is how many lines stand around a change where the caller does not say.
const context = 3

// maxName is the longest name of a text, in bytes.
const maxName = 256

type pair struct {
	Old     string `json:"old"`
	New     string `json:"new"`
	Context *int   `json:"context" doc:"lines around a change, 0 to 100; 3 where it is not given"`
	OldName string `json:"oldName,omitzero" doc:"what the head of the diff calls the old text, old where it is not given"`
	NewName string `json:"newName,omitzero" doc:"the same for the new one"`
}

type difference struct {
	Diff    string `json:"diff"`
	Removed int    `json:"removed" doc:"lines"`
	Added   int    `json:"added" doc:"lines"`
}

func unified(p pair) (difference, *jsonrpc.Error) {
	h := text.Head{Old: "old", New: "new", Context: context}
	if p.Context != nil {
		h.Context = *p.Context
	}
	if h.Context < 0 || h.Context > text.MaxContext {
		return difference{}, invalid("context", fmt.Errorf("want 0 to %d", text.MaxContext))
	}
	if err := rename(&h.Old, p.OldName); err != nil {
		return difference{}, invalid("oldName", err)
	}
	if err := rename(&h.New, p.NewName); err != nil {
		return difference{}, invalid("newName", err)
	}
	var l reader
	before, after := l.lines("old", p.Old), l.lines("new", p.New)
	if l.err != nil {
		return difference{}, l.err
	}
	edits := text.Edits(before, after)
	d := difference{Diff: text.Unified(h, before, after, edits)}
	for _, e := range edits {
		d.Removed, d.Added = d.Removed+e.A1-e.A0, d.Added+e.B1-e.B0
	}
	return d, nil
}

// rename takes a name that makes no other lines of a diff's head.
func rename(name *string, given string) error {
	for _, c := range []byte(given) {
		if c < ' ' {
			return errors.New("want one line without control characters")
		}
	}
	if len(given) > maxName {
		return fmt.Errorf("%d bytes, at most %d", len(given), maxName)
	}
	if given != "" {
		*name = given
	}
	return nil
}

type patched struct {
	Text  string `json:"text"`
	Patch string `json:"patch" doc:"a unified diff; what stands above its first hunk does not matter"`
}

type whole struct {
	Text string `json:"text"`
}

func apply(p patched) (whole, *jsonrpc.Error) {
	var l reader
	old, patch := l.lines("text", p.Text), l.lines("patch", p.Patch)
	if l.err != nil {
		return whole{}, l.err
	}
	made, err := text.Apply(old, patch)
	switch {
	case errors.Is(err, text.ErrPatch):
		return whole{}, explained(errPatch, err)
	case err != nil:
		return whole{}, explained(errFit, err)
	}
	return whole{made}, nil
}

type versions struct {
	Base   string `json:"base" doc:"what both come from"`
	Ours   string `json:"ours"`
	Theirs string `json:"theirs"`
}

type merged struct {
	Text      string `json:"text"`
	Conflicts int    `json:"conflicts"`
}

func merge(p versions) (merged, *jsonrpc.Error) {
	var l reader
	base, ours, theirs := l.lines("base", p.Base), l.lines("ours", p.Ours), l.lines("theirs", p.Theirs)
	if l.err != nil {
		return merged{}, l.err
	}
	made, conflicts := text.Merge(base, ours, theirs)
	return merged{made, conflicts}, nil
}

// reader splits params into lines and keeps the first error.
type reader struct{ err *jsonrpc.Error }

func (r *reader) lines(param, s string) []string {
	list, err := text.Lines(s)
	if err != nil && r.err == nil {
		r.err = invalid(param, err)
	}
	return list
}

func invalid(param string, err error) *jsonrpc.Error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf("param %q: %v", param, err)}
}

// explained is an error of the service with what exactly is wrong.
func explained(e *jsonrpc.Error, err error) *jsonrpc.Error {
	data, _ := jsontext.AppendQuote(nil, err.Error()) // our own words: valid UTF-8
	return &jsonrpc.Error{Code: e.Code, Message: e.Message, Data: data}
}
