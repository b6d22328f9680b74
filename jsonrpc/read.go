package jsonrpc

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Message is one message of a caller. Its members are views into the body that it was read from.
type Message struct {
	ID     []byte // as written; nil for a notification, and where it cannot be told what it is
	Method string
	Params []byte // nil where there are none. How deep they nest is for [NewRequest] to say
	Wrong  string // why it is no request; empty for one that is
}

// Notification reports whether nobody waits for an answer. A service is a function: computed for nobody it changes nothing, and servers
// take no notifications (protocol 3.2), so that whoever stands between them and callers makes no call of one.
func (m *Message) Notification() bool { return m.ID == nil && m.Wrong == "" }

// Reader takes what callers send apart. Servers take no batches; who stands between them and callers splits them and joins the
// answers in order (protocol 3.2). The zero value is ready for use, and may be used again and again; it is not safe for concurrent use.
type Reader struct {
	Messages []Message // of the last body
	decoder  jsontext.Decoder
}

// Read takes a body apart in one pass: strict JSON, one message or a batch of one to most. What is JSON but no request is a message
// that says what is wrong with it: a bad one spoils only itself.
//
// It fails with [ErrSyntax], with [ErrInvalid] for a batch that is empty, and with [ErrTooMany] for one that is longer.
func (r *Reader) Read(body []byte, most int) (batch bool, err error) {
	r.Messages = r.Messages[:0]
	r.decoder.Reset(bytes.NewBuffer(body))
	if r.decoder.PeekKind() == '[' {
		if err := r.batch(body, most); err != nil {
			return true, fmt.Errorf("read batch: %w", err)
		}
		return true, nil
	}
	err = r.one(body)
	if err == nil {
		err = atEnd(&r.decoder)
	}
	if err != nil {
		return false, fmt.Errorf("read request: %w", err)
	}
	return false, nil
}

// batch reads an array.
func (r *Reader) batch(body []byte, most int) error {
	d := &r.decoder
	if _, err := d.ReadToken(); err != nil {
		return syntax(err)
	}
	for k := d.PeekKind(); k != ']' && k != 0; k = d.PeekKind() {
		if len(r.Messages) == most {
			return fmt.Errorf("more than %d messages: %w", most, ErrTooMany)
		}
		if err := r.one(body); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return syntax(err)
	}
	if err := atEnd(d); err != nil {
		return err
	}
	if len(r.Messages) == 0 {
		return fmt.Errorf("it is empty: %w", ErrInvalid)
	}
	return nil
}

func syntax(err error) error { return fmt.Errorf("%w: %w", ErrSyntax, err) }

// one reads one value, which ought to be a request.
func (r *Reader) one(body []byte) error {
	r.Messages = append(r.Messages, Message{})
	m, d := &r.Messages[len(r.Messages)-1], &r.decoder
	if d.PeekKind() != '{' {
		m.Wrong = "not an object"
		if err := d.SkipValue(); err != nil {
			return syntax(err)
		}
		return nil
	}
	if _, err := d.ReadToken(); err != nil {
		return syntax(err)
	}
	versioned := false
	for k := d.PeekKind(); k != '}' && k != 0; k = d.PeekKind() {
		name, err := d.ReadToken()
		if err != nil {
			return syntax(err)
		}
		member := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return syntax(err)
		}
		at := d.InputOffset()
		versioned = m.set(member, body[at-int64(len(value)):at:at]) || versioned
	}
	if _, err := d.ReadToken(); err != nil {
		return syntax(err)
	}
	if !versioned {
		m.is(`"jsonrpc" is missing, want "2.0"`)
	}
	if m.Method == "" {
		m.is(`"method" is missing`)
	}
	return nil
}

// is notes what is wrong with the message, the first thing that is.
func (m *Message) is(wrong string) {
	if m.Wrong == "" {
		m.Wrong = wrong
	}
}

// set takes one member into account. It reports whether that was the version.
func (m *Message) set(name string, value []byte) (version bool) {
	switch name {
	case "jsonrpc":
		if string(value) != `"2.0"` {
			m.is(fmt.Sprintf(`"jsonrpc" is %.20q, want "2.0"`, value))
		}
		return true
	case "id":
		if c := value[0]; c == '{' || c == '[' || c == 't' || c == 'f' {
			m.is("id is no string, number or null")
			return false
		}
		m.ID = value
	case "method":
		if value[0] == '"' {
			b, _ := jsontext.AppendUnquote(nil, value) // it was read as JSON
			m.Method = string(b)
		}
		if !ValidMethod(m.Method) {
			m.is(fmt.Sprintf("method %.80q is no name", value))
		}
	case "params":
		if m.Params = value; value[0] != '{' && value[0] != '[' {
			m.is("params are neither array nor object")
		}
	default:
		m.is(fmt.Sprintf("member %.40q does not belong there", name))
	}
	return false
}
