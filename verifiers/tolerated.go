package verifiers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The most that [Tolerated] lists. Where there is more it names what contains it.
const (
	MaxTolerated      = 1024     // pointers
	MaxToleratedBytes = 64 << 10 // all of them together
)

// maxResponse is the longest answer that can be put before a verifier, in bytes.
const maxResponse = 128 << 20

// Tolerated lists what the verifier named json, with that configuration, leaves open in a response: members that it ignores,
// numbers for which it has a tolerance, and arrays whose order is free, as JSON pointers into the whole body (RFC 6901), in
// order, each once. Who answers can choose these, within what the configuration says, and no verdict vouches for them; what
// stands at no such pointer, nor below one that is ignored, has the same value in every answer that was accepted. A caller is to be
// told, or is not to be given them at all.
//
// Where the list would grow beyond [MaxTolerated] or [MaxToleratedBytes], each pointer with a * in it is listed as the part
// before the *: then all that is below counts as open, the whole body for the empty pointer. The configuration is empty where
// the manifest has none. It fails with [ErrConfig], and on a response that is not strict JSON.
func Tolerated(config, response []byte) ([]string, error) {
	rules, err := parseRules(config)
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	if len(response) > maxResponse {
		return nil, fmt.Errorf("read response: %d bytes, at most %d", len(response), maxResponse)
	}
	all := make([]*rule, len(rules))
	for i := range rules {
		all[i] = &rules[i]
	}
	w := &walk{d: jsontext.NewDecoder(bytes.NewBuffer(response)), open: map[*rule]bool{}}
	if err := w.value(all); err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	if _, err := w.d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read response: something follows the value")
	}
	return w.list(), nil
}

// A walk goes through a response, and collects what rules leave open.
type walk struct {
	d     *jsontext.Decoder
	path  []string // parts, escaped, each with its slash
	found []string
	size  int            // bytes of what was found
	open  map[*rule]bool // rules that left something open
	over  bool           // there is more than is listed
}

// value passes one value, to which those rules lead, or through which they lead on.
func (w *walk) value(rules []*rule) error {
	var here, sets []*rule
	kind, skip := w.d.PeekKind(), true
	for _, r := range rules {
		switch {
		case len(r.parts) > len(w.path):
			skip = false
		case r.effect == ignored:
			w.leave([]*rule{r})
			return w.d.SkipValue()
		case r.effect == tolerated && kind == '0':
			here = append(here, r)
		case r.effect == unordered && kind == '[':
			sets, skip = append(sets, r), false
		}
	}
	w.leave(here)
	switch {
	case !skip && kind == '{':
		return w.object(rules)
	case !skip && kind == '[':
		return w.array(rules, sets)
	}
	return w.d.SkipValue()
}

func (w *walk) object(rules []*rule) error {
	if _, err := w.d.ReadToken(); err != nil {
		return err
	}
	for w.d.PeekKind() == '"' {
		token, err := w.d.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		inner := enterMember(rules, len(w.path), name)
		if err := w.enter(escape(name), inner); err != nil {
			return err
		}
	}
	_, err := w.d.ReadToken()
	return err
}

func (w *walk) array(rules, sets []*rule) error {
	if _, err := w.d.ReadToken(); err != nil {
		return err
	}
	n := 0
	for ; w.d.PeekKind() != ']' && w.d.PeekKind() != 0; n++ {
		inner := enterElement(rules, len(w.path), n, len(sets) > 0)
		if err := w.enter(strconv.Itoa(n), inner); err != nil {
			return err
		}
	}
	if n > 1 {
		w.leave(sets)
	}
	_, err := w.d.ReadToken()
	return err
}

// enter passes what stands at the next part of the path.
func (w *walk) enter(part string, rules []*rule) error {
	if len(rules) == 0 {
		return w.d.SkipValue()
	}
	w.path = append(w.path, "/"+part)
	err := w.value(rules)
	w.path = w.path[:len(w.path)-1]
	return err
}

// leave notes that the rules leave open what stands here.
func (w *walk) leave(rules []*rule) {
	for _, r := range rules {
		w.open[r] = true
	}
	if len(rules) == 0 || w.over {
		return
	}
	for _, part := range w.path {
		w.size += len(part)
	}
	if len(w.found) == MaxTolerated || w.size > MaxToleratedBytes {
		w.found, w.over = nil, true
		return
	}
	w.found = append(w.found, strings.Join(w.path, ""))
}

// list gives what was found, or the parts of the rules that contain it.
func (w *walk) list() []string {
	if w.over {
		for r := range w.open {
			w.found = append(w.found, r.prefix())
		}
	}
	slices.Sort(w.found)
	return slices.Compact(w.found)
}
