package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// TestNetworkFollow: what somebody else writes is shown as it happens, and an interruption is no failure.
func TestNetworkFollow(t *testing.T) {
	l := newLedger(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	shown, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"network", "follow", "--every", "10ms", "--json"}, w, w)
		w.Close()
	}()
	lines := bufio.NewScanner(shown)
	if !lines.Scan() || !strings.Contains(lines.Text(), "following from block") {
		t.Fatalf("it begins with %q", lines.Text())
	}
	key := filepath.Join(t.TempDir(), "key.pem")
	if code, _ := l.run(t, 2, "servers", "register", "--url", "http://127.0.0.1:1", "--key", key, "--capacity", "7", "--no-delegate"); code != 0 {
		t.Fatalf("exit code %d: %s", code, l.talk.String())
	}
	var change struct {
		Block  uint64 `json:"block"`
		Server int    `json:"server"`
		Text   string `json:"text"`
	}
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &change) != nil || change.Server != 1 || change.Block == 0 || change.Text == "" {
		t.Errorf("of a new server it shows %q", lines.Text())
	}
	interrupt()
	for lines.Scan() {
		t.Logf("then %q", lines.Text())
	}
	if got := <-code; got != 0 {
		t.Errorf("exit code %d after an interruption, want 0", got)
	}
}
