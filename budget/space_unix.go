//go:build linux || darwin || freebsd

package budget

import "golang.org/x/sys/unix"

// SpaceOf is what the file system of a directory has.
func SpaceOf(dir string) (Space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return Space{}, err
	}
	block := uint64(s.Bsize)
	return Space{Free: uint64(max(s.Bavail, 0)) * block, Total: s.Blocks * block}, nil
}
