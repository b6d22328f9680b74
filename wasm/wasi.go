package wasm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// The modules that a host can be, and what a call of any of their functions takes.
const (
	envModule  = "env"
	wasiModule = "wasi_snapshot_preview1"
	callCost   = 128
)

// errno is how a function of wasi_snapshot_preview1 ends.
type errno uint64

const (
	success errno = 0
	badf    errno = 8
	fault   errno = 21
	inval   errno = 28
	nosys   errno = 52
	spipe   errno = 70
)

const characterDevice = 2

// world is all that one instance can see of its surroundings.
type world struct {
	stdin     []byte // not yet read
	stdout    []byte
	maxStdout int
	clock     uint64 // nanoseconds
	tick      uint64 // by how much more it moves on when it is looked at
	random    uint64
	env       []string
	fuel      api.MutableGlobal // the counter
	left      int64             // fuel that the counter has not been given yet
}

type worldKey struct{}

// world is that of an instance which has just begun.
func (io IO) world() *world {
	return &world{
		stdin: io.Stdin, maxStdout: io.MaxStdout, env: io.World.Env, random: 1 + io.World.Chance,
		clock: min(io.World.Clock, lastInstant), tick: min(io.World.Tick, lastInstant-1),
	}
}

// lastInstant is where the clock stops.
const lastInstant = math.MaxInt64

// hostFunction is a function of wasi_snapshot_preview1: its parameters, i for an i32 and I for an i64, and what it does.
type hostFunction struct {
	params string
	call   func(w *world, m api.Memory, args []uint64) errno
}

func always(e errno) func(*world, api.Memory, []uint64) errno {
	return func(*world, api.Memory, []uint64) errno { return e }
}

// wasiFunctions are all of them, by name.
func wasiFunctions() map[string]hostFunction {
	bad := always(badf)
	return map[string]hostFunction{
		"args_get":                {"ii", always(success)},
		"args_sizes_get":          {"ii", noStrings},
		"environ_get":             {"ii", environ},
		"environ_sizes_get":       {"ii", environSizes},
		"clock_res_get":           {"ii", clockResolution},
		"clock_time_get":          {"iIi", clockTime},
		"fd_advise":               {"iIIi", bad},
		"fd_allocate":             {"iII", bad},
		"fd_close":                {"i", ofStandard(success)},
		"fd_datasync":             {"i", bad},
		"fd_fdstat_get":           {"ii", fdstat},
		"fd_fdstat_set_flags":     {"ii", ofStandard(success)},
		"fd_fdstat_set_rights":    {"iII", bad},
		"fd_filestat_get":         {"ii", filestat},
		"fd_filestat_set_size":    {"iI", bad},
		"fd_filestat_set_times":   {"iIIi", bad},
		"fd_pread":                {"iiiIi", bad},
		"fd_prestat_get":          {"ii", bad},
		"fd_prestat_dir_name":     {"iii", bad},
		"fd_pwrite":               {"iiiIi", bad},
		"fd_read":                 {"iiii", read},
		"fd_readdir":              {"iiiIi", bad},
		"fd_renumber":             {"ii", bad},
		"fd_seek":                 {"iIii", ofStandard(spipe)},
		"fd_sync":                 {"i", bad},
		"fd_tell":                 {"ii", ofStandard(spipe)},
		"fd_write":                {"iiii", write},
		"path_create_directory":   {"iii", bad},
		"path_filestat_get":       {"iiiii", bad},
		"path_filestat_set_times": {"iiiiIIi", bad},
		"path_link":               {"iiiiiii", bad},
		"path_open":               {"iiiiiIIii", bad},
		"path_readlink":           {"iiiiii", bad},
		"path_remove_directory":   {"iii", bad},
		"path_rename":             {"iiiiii", bad},
		"path_symlink":            {"iiiii", bad},
		"path_unlink_file":        {"iii", bad},
		"poll_oneoff":             {"iiii", poll},
		"proc_exit":               {"i", nil},
		"proc_raise":              {"i", always(nosys)},
		"random_get":              {"ii", random},
		"sched_yield":             {"", always(success)},
		"sock_accept":             {"iii", bad},
		"sock_recv":               {"iiiiii", bad},
		"sock_send":               {"iiiii", bad},
		"sock_shutdown":           {"ii", bad},
	}
}

// hostTypes are parameters and results of a host function.
func hostTypes(module, name string) (params, results []api.ValueType, ok bool) {
	if module == envModule {
		i := api.ValueTypeI32
		return []api.ValueType{i, i, i, i}, nil, name == "abort"
	}
	f, ok := wasiFunctions()[name]
	for _, p := range f.params {
		t := api.ValueTypeI32
		if p == 'I' {
			t = api.ValueTypeI64
		}
		params = append(params, t)
	}
	if f.call != nil {
		results = []api.ValueType{api.ValueTypeI32}
	}
	return params, results, ok && module == wasiModule
}

func hostType(module, name string) (FuncType, bool) {
	params, results, ok := hostTypes(module, name)
	list := func(types []api.ValueType) (s string) {
		for i, t := range types {
			if i > 0 {
				s += ", "
			}
			s += api.ValueTypeName(t)
		}
		return "(" + s + ")"
	}
	return FuncType(list(params) + " -> " + list(results)), ok
}

// provide makes the imports of a module ready in a runtime. Each of them must have passed Check.
func provide(ctx context.Context, rt wazero.Runtime, imports []Import) error {
	builders := map[string]wazero.HostModuleBuilder{}
	for _, i := range imports {
		if builders[i.Module] == nil {
			builders[i.Module] = rt.NewHostModuleBuilder(i.Module)
		}
		call := abort
		if i.Module == wasiModule {
			call = wasiFunctions()[i.Name].run
		}
		params, results, _ := hostTypes(i.Module, i.Name)
		builders[i.Module].NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(call), params, results).Export(i.Name)
	}
	for name, b := range builders {
		if _, err := b.Instantiate(ctx); err != nil {
			return fmt.Errorf("provide %s: %w", name, err)
		}
	}
	return nil
}

// enter charges for a call of a host function, unless nobody waits for the run any more. The only way in which a host function
// can end a run is to panic; the engine makes an error of it.
func enter(ctx context.Context) *world {
	if err := ctx.Err(); err != nil {
		panic(&stopped{err})
	}
	w := ctx.Value(worldKey{}).(*world)
	w.charge(callCost)
	return w
}

// run is what the module calls.
func (f hostFunction) run(ctx context.Context, m api.Module, stack []uint64) {
	w := enter(ctx)
	if f.call == nil {
		panic(sys.NewExitError(uint32(stack[0])))
	}
	e := f.call(w, m.Memory(), stack)
	stack[0] = uint64(e)
}

func abort(ctx context.Context, _ api.Module, stack []uint64) {
	enter(ctx)
	panic(fmt.Errorf("abort called in line %d, column %d", uint32(stack[2]), uint32(stack[3])))
}

// charge takes fuel, and ends the run where there is not enough.
func (w *world) charge(units uint64) {
	w.fuel.Set(w.fuel.Get() - units)
	if int64(w.fuel.Get()) < 0 && !w.refill() {
		panic(ErrFuel)
	}
}

func u32(arg uint64) uint32 { return uint32(arg) }

func done(ok bool) errno {
	if ok {
		return success
	}
	return fault
}

func ofStandard(e errno) func(*world, api.Memory, []uint64) errno {
	return func(_ *world, _ api.Memory, args []uint64) errno {
		if u32(args[0]) > 2 {
			return badf
		}
		return e
	}
}

func noStrings(_ *world, m api.Memory, args []uint64) errno {
	return done(m.WriteUint32Le(u32(args[0]), 0) && m.WriteUint32Le(u32(args[1]), 0))
}

func environSizes(w *world, m api.Memory, args []uint64) errno {
	size := w.envSize()
	return done(m.WriteUint32Le(u32(args[0]), uint32(len(w.env))) && m.WriteUint32Le(u32(args[1]), uint32(size)))
}

// environ writes a list of pointers and, one behind the other, the variables that they point to, each closed by a zero.
func environ(w *world, m api.Memory, args []uint64) errno {
	list, at := u32(args[0]), u32(args[1])
	w.charge(uint64(w.envSize()) / 8)
	for _, v := range w.env {
		if !m.WriteUint32Le(list, at) || !m.WriteString(at, v+"\x00") {
			return fault
		}
		list, at = list+4, at+uint32(len(v)+1)
	}
	return success
}

func (w *world) envSize() (size int) {
	for _, v := range w.env {
		size += len(v) + 1
	}
	return size
}

func clockResolution(_ *world, m api.Memory, args []uint64) errno {
	if u32(args[0]) > 3 {
		return inval
	}
	return done(m.WriteUint64Le(u32(args[1]), 1))
}

func clockTime(w *world, m api.Memory, args []uint64) errno {
	if u32(args[0]) > 3 {
		return inval
	}
	w.clock = min(w.clock+1+w.tick, lastInstant)
	return done(m.WriteUint64Le(u32(args[2]), w.clock))
}

func random(w *world, m api.Memory, args []uint64) errno {
	w.charge(uint64(u32(args[1])))
	b, ok := m.Read(u32(args[0]), u32(args[1]))
	for i := range b {
		w.random += 0x9e3779b97f4a7c15
		b[i] = byte((w.random ^ w.random>>30) * 0xbf58476d1ce4e5b9 >> 56)
	}
	return done(ok)
}

// Rights of a descriptor: to read, to write, to be polled.
const (
	rightRead  = 1 << 1
	rightWrite = 1 << 6
	rightPoll  = 1 << 27
)

func fdstat(_ *world, m api.Memory, args []uint64) errno {
	fd := u32(args[0])
	if fd > 2 {
		return badf
	}
	var stat [24]byte
	stat[0] = characterDevice
	rights := uint64(rightWrite | rightPoll)
	if fd == 0 {
		rights = rightRead | rightPoll
	}
	binary.LittleEndian.PutUint64(stat[8:], rights)
	return done(m.Write(u32(args[1]), stat[:]))
}

func filestat(_ *world, m api.Memory, args []uint64) errno {
	if u32(args[0]) > 2 {
		return badf
	}
	var stat [64]byte
	stat[16] = characterDevice
	return done(m.Write(u32(args[1]), stat[:]))
}

// vectors goes through a list of n pointers with lengths until move has had them all or one lies outside the memory. Size says
// how many bytes of a vector there are to move, and move moves them once an eighth of that is paid for.
func (w *world) vectors(m api.Memory, args []uint64, size func(v []byte) int, move func(v []byte)) errno {
	list, n, moved := uint64(u32(args[1])), uint64(u32(args[2])), 0
	w.charge(n)
	for end := list + 8*n; list < end; list += 8 {
		pointer, ok := readU32(m, list)
		length, ok2 := readU32(m, list+4)
		v, ok3 := m.Read(pointer, length)
		if !ok || !ok2 || !ok3 {
			return fault
		}
		v = v[:size(v)]
		w.charge(uint64(len(v)) / 8)
		move(v)
		moved += len(v)
	}
	return done(m.WriteUint32Le(u32(args[3]), uint32(moved)))
}

func readU32(m api.Memory, at uint64) (uint32, bool) {
	if at > math.MaxUint32 {
		return 0, false
	}
	return m.ReadUint32Le(uint32(at))
}

func read(w *world, m api.Memory, args []uint64) errno {
	if u32(args[0]) != 0 {
		return badf
	}
	return w.vectors(m, args,
		func(v []byte) int { return min(len(v), len(w.stdin)) },
		func(v []byte) { w.stdin = w.stdin[copy(v, w.stdin):] })
}

var errStdout = errors.New("writes more output than it may")

func write(w *world, m api.Memory, args []uint64) errno {
	fd := u32(args[0])
	if fd != 1 && fd != 2 {
		return badf
	}
	return w.vectors(m, args, func(v []byte) int { return len(v) }, func(v []byte) {
		switch {
		case fd == 2 || w.maxStdout == 0:
		case len(v) > w.maxStdout-len(w.stdout):
			panic(errStdout)
		default:
			w.stdout = append(w.stdout, v...)
		}
	})
}

// Sizes and kinds of what poll_oneoff takes and gives.
const (
	subscriptionSize = 48
	eventSize        = 32
	onClock          = 0
	onRead           = 1
	onWrite          = 2
)

// event is what becomes of a subscription, and when.
type event struct {
	user  uint64
	kind  byte
	errno errno
	bytes uint64 // ready to be read
	at    uint64
}

func poll(w *world, m api.Memory, args []uint64) errno {
	n := uint64(u32(args[2]))
	w.charge(10 * n)
	raw, ok := m.Read(u32(args[0]), uint32(min(n*subscriptionSize, math.MaxUint32)))
	switch {
	case n == 0:
		return inval
	case !ok:
		return fault
	}
	var events []event
	earliest := uint64(lastInstant)
	for ; len(raw) >= subscriptionSize; raw = raw[subscriptionSize:] {
		e := w.event(raw)
		if e.kind > onWrite {
			return inval
		}
		events = append(events, e)
		earliest = min(earliest, e.at)
	}
	w.clock = max(w.clock, earliest)
	var out []byte
	for _, e := range events {
		if e.at <= w.clock {
			out = e.append(out)
		}
	}
	return done(m.Write(u32(args[1]), out) && m.WriteUint32Le(u32(args[3]), uint32(len(out)/eventSize)))
}

// event reads a subscription. Descriptors are ready at once, and so is whatever is wrong.
func (w *world) event(s []byte) event {
	e := event{user: binary.LittleEndian.Uint64(s), kind: s[8]}
	id := binary.LittleEndian.Uint32(s[16:]) // of a clock, or a descriptor
	timeout, absolute := binary.LittleEndian.Uint64(s[24:]), s[40]&1 != 0
	switch {
	case e.kind == onClock && id > 3:
		e.errno = inval
	case e.kind == onClock && absolute:
		e.at = min(timeout, lastInstant)
	case e.kind == onClock:
		e.at = w.clock + min(timeout, lastInstant-w.clock)
	case e.kind == onRead && id == 0:
		e.bytes = uint64(len(w.stdin))
	case e.kind == onWrite && (id == 1 || id == 2):
	default:
		e.errno = badf
	}
	return e
}

func (e event) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, e.user)
	b = binary.LittleEndian.AppendUint16(b, uint16(e.errno))
	b = append(b, e.kind, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, e.bytes)
	return append(b, make([]byte, 8)...)
}
