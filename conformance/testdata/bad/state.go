package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

var (
	mu       sync.Mutex
	calls    int
	seen     = map[string]int{}
	last     string
	held     [][]byte
	racing   string
	tempRoot = os.TempDir()
)

func counter() any {
	mu.Lock()
	defer mu.Unlock()
	calls++
	return calls
}

func late() any {
	mu.Lock()
	defer mu.Unlock()
	calls++
	return calls > 100
}

func cached(q string) any {
	mu.Lock()
	defer mu.Unlock()
	_, hit := seen[q]
	seen[q] = 1
	return map[string]bool{"cached": hit}
}

func disk(q string) any {
	name := filepath.Join(tempRoot, "cache-"+strings.Map(letter, q))
	if _, err := os.Stat(name); err == nil {
		return "from disk"
	}
	_ = os.WriteFile(name, []byte(q), 0o600)
	return "computed"
}

func letter(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r
	}
	return -1
}

// arrival numbers questions as they come in.
func arrival(q string) any {
	mu.Lock()
	defer mu.Unlock()
	if _, ok := seen[q]; !ok {
		seen[q] = len(seen) + 1
	}
	return seen[q]
}

func previous(q string) any {
	mu.Lock()
	defer mu.Unlock()
	before := last
	last = q
	return before
}

// growth breaks when it has been called often.
func growth(q string) any {
	mu.Lock()
	defer mu.Unlock()
	held = append(held, make([]byte, 1<<20))
	return len(q)
}

// race keeps in a variable of all calls what belongs to one.
func race(q string) any {
	racing = q
	for range 200 {
		runtime.Gosched()
	}
	return strings.ToUpper(racing)
}
