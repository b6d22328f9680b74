package conformance

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// pointer leads to the first part of two answers that differs (RFC 6901). It is empty where all does, as where one is an
// error and the other a result, and where nothing but white space differs. What only one of the two has counts as differing.
func pointer(a, b []byte) jsontext.Pointer {
	p, q := jsontext.NewDecoder(bytes.NewReader(a)), jsontext.NewDecoder(bytes.NewReader(b))
	for {
		x, errX := p.ReadToken()
		kindX, textX := kindAndText(x, errX)
		y, errY := q.ReadToken()
		kindY, textY := kindAndText(y, errY)
		if errX != nil || errY != nil {
			return ""
		}
		if kindX == kindY && textX == textY {
			continue
		}
		return deepest(a, b, p, q, kindX, kindY)
	}
}

func kindAndText(t jsontext.Token, err error) (jsontext.Kind, string) {
	if err != nil {
		return 0, ""
	}
	return t.Kind(), t.String()
}

// deepest is where two decoders stand that have just read different tokens.
func deepest(a, b []byte, p, q *jsontext.Decoder, kindX, kindY jsontext.Kind) jsontext.Pointer {
	here, there := p.StackPointer(), q.StackPointer()
	if kindX == ']' || kindX == '}' { // a ends where b goes on
		return there
	}
	if kindY == ']' || kindY == '}' {
		return here
	}
	kind, count := p.StackIndex(p.StackDepth())
	if kindX == '"' && kindY == '"' && kind == '{' && count%2 == 1 { // names
		parent := here.Parent()
		if parent == "" || reordered(at(a, parent), here.LastToken(), there.LastToken()) && reordered(at(b, parent), here.LastToken(), there.LastToken()) {
			return parent
		}
		if has(at(b, parent), here.LastToken()) {
			return there
		}
	}
	return here
}

// reordered reports whether an object has both members.
func reordered(object jsontext.Value, one, other string) bool {
	return has(object, one) && has(object, other)
}

func has(object jsontext.Value, name string) bool {
	return at(object, jsontext.Pointer("").AppendToken(name)) != nil
}

// Leaves of answers and words in their strings are compared without their order by the sum of their hashes.
func bag(doc []byte) (sum uint64, parts int) {
	d := jsontext.NewDecoder(bytes.NewReader(doc))
	for {
		t, err := d.ReadToken()
		if err != nil {
			return sum, parts
		}
		switch t.Kind() {
		case '"':
			for _, word := range strings.FieldsFunc(t.String(), separates) {
				sum, parts = sum+hash(word), parts+1
			}
		case '0', 't', 'f', 'n':
			sum, parts = sum+hash(t.String()), parts+1
		}
	}
}

func separates(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' }

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

// permuted reports whether two answers have the same parts in another order: elements, members, words of a string, or the
// letters of a word.
func permuted(a, b []byte, p jsontext.Pointer) bool {
	x, n := bag(a)
	y, m := bag(b)
	if x == y && n == m {
		return true
	}
	v, w := letters(at(a, p)), letters(at(b, p))
	return len(v) > 2 && slices.Equal(v, w) && unicode.IsLetter(v[len(v)-1])
}

// letters are the sorted runes of a string of letters; none of another value, nor of one with digits in it, which may have
// the same by accident.
func letters(v jsontext.Value) []rune {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil || strings.ContainsAny(s, "0123456789") || len(s) > 1<<16 {
		return nil
	}
	r := []rune(s)
	slices.Sort(r)
	return r
}

var (
	hexAddress = regexp.MustCompile(`0x[0-9a-f]{5,12}\b`)
	dateOrTime = regexp.MustCompile(`(19|20)\d\d[-/.]\d\d?[-/.]\d\d?|\d\d:\d\d|\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\b`)
	digits     = regexp.MustCompile(`\d+(\.\d+)?([eE][-+]?\d+)?`)
)

// long is how many digits, 0x included, addresses of a heap have that lies anywhere, as Go's does: more or less, by chance.
const long = 2 + 9

// addresses reports whether two values differ by addresses: they are as long as one another, or those of a heap.
func addresses(a, b jsontext.Value) bool {
	x, y := hexAddress.FindAllString(string(a), -1), hexAddress.FindAllString(string(b), -1)
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return len(x[i]) == len(y[i]) || min(len(x[i]), len(y[i])) >= long
		}
	}
	const low, high = 0xc000000000, 0xc100000000 // where Go's heap is on linux
	n, m := number(a), number(b)
	return n >= low && n < high && m >= low && m < high
}

// times reports whether two values differ by times, such as are written for people or counted from 1970; these are near now.
func times(a, b jsontext.Value, now time.Time) bool {
	if x, y := string(a), string(b); dateOrTime.MatchString(x) && dateOrTime.MatchString(y) {
		return true
	}
	x, y := near(a, now), near(b, now)
	return x && y
}

// near reports whether the first long number of a value counts seconds, or a fraction of them, to about now.
func near(v jsontext.Value, now time.Time) bool {
	for _, text := range digits.FindAllString(string(v), 16) {
		n, err := strconv.ParseFloat(text, 64)
		for unit := 1.0; err == nil && unit <= 1e9; unit *= 1e3 {
			if math.Abs(n/unit-float64(now.Unix())) < 2*day.Seconds() {
				return true
			}
		}
	}
	return false
}

// rounded reports whether two values are the same but for the last digits of a number in them.
func rounded(a, b jsontext.Value) bool {
	if digits.ReplaceAllString(string(a), "") != digits.ReplaceAllString(string(b), "") {
		return false
	}
	x, y := digits.FindAllString(string(a), -1), digits.FindAllString(string(b), -1)
	differ := false
	for i := range min(len(x), len(y)) {
		n, errN := strconv.ParseFloat(x[i], 64)
		m, errM := strconv.ParseFloat(y[i], 64)
		if errN != nil || errM != nil || math.Abs(n-m) > 1e-4*max(math.Abs(n), math.Abs(m)) {
			return false
		}
		differ = differ || x[i] != y[i] && strings.ContainsAny(x[i]+y[i], ".eE")
	}
	return differ
}

// fractions reports whether two values are numbers that are not whole.
func fractions(a, b jsontext.Value) bool {
	return a.Kind() == '0' && b.Kind() == '0' && bytes.ContainsAny(a, ".eE") && bytes.ContainsAny(b, ".eE")
}

// number is the first number of a value, NaN where it has none.
func number(v jsontext.Value) float64 {
	n, err := strconv.ParseFloat(digits.FindString(string(v)), 64)
	if err != nil {
		return math.NaN()
	}
	return n
}

// rising reports whether the numbers go up by the same whole number each time.
func rising(values []jsontext.Value) bool {
	if len(values) < 3 {
		return false
	}
	step := number(values[1]) - number(values[0])
	for i := 1; i < len(values); i++ {
		if number(values[i])-number(values[i-1]) != step {
			return false
		}
	}
	return step > 0 && step == math.Trunc(step)
}

// growing reports whether many numbers never go down, and up now and then, as a clock's do.
func growing(values []jsontext.Value) bool {
	ups := 0
	for i := 1; i < len(values); i++ {
		switch before, n := number(values[i-1]), number(values[i]); {
		case n > before:
			ups++
		case n != before:
			return false
		}
	}
	return ups >= 3 && len(values) >= trials
}

// allAlike reports whether all outcomes from one on agree.
func allAlike(all []outcome, from int) bool {
	for _, o := range all[min(from+1, len(all)):] {
		if !o.alike(all[from]) {
			return false
		}
	}
	return true
}

func valuesAt(all []outcome, p jsontext.Pointer) (values []jsontext.Value) {
	for _, o := range all {
		values = append(values, at(bytes.Clone(o.answer), p))
	}
	return values
}

// passing reports whether a number goes up about as fast as time does, in whatever unit.
func passing(values []jsontext.Value, took time.Duration) bool {
	if len(values) < 3 || took <= 0 {
		return false
	}
	for k := 1; k < len(values); k++ {
		if !(number(values[k]) >= number(values[k-1])) {
			return false
		}
	}
	gone := number(values[len(values)-1]) - number(values[0])
	for unit := 1.0; unit <= 1e9; unit *= 1e3 {
		if expected := took.Seconds() * unit; gone > expected/20 && gone < expected*2 {
			return true
		}
	}
	return false
}

// parts are the pointer of what differs and what stands there.
func parts(f finding) (p jsontext.Pointer, a, b jsontext.Value) {
	if f.a.answer == nil || f.b.answer == nil {
		return "", f.a.answer, f.b.answer
	}
	p = pointer(f.a.answer, f.b.answer)
	return p, at(f.a.answer, p), at(f.b.answer, p)
}
