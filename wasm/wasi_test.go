package wasm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// TestWASITypes compares the functions and their types with another implementation of the interface.
func TestWASITypes(t *testing.T) {
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	theirs, err := wasi_snapshot_preview1.NewBuilder(rt).Compile(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range theirs.ExportedFunctions() {
		params, results, ok := hostTypes(wasiModule, name)
		if !ok || !bytes.Equal(params, f.ParamTypes()) || !bytes.Equal(results, f.ResultTypes()) {
			t.Errorf("%s: %v -> %v, %v; want %v -> %v", name, params, results, ok, f.ParamTypes(), f.ResultTypes())
		}
	}
	if ours, want := len(wasiFunctions()), len(theirs.ExportedFunctions()); ours != want {
		t.Errorf("%d functions, want %d", ours, want)
	}
}

// wasi is a module that exports each function of WASI under its own name, and its memory of one page.
func wasi() []byte {
	g := guest{memory: []byte{0, 1}, exports: []export{{"memory", 2, 0}}}
	for name, f := range wasiFunctions() {
		result := ":i"
		if f.call == nil {
			result = ":"
		}
		g.imports = append(g.imports, [3]string{wasiModule, name, f.params + result})
	}
	for n, i := range g.imports {
		call := op(opCall, n)
		for p := len(i[2]) - 1; p >= 0; p-- {
			if strings.IndexByte(i[2], ':') > p {
				call = append(op(opLocalGet, p), call...)
			}
		}
		g.exports = append(g.exports, export{i[1], 0, len(g.imports) + len(g.funcs)})
		g.funcs = append(g.funcs, function{i[2], nil, call})
	}
	return g.encode()
}

// caller calls WASI functions of an instance.
type caller struct {
	t testing.TB
	i *Instance
}

func newCaller(t testing.TB, io IO) *caller {
	return &caller{t, instantiate(t, compile(t, engines(t)["compiler"], wasi(), roomy), io)}
}

// call expects an errno.
func (c *caller) call(want errno, name string, args ...uint64) {
	c.t.Helper()
	results, err := c.i.Call(context.Background(), name, args...)
	if err != nil || errno(results[0]) != want {
		c.t.Errorf("%s%v: %v, %v, want %d", name, args, results, err, want)
	}
}

func (c *caller) put(at uint32, b []byte) { c.i.guest.Memory().Write(at, b) }

func (c *caller) u64(at uint32) uint64 {
	v, _ := c.i.guest.Memory().ReadUint64Le(at)
	return v
}

func (c *caller) u32(at uint32) uint32 { return uint32(c.u64(at)) }

// words lays 32-bit numbers side by side.
func words(n ...uint32) (b []byte) {
	for _, w := range n {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

const beyond = PageSize - 3 // where four bytes do not fit

func TestClock(t *testing.T) {
	c := newCaller(t, IO{})
	for want := uint64(1); want < 5; want++ {
		c.call(success, "clock_time_get", want-1, 1000, 16)
		if got := c.u64(16); got != want {
			t.Errorf("reading %d gives %d", want, got)
		}
	}
	c.call(inval, "clock_time_get", 4, 0, 16)
	c.call(fault, "clock_time_get", 0, 0, PageSize-7)
	c.call(success, "clock_res_get", 1, 16)
	if got := c.u64(16); got != 1 {
		t.Errorf("the resolution is %d", got)
	}
	c.call(inval, "clock_res_get", 9, 16)
	c.call(fault, "clock_res_get", 0, PageSize)
}

func TestRandom(t *testing.T) {
	c := newCaller(t, IO{})
	c.call(success, "random_get", 8, 5)
	c.call(success, "random_get", 13, 3)
	var want [8]byte
	s := uint64(1)
	for i := range want { // as the package comment has it
		s += 0x9e3779b97f4a7c15
		x := (s ^ s>>30) * 0xbf58476d1ce4e5b9
		want[i] = byte(x >> 56)
	}
	if got := binary.LittleEndian.AppendUint64(nil, c.u64(8)); !bytes.Equal(got, want[:]) {
		t.Errorf("%x, want %x", got, want)
	}
	c.call(fault, "random_get", PageSize-4, 5)
	c.call(fault, "random_get", 0, 1<<20)
	c.call(success, "random_get", PageSize, 0)
}

func TestStrings(t *testing.T) {
	c := newCaller(t, IO{})
	for _, name := range []string{"args", "environ"} {
		c.put(0, words(9, 9))
		c.call(success, name+"_sizes_get", 0, 4)
		if c.u64(0) != 0 {
			t.Errorf("%s: %d", name, c.u64(0))
		}
		c.call(success, name+"_get", 0, 0)
		c.call(fault, name+"_sizes_get", beyond, 0)
		c.call(fault, name+"_sizes_get", 0, beyond)
	}
}

func TestDescriptors(t *testing.T) {
	c := newCaller(t, IO{})
	for fd, rights := range []uint64{rightRead | rightPoll, rightWrite | rightPoll, rightWrite | rightPoll} {
		fd := uint64(fd)
		c.call(success, "fd_fdstat_get", fd, 64)
		if c.u64(64) != characterDevice || c.u64(72) != rights || c.u64(80) != 0 {
			t.Errorf("descriptor %d: %x %x %x", fd, c.u64(64), c.u64(72), c.u64(80))
		}
		c.call(success, "fd_filestat_get", fd, 64)
		if c.u64(80) != characterDevice || c.u64(96) != 0 {
			t.Errorf("descriptor %d: kind %d, size %d", fd, c.u64(80), c.u64(96))
		}
		c.call(success, "fd_close", fd)
		c.call(success, "fd_fdstat_set_flags", fd, 4)
		c.call(spipe, "fd_seek", fd, 0, 0, 8)
		c.call(spipe, "fd_tell", fd, 8)
		c.call(fault, "fd_fdstat_get", fd, PageSize-20)
		c.call(fault, "fd_filestat_get", fd, PageSize-60)
	}
	for name, f := range wasiFunctions() {
		if strings.HasPrefix(name, "fd_") || strings.HasPrefix(name, "path_") || strings.HasPrefix(name, "sock_") {
			args := make([]uint64, len(f.params))
			args[0] = 3
			c.call(badf, name, args...)
		}
	}
	c.call(nosys, "proc_raise", 9)
	c.call(success, "sched_yield")
}

func TestStdin(t *testing.T) {
	c := newCaller(t, IO{Stdin: []byte("hello, world")})
	c.put(0, words(100, 3, 0, 0, 200, 4))
	c.call(success, "fd_read", 0, 0, 3, 64)
	if got := string(binary.LittleEndian.AppendUint32(nil, c.u32(200))); c.u32(64) != 7 || got != "lo, " {
		t.Errorf("%d bytes, the last %q", c.u32(64), got)
	}
	c.put(0, words(100, 50, 200, 50))
	c.call(success, "fd_read", 0, 0, 2, 64)
	if c.u32(64) != 5 {
		t.Errorf("the rest has %d bytes", c.u32(64))
	}
	c.call(success, "fd_read", 0, 0, 2, 64)
	if c.u32(64) != 0 {
		t.Errorf("after the end %d bytes", c.u32(64))
	}
	c.call(badf, "fd_read", 1, 0, 1, 64)
	c.call(fault, "fd_read", 0, PageSize-4, 1, 64)
	c.call(fault, "fd_read", 0, 0, 1, beyond)
	c.put(0, words(PageSize-1, 2))
	c.call(fault, "fd_read", 0, 0, 1, 64)
}

func TestStdout(t *testing.T) {
	c := newCaller(t, IO{MaxStdout: 10})
	c.put(100, []byte("0123456789"))
	c.put(0, words(100, 3, 103, 4))
	c.call(success, "fd_write", 1, 0, 2, 64)
	c.call(success, "fd_write", 2, 0, 2, 64)
	if string(c.i.world.stdout) != "0123456" || c.u32(64) != 7 {
		t.Errorf("written is %q, of %d", c.i.world.stdout, c.u32(64))
	}
	c.call(badf, "fd_write", 0, 0, 1, 64)
	c.call(fault, "fd_write", 1, PageSize, 1, 64)
	c.put(0, words(101, 4))
	if _, err := c.i.Call(context.Background(), "fd_write", 1, 0, 1, 64); !errors.Is(err, ErrTrap) || !strings.Contains(err.Error(), "output") {
		t.Errorf("one byte more than allowed: %v, want ErrTrap", err)
	}
}

// Where nobody asks for output it is dropped, and costs what it always does.
func TestStdoutDropped(t *testing.T) {
	var fuel []uint64
	for _, most := range []int{0, 1000} {
		for fd := uint64(1); fd <= 2; fd++ {
			c := newCaller(t, IO{MaxStdout: most})
			c.put(0, words(100, 300, 103, 400))
			c.call(success, "fd_write", fd, 0, 2, 64)
			if got := len(c.i.world.stdout); c.u32(64) != 700 || got != 0 && (most == 0 || fd == 2) {
				t.Errorf("%d bytes are written to %d, %d kept, at most %d", c.u32(64), fd, got, most)
			}
			fuel = append(fuel, c.i.FuelUsed())
		}
	}
	if slices.Min(fuel) != slices.Max(fuel) {
		t.Errorf("it takes %d", fuel)
	}
}

func subscription(user uint64, kind byte, id uint32, timeout uint64, flags byte) []byte {
	s := make([]byte, subscriptionSize)
	binary.LittleEndian.PutUint64(s, user)
	s[8], s[40] = kind, flags
	binary.LittleEndian.PutUint32(s[16:], id)
	binary.LittleEndian.PutUint64(s[24:], timeout)
	return s
}

func TestPoll(t *testing.T) {
	type event struct {
		user  uint64
		errno errno
		kind  byte
	}
	for name, c := range map[string]struct {
		subscriptions [][]byte
		want          []event
		clock         uint64
	}{
		"a sleep moves the clock": {[][]byte{subscription(7, onClock, 1, 5000, 0)}, []event{{7, success, onClock}}, 5100},
		"the earliest of two":     {[][]byte{subscription(1, onClock, 0, 9, 0), subscription(2, onClock, 1, 8, 0)}, []event{{2, success, onClock}}, 108},
		"both at once":            {[][]byte{subscription(1, onClock, 0, 9, 0), subscription(2, onClock, 1, 109, 1)}, []event{{1, success, onClock}, {2, success, onClock}}, 109},
		"a time that has passed":  {[][]byte{subscription(1, onClock, 0, 50, 1)}, []event{{1, success, onClock}}, 100},
		"for ever":                {[][]byte{subscription(1, onClock, 0, 1<<64-1, 0)}, []event{{1, success, onClock}}, lastInstant},
		"descriptors do not wait": {[][]byte{subscription(1, onRead, 0, 0, 0), subscription(2, onClock, 0, 9, 0), subscription(3, onWrite, 2, 0, 0)},
			[]event{{1, success, onRead}, {3, success, onWrite}}, 100},
		"a bad descriptor":  {[][]byte{subscription(1, onRead, 1, 0, 0), subscription(2, onWrite, 5, 0, 0)}, []event{{1, badf, onRead}, {2, badf, onWrite}}, 100},
		"an unknown clock":  {[][]byte{subscription(1, onClock, 4, 9, 0)}, []event{{1, inval, onClock}}, 100},
		"an unknown wish":   {[][]byte{subscription(1, 3, 0, 0, 0)}, nil, 100},
		"no wish":           {nil, nil, 100},
		"over its own list": {[][]byte{subscription(8, onClock, 0, 1, 0), subscription(9, onClock, 0, 1, 0)}, []event{{8, success, onClock}, {9, success, onClock}}, 101},
	} {
		call := newCaller(t, IO{Stdin: []byte("abc")})
		call.i.world.clock = 100
		call.put(1000, bytes.Join(c.subscriptions, nil))
		want, out := success, uint64(4000)
		if c.want == nil {
			want = inval
		}
		if name == "over its own list" {
			out = 1000
		}
		call.call(want, "poll_oneoff", 1000, out, uint64(len(c.subscriptions)), 8)
		if call.i.world.clock != c.clock {
			t.Errorf("%s: the clock stands at %d, want %d", name, call.i.world.clock, c.clock)
		}
		if c.want == nil {
			continue
		}
		if got := int(call.u32(8)); got != len(c.want) {
			t.Errorf("%s: %d events, want %d", name, got, len(c.want))
		}
		for n, w := range c.want {
			at := uint32(out) + uint32(n)*eventSize
			head, size := call.u64(at+8), call.u64(at+16)
			if got := (event{call.u64(at), errno(head & 0xffff), byte(head >> 16)}); got != w || head>>24 != 0 {
				t.Errorf("%s: event %d is %v, want %v", name, n, got, w)
			}
			if ready := w.kind == onRead && w.errno == success; (size == 3) != ready || call.u64(at+24) != 0 {
				t.Errorf("%s: event %d has %d bytes ready", name, n, size)
			}
		}
	}
	c := newCaller(t, IO{})
	c.call(fault, "poll_oneoff", PageSize-47, 0, 1, 8)
	c.call(fault, "poll_oneoff", 0, PageSize-31, 1, 8)
	c.call(fault, "poll_oneoff", 0, 0, 1, beyond)
	c.call(fault, "poll_oneoff", 0, 0, 10_000_000, 8)
}

// TestHostFuel holds what the package comment says of host functions and fuel.
func TestHostFuel(t *testing.T) {
	const call = 1 + 3 + callCost
	for _, c := range []struct {
		name string
		args []uint64
		want uint64
	}{
		{"sched_yield", nil, call},
		{"clock_time_get", []uint64{0, 0, 0}, call + 3},
		{"random_get", []uint64{0, 1000}, call + 2 + 1000},
		{"random_get", []uint64{PageSize, 1000}, call + 2 + 1000},
		{"fd_write", []uint64{1, 0, 2, 64}, call + 4 + 2 + 100 + 12},
		{"fd_write", []uint64{2, 0, 2, 64}, call + 4 + 2 + 100 + 12},
		{"fd_read", []uint64{0, 0, 2, 64}, call + 4 + 2 + 37},
		{"fd_read", []uint64{0, PageSize, 5, 64}, call + 4 + 5},
		{"poll_oneoff", []uint64{1000, 2000, 3, 8}, call + 4 + 30},
		{"fd_close", []uint64{9}, call + 1},
	} {
		i := newCaller(t, IO{Stdin: make([]byte, 300), MaxStdout: 1000})
		i.put(0, words(100, 800, 100, 99))
		if _, err := i.i.Call(context.Background(), c.name, c.args...); err != nil || i.i.FuelUsed() != c.want {
			t.Errorf("%s%v: takes %d, want %d; %v", c.name, c.args, i.i.FuelUsed(), c.want, err)
		}
	}
	abort := guest{imports: [][3]string{{"env", "abort", "iiii:"}}, exports: []export{{"run", 0, 1}},
		funcs: []function{{":", nil, code(repeat(4, i32(0)), op(opCall, 0))}}}.encode()
	for fuel, want := range map[uint64]error{call + 4: ErrTrap, call + 3: ErrFuel} {
		i := instantiate(t, compile(t, engines(t)["compiler"], abort, Limits{Fuel: fuel}), IO{})
		if _, err := i.Call(context.Background(), "run"); !errors.Is(err, want) || i.FuelUsed() != fuel {
			t.Errorf("abort with %d: takes %d, %v, want all and %v", fuel, i.FuelUsed(), err, want)
		}
	}
	m := compile(t, engines(t)["compiler"], wasi(), Limits{Fuel: 1 << 30, Memory: PageSize})
	for name, args := range map[string][]uint64{
		"random_get": {0, 1<<32 - 1}, "fd_write": {2, 0, 1<<32 - 1, 64}, "fd_read": {0, 0, 1<<32 - 1, 64}, "poll_oneoff": {0, 0, 1<<32 - 1, 64},
	} {
		i := instantiate(t, m, IO{})
		if _, err := i.Call(context.Background(), name, args...); !errors.Is(err, ErrFuel) || i.FuelUsed() != 1<<30 {
			t.Errorf("%s%v: %v with %d used, want ErrFuel with all", name, args, err, i.FuelUsed())
		}
	}
}

// FuzzWASI holds that no arguments and no memory make a host function do anything but answer, trap, or run out of fuel.
func FuzzWASI(f *testing.F) {
	f.Add("fd_write", uint64(1), uint64(0), uint64(2), uint64(64), words(100, 3, 103, 4))
	f.Add("fd_read", uint64(0), uint64(0), uint64(2), uint64(64), words(100, 3, PageSize-1, 4))
	f.Add("poll_oneoff", uint64(0), uint64(20), uint64(1), uint64(64), subscription(1, onClock, 0, 5, 0))
	f.Add("random_get", uint64(PageSize-1), uint64(2), uint64(0), uint64(0), []byte{})
	f.Add("clock_time_get", uint64(1), uint64(2), uint64(1<<32-1), uint64(0), []byte{})
	m := compile(f, engines(f)["compiler"], wasi(), Limits{Fuel: 100_000, Memory: PageSize})
	functions := wasiFunctions()
	f.Fuzz(func(t *testing.T, name string, a, b, c, d uint64, memory []byte) {
		w, ok := functions[name]
		if !ok {
			return
		}
		i, err := m.Instantiate(context.Background(), IO{Stdin: memory, MaxStdout: 1000})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close(context.Background())
		i.guest.Memory().Write(0, memory[:min(len(memory), PageSize)])
		_, err = i.Call(context.Background(), name, []uint64{a, b, c, d, a, b, c, d, a}[:len(w.params)]...)
		for _, allowed := range []error{nil, ErrFuel, ErrTrap, ErrExit} {
			if err == nil || allowed != nil && errors.Is(err, allowed) && !strings.Contains(err.Error(), "runtime error") {
				return
			}
		}
		t.Errorf("%s: %v", name, err)
	})
}
