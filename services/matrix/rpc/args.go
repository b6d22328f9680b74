package rpc

import (
	"errors"
	"strconv"

	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

// args are the params of a call. The first error is the one that counts; what is read after it is of no use.
type args struct {
	names  []Param
	values []canonical.Value
	failed *Error
}

func (a *args) fail(message string) {
	a.failWith(&Error{Code: codeParams, Message: message})
}

func (a *args) failWith(e *Error) {
	if a.failed == nil {
		a.failed = e
	}
}

// invalid says what is wrong with a param.
func (a *args) invalid(i int, message string) {
	a.fail("param " + strconv.Quote(a.names[i].Name) + ": " + message)
}

func (a *args) text(i int) string {
	s, ok := a.values[i].Str()
	if !ok {
		a.invalid(i, "want a string")
	}
	return s
}

// truth is a param that may be left out.
func (a *args) truth(i int, otherwise bool) bool {
	if !a.values[i].Exists() {
		return otherwise
	}
	b, ok := a.values[i].Bool()
	if !ok {
		a.invalid(i, "want true or false")
	}
	return b
}

func (a *args) integer(i int) int64 {
	n, ok := a.values[i].Int()
	if !ok || n < 0 {
		a.invalid(i, "want an integer from 0 to 9007199254740991")
	}
	return n
}

// version is the room version, which is the first param where there is one.
func (a *args) version() event.Version {
	name := a.text(0)
	v, ok := event.ParseVersion(name)
	if !ok {
		a.failWith(&Error{Code: codeVersion, Message: "unknown_room_version"})
	}
	return v
}

// source is JSON as a param brings it: as itself, or as text in a string.
type source struct {
	value canonical.Value
	text  bool
	place place
}

// place is where JSON stands: in a param, and there in a list, or else item is -1.
type place struct{ param, item int }

// json is a param that brings JSON.
func (a *args) json(i int) source { return a.open(a.values[i], place{i, -1}) }

func (a *args) open(v canonical.Value, at place) source {
	s, text := v.Str()
	if !text {
		return source{v, false, at}
	}
	v, err := canonical.ParseString(s)
	if err != nil {
		a.refuse(source{place: at}, err)
	}
	return source{v, true, at}
}

// list is a param that brings a list of JSON values, or that list as text in a string. There are at most so many.
func (a *args) list(i, most int) []source {
	whole := a.json(i)
	items := whole.value.Items()
	switch {
	case a.failed != nil:
		return nil
	case whole.value.Kind() != canonical.Array:
		a.invalid(i, "want an array")
	case len(items) > most:
		a.failWith(tooLarge())
		return nil
	}
	list := make([]source, 0, len(items))
	for n, v := range items {
		if a.failed != nil {
			return nil
		}
		list = append(list, a.open(v, place{i, n}))
	}
	return list
}

func tooLarge() *Error { return &Error{Code: codeLarge, Message: "too_large"} }

// refuse turns an error about a given value into the answer.
func (a *args) refuse(g source, err error) {
	var syntax *canonical.SyntaxError
	switch {
	case err == nil:
	case errors.As(err, &syntax):
		var w writer
		w.open('{')
		if g.place.item >= 0 {
			w.name("index").integer(int64(g.place.item))
		}
		if !g.text {
			syntax.At -= g.value.Offset()
		}
		w.name("at").integer(int64(syntax.At))
		w.close('}')
		a.failWith(&Error{Code: codeJSON, Message: "bad_json", Data: w.b})
	case errors.Is(err, event.ErrTooLarge), errors.Is(err, event.ErrSignatures):
		a.failWith(tooLarge())
	default:
		a.wrong(g.place, err.Error())
	}
}

// wrong says what is wrong with a value.
func (a *args) wrong(at place, message string) {
	if at.item >= 0 {
		message = "item " + strconv.Itoa(at.item) + ": " + message
	}
	a.invalid(at.param, message)
}

// writer writes compact JSON.
type writer struct{ b []byte }

func (w *writer) value() {
	if n := len(w.b); n > 0 && w.b[n-1] != '{' && w.b[n-1] != '[' && w.b[n-1] != ':' {
		w.b = append(w.b, ',')
	}
}

func (w *writer) open(c byte)  { w.value(); w.b = append(w.b, c) }
func (w *writer) close(c byte) { w.b = append(w.b, c) }

func (w *writer) name(s string) *writer {
	w.value()
	w.b = append(canonical.AppendString(w.b, s), ':')
	return w
}

func (w *writer) text(s string) *writer {
	w.value()
	w.b = canonical.AppendString(w.b, s)
	return w
}

func (w *writer) integer(n int64) {
	w.value()
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *writer) truth(b bool) {
	w.value()
	w.b = strconv.AppendBool(w.b, b)
}

func (w *writer) null() {
	w.value()
	w.b = append(w.b, "null"...)
}
