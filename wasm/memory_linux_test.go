package wasm

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
)

// A memory is reset by what the system says was written to, or without its help, and is the same; addresses stay.
func TestMapping(t *testing.T) {
	content := bytes.Repeat([]byte("what there was. "), 40*PageSize/16*10)
	chance, page := rand.New(rand.NewPCG(1, 2)), os.Getpagesize()
	for _, helped := range []bool{true, false} {
		s, err := seal(content)
		if err != nil {
			t.Fatal(err)
		}
		if s.pagemap < 0 {
			t.Log("the system does not say what was written to")
		}
		pagemap := s.pagemap
		if !helped {
			s.pagemap = -1
		}
		thawed, err := s.thaw(1 << 30)
		if err != nil {
			t.Fatal(err)
		}
		m := thawed.(*mapping)
		b := m.Reallocate(uint64(len(content)))
		copy(b, bytes.Repeat([]byte("segments"), 10_000))
		for _, pages := range []int{0, 1, 7, 100, hot/page - 1, 2 * hot / page, 3} {
			if err := m.reset(); err != nil || !bytes.Equal(b, content) {
				t.Fatalf("before %d pages were written to: %v", pages, err)
			}
			for range pages {
				b[chance.IntN(len(b))]++
			}
			for range pages / 2 { // to the last byte of one and the first of the next
				at := page * (1 + chance.IntN(len(b)/page-1))
				b[at-1], b[at] = 0, 0
			}
		}
		if err := m.reset(); err != nil || !bytes.Equal(b, content) {
			t.Fatal("at the end", err)
		}
		if &m.Reallocate(m.size + 3*PageSize)[0] != &b[0] || m.bytes(m.size-1, m.size)[0] != 0 {
			t.Error("grown memory is elsewhere or not empty")
		}
		if m.reset() == nil {
			t.Error("grown memory is reset")
		}
		m.Free()
		m.Free()
		s.pagemap = pagemap
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
}

// A memory that the machine does not give is no answer to the module, which would go on with it.
func TestMappingFails(t *testing.T) {
	s, err := seal(make([]byte, PageSize))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.close() }()
	if _, err := s.thaw(1 << 62); err == nil {
		t.Error("more addresses than there are")
	}
	for _, e := range engines(t) {
		first := warmed(t, compile(t, e, changeable(), keeping))
		kept, err := first.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		kept.max = 0 // nothing is reserved to grow to
		i, err := kept.Instance(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := i.Call(t.Context(), "change"); err != nil || i.Reset() != nil {
			t.Error(err)
		}
		if _, err := i.Call(t.Context(), "grow"); !errors.Is(err, ErrTrap) || i.Reset() == nil {
			t.Errorf("the machine gives no memory: %v, want ErrTrap", err)
		}
		if err := errors.Join(i.Close(t.Context()), kept.Close()); err != nil {
			t.Error(err)
		}
	}
}
