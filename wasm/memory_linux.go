package wasm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sealed is a file in memory that nobody can change any more. Memories made of it map it privately: they share its pages
// until they write to them.
type sealed struct {
	fd      int
	pagemap int // says which pages a memory has written to, or -1
	content []byte
	users   atomic.Int64 // whoever is not done with it: memories, and whoever made it
	closed  atomic.Bool
}

// freeze makes a sealed file of the content, or a copy of it where the system has no such files for us.
func freeze(content []byte) (frozen, error) {
	s, err := seal(content)
	if err != nil {
		return copies(bytes.Clone(content)), nil
	}
	return s, nil
}

const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE

func seal(content []byte) (*sealed, error) {
	if len(content) == 0 {
		return nil, unix.EINVAL // there is nothing to map
	}
	fd, err := unix.MemfdCreate("barnraise-snapshot", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	for rest := content; len(rest) > 0 && err == nil; {
		var n int
		n, err = unix.Write(fd, rest)
		rest = rest[max(n, 0):]
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	s := &sealed{fd: fd}
	if err == nil {
		s.content, err = unix.Mmap(fd, 0, len(content), unix.PROT_READ, unix.MAP_SHARED)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	s.users.Store(1)
	if s.pagemap, err = unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		s.pagemap = -1
	}
	if s.pagemap >= 0 && !s.tells() {
		_ = unix.Close(s.pagemap)
		s.pagemap = -1
	}
	return s, nil
}

// tells reports whether the system says truly which pages were written to. Were it wrong, one call would see what another
// wrote.
func (s *sealed) tells() bool {
	m, err := s.thaw(0)
	if err != nil {
		return false
	}
	defer m.Free()
	b, page := m.Reallocate(uint64(len(s.content))), os.Getpagesize()
	last := len(b) - page
	b[last] = b[0]
	places, ok := m.(*mapping).written()
	return ok && slices.Equal(places, []int{last})
}

func (s *sealed) close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.leave()
}

// leave is for each user to call once. The last one frees it all.
func (s *sealed) leave() error {
	if s.users.Add(-1) > 0 {
		return nil
	}
	if s.pagemap >= 0 {
		_ = unix.Close(s.pagemap)
	}
	return errors.Join(unix.Munmap(s.content), unix.Close(s.fd))
}

// mapping is a memory at an address that stays. Addresses are reserved for as much as it may grow to, and become memory as it
// does, so that only this counts against the limits of the process.
type mapping struct {
	from     *sealed
	base     unsafe.Pointer
	reserved uintptr
	size     uint64
	begun    bool // the engine has put the module's segments there, which nobody wants
}

func (s *sealed) thaw(most uint64) (thawed, error) {
	size := uint64(len(s.content))
	m := &mapping{from: s, reserved: uintptr(max(most, size)), size: size}
	if s.closed.Load() {
		return nil, errors.New("map memory of a snapshot that is closed")
	}
	base, err := unix.MmapPtr(-1, 0, nil, m.reserved, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("reserve %d bytes of addresses: %w", m.reserved, err)
	}
	m.base = base
	s.users.Add(1)
	_, err = unix.MmapPtr(s.fd, 0, m.base, uintptr(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
	if err != nil {
		m.Free()
		return nil, fmt.Errorf("map %d bytes of memory: %w", size, err)
	}
	return m, nil
}

// bytes are those from one place to another.
func (m *mapping) bytes(from, to uint64) []byte { return unsafe.Slice((*byte)(m.base), to)[from:to:to] }

// Reallocate panics where the machine has no memory: a module must not be told that, or answers would depend on the machine.
func (m *mapping) Reallocate(size uint64) []byte {
	if size > uint64(m.reserved) {
		panic(fmt.Errorf("grow memory to %d bytes: only %d are reserved", size, m.reserved))
	}
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
	if m.base == nil {
		return
	}
	_ = unix.MunmapPtr(m.base, m.reserved)
	m.base = nil
	_ = m.from.leave()
}

// hot is how much a memory keeps of its own from one call to the next, in bytes.
const hot = 16 << 20

// reset copies back the pages that were written to: to drop them is less work, but each would cost the next call a fault. It
// drops them where they are too many to keep, or the system does not say which they are.
func (m *mapping) reset() error {
	if m.base == nil || m.size != uint64(len(m.from.content)) {
		return fmt.Errorf("memory of %d bytes, was %d", m.size, len(m.from.content))
	}
	if written, ok := m.written(); ok && m.begun {
		b, page := m.bytes(0, m.size), os.Getpagesize()
		for _, at := range written {
			copy(b[at:at+page], m.from.content[at:at+page])
		}
		return nil
	}
	m.begun = true
	if err := unix.Madvise(m.bytes(0, m.size), unix.MADV_DONTNEED); err != nil { // locked memory is not dropped
		copy(m.bytes(0, m.size), m.from.content)
	}
	return nil
}

// What the system says of each page: 64 bits, of which these say that it is in memory or on disk, and one of the file's.
const (
	pageHeld   = 1<<63 | 1<<62
	pageOfFile = 1 << 61
)

// written are the places of pages that are no longer those of the file.
func (m *mapping) written() (places []int, ok bool) {
	page := os.Getpagesize()
	var entries [8 << 10]byte
	for at, first := 0, int64(uintptr(m.base))/int64(page); at < int(m.size); {
		want := min(len(entries), (int(m.size)-at)/page*8)
		n, err := unix.Pread(m.from.pagemap, entries[:want], (first+int64(at/page))*8)
		if err != nil || n < 8 {
			return nil, false
		}
		for e := entries[:n/8*8]; len(e) > 0; e, at = e[8:], at+page {
			if v := binary.NativeEndian.Uint64(e); v&pageHeld != 0 && v&pageOfFile == 0 {
				places = append(places, at)
			}
		}
		if len(places)*page > hot {
			return nil, false
		}
	}
	return places, true
}
