package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProve: what is shown is proven, saved with its proof, and a caller begins with it only as long as nobody changed it.
func TestProve(t *testing.T) {
	l := newLedger(t)
	key := filepath.Join(t.TempDir(), "key.pem")
	for _, url := range []string{"http://127.0.0.1:1", "http://127.0.0.1:2"} {
		if code, _ := l.run(t, 2, "servers", "register", "--url", url, "--key", key, "--capacity", "7", "--no-delegate"); code != 0 {
			t.Fatalf("exit code %d: %s", code, l.talk.String())
		}
	}
	var out, talk strings.Builder
	do := func(want int, args ...string) string {
		t.Helper()
		out.Reset()
		talk.Reset()
		if code := run(t.Context(), args, &out, &talk); code != want {
			t.Fatalf("%v: exit code %d, want %d: %s", args, code, want, talk.String())
		}
		return out.String()
	}
	var shown struct {
		ID    int          `json:"id"`
		Proof *proofResult `json:"proof"`
	}
	if err := json.Unmarshal([]byte(do(0, "servers", "show", "2", "--prove", "--json")), &shown); err != nil {
		t.Fatal(err)
	}
	if p := shown.Proof; shown.ID != 2 || p == nil || p.Servers.Count != 2 || p.Servers.Records != 1 || p.Complete || !p.Root || p.Trust == "" {
		t.Errorf("it shows %+v", shown)
	}
	if text := do(0, "servers", "show", "2"); strings.Contains(text, "proven") {
		t.Errorf("nothing was proven, and it says %s", text)
	}
	saved := filepath.Join(t.TempDir(), "snapshot.json")
	text := do(0, "network", "show", "--prove", "--save", saved)
	if !strings.Contains(text, "all 0 services and all 2 servers") || !strings.Contains(talk.String(), "call --snapshot "+saved) {
		t.Errorf("it says %s%s", text, talk.String())
	}
	do(exitFailed, "call", "--snapshot", saved, "#1", "m")
	if !strings.Contains(talk.String(), "on the word of: trusted RPC") || !strings.Contains(talk.String(), "no service #1") {
		t.Errorf("a call that begins with the file says %s", talk.String())
	}
	whole, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(whole), `"capacity":7`, `"capacity":8`, 1)
	if err := os.WriteFile(saved, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	do(exitFailed, "call", "--snapshot", saved, "#1", "m")
	if !strings.Contains(talk.String(), "is not what the contract stores") {
		t.Errorf("of a file that was changed it says %s", talk.String())
	}
	do(exitUsage, "call", "--snapshot", "https://a.example,https://b.example", "search", "m")
	do(exitFailed, "call", "--snapshot", "http://127.0.0.1:1,http://127.0.0.1:2", "1", "m")
	do(exitFailed, "call", "--snapshot", saved+".none", "1", "m")
}
