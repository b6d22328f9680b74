package main

import "runtime/debug"

// hoard lets rubbish lie until memory is short: an instance lives for one verdict, and the collector, whose clock stands still
// here, sometimes takes five times the fuel of all else. The rest of the memory is for what is in the way when it is short.
func hoard() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(80 << 20)
}
