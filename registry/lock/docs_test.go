package lock

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// docs/files.md describes every key, and its example can be read.
func TestEveryKeyIsDescribed(t *testing.T) {
	page, err := os.ReadFile("../../docs/files.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(page), "\n## "+Name+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	if !ok {
		t.Fatalf("docs/files.md has no section %s", Name)
	}
	for _, v := range []any{contents{}, Pin{}} {
		for f := range reflect.TypeOf(v).Fields() {
			if key := f.Tag.Get("json"); !strings.Contains(text, "`"+key+"`") {
				t.Errorf("docs/files.md does not describe the key %s", key)
			}
		}
	}
	_, example, _ := strings.Cut(text, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if c, err := parse(Name, []byte(example)); err != nil || len(c.Names) == 0 || len(c.Anchors) == 0 {
		t.Errorf("the example is read as %v, %v", c, err)
	}
}
