package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barnraise/sim"
)

func played(t *testing.T) Run {
	t.Helper()
	o := sim.Default()
	o.Servers, o.Services, o.Epochs, o.FreeRiders = 60, 30, 5, 0.2
	var r Run
	var err error
	r.Summary, err = sim.Run(t.Context(), o, func(e sim.Epoch) error {
		r.Epochs = append(r.Epochs, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wellFormed reads an SVG as XML and returns its texts.
func wellFormed(t *testing.T, svg []byte) (texts string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok {
			texts += string(c) + "\n"
		}
	}
}

var titles = []string{
	"Honest servers' services that really run", "Replicas of a service", "Copies of what only its home rewards", "Servers that change",
	"Transactions so far",
}

func TestSheetShowsAll(t *testing.T) {
	r := played(t)
	var a, b bytes.Buffer
	if err := errors.Join(Sheet(&a, r), Sheet(&b, r)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same run is drawn otherwise the second time")
	}
	texts := wellFormed(t, a.Bytes())
	for _, title := range titles {
		if !strings.Contains(texts, title) {
			t.Errorf("no plot is titled %q", title)
		}
	}
}

func TestFilesAreOneAPlot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plots")
	if err := Files(dir, played(t)); err != nil {
		t.Fatal(err)
	}
	for i, name := range Names {
		b, err := os.ReadFile(filepath.Join(dir, name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		if texts := wellFormed(t, b); !strings.Contains(texts, titles[i]) {
			t.Errorf("%s.svg is not titled %q", name, titles[i])
		}
	}
	if err := Files(filepath.Join(dir, "coverage.svg"), Run{}); err == nil {
		t.Error("a file is taken for a directory")
	}
}
