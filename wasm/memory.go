package wasm

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// frozen is the content of a memory at one moment. Of nothing that is made of it does anything else see a change.
type frozen interface {
	// thaw makes a memory that begins with that content and may grow to max bytes.
	thaw(max uint64) (thawed, error)
	// close frees it, once the memories made of it are freed as well.
	close() error
}

// thawed is a memory that the engine works on.
type thawed interface {
	experimental.LinearMemory
	// reset makes the content again what it was. It must not have grown.
	reset() error
}

// content is all of a memory, as long as it does not grow. The engine's own way of reading has no room for 4 GiB.
func content(m api.Memory) []byte {
	first, ok := m.Read(0, 1)
	if !ok {
		return nil
	}
	return unsafe.Slice(unsafe.SliceData(first), uint64(pages(m))*PageSize)
}

// copies are memories of Go's own, each a copy of what was.
type copies []byte

func (c copies) thaw(uint64) (thawed, error) { return &slab{from: c, b: bytes.Clone(c)}, nil }

func (c copies) close() error { return nil }

type slab struct {
	from copies
	b    []byte
}

// Reallocate may move the memory, whose size it is.
func (s *slab) Reallocate(size uint64) []byte {
	if size > uint64(len(s.b)) {
		s.b = append(make([]byte, 0, size), s.b...)[:size]
	}
	return s.b[:size:size]
}

func (s *slab) Free() { s.b = nil }

func (s *slab) reset() error {
	if len(s.b) != len(s.from) {
		return fmt.Errorf("memory of %d bytes, was %d", len(s.b), len(s.from))
	}
	copy(s.b, s.from)
	return nil
}
