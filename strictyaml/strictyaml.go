// Package strictyaml reads the YAML files that people write (network.yaml, server.yaml, service.yaml) so that a slip is an
// error and never a silent default: an unknown key is refused and the nearest known one named, and so are keys given twice,
// anchors and aliases.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// MaxSize is the longest file that is read at all, in bytes.
const MaxSize = 1 << 20

// Decode reads one YAML document into a struct, by its json tags. The file's name stands in errors. The struct is to be
// thrown away where Decode fails.
func Decode(file string, data []byte, into any) error {
	if len(data) > MaxSize {
		return fmt.Errorf("read %s: %d bytes, at most %d", file, len(data), MaxSize)
	}
	quoted, err := quoteHex(data)
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	asJSON, err := yaml.YAMLToJSON(quoted)
	if err != nil {
		return fmt.Errorf("read %s: %s", file, yaml.FormatError(err, false, true))
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
		return fmt.Errorf("read %s: %s: %w", file, strings.TrimPrefix(string(semantic.JSONPointer), "/"), semantic.Err)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return nil
}

// quoteHex refuses anchors and aliases, which a few lines of can blow up to gigabytes, and puts addresses and hashes that
// stand without quotes into quotes: to YAML they would be numbers.
func quoteHex(data []byte) ([]byte, error) {
	for _, t := range lexer.Tokenize(string(data)) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return nil, fmt.Errorf("line %d: anchors and aliases are not taken", t.Position.Line)
		}
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	for i, line := range lines {
		key, value, ok := bytes.Cut(line, []byte(": "))
		bare := bytes.TrimSpace(value)
		if ok && len(bare) > 18 && bytes.HasPrefix(bare, []byte("0x")) && !bytes.ContainsAny(bare, " \t#'\"") {
			lines[i] = fmt.Appendf(nil, "%s: %q\n", key, bare)
		}
	}
	return bytes.Join(lines, nil), nil
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
		if d := distance(strings.ToLower(key), k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return "; known are " + strings.Join(slices.Compact(slices.Sorted(slices.Values(known))), ", ")
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
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
