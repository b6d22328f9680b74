package worker

import (
	"fmt"
	"runtime/debug"
	"syscall"
)

// Limit bounds the memory of this process in bytes, for the child to call before all else. The garbage collector works harder
// as it comes near the limit; a process that needs more all the same ends.
func Limit(bytes uint64) error {
	debug.SetMemoryLimit(int64(bytes / 10 * 9))
	if err := syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: bytes, Max: bytes}); err != nil {
		return fmt.Errorf("limit memory to %d bytes: %w", bytes, err)
	}
	return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}

// Share is how much memory the child is given where nobody says otherwise: three quarters of this machine's.
func Share() uint64 {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return fallbackShare
	}
	return uint64(info.Totalram) * uint64(info.Unit) / 4 * 3
}
