package rpc

import (
	"crypto/sha256"

	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

func canonicalJSON(a *args) []byte {
	text, strict := a.text(0), a.truth(1, true)
	v, err := canonical.ParseString(text)
	var out []byte
	if err == nil {
		out, err = v.Append(nil, strict)
	}
	if err != nil {
		a.refuse(source{text: true, place: place{0, -1}}, err)
	}
	hash := sha256.Sum256(out)
	var w writer
	w.open('{')
	w.name("canonical").text(string(out))
	w.name("sha256").text(event.Encode64(hash[:]))
	w.close('}')
	return w.b
}

// one is the event that a call is about. What is not allowed of any event has been refused.
func (a *args) one(v event.Version, i int) source {
	g := a.json(i)
	if a.failed == nil {
		a.refuse(g, v.Check(g.value))
	}
	return g
}

func eventID(a *args) []byte {
	v := a.version()
	g := a.one(v, 1)
	reference, err := v.ReferenceHash(g.value)
	a.refuse(g, err)
	content, err := v.ContentHash(g.value)
	a.refuse(g, err)
	id := v.ID(g.value, reference)
	var w writer
	w.open('{')
	if w.name("eventId"); id == "" {
		w.null()
	} else {
		w.text(id)
	}
	w.name("referenceHash").text(event.Encode64(reference[:]))
	w.name("contentHash").text(event.Encode64(content[:]))
	w.name("contentHashOk").truth(event.HasContentHash(g.value, content))
	if kind, _ := g.value.Get("type").Str(); v.RoomFromCreate() && kind == "m.room.create" && id != "" {
		w.name("roomId").text("!" + id[1:])
	}
	w.close('}')
	return w.b
}

// redact answers in the form in which the event was given.
func redact(a *args) []byte {
	v := a.version()
	g := a.one(v, 1)
	redacted, err := v.Redact(g.value)
	a.refuse(g, err)
	out, err := redacted.Append(nil, v.Strict())
	a.refuse(g, err)
	var w writer
	w.open('{')
	if w.name("event"); g.text {
		w.text(string(out))
	} else {
		w.b = append(w.b, out...)
	}
	w.close('}')
	return w.b
}

func verifyEvent(a *args) []byte {
	v := a.version()
	g := a.one(v, 1)
	keys := a.keys(2)
	if a.failed != nil {
		return nil
	}
	done, err := v.Verify(g.value, keys)
	a.refuse(g, err)
	var w writer
	w.open('{')
	w.name("ok").truth(done.Signed)
	content := "redacted"
	if done.Unredacted {
		content = "ok"
	}
	w.name("contentHash").text(content)
	w.name("signatures").open('[')
	for _, s := range done.Signatures {
		w.signature(s)
	}
	w.close(']')
	w.close('}')
	return w.b
}

func (w *writer) signature(s event.Signature) {
	w.open('{')
	w.name("server").text(s.Server)
	if s.Key == "" && s.Reason == event.Missing {
		w.name("keyId").null()
	} else {
		w.name("keyId").text(s.Key)
	}
	w.name("ok").truth(s.Reason == "")
	if s.Reason != "" {
		w.name("reason").text(string(s.Reason))
	}
	w.close('}')
}

// keys are the keys of servers, {server: {keyId: {key, validUntilTs?, expiredTs?}}}.
func (a *args) keys(i int) event.Keys {
	g := a.json(i)
	keys := event.Keys{}
	for _, server := range a.object(g, g.value, "an object") {
		of := map[string]event.PublicKey{}
		for _, key := range a.object(g, server.Value, "an object of keys for each server") {
			of[key.Name] = a.key(g, key.Value)
		}
		keys[server.Name] = of
	}
	return keys
}

func (a *args) object(g source, v canonical.Value, want string) []canonical.Member {
	if v.Kind() != canonical.Object {
		a.wrong(g.place, "want "+want)
	}
	return v.Members()
}

// key reads one key. One of another algorithm than Ed25519 may be anything.
func (a *args) key(g source, v canonical.Value) event.PublicKey {
	text, ok := v.Get("key").Str()
	if !ok {
		a.wrong(g.place, `want a string as "key"`)
	}
	key, _ := event.ReadPublicKey(text)
	return event.PublicKey{Key: key, ValidUntil: a.time(g, v.Get("validUntilTs"), "validUntilTs"), Expired: a.time(g, v.Get("expiredTs"), "expiredTs")}
}

// time is a time that may be left out.
func (a *args) time(g source, v canonical.Value, name string) *int64 {
	if !v.Exists() {
		return nil
	}
	n, ok := v.Int()
	if !ok {
		a.wrong(g.place, `want an integer as "`+name+`"`)
	}
	return &n
}

func verifyServerKeys(a *args) []byte {
	server, g, at := a.text(0), a.json(1), a.integer(2)
	if a.failed != nil {
		return nil
	}
	keys, err := event.VerifyServerKeys(server, g.value, at)
	a.refuse(g, err)
	var w writer
	w.open('{')
	w.name("ok").truth(keys.Reason == "")
	w.named("keys", keys.Keys, func(event.NamedKey) { w.name("validUntilTs").integer(keys.ValidUntil) })
	w.named("oldKeys", keys.Old, func(k event.NamedKey) { w.name("expiredTs").integer(k.Expired) })
	if w.name("validUntil"); keys.Reason == "" {
		w.integer(keys.ValidUntil)
	} else {
		w.null()
		w.name("reason").text(string(keys.Reason))
	}
	w.close('}')
	return w.b
}

// named writes keys in the form in which [args.keys] reads them.
func (w *writer) named(name string, keys []event.NamedKey, until func(event.NamedKey)) {
	w.name(name).open('{')
	for _, k := range keys {
		w.name(k.ID).open('{')
		w.name("key").text(k.Key)
		until(k)
		w.close('}')
	}
	w.close('}')
}
