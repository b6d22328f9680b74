package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"barnraise"
	"barnraise/budget"
	"barnraise/server"
)

func TestWarningsOfAServer(t *testing.T) {
	s := barnraise.NewSnapshot(barnraise.Registry{}, 9, [32]byte{}, 0, []barnraise.Service{
		{ID: 1, Name: "one", Status: barnraise.StatusActive, Revisions: []barnraise.Revision{{Number: 1, ActiveFrom: 1}}},
	}, nil)
	for name, c := range map[string]struct {
		config server.Config
		want   []string
	}{
		"all is well": {server.Config{Account: "delegate.key", Own: []barnraise.ServiceID{1}}, nil},
		"no account":  {server.Config{Own: []barnraise.ServiceID{1}}, []string{"no account"}},
		"unknown":     {server.Config{Account: "delegate.key", Own: []barnraise.ServiceID{1, 9}}, []string{"service=#9"}},
		"nothing":     {server.Config{}, []string{"no account", "own is empty"}},
	} {
		var b strings.Builder
		warn(slog.New(slog.NewTextHandler(&b, nil)), c.config, s)
		if lines := strings.Count(b.String(), "\n"); lines != len(c.want) {
			t.Errorf("%s: %d lines, want %d: %s", name, lines, len(c.want), b.String())
		}
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) || !strings.Contains(b.String(), "level=WARN") {
				t.Errorf("%s: it says %s, want %s", name, b.String(), want)
			}
		}
	}
}

// A server that never ran has no data directory yet.
func TestFirstStoreOfAServer(t *testing.T) {
	s, err := openStore(t.Context(), server.Config{Data: filepath.Join(t.TempDir(), "home", "data"), Budgets: budget.Default()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
