//go:build !linux && !darwin && !freebsd && !windows

package budget

// SpaceOf knows nothing of file systems here.
func SpaceOf(string) (Space, error) { return Space{}, nil }
