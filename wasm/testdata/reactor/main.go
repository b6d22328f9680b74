// A reactor in Go that answers with whatever could differ from run to run: the order of maps and goroutines, clocks, random
// numbers; and with how often this instance was asked.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"time"
	"unsafe"
)

var (
	given = map[uintptr][]byte{} // what the host holds, kept from the collector
	calls int
)

//go:wasmexport alloc
func alloc(n uint32) uint32 {
	return keep(make([]byte, n+1))
}

func keep(b []byte) uint32 {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	given[at] = b
	return uint32(at)
}

//go:wasmexport handle
func handle(at, n uint32) uint64 {
	calls++
	var value any
	err := json.Unmarshal(given[uintptr(at)][:n], &value)
	var order []string
	for k := range map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9} {
		order = append(order, k)
	}
	done, ran := make(chan int), []int{}
	for i := range 20 {
		go func() { done <- i }()
	}
	for range 20 {
		ran = append(ran, <-done)
	}
	start := time.Now()
	time.Sleep(3 * time.Millisecond)
	_, open := os.Open("/etc/passwd")
	out, _ := json.Marshal(map[string]any{
		"value": value, "error": fmt.Sprint(err), "order": order, "ran": ran, "now": start.UTC(), "slept": time.Since(start) >= 3*time.Millisecond,
		"math": mathrand.Int64(), "crypto": rand.Text(), "calls": calls, "env": len(os.Environ()), "open": fmt.Sprint(open),
	})
	return uint64(keep(out))<<32 | uint64(len(out))
}

func main() {}
