//go:build !linux

package worker

import "runtime/debug"

// Limit bounds the memory of this process in bytes, for the child to call before all else. Here only the garbage collector
// knows of it, and works harder as it comes near.
func Limit(bytes uint64) error {
	debug.SetMemoryLimit(int64(bytes / 10 * 9))
	return nil
}

// Share is how much memory the child is given where nobody says otherwise.
func Share() uint64 { return fallbackShare }
