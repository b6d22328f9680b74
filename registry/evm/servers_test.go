package evm

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"barnraise"
)

// list is n ascending ids from the first one.
func list(first, n uint32) []uint32 {
	ids := make([]uint32, n)
	for i := range ids {
		ids[i] = first + uint32(i)
	}
	return ids
}

// testServerRegister: URL, key and lists within their bounds, and nothing else (protocol 1.5).
func testServerRegister(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams)
	c := r.contracts.server
	at := func(what, url string, key [32]byte, offers, rewards []uint32, want, words string) step {
		return step{who: alice, what: what, contract: r.contracts.servers, value: milli(50),
			call: c.PackRegister(url, key, offers, rewards, 3), want: want, words: words}
	}
	const url = "https://a.example"
	key := [32]byte(publicKey("a"))
	play(t, r, []step{
		at("short URL", "https:/", key, nil, nil, "BadLength", "url has a length of 7, want 8 to 128"),
		at("long URL", strings.Repeat("u", 129), key, nil, nil, "BadLength", "url"),
		at("no key", url, [32]byte{}, nil, nil, "Missing", "key must not be zero"),
		at("too many offers", url, key, list(1, 257), nil, "BadLength", "offers has a length of 257, want 0 to 256"),
		at("too many rewards", url, key, nil, list(1, 65), "BadLength", "rewards has a length of 65, want 0 to 64"),
		at("offer zero", url, key, []uint32{0}, nil, "NotAscending", "offers must be ids in ascending order"),
		at("reward zero", url, key, nil, []uint32{0, 1}, "NotAscending", "rewards"),
		at("offer twice", url, key, []uint32{1, 2, 2}, nil, "NotAscending", "position 2"),
		at("rewards descend", url, key, nil, []uint32{5, 4}, "NotAscending", "position 1"),
		at("short", "http://a", key, nil, nil, "", ""),
		at("long", strings.Repeat("u", 128), key, list(1, 256), list(4, 64), "", ""),
		at("the same URL and key again", "http://a", key, []uint32{1<<32 - 1}, []uint32{1<<32 - 1}, "", ""),
	})
	snapshot, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ offers, rewards []uint32 }{{}, {list(1, 256), list(4, 64)}, {list(1<<32-1, 1), list(1<<32-1, 1)}} {
		server, _ := snapshot.Server(barnraise.ServerID(i + 1))
		offers, rewards := numbers(server.Offers), numbers(server.Rewards)
		if !slices.Equal(offers, want.offers) || !slices.Equal(rewards, want.rewards) || server.Capacity != 3 {
			t.Errorf("server %d offers %v and wishes %v, want %v and %v", i+1, offers, rewards, want.offers, want.rewards)
		}
	}
}

// testServerSet: owners set everything, delegates offers, rewards and capacity only, others nothing (protocol 1.5).
func testServerSet(t *testing.T, chain world) {
	p := testParams
	p.RewardsEvery = 0 // a development chain
	r := newRegistry(t, chain, p)
	c := r.contracts.server
	at := func(who *Account, what string, call []byte, want, words string) step {
		return step{who: who, what: what, contract: r.contracts.servers, call: call, want: want, words: words}
	}
	register := at(alice, "register", c.PackRegister("https://a.example", publicKey("a"), nil, nil, 1), "", "")
	register.value = milli(50)
	play(t, r, []step{
		register,
		at(alice, "URL of no server", c.PackSetUrl(2, "https://b.example"), "NoSuchRecord", "there is no server 2"),
		at(alice, "key of no server", c.PackRotateKey(2, publicKey("b")), "NoSuchRecord", ""),
		at(alice, "lists of no server", c.PackSetLists(2, nil, nil, 1), "NoSuchRecord", ""),
		at(alice, "short URL", c.PackSetUrl(1, "https:/"), "BadLength", "url"),
		at(alice, "long URL", c.PackSetUrl(1, strings.Repeat("u", 129)), "BadLength", "url"),
		at(alice, "no key", c.PackRotateKey(1, [32]byte{}), "Missing", "key"),
		at(alice, "offers", c.PackSetLists(1, list(1, 257), nil, 1), "BadLength", "offers"),
		at(alice, "rewards", c.PackSetLists(1, nil, []uint32{1, 1}, 1), "NotAscending", "rewards"),
		at(alice, "URL", c.PackSetUrl(1, "https://b.example"), "", ""),
		at(alice, "key", c.PackRotateKey(1, publicKey("b")), "", ""),
		at(alice, "lists", c.PackSetLists(1, []uint32{3}, []uint32{4}, 2), "", ""),
		at(bob, "URL by a stranger", c.PackSetUrl(1, "https://c.example"), "NotOwner", ""),
		at(bob, "key by a stranger", c.PackRotateKey(1, publicKey("c")), "NotOwner", ""),
		at(bob, "lists by a stranger", c.PackSetLists(1, nil, nil, 1), "NotAllowed", "delegate (nobody)"),
		at(alice, "delegate", c.PackSetDelegate(1, carol.address), "", ""),
		at(carol, "URL by the delegate", c.PackSetUrl(1, "https://c.example"), "NotOwner", ""),
		at(carol, "key by the delegate", c.PackRotateKey(1, publicKey("c")), "NotOwner", ""),
		at(carol, "lists by the delegate", c.PackSetLists(1, []uint32{5}, []uint32{6}, 7), "", ""),
		at(bob, "lists by a stranger still", c.PackSetLists(1, nil, nil, 1), "NotAllowed", "delegate "+carol.address.Hex()),
		at(alice, "leave", c.PackUnregister(1), "", ""),
		at(alice, "URL while leaving", c.PackSetUrl(1, "https://d.example"), "WrongStatus", "is leaving"),
		at(alice, "key while leaving", c.PackRotateKey(1, publicKey("d")), "WrongStatus", ""),
		at(carol, "lists while leaving", c.PackSetLists(1, nil, nil, 1), "WrongStatus", ""),
	})
	snapshot, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, _ := snapshot.Server(1)
	key, ok := server.Key()
	if server.URL != "https://b.example" || !ok || key.Key != publicKey("b") || server.Capacity != 7 ||
		!slices.Equal(server.Offers, []barnraise.ServiceID{5}) || !slices.Equal(server.Rewards, []barnraise.ServiceID{6}) {
		t.Errorf("the server is %+v", server)
	}
	if old := server.Keys[0]; old.Key != publicKey("a") || old.To != key.From || old.From != server.Since || old.ReplacedAt == 0 {
		t.Errorf("the old key is %+v, the new one from block %d", old, key.From)
	}
}

// testRewardsEvery: rewards change at most once in so many blocks, registration included; writing them again unchanged is no
// change, and offers and capacity are free (protocol 1.5).
func testRewardsEvery(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams) // every 4 blocks
	c := r.contracts.server
	block := func() uint64 {
		b, err := latest(t.Context(), r.client)
		if err != nil {
			t.Fatal(err)
		}
		return uint64(b.Number)
	}
	set := func(what string, offers, rewards []uint32, want string) step {
		return step{who: alice, what: what, contract: r.contracts.servers, call: c.PackSetLists(1, offers, rewards, 1), want: want}
	}
	play(t, r, []step{{who: alice, what: "register", contract: r.contracts.servers, value: milli(50),
		call: c.PackRegister("https://a.example", publicKey("a"), nil, []uint32{1}, 1)}})
	changed := block()
	_, err := r.SetLists(t.Context(), alice, 1, nil, []barnraise.ServiceID{2}, 1)
	var revert *Revert
	if !errors.As(err, &revert) {
		t.Fatalf("error is %v, want a revert", err)
	}
	if earliest := revert.Fields["earliest"]; earliest != changed+4 {
		t.Fatalf("earliest is %v, want %d", earliest, changed+4)
	}
	play(t, r, []step{
		set("offers are free, 1", []uint32{1}, []uint32{1}, ""), // changed+1
		set("offers are free, 2", []uint32{2}, []uint32{1}, ""), // changed+2
		set("too soon", nil, []uint32{2}, "RewardsTooSoon"),
		set("offers are free, 3", []uint32{3}, []uint32{1}, ""), // changed+3
		set("in time", []uint32{3}, []uint32{2}, ""),            // changed+4
		set("too soon again", []uint32{3}, []uint32{1}, "RewardsTooSoon"),
		set("too soon to have none", []uint32{3}, nil, "RewardsTooSoon"),
	})
	if h := sides(t, r)[1].head(t, r, 1); h.RewardsAt != changed+4 { // by the events too, or else the hash would differ
		t.Errorf("rewards changed at %d, want %d", h.RewardsAt, changed+4)
	}
}
