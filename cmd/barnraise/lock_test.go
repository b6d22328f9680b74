package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The lock file that the user names goes before the one of the program he is working on, and that before the network's.
func TestWhichLockFile(t *testing.T) {
	config, here, elsewhere := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	t.Setenv("HOME", config)
	t.Chdir(here)
	user, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	local := func() {
		if err := os.WriteFile(filepath.Join(here, "barnraise.lock"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		lock, network, variable string
		before                  func()
		want                    string
	}{
		{"", "", "", nil, filepath.Join(user, "barnraise", "barnraise.lock")},
		{"", "", filepath.Join(elsewhere, "n.yaml"), nil, filepath.Join(elsewhere, "barnraise.lock")},
		{"", filepath.Join(config, "n.yaml"), filepath.Join(elsewhere, "n.yaml"), nil, filepath.Join(config, "barnraise.lock")},
		{"", filepath.Join(config, "n.yaml"), "", local, "barnraise.lock"},
		{"mine", filepath.Join(config, "n.yaml"), "", nil, "mine"},
	} {
		t.Setenv("BARNRAISE_NETWORK", c.variable)
		if c.before != nil {
			c.before()
		}
		a := &app{lock: c.lock, network: c.network}
		if got, err := a.lockFile(); got != c.want || err != nil {
			t.Errorf("--lock %q --network %q, BARNRAISE_NETWORK %q: %q, %v; want %q", c.lock, c.network, c.variable, got, err, c.want)
		}
	}
}
