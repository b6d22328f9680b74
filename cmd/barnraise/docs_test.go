package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"barnraise"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/server"
)

// section is the part of a document under a heading of the second level.
func section(t *testing.T, document, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut(document, "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("there is no section %q", heading)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

// keys lists the keys of a file that is read into the type.
func keys(t reflect.Type) (names []string) {
	switch t.Kind() {
	case reflect.Pointer:
		return keys(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" || !f.IsExported() {
				continue
			}
			if name != "" {
				names = append(names, name)
			}
			names = append(names, keys(f.Type)...)
		}
	}
	return names
}

func TestEveryKeyIsDescribed(t *testing.T) {
	b, err := os.ReadFile("../../docs/files.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, v := range map[string]any{
		"network.yaml": registry.Network{}, "server.yaml": server.Config{}, "service.yaml": manifest.Source{},
	} {
		names := keys(reflect.TypeOf(v))
		if len(names) < 8 {
			t.Errorf("%s has only the keys %v", heading, names)
		}
		text := section(t, string(b), heading)
		for _, name := range names {
			if !strings.Contains(text, "`"+name+"`") {
				t.Errorf("docs/files.md does not describe the key %s of %s", name, heading)
			}
		}
	}
	var evidence map[string]any
	if err := json.Unmarshal(barnraise.Evidence{}.Encode(), &evidence); err != nil {
		t.Fatal(err)
	}
	for name := range evidence {
		if !strings.Contains(section(t, string(b), "Evidence"), "`"+name+"`") {
			t.Errorf("docs/files.md does not describe the member %s of evidence", name)
		}
	}
}

// The defaults and the hard caps of limits are those of the program.
func TestLimitsAreDescribed(t *testing.T) {
	b, err := os.ReadFile("../../docs/files.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, bounds := range map[string][2]any{
		"limits":         {manifest.DefaultLimits, manifest.MaxLimits},
		"verifierLimits": {manifest.DefaultVerifierLimits, manifest.MaxVerifierLimits},
	} {
		_, table, ok := strings.Cut(string(b), "| of `"+name+"` |")
		table, _, _ = strings.Cut(table, "\n\n")
		standard, most := reflect.ValueOf(bounds[0]), reflect.ValueOf(bounds[1])
		for f := range standard.Type().Fields() {
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			row := regexp.MustCompile(fmt.Sprintf("(?m)^\\| `%s` \\| [^|]* \\| %s \\| %s \\|$", key, figure(standard.FieldByIndex(f.Index)), figure(most.FieldByIndex(f.Index))))
			if !ok || !row.MatchString(table) {
				t.Errorf("docs/files.md does not say of %s what %s says", name, row)
			}
		}
	}
}

// figure is a limit as the document writes it.
func figure(v reflect.Value) string {
	if v.Kind() == reflect.Float64 {
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}
