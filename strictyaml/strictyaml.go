// Package strictyaml reads the YAML files that people write (network.yaml, server.yaml, service.yaml) so that a slip is an
// error and never a silent default: an unknown key is refused and the nearest known one named, and so are keys given twice,
// anchors and aliases, tags, and a second document. Strangers write such files too, so their size and depth are bounded.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/goccy/go-yaml"
)

// Decode reads one YAML document into a struct, by its json tags. The file's name stands in errors. The struct is to be
// thrown away where Decode fails.
func Decode(file string, data []byte, into any) error {
	if len(data) > MaxSize {
		return fmt.Errorf("read %s: %d bytes, at most %d", file, len(data), MaxSize)
	}
	asJSON, err := toJSON(data)
	if err != nil {
		return fmt.Errorf("read %s: %s", file, printable(yaml.FormatError(err, false, true)))
	}
	if len(bytes.TrimSpace(asJSON)) == 0 || string(bytes.TrimSpace(asJSON)) == "null" {
		asJSON = []byte("{}")
	}
	err = json.Unmarshal(asJSON, into, json.RejectUnknownMembers(true))
	var semantic *json.SemanticError
	if errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic) {
		key := semantic.JSONPointer.LastToken()
		return fmt.Errorf("read %s: unknown key %q%s", file, key, hint(key, keys(reflect.TypeOf(into), nil)))
	}
	if errors.As(err, &semantic) && semantic.Err != nil {
		return fmt.Errorf("read %s: %s: %w", file, printable(strings.TrimPrefix(string(semantic.JSONPointer), "/")), semantic.Err)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return nil
}

// printable replaces what a terminal might act upon: an error of the parser shows the lines where it is.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// keys lists the json names that occur in a type, at any depth.
func keys(t reflect.Type, seen []reflect.Type) (names []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || slices.Contains(seen, t) {
		return nil
	}
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
		names = append(names, keys(f.Type, append(seen, t))...)
	}
	return names
}

// hint names the known key that the fewest changed letters lead to.
func hint(key string, known []string) string {
	best, least := "", len(key)
	for _, k := range known {
		if d := Distance(strings.ToLower(key), k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return "; known are " + strings.Join(slices.Compact(slices.Sorted(slices.Values(known))), ", ")
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// Distance is the Levenshtein distance: how many letters have to be put in, left out or changed to make one of the other.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
