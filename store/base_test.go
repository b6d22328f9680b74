package store

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
)

// TestBase: the index of a registry is there again as it was kept last, and one that is too long is refused and changes nothing.
func TestBase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := opened(t, path, Options{})
	base := s.Base()
	if data, err := base.LoadBase(t.Context()); data != nil || err != nil {
		t.Errorf("of an empty store: %q, %v; want nothing", data, err)
	}
	for _, text := range []string{"first\x00\xff", "second"} {
		if err := base.SaveBase(t.Context(), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := base.SaveBase(t.Context(), make([]byte, MaxDocument)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too long: %v, want ErrTooLarge", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, path, Options{})
	if data, err := s.Base().LoadBase(t.Context()); err != nil || !bytes.Equal(data, []byte("second")) {
		t.Errorf("%q, %v; want what was kept last", data, err)
	}
}
