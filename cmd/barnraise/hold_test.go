package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestOneProcessHoldsADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	if err := endHolder(t.Context(), dir); !errors.Is(err, errNotHeld) {
		t.Errorf("a directory that is not there: %v", err)
	}
	release, err := hold(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, pidFile)); err != nil || string(b) != strconv.Itoa(os.Getpid()) {
		t.Errorf("the process is %q, %v", b, err)
	}
	if _, err := hold(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "barnraise devnet down --dir "+dir) {
		t.Errorf("a directory that is held: %v", err)
	}
	release()
	if err := endHolder(t.Context(), dir); !errors.Is(err, errNotHeld) {
		t.Errorf("a directory that was given back: %v", err)
	}
	release, err = hold(t.Context(), dir) // who waited before in vain has not got it
	if err != nil {
		t.Fatal(err)
	}
	release()
	if _, err := os.Stat(filepath.Join(dir, pidFile)); err == nil {
		t.Error("a number was left behind")
	}
}
