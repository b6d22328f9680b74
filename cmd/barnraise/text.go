package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// harmless passes on text in which strangers' words may stand, each line of it made [registry.Printable]. Tabs and ends of lines are
// kept. A write must not end within a character.
type harmless struct{ io.Writer }

// Write reports all of p as written, though other bytes may have been.
func (h harmless) Write(p []byte) (int, error) {
	text := bytes.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' || r == '\t' {
			return r
		}
		return unicode.ReplacementChar
	}, p)
	if _, err := h.Writer.Write(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// printableJSON is a JSON value of a stranger's that means the same and has printable characters only: JSON can escape the
// rest within strings, and knows no others outside of them but white space.
func printableJSON(value []byte) string {
	var b strings.Builder
	for _, r := range string(value) {
		switch {
		case unicode.IsPrint(r), r == '\n', r == '\t':
			b.WriteRune(r)
		case r == '\r':
			b.WriteByte(' ')
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	return b.String()
}

// words is the text of an error for people who write files and do not know the types that they are read into.
func words(err error) string {
	text := err.Error()
	var e *json.SemanticError
	if !errors.As(err, &e) || e.Err != nil || e.GoType == nil {
		return text
	}
	place := strings.ReplaceAll(strings.TrimPrefix(string(e.JSONPointer), "/"), "/", ".")
	if place == "" {
		place = "it"
	}
	return strings.ReplaceAll(text, e.Error(), fmt.Sprintf("%s is %s, want %s", place, jsonWord(e.JSONKind), goWord(e.GoType)))
}

func jsonWord(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "empty"
	case 't', 'f':
		return "true or false"
	case '"':
		return "text"
	case '0':
		return "a number"
	case '[':
		return "a list"
	}
	return "keys with values"
}

func goWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return goWord(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map, reflect.Interface:
		return "keys with values"
	}
	return "a whole number"
}
