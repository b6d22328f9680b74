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

// Two daemons with one account would undo each other's lists: the second is not started, by whatever name it knows the file.
func TestHoldAccount(t *testing.T) {
	dir := t.TempDir()
	account, alias := filepath.Join(dir, "delegate.key"), filepath.Join(dir, "alias.key")
	if err := os.WriteFile(account, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(account, alias); err != nil {
		t.Fatal(err)
	}
	release, err := holdAccount(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holdAccount(t.Context(), alias); err == nil || !strings.Contains(err.Error(), "another server writes to the registry") {
		t.Errorf("the second daemon: %v", err)
	}
	release()
	again, err := holdAccount(t.Context(), alias)
	if err != nil {
		t.Fatal(err)
	}
	again()
	if _, err := holdAccount(t.Context(), filepath.Join(dir, "none")); err == nil {
		t.Error("an account that is not there is held")
	}
}
