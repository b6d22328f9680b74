package event

import "barnraise/services/matrix/canonical"

const thirdParty = "third_party_invite"

// Redact is the event without all that the version's redaction algorithm does not keep. Content is always left, and empty
// where there was none: that is how servers sign and hash events without. It fails with a [*FormatError] where the content is
// no object; it is well defined for all else.
func (v Version) Redact(e canonical.Value) (canonical.Value, error) { return v.redact(e, true) }

// redact leaves the signatures out, too, unless they are wanted.
func (v Version) redact(e canonical.Value, signatures bool) (canonical.Value, error) {
	content := e.Get("content")
	switch {
	case e.Kind() != canonical.Object:
		return e, &FormatError{"", "an object"}
	case content.Exists() && content.Kind() != canonical.Object:
		return e, &FormatError{"content", "an object"}
	}
	if !content.Exists() {
		content = canonical.OfMembers()
		e = e.With("content", content)
	}
	kind, _ := e.Get("type").Str()
	return e.Change(func(m canonical.Member) (canonical.Value, bool) {
		switch m.Name {
		case "content":
			return v.redactContent(kind, content), true
		case "signatures":
			return m.Value, signatures
		}
		return m.Value, v.keepsMember(m.Name)
	}), nil
}

func (v Version) redactContent(kind string, content canonical.Value) canonical.Value {
	return content.Change(func(m canonical.Member) (canonical.Value, bool) {
		if kind == "m.room.member" && m.Name == thirdParty { // of which no more than this is kept, since version 11
			signed := m.Value.Keep(func(name string) bool { return name == "signed" })
			return signed, v.keepsContent(kind, m.Name) && m.Value.Kind() == canonical.Object
		}
		return m.Value, v.keepsContent(kind, m.Name)
	})
}
