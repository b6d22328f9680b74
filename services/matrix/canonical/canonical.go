// Package canonical reads JSON as Matrix wants it read, without losing anything that a signature depends on, and writes the
// one form of it that is hashed and signed (Matrix specification, appendices, "Canonical JSON").
//
// Reading is strict: UTF-8, no name twice in an object, no lone surrogates, at most [MaxDepth] levels, nothing after the
// value. Numbers stay as they were written until somebody asks for an integer. There are no floats.
package canonical

import (
	"slices"
	"strconv"
	"strings"
)

// Kind is what sort of value a [Value] is.
type Kind byte

// The kinds. Absent is that of the zero Value: no value at all, which is not null.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// MaxInt is the greatest integer that canonical JSON has, and -MaxInt the least.
const MaxInt = 1<<53 - 1

// Value is a JSON value. It never changes, and views of one text share its memory. The zero Value is absent: it has no kind,
// no members, and cannot be written.
type Value struct {
	kind Kind
	at   int32  // where it begins in the text it was read from
	text string // of a string what it says; of a number what was written; of a bool true or false
	list *list
}

// list holds what is in an array or an object. An empty one may be nil.
type list struct {
	items   []Value
	members []Member // sorted by name
}

// Member is one member of an object.
type Member struct {
	Name  string
	Value Value
}

// Kind is the value's kind.
func (v Value) Kind() Kind { return v.kind }

// Exists reports whether there is a value, which may be null.
func (v Value) Exists() bool { return v.kind != Absent }

// Get is the member of that name, and the zero Value where there is none or v is no object.
func (v Value) Get(name string) Value {
	members := v.Members()
	if len(members) <= 8 {
		for i := range members {
			if members[i].Name == name {
				return members[i].Value
			}
		}
		return Value{}
	}
	i, found := slices.BinarySearchFunc(members, name, func(m Member, name string) int { return strings.Compare(m.Name, name) })
	if !found {
		return Value{}
	}
	return members[i].Value
}

// Str is what a string says, and false of anything else.
func (v Value) Str() (string, bool) { return v.text, v.kind == String }

// Bool is a truth value, and false for ok of anything else.
func (v Value) Bool() (value, ok bool) { return v.text == "true", v.kind == Bool }

// Int is the integer that a number is, however it was written: 10, 10.0 and 1e1 are the same. It is false of a number that is
// not whole or lies beyond ±[MaxInt], and of anything else.
func (v Value) Int() (int64, bool) {
	if v.kind != Number {
		return 0, false
	}
	return integer(v.text)
}

// Written is a number as it was written, and false of anything else.
func (v Value) Written() (string, bool) { return v.text, v.kind == Number }

// Items are the values of an array, in their order. The slice is the value's own: it must not be changed.
func (v Value) Items() []Value {
	if v.list == nil {
		return nil
	}
	return v.list.items
}

// Members are those of an object, sorted by the code points of their names. The slice is the value's own: it must not be
// changed.
func (v Value) Members() []Member {
	if v.list == nil {
		return nil
	}
	return v.list.members
}

// Keep is the object with those of its members whose names pass. What is no object stays as it is.
func (v Value) Keep(pass func(name string) bool) Value {
	return v.Change(func(m Member) (Value, bool) { return m.Value, pass(m.Name) })
}

// Change is the object with those of its members that change says, and with the values that it gives them. What is no object
// stays as it is.
func (v Value) Change(change func(Member) (Value, bool)) Value {
	if v.kind != Object {
		return v
	}
	kept := make([]Member, 0, len(v.Members()))
	for _, m := range v.Members() {
		if value, keep := change(m); keep {
			kept = append(kept, Member{m.Name, value})
		}
	}
	return Value{kind: Object, at: v.at, list: &list{members: kept}}
}

// Without is the object without the members of those names. What is no object stays as it is.
func (v Value) Without(names ...string) Value {
	return v.Keep(func(name string) bool { return !slices.Contains(names, name) })
}

// With is the object with the member set to the value, whether it had one of that name or not. What is no object becomes one.
func (v Value) With(name string, value Value) Value {
	return OfMembers(append(slices.Clone(v.Without(name).Members()), Member{name, value})...)
}

// OfMembers is an object. Of members with the same name the last one counts.
func OfMembers(members ...Member) Value {
	sorted := slices.Clone(members)
	slices.SortStableFunc(sorted, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	last := sorted[:0]
	for i, m := range sorted {
		if i+1 == len(sorted) || sorted[i+1].Name != m.Name {
			last = append(last, m)
		}
	}
	return Value{kind: Object, list: &list{members: last}}
}

// OfItems is an array.
func OfItems(items ...Value) Value {
	return Value{kind: Array, list: &list{items: slices.Clone(items)}}
}

// OfString is a string, which has to be UTF-8.
func OfString(s string) Value { return Value{kind: String, text: s} }

// OfInt is an integer.
func OfInt(n int64) Value { return Value{kind: Number, text: strconv.FormatInt(n, 10)} }

// OfBool is a truth value.
func OfBool(b bool) Value { return Value{kind: Bool, text: strconv.FormatBool(b)} }

// Offset is where the value began in the text that it was read from, 0 for one that was built.
func (v Value) Offset() int { return int(v.at) }
