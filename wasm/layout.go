package wasm

import (
	"bytes"
	"fmt"
	"strings"
)

// The sections of a module, in the order in which they must stand; custom ones may stand anywhere.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElement   = 9
	secDataCount = 12
	secCode      = 10
	secData      = 11
)

var sectionOrder = [...]byte{secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport, secStart,
	secElement, secDataCount, secCode, secData}

var header = []byte("\x00asm\x01\x00\x00\x00")

// layout is a module taken apart as far as caps, fuel and callers need it. Its slices are views into the module.
type layout struct {
	sections  [13][]byte // by id; nil where the module has none
	types     []funcType
	imports   []Import // functions, all of them
	functions []uint32 // type of each function, imported ones first
	tables    []bounds
	memories  []bounds
	globals   int
	variables []int  // those that are mutable
	unsaved   string // see Info
	exports   []Export
	start     uint32 // meaningful where there is a start section
	bodies    [][]byte
	// references are functions that a table or a variable may come to hold, as often as they are named. What bodies name is
	// named here as well, or the module is not valid: a reference has to be declared outside of them.
	references []uint32
}

type funcType struct {
	params  int
	results []byte // their types
	text    FuncType
}

// values are parameters and results.
func (t funcType) values() int { return t.params + len(t.results) }

// bounds are the limits of a table or memory.
type bounds struct {
	kind   byte // of a table's elements
	min    uint32
	max    uint32
	hasMax bool
}

// parse takes a module apart and holds every count against the caps before it makes room for it.
func parse(module []byte, caps Caps) (*layout, error) {
	if len(module) > caps.Size {
		return nil, fmt.Errorf("%d bytes, at most %d", len(module), caps.Size)
	}
	r := &reader{b: module}
	if !bytes.Equal(r.bytes(uint32(len(header))), header) {
		return nil, fmt.Errorf("does not begin like a WebAssembly module of version 1")
	}
	l := &layout{}
	if err := l.split(r); err != nil {
		return nil, err
	}
	for _, id := range sectionOrder {
		if l.sections[id] == nil {
			continue
		}
		s := &reader{b: l.sections[id]}
		l.section(id, s, caps)
		if s.end(); s.err != nil {
			return nil, fmt.Errorf("section %d: %w", id, s.err)
		}
	}
	if declared := len(l.functions) - len(l.imports); declared != len(l.bodies) {
		return nil, fmt.Errorf("%d functions declared, %d defined", declared, len(l.bodies))
	}
	return l, nil
}

// encode writes the sections as they are now.
func (l *layout) encode() []byte {
	out := bytes.Clone(header)
	for _, id := range sectionOrder {
		if s := l.sections[id]; s != nil {
			out = append(appendU32(append(out, id), uint32(len(s))), s...)
		}
	}
	return out
}

// split finds the sections. Custom ones carry no meaning and are dropped.
func (l *layout) split(r *reader) error {
	next := 0
	for r.more() {
		id := r.byte()
		body := r.bytes(r.u32())
		if r.err != nil {
			break
		}
		if id == secCustom {
			c := &reader{b: body}
			if c.name(len(body)); c.err != nil {
				return fmt.Errorf("custom section: %w", c.err)
			}
			continue
		}
		at := bytes.IndexByte(sectionOrder[next:], id)
		if at < 0 {
			return fmt.Errorf("section %d is unknown, out of order, or stands twice", id)
		}
		next += at + 1
		l.sections[id] = body
	}
	return r.err
}

func (l *layout) section(id byte, r *reader, caps Caps) {
	switch id {
	case secType:
		each(r, "types", caps.Types, func() { l.types = append(l.types, r.funcType(caps.Values)) })
	case secImport:
		each(r, "imports", caps.Imports, func() { l.readImport(r, caps) })
	case secFunction:
		each(r, "functions", caps.Functions, func() { l.functions = append(l.functions, l.typeIndex(r)) })
	case secTable:
		each(r, "tables", 1, func() { l.readTable(r, caps) })
	case secMemory:
		each(r, "memories", 1, func() { l.memories = append(l.memories, r.bounds(1<<16)) })
	case secGlobal:
		each(r, "globals", caps.Globals, func() { l.readGlobal(r) })
	case secExport:
		each(r, "exports", caps.Exports, func() { l.readExport(r) })
	case secStart:
		l.readStart(r)
	case secElement:
		total := 0
		each(r, "element segments", caps.Elements, func() {
			n, functions := r.element(caps.TableEntries - total)
			total, l.references = total+n, append(l.references, functions...)
		})
	case secDataCount:
		r.u32()
	case secCode:
		each(r, "function bodies", caps.Functions, func() { l.readBody(r, caps) })
	case secData:
		each(r, "data segments", caps.Data, func() { r.data() })
	}
}

func each(r *reader, what string, cap int, read func()) {
	for n := r.count(what, cap); n > 0 && r.err == nil; n-- {
		read()
	}
}

func (l *layout) typeIndex(r *reader) uint32 {
	i := r.u32()
	if uint64(i) >= uint64(len(l.types)) {
		r.fail("type %d of %d", i, len(l.types))
	}
	return i
}

func (l *layout) readImport(r *reader, caps Caps) {
	i := Import{Module: r.name(maxName), Name: r.name(maxName)}
	if kind := r.byte(); kind != 0 {
		r.fail("imports %s.%s, which is no function", i.Module, i.Name)
		return
	}
	if t := l.typeIndex(r); r.err == nil {
		i.Type = l.types[t].text
		l.imports = append(l.imports, i)
		l.functions = append(l.functions, t)
	}
}

func (l *layout) readTable(r *reader, caps Caps) {
	kind := r.byte()
	if kind != typeFuncref && kind != typeExternref {
		r.fail("table of type %#x", kind)
	}
	t := r.bounds(1<<32 - 1)
	t.kind = kind
	if uint64(t.min) > uint64(caps.TableEntries) {
		r.fail("table of %d entries, at most %d", t.min, caps.TableEntries)
	}
	l.tables = append(l.tables, t)
}

func (l *layout) readGlobal(r *reader) {
	typ := r.valueType()
	switch mutable := r.byte(); {
	case mutable > 1:
		r.fail("global neither constant nor mutable")
	case mutable == 1:
		l.variables = append(l.variables, l.globals)
		if typ == typeFuncref || typ == typeExternref {
			l.unsaved = fmt.Sprintf("global %d is a reference that changes", l.globals)
		}
	}
	if f, ok := r.constant(); ok {
		l.references = append(l.references, f)
	}
	l.globals++
}

func (l *layout) readStart(r *reader) {
	l.start = r.u32()
	if uint64(l.start) >= uint64(len(l.functions)) {
		r.fail("starts with function %d of %d", l.start, len(l.functions))
		return
	}
	if t := l.types[l.functions[l.start]].text; t != "() -> ()" {
		r.fail("starts with a function of type %s, want () -> ()", t)
	}
}

func (l *layout) readExport(r *reader) {
	e := Export{Name: r.name(maxName)}
	if strings.HasPrefix(e.Name, reserved) {
		r.fail("exports %q: names that begin with %q belong to the host", e.Name, reserved)
		return
	}
	kind, index := r.byte(), r.u32()
	switch kind {
	case 0:
		e.Kind = KindFunc
		if uint64(index) >= uint64(len(l.functions)) {
			r.fail("exports function %d of %d", index, len(l.functions))
			return
		}
		if int(index) < len(l.imports) {
			r.fail("exports %q, which is an import; export a function that calls it", e.Name)
			return
		}
		e.Type = l.types[l.functions[index]].text
	case 1:
		e.Kind = KindTable
	case 2:
		e.Kind = KindMemory
	case 3:
		e.Kind = KindGlobal
	default:
		r.fail("export of kind %d", kind)
	}
	l.exports = append(l.exports, e)
}

func (l *layout) readBody(r *reader, caps Caps) {
	n := r.u32()
	if uint64(n) > uint64(caps.Body) {
		r.fail("function of %d bytes, at most %d", n, caps.Body)
	}
	l.bodies = append(l.bodies, r.bytes(n))
}
