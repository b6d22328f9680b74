package sim

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"barnraise/barter"
)

// TestDefaultsAreAsWritten holds the table of docs/barter.md to the policy.
func TestDefaultsAreAsWritten(t *testing.T) {
	b, err := os.ReadFile("../docs/barter.md")
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(barter.Default)
	for i := range v.NumField() {
		row := fmt.Sprintf("\n| %s | %v |", v.Type().Field(i).Name, v.Field(i))
		if !strings.Contains(string(b), row) {
			t.Errorf("docs/barter.md has no row %q", row[1:])
		}
	}
}
