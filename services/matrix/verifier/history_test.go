package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

// history is that of a made-up room, in which servers that do not hear of one another go on in branches.
type history struct {
	t       testing.TB
	r       *rand.Rand
	version event.Version
	events  []*event.Event
}

type branch struct {
	*history
	state map[event.Key]*event.Event
	prev  string
	ts    int64
}

const users = 6

func user(i int) string { return fmt.Sprintf("@user%d:server%d", i, i%2) }

// newHistory makes a room of at least so many events, and the states of its branches as lists of ids.
func newHistory(t testing.TB, seed uint64, v event.Version, events int) (r *history, sets [][]string) {
	r = &history{t: t, r: rand.New(rand.NewPCG(seed, uint64(v))), version: v}
	trunk := &branch{history: r, state: map[event.Key]*event.Event{}, ts: 1}
	trunk.begin()
	branches := []*branch{}
	for range 2 + r.r.IntN(2) {
		state := map[event.Key]*event.Event{}
		for k, e := range trunk.state {
			state[k] = e
		}
		branches = append(branches, &branch{r, state, trunk.prev, trunk.ts + r.r.Int64N(3)})
	}
	for tries := 0; len(r.events) < events && tries < 20*events; tries++ {
		branches[r.r.IntN(len(branches))].step()
	}
	for _, b := range branches {
		sets = append(sets, b.ids())
	}
	return r, sets
}

func (b *branch) begin() {
	create := `{"creator":"` + user(0) + `","room_version":"` + b.version.String() + `"}`
	b.send(user(0), "m.room.create", new(""), create)
	b.send(user(0), auth.Member, new(user(0)), `{"membership":"join"}`)
	levels := fmt.Sprintf(`{"users":{"%s":100,"%s":50},"events":{"m.room.topic":0}}`, user(0), user(1))
	if b.version >= 12 {
		levels = fmt.Sprintf(`{"users":{"%s":50},"events":{"m.room.topic":0}}`, user(1))
	}
	b.send(user(0), auth.PowerLevels, new(""), levels)
	b.send(user(0), auth.JoinRules, new(""), `{"join_rule":"public"}`)
	b.send(user(1), auth.Member, new(user(1)), `{"membership":"join"}`)
}

// step has somebody do something, if that is allowed.
func (b *branch) step() {
	who, whom := user(b.r.IntN(users)), user(b.r.IntN(users))
	switch b.r.IntN(8) {
	case 0, 1:
		b.send(who, auth.Member, &who, fmt.Sprintf(`{"membership":"join","displayname":"%d"}`, b.r.IntN(1000)))
	case 2:
		b.send(who, auth.Member, &whom, `{"membership":"ban"}`)
	case 3:
		b.send(who, auth.Member, &whom, `{"membership":"leave"}`)
	case 4:
		b.send(who, auth.PowerLevels, new(""), b.levels(whom))
	case 5:
		b.send(who, auth.JoinRules, new(""), []string{`{"join_rule":"public"}`, `{"join_rule":"invite"}`}[b.r.IntN(2)])
	default:
		b.send(who, "m.room.topic", new(""), fmt.Sprintf(`{"topic":"%d"}`, b.r.IntN(1000)))
	}
}

// levels are the room's with another level for somebody.
func (b *branch) levels(whom string) string {
	content := b.state[event.Key{Type: auth.PowerLevels}].Content
	content = content.With("users", content.Get("users").With(whom, canonical.OfInt(b.r.Int64N(101))))
	return string(must(content.Append(nil, true)))
}

func (b *branch) send(sender, kind string, key *string, content string) {
	b.ts += b.r.Int64N(3)
	e := canonical.OfMembers(
		canonical.Member{Name: "type", Value: canonical.OfString(kind)}, canonical.Member{Name: "sender", Value: canonical.OfString(sender)},
		canonical.Member{Name: "content", Value: must(canonical.ParseString(content))}, canonical.Member{Name: "origin_server_ts", Value: canonical.OfInt(b.ts)},
		canonical.Member{Name: "depth", Value: canonical.OfInt(int64(len(b.events)))}, canonical.Member{Name: "prev_events", Value: ids(b.prev)})
	if key != nil {
		e = e.With("state_key", canonical.OfString(*key))
	}
	if len(b.events) > 0 && b.version >= 12 {
		e = e.With("room_id", canonical.OfString("!"+b.events[0].ID[1:]))
	} else if b.version < 12 {
		e = e.With("room_id", canonical.OfString("!room:server0"))
	}
	if b.version.GivenIDs() {
		e = e.With("event_id", canonical.OfString(fmt.Sprintf("$%d:%s", len(b.events), event.Domain(sender))))
	}
	draft, err := event.Read(b.version, e, "$draft")
	if err != nil {
		b.t.Fatal(err)
	}
	named := []string{}
	rules := auth.New(b.version, 0)
	for _, k := range rules.Selection(draft) {
		if a := b.state[k]; a != nil && !slices.Contains(named, a.ID) {
			named = append(named, a.ID)
		}
	}
	e = b.sign(e.With("auth_events", ids(named...)), event.Domain(sender))
	whole, err := event.Read(b.version, e, "")
	if err != nil {
		b.t.Fatal(err)
	}
	if kind != auth.Create && !rules.Check(whole, func(k event.Key) *event.Event { return b.state[k] }).Allowed {
		return
	}
	b.events = append(b.events, whole)
	b.prev = whole.ID
	if k, ok := whole.Key(); ok {
		b.state[k] = whole
	}
}

func (b *branch) ids() (list []string) {
	for _, e := range b.state {
		list = append(list, e.ID)
	}
	slices.Sort(list)
	return list
}

func ids(list ...string) canonical.Value {
	items := []canonical.Value{}
	for _, id := range list {
		if id != "" {
			items = append(items, canonical.OfString(id))
		}
	}
	return canonical.OfItems(items...)
}

// sign gives an event its content hash and its server's signature.
func (r *history) sign(e canonical.Value, server string) canonical.Value {
	hash := must(r.version.ContentHash(e))
	e = e.With("hashes", canonical.OfMembers(canonical.Member{Name: "sha256", Value: canonical.OfString(event.Encode64(hash[:]))}))
	return withSignature(e, must(r.version.Redact(e)), server)
}

// withSignature is an object with a server's signature on a part of it.
func withSignature(e, part canonical.Value, server string) canonical.Value {
	signature := canonical.OfString(event.Encode64(ed25519.Sign(keyOf(server), must(part.Append(nil, false)))))
	return e.With("signatures", canonical.OfMembers(canonical.Member{Name: server, Value: canonical.OfMembers(
		canonical.Member{Name: "ed25519:1", Value: signature})}))
}

func keyOf(server string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(server))
	return ed25519.NewKeyFromSeed(seed[:])
}

// keys is the param of matrix_verifyEvent.
func keys() string {
	list := []string{}
	for _, server := range []string{"server0", "server1"} {
		public := event.Encode64(keyOf(server).Public().(ed25519.PublicKey))
		list = append(list, fmt.Sprintf(`"%s":{"ed25519:1":{"key":"%s"}}`, server, public))
	}
	return "{" + strings.Join(list, ",") + "}"
}

func text(v canonical.Value) string { return string(must(v.Append(nil, false))) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
