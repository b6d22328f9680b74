package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// download is a file of the network that tests measure by, named by its hash and kept in the user's cache. The test is skipped
// where the network does not have it; where it has another one, it fails.
type download struct {
	url, sha256 string
	most        int64 // bytes
}

func (d download) file(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	kept := filepath.Join(cache, "barnraise", "collections", d.sha256)
	if b, err := os.ReadFile(kept); err == nil && d.check(b) == nil {
		return kept
	}
	content, err := d.fetch()
	if err != nil {
		t.Skipf("fetch %s: %v", d.url, err)
	}
	if err := d.check(content); err != nil {
		t.Fatalf("fetch %s: %v", d.url, err)
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return kept
}

func (d download) fetch() ([]byte, error) {
	client := http.Client{Timeout: 2 * time.Minute}
	answer, err := client.Get(d.url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, d.most))
}

func (d download) check(content []byte) error {
	sum := sha256.Sum256(content)
	if got := hex.EncodeToString(sum[:]); got != d.sha256 {
		return fmt.Errorf("%d bytes with SHA-256 %s, want %s", len(content), got, d.sha256)
	}
	return nil
}
