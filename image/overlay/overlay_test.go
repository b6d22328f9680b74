package overlay

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestModule(t *testing.T) {
	here, err := Module("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(here, "tree_test.go")); err != nil {
		t.Errorf("found %s: %v", here, err)
	}
	if got, err := Module(here); got != here || err != nil {
		t.Errorf("%s is said: %s, %v", here, got, err)
	}
	if _, err := Module(filepath.Join(here, "image")); !errors.Is(err, ErrNoModule) {
		t.Errorf("a directory within is said: %v", err)
	}
	t.Chdir(t.TempDir())
	if _, err := Module(""); !errors.Is(err, ErrNoModule) {
		t.Errorf("outside: %v", err)
	}
}

// What replaces is in the overlay, under the path of what it replaces; what is only put is not.
func TestOverlay(t *testing.T) {
	service, dir := t.TempDir(), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(filepath.Join(service, "data"), []byte("own"), 0o644); err != nil {
		t.Fatal(err)
	}
	o, err := New(dir, service)
	if err != nil {
		t.Fatal(err)
	}
	if own, err := o.Own("data"); err != nil || string(own) != "own" {
		t.Errorf("its own is %q, %v", own, err)
	}
	if _, err := o.Own("nothing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its own nothing: %v", err)
	}
	for _, err := range []error{o.Put("service.yaml", []byte("y")), o.Replace("data", []byte("other")), o.PutOverlay()} {
		if err != nil {
			t.Error(err)
		}
	}
	got, err := os.ReadFile(filepath.Join(dir, "overlay.json"))
	want := `{"Replace":{"` + filepath.Join(service, "data") + `":"` + filepath.Join(dir, "data") + `"}}`
	if packed := strings.Join(strings.Fields(string(got)), ""); err != nil || packed != want {
		t.Errorf("the overlay is %s, %v, want %s", packed, err, want)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "data")); err != nil || string(b) != "other" {
		t.Errorf("data is %q, %v", b, err)
	}
	if err := o.Put("no/such/place", nil); err == nil {
		t.Error("writes where there is nothing")
	}
}
