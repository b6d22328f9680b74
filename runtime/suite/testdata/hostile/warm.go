//go:build wasip1 && warm

package main

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"time"
)

// table is what it takes a while to make.
var table = map[string]uint64{}

//go:wasmexport warm
func warm() {
	for n := range 1000 {
		table[strconv.Itoa(n)] = rand.Uint64()
	}
	go func() { // which is not done when warm is, but soon
		for range 100 {
			time.Sleep(time.Millisecond)
			table["later"]++
		}
	}()
	runtime.GC()
	table["clock"] = uint64(time.Now().UnixNano())
}
