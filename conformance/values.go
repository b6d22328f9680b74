package conformance

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maker makes up values, by JSON schemas as far as it understands them. Equal seeds make equal values.
type maker struct {
	document
	rng *rand.Rand
}

// schema is what a maker understands of JSON Schema.
type schema struct {
	Type       jsontext.Value            `json:"type"` // a name or a list of names
	Const      jsontext.Value            `json:"const"`
	Enum       []jsontext.Value          `json:"enum"`
	Examples   []jsontext.Value          `json:"examples"`
	Minimum    *float64                  `json:"minimum"`
	Maximum    *float64                  `json:"maximum"`
	MinLength  int                       `json:"minLength"`
	MaxLength  *int                      `json:"maxLength"`
	MinItems   int                       `json:"minItems"`
	MaxItems   *int                      `json:"maxItems"`
	Items      jsontext.Value            `json:"items"`
	Properties map[string]jsontext.Value `json:"properties"`
	Required   []string                  `json:"required"`
	OneOf      []jsontext.Value          `json:"oneOf"`
	AnyOf      []jsontext.Value          `json:"anyOf"`
	AllOf      []jsontext.Value          `json:"allOf"`
}

// Bounds of what is made up.
const (
	maxNesting = 4
	maxLong    = 4 << 10 // bytes of a long string
	maxSome    = 5       // elements of an array
)

// value makes a value that fits the schema, or any value where the schema says nothing that is understood.
func (m *maker) value(raw jsontext.Value, depth int) jsontext.Value {
	var s schema
	if depth > maxNesting || !m.spend(len(raw)) || json.Unmarshal(m.resolve(raw), &s) != nil {
		return m.plain()
	}
	fixed := slices.Concat(s.Enum, s.Examples)
	some := slices.Concat(s.OneOf, s.AnyOf, s.AllOf)
	switch {
	case len(s.Const) > 0:
		return s.Const
	case len(s.Enum) > 0, len(fixed) > 0 && m.rng.IntN(2) == 0:
		return pick(m.rng, fixed)
	case len(some) > 0:
		return m.value(pick(m.rng, some), depth+1)
	}
	return m.ofType(s, depth)
}

func (m *maker) ofType(s schema, depth int) jsontext.Value {
	switch m.typeName(s) {
	case "string":
		return quote(m.text(s.MinLength, s.MaxLength))
	case "integer":
		return integer(m.number(s, true))
	case "number":
		return decimal(m.number(s, false))
	case "boolean":
		return jsontext.Value(strconv.FormatBool(m.rng.IntN(2) == 0))
	case "null":
		return jsontext.Value("null")
	case "array":
		return m.array(s, depth)
	case "object":
		return m.object(s, depth)
	}
	return m.plain()
}

// typeName is one of the types that the schema allows; what it does not say is read off what it speaks of.
func (m *maker) typeName(s schema) string {
	var one string
	var several []string
	switch {
	case json.Unmarshal(s.Type, &one) == nil && one != "":
		return one
	case json.Unmarshal(s.Type, &several) == nil && len(several) > 0:
		return pick(m.rng, several)
	case s.Properties != nil:
		return "object"
	case len(s.Items) > 0:
		return "array"
	case s.Minimum != nil, s.Maximum != nil:
		return "number"
	case s.MinLength > 0, s.MaxLength != nil:
		return "string"
	}
	return ""
}

// words are what strings are made of.
var words = []string{
	"a", "the", "hello", "copy bytes", "Grüße", "世界", "naïve café", "ΑΒΓ", "שלום", "🌾🚀", "e\u0301", "line\nbreak", "tab\t", "\u0000",
	"İstanbul ı", "0", "-1", "true", "null", "{}", `"quoted"`, `back\slash`, "<&>", "2026-02-29", "../../etc/passwd", "%s%d", "ﬁ", "\u202e",
}

func (m *maker) text(least int, most *int) string {
	top := maxLong
	if most != nil {
		top = max(0, min(top, *most))
	}
	least = max(0, min(least, top))
	var s strings.Builder
	for range m.rng.IntN(4) {
		s.WriteString(pick(m.rng, words))
		s.WriteByte(' ')
	}
	runes := []rune(strings.TrimSpace(s.String()))
	if m.rng.IntN(12) == 0 {
		runes = []rune(strings.Repeat("long ", max(top/5, 1)))
	}
	for len(runes) < least {
		runes = append(runes, 'x')
	}
	return string(runes[:min(len(runes), top)])
}

// number is one within the schema's range, near an end of it as often as not.
func (m *maker) number(s schema, whole bool) float64 {
	low, high := -1e6, 1e6
	if s.Minimum != nil {
		low, high = *s.Minimum, max(high, *s.Minimum+1e3)
	}
	if s.Maximum != nil {
		high = *s.Maximum
		low = min(low, high)
		if s.Minimum == nil {
			low = min(low, high-1e3)
		}
	}
	near := []float64{low, high, low + 1, high - 1, 0, 1, 2, 3, 10, 100, 0.1, 1.5}
	n := low + m.rng.Float64()*(high-low)
	if m.rng.IntN(3) > 0 {
		n = pick(m.rng, near)
	}
	n = min(max(n, low), high)
	if whole {
		n = float64(int64(min(max(n, -1e15), 1e15)))
	}
	return n
}

func (m *maker) array(s schema, depth int) jsontext.Value {
	most := maxSome
	if s.MaxItems != nil {
		most = max(0, min(most, *s.MaxItems))
	}
	n := min(s.MinItems+m.rng.IntN(most+1), max(most, min(s.MinItems, 64)))
	var list []jsontext.Value
	for range max(n, 0) {
		list = append(list, m.value(s.Items, depth+1))
	}
	return arrayOf(list)
}

func (m *maker) object(s schema, depth int) jsontext.Value {
	var names []string
	var values []jsontext.Value
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if len(names) < 32 && (slices.Contains(s.Required, name) || m.rng.IntN(2) == 0) {
			names, values = append(names, name), append(values, m.value(s.Properties[name], depth+1))
		}
	}
	return objectOf(names, values)
}

// plain is a value of no schema, such as callers send.
func (m *maker) plain() jsontext.Value {
	switch m.rng.IntN(4) {
	case 0:
		return integer(float64(m.rng.IntN(100)))
	case 1:
		return arrayOf([]jsontext.Value{quote(pick(m.rng, words)), integer(1)})
	}
	return quote(pick(m.rng, words))
}

// odd is a value that few services expect.
func (m *maker) odd() jsontext.Value {
	return jsontext.Value(pick(m.rng, []string{
		`null`, `true`, `0`, `-1`, `-0`, `1.5`, `1e308`, `-1e-308`, `9007199254740993`, `-9223372036854775808`, `18446744073709551616`,
		`123456789012345678901234567890`, `""`, `" "`, `"` + strings.Repeat("x", 300) + `"`, `[]`, `{}`, `[[[[[[[[]]]]]]]]`, `[null]`,
		`{"a":{"b":[1,"2",null]}}`, `"\u0000"`, `"🌾"`, `"1"`, `[1,2,3]`,
	}))
}

// mutated is a value like another one.
func (m *maker) mutated(v jsontext.Value) jsontext.Value {
	var text string
	var list []jsontext.Value
	switch v.Kind() {
	case '"':
		if json.Unmarshal(v, &text) == nil {
			return quote(m.mutatedText(text))
		}
	case '0':
		return jsontext.Value(pick(m.rng, []string{"0", "1", "2", "3", "7", "50", "-" + strings.TrimPrefix(string(v), "-"), "1e3"}))
	case '[':
		if json.Unmarshal(v, &list) == nil && len(list) > 0 && len(list) <= 1000 {
			return m.mutatedList(list)
		}
	}
	return m.odd()
}

func (m *maker) mutatedText(s string) string {
	runes := []rune(s)
	cut := 0
	if len(runes) > 0 {
		cut = m.rng.IntN(len(runes))
	}
	switch m.rng.IntN(7) {
	case 0:
		return string(runes[:cut])
	case 1:
		return string(runes[cut:])
	case 2:
		return strings.ToUpper(s)
	case 3:
		return s + " " + s
	case 4:
		slices.Reverse(runes)
		return string(runes)
	case 5:
		return " " + s + " "
	}
	return s + " " + pick(m.rng, words)
}

func (m *maker) mutatedList(list []jsontext.Value) jsontext.Value {
	switch m.rng.IntN(3) {
	case 0:
		list = list[1:]
	case 1:
		list = append(slices.Clone(list), list[0])
	default:
		slices.Reverse(list)
	}
	return arrayOf(list)
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

func quote(s string) jsontext.Value {
	b, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "?"))
	if err != nil {
		return jsontext.Value(`""`)
	}
	return b
}

func integer(n float64) jsontext.Value { return strconv.AppendInt(nil, int64(n), 10) }

func decimal(n float64) jsontext.Value {
	b, err := json.Marshal(n)
	if err != nil {
		return jsontext.Value("0")
	}
	return b
}

func arrayOf(values []jsontext.Value) jsontext.Value {
	raw := make([][]byte, len(values))
	for i, v := range values {
		raw[i] = v
	}
	return slices.Concat([]byte{'['}, bytes.Join(raw, []byte{','}), []byte{']'})
}

func objectOf(names []string, values []jsontext.Value) jsontext.Value {
	members := make([][]byte, len(names))
	for i, name := range names {
		members[i] = slices.Concat(quote(name), []byte{':'}, values[i])
	}
	return slices.Concat([]byte{'{'}, bytes.Join(members, []byte{','}), []byte{'}'})
}
