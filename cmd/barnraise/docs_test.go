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
	"barnraise/hosting"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/score"
	"barnraise/server"

	"github.com/spf13/cobra"
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

// What an operator can ask a server and say to it stands in his document, as it is typed.
func TestOperatorsCommandsAreDescribed(t *testing.T) {
	b, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	text, found := section(t, string(b), "Whom do I owe, who owes me, who lied"), 0
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			look(sub)
		}
		if c.HasSubCommands() && !c.Runnable() || c.Flag("config") == nil {
			return
		}
		found++
		if !strings.Contains(text, "`"+c.CommandPath()+" ") {
			t.Errorf("docs/operate.md does not describe %s", c.CommandPath())
		}
	}
	a := &app{}
	for _, c := range a.root().Commands() {
		if c.Name() != "serve" && c.Name() != "doctor" {
			look(c)
		}
	}
	if found != 8 {
		t.Errorf("%d commands take the configuration of a server, want 8", found)
	}
	for _, kind := range []string{
		string(hosting.Propose), string(hosting.Host), string(hosting.Adopt), string(hosting.Leave), string(hosting.Drop),
		string(server.Probed), string(server.Offered), string(server.Withdrawn), string(server.Started), string(server.Stopped), string(server.Void),
		string(score.Struck), string(score.Lifted), string(score.Foreign), string(score.Capped), string(score.Suspended),
		string(score.ProbeOK), string(score.ProbeFailed), "evidence-convicts", "evidence-about-us", "evidence-doubted",
		eventApproved, eventDenied, eventLifted,
	} {
		if !strings.Contains(text, "`"+kind+"`") {
			t.Errorf("docs/operate.md does not describe the event %s", kind)
		}
	}
}
