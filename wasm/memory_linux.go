package wasm

import (
	"bytes"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sealed is a file in memory that nobody can change any more. Memories made of it map it privately: they share its pages until
// they write to them, and to drop what they wrote is all it takes to reset them.
type sealed struct {
	fd   int
	size uint64
}

// freeze makes a sealed file of the content, or a copy of it where the system has no such files for us.
func freeze(content []byte) (frozen, error) {
	s, err := seal(content)
	if err != nil {
		return copies(bytes.Clone(content)), nil
	}
	return s, nil
}

func seal(content []byte) (*sealed, error) {
	if len(content) == 0 {
		return nil, unix.EINVAL // there is nothing to map
	}
	fd, err := unix.MemfdCreate("barnraise-snapshot", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	s := &sealed{fd, uint64(len(content))}
	for len(content) > 0 && err == nil {
		var n int
		n, err = unix.Write(fd, content)
		content = content[max(n, 0):]
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return s, nil
}

func (s *sealed) close() error {
	fd := s.fd
	s.fd = -1
	if fd < 0 {
		return nil
	}
	return unix.Close(fd)
}

// mapping is a memory at an address that stays. Addresses are reserved for as much as it may grow to, and become memory as it
// does, so that only this counts against the limits of the process.
type mapping struct {
	base     unsafe.Pointer
	reserved uintptr
	began    uint64 // its size in the beginning
	size     uint64
}

func (s *sealed) thaw(most uint64) (thawed, error) {
	m := &mapping{reserved: uintptr(max(most, s.size)), began: s.size, size: s.size}
	var err error
	if m.base, err = unix.MmapPtr(-1, 0, nil, m.reserved, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE); err != nil {
		return nil, fmt.Errorf("reserve %d bytes of addresses: %w", m.reserved, err)
	}
	_, err = unix.MmapPtr(s.fd, 0, m.base, uintptr(s.size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
	if err != nil {
		m.Free()
		return nil, fmt.Errorf("map %d bytes of memory: %w", s.size, err)
	}
	return m, nil
}

// bytes are those from one place to another.
func (m *mapping) bytes(from, to uint64) []byte { return unsafe.Slice((*byte)(m.base), to)[from:to:to] }

// Reallocate panics where the machine has no memory: a module must not be told that, or answers would depend on the machine.
func (m *mapping) Reallocate(size uint64) []byte {
	if size > m.size {
		if err := unix.Mprotect(m.bytes(m.size, size), unix.PROT_READ|unix.PROT_WRITE); err != nil {
			panic(fmt.Errorf("grow memory to %d bytes: %w", size, err))
		}
		m.size = size
	}
	return m.bytes(0, size)
}

// Free gives memory and addresses back.
func (m *mapping) Free() {
	if m.base != nil {
		_ = unix.MunmapPtr(m.base, m.reserved)
	}
	m.base = nil
}

func (m *mapping) reset() error {
	if m.base == nil || m.size != m.began {
		return fmt.Errorf("memory of %d bytes, was %d", m.size, m.began)
	}
	return unix.Madvise(m.bytes(0, m.size), unix.MADV_DONTNEED)
}
