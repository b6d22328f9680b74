package verifiers

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrConfig is the error for a configuration that the verifier named json does not take; to whatever it is asked with that, it
// says undecided.
var ErrConfig = errors.New("bad verifier configuration")

// What is taken of a configuration of json.
const (
	MaxRules = 64 // pointers in all
	MaxParts = 64 // of one pointer; no body nests deeper (protocol 3.3)
)

type effect int

const (
	ignored   effect = iota // whatever the value is
	tolerated               // a number not too far off
	unordered               // an array in any order
)

// A rule is a pointer with what it does where it leads.
type rule struct {
	effect   effect
	parts    []part
	limit    float64 // with tolerated; above 0
	relative bool    // limit is a share of the larger number
}

// A part of a pointer stands for a member by its name, for an element by its index, or for all of them.
type part struct {
	name  string
	star  bool
	index int // −1 where it is none
}

// parseRules reads a configuration of json. It fails with [ErrConfig] where the module says undecided.
func parseRules(config []byte) ([]rule, error) {
	rules, err := readRules(config)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w: %w", err, ErrConfig)
	}
	return rules, nil
}

func readRules(config []byte) (rules []rule, err error) {
	var lists map[string][]jsontext.Value
	if len(config) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(config, &lists); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		list := lists[name]
		if _, ok := effects[name]; !ok {
			return nil, fmt.Errorf("member %.40q, want ignore, tolerance or sets", name)
		}
		if list == nil {
			return nil, fmt.Errorf("%.40q is null, want an array", name)
		}
		for _, v := range list {
			r, err := readRule(name, v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			rules = append(rules, r)
		}
	}
	if len(rules) > MaxRules {
		return nil, fmt.Errorf("%d rules, at most %d", len(rules), MaxRules)
	}
	return rules, nil
}

var effects = map[string]effect{"ignore": ignored, "tolerance": tolerated, "sets": unordered}

func readRule(list string, v jsontext.Value) (r rule, err error) {
	r.effect = effects[list]
	if r.effect == tolerated {
		if v, err = r.readTolerance(v); err != nil {
			return r, err
		}
	}
	if v.Kind() != '"' {
		return r, fmt.Errorf("%.40q is no string, want a pointer such as /result/items/*/id", v)
	}
	text, err := jsontext.AppendUnquote(nil, v)
	if err == nil {
		r.parts, err = readPointer(string(text))
	}
	return r, err
}

// readTolerance reads what a tolerance allows, and gives its pointer.
func (r *rule) readTolerance(v jsontext.Value) (at jsontext.Value, err error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(v, &members); err != nil {
		return nil, err
	}
	at = members["at"]
	number, absolute := members["absolute"]
	if !absolute {
		number = members["relative"]
	}
	r.relative = !absolute
	if len(members) != 2 || len(at) == 0 || number.Kind() != '0' {
		return nil, fmt.Errorf("%.80q, want at, and either absolute or relative", v)
	}
	r.limit, err = strconv.ParseFloat(string(number), 64)
	if err != nil || r.limit <= 0 || r.relative && r.limit >= 1 || math.IsInf(r.limit, 0) {
		return nil, fmt.Errorf("%.40q, want absolute above 0, or relative above 0 and below 1", number)
	}
	return at, nil
}

// readPointer takes a JSON pointer apart (RFC 6901), in which * stands for every member or element.
func readPointer(text string) (parts []part, err error) {
	if !strings.HasPrefix(text, "/") {
		return nil, fmt.Errorf("pointer %.80q, want one such as /result/items/*/id", text)
	}
	for raw := range strings.SplitSeq(text[1:], "/") {
		name, err := unescape(raw)
		if err != nil || len(parts) == MaxParts {
			return nil, fmt.Errorf("pointer %.80q: want at most %d parts, and after ~ a 0 or 1", text, MaxParts)
		}
		parts = append(parts, part{name, name == "*", indexOf(name)})
	}
	return parts, nil
}

func unescape(raw string) (string, error) {
	plain := strings.NewReplacer("~0", "", "~1", "").Replace(raw)
	if strings.Contains(plain, "~") {
		return "", errors.New("a lone ~")
	}
	return strings.NewReplacer("~0", "~", "~1", "/").Replace(raw), nil
}

// indexOf is the index that a part writes, −1 where it is none that a body could have.
func indexOf(name string) int {
	n, err := strconv.Atoi(name)
	if err != nil || strconv.Itoa(n) != name || n < 0 || n > 999_999_999 {
		return -1
	}
	return n
}

// prefix is the pointer up to the first *, to itself where it has none.
func (r *rule) prefix() string {
	var b strings.Builder
	for _, p := range r.parts {
		if p.star {
			break
		}
		b.WriteString("/" + escape(p.name))
	}
	return b.String()
}

// escape writes a name as a part of a pointer (RFC 6901).
func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// enterMember picks the rules that lead on through that member of a value at this level.
func enterMember(rules []*rule, level int, name string) (inner []*rule) {
	for _, r := range rules {
		if len(r.parts) > level && (r.parts[level].star || r.parts[level].name == name) {
			inner = append(inner, r)
		}
	}
	return inner
}

// enterElement does the same for an element of an array. Those of a set have no index, and their numbers no tolerance.
func enterElement(rules []*rule, level, index int, set bool) (inner []*rule) {
	for _, r := range rules {
		if len(r.parts) <= level || set && r.effect == tolerated {
			continue
		}
		if p := r.parts[level]; p.star || !set && p.index == index {
			inner = append(inner, r)
		}
	}
	return inner
}
