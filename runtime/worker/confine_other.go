//go:build !linux

package worker

// Confine takes away from this process every file but those below the directories named, where the system can: here it cannot,
// and that is no error.
func Confine(read, write []string) error { return nil }

// Confines reports whether this system can do what [Confine] is for.
func Confines() bool { return false }
