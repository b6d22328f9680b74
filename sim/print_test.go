package sim

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// printed prints one epoch and a summary.
func printed(t *testing.T, p func(b *bytes.Buffer) Printer) string {
	t.Helper()
	var b bytes.Buffer
	e := Epoch{Epoch: 7, Cov2: 0.98, Cov3: 0.9, Changed: 0.01, ExclusiveHonest: 4, ExclusiveFree: 0.5, Tx: 0.02, Probes: 12.5}
	printer := p(&b)
	if err := errors.Join(printer.Epoch(e), printer.Summary(Summary{Epoch: e, Summary: true, Servers: 3, Converged: 5})); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestJSONIsWhatScriptsRead: the keys that are promised come first and in their order.
func TestJSONIsWhatScriptsRead(t *testing.T) {
	got := printed(t, func(b *bytes.Buffer) Printer { return JSON(b) })
	epoch, summary, ok := strings.Cut(got, "\n")
	const begin = `{"epoch":7,"cov2":0.98,"cov3":0.9,"changed":0.01,"exclusive_honest":4,"exclusive_free":0.5,"tx":0.02,`
	if !ok || !strings.HasPrefix(epoch, begin) || !strings.HasPrefix(summary, begin) || strings.Contains(epoch, "summary") {
		t.Errorf("got\n%s", got)
	}
	var s map[string]any
	if err := json.Unmarshal([]byte(summary), &s); err != nil || s["summary"] != true || s["converged"] != 5.0 || s["servers"] != 3.0 {
		t.Errorf("summary %v: %v", s, err)
	}
}

func TestCSVHasAColumnForEachFigure(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(printed(t, func(b *bytes.Buffer) Printer { return CSV(b) }))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("rows %v: %v", rows, err)
	}
	if n := len(figures(new(Epoch))); len(names) != n || len(rows[0]) != n+2 {
		t.Errorf("%d names, %d columns for %d figures", len(names), len(rows[0]), n)
	}
	var fields map[string]json.RawMessage
	b, err := json.Marshal(Epoch{})
	if err := errors.Join(err, json.Unmarshal(b, &fields)); err != nil {
		t.Fatal(err)
	}
	for name := range fields {
		if !slices.Contains(rows[0], name) {
			t.Errorf("no column %s", name)
		}
	}
	at := slices.Index(rows[0], "changed")
	if rows[1][0] != "7" || rows[1][at] != "0.01" || rows[1][len(rows[1])-1] != "false" || rows[2][len(rows[2])-1] != "true" {
		t.Errorf("rows %v", rows)
	}
}

func TestTextSaysWhatItComesTo(t *testing.T) {
	got := printed(t, func(b *bytes.Buffer) Printer { return Text(b) })
	for _, want := range []string{
		"\n    7   98.0 %   90.0 %    1.0 %", "settled from epoch 5 on", "  90.0 %  on three", "   4.00  others run", "a free rider's 0.50",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
