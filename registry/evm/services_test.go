package evm

import (
	"bytes"
	"strings"
	"testing"

	"barnraise/registry/contracts/services"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// testServiceRegister: names and revisions within their bounds, and nothing else (protocol 1.2, 1.3).
func testServiceRegister(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams)
	c := r.contracts.service
	at := func(name string, change func(*services.ServiceRegistryRevision), want, words string) step {
		v := packed(t, "search")
		if change != nil {
			change(&v)
		}
		return step{
			who: alice, what: name, contract: r.contracts.services, value: milli(50), call: c.PackRegister(name, v),
			want: want, words: words,
		}
	}
	reference := func(n int) func(*services.ServiceRegistryRevision) {
		return func(v *services.ServiceRegistryRevision) { v.Ref = strings.Repeat("r", n) }
	}
	verifier := func(n int) func(*services.ServiceRegistryRevision) {
		return func(v *services.ServiceRegistryRevision) { v.Verifier = bytes.Repeat([]byte{1}, n) }
	}
	manifest := func(n int) func(*services.ServiceRegistryRevision) {
		return func(v *services.ServiceRegistryRevision) { v.Manifest = bytes.Repeat([]byte{1}, n) }
	}
	other := at("search", nil, "", "")
	other.who, other.what = bob, "the same name of another owner"
	play(t, r, []step{
		at("ab", nil, "BadLength", "name has a length of 2, want 3 to 48"),
		at(strings.Repeat("a", 49), nil, "BadLength", "name has a length of 49"),
		at("", nil, "BadLength", ""),
		at("Search", nil, "BadName", "position 0"),
		at("sea.rch", nil, "BadName", "position 3"),
		at("sea_rch", nil, "BadName", ""),
		at("sea rch", nil, "BadName", ""),
		at("-search", nil, "BadName", "position 0"),
		at("search-", nil, "BadName", "position 6"),
		at("sé", nil, "BadName", ""),
		at("sea`", nil, "BadName", ""),
		at("sea{", nil, "BadName", ""),
		at("sea/", nil, "BadName", ""),
		at("sea:", nil, "BadName", ""),
		at("abc", nil, "", ""),
		at(strings.Repeat("z", 48), nil, "", ""),
		at("0-9--az", nil, "", ""),

		at("search", func(v *services.ServiceRegistryRevision) { v.Image = [32]byte{} }, "Missing", "image must not be zero"),
		at("search", func(v *services.ServiceRegistryRevision) { v.Home = 0 }, "Missing", "home must not be zero"),
		at("search", reference(0), "BadLength", "ref has a length of 0, want 1 to 160"),
		at("search", reference(161), "BadLength", "ref"),
		at("search", verifier(0), "BadLength", "verifier has a length of 0, want 1 to 64"),
		at("search", verifier(65), "BadLength", "verifier"),
		at("search", manifest(0), "BadLength", "manifest has a length of 0, want 1 to 64"),
		at("search", manifest(65), "BadLength", "manifest"),
		at("reference-1", reference(1), "", ""),
		at("reference-160", reference(160), "", ""),
		at("verifier-1", verifier(1), "", ""),
		at("verifier-64", verifier(64), "", ""),
		at("manifest-64", manifest(64), "", ""),

		at("search", nil, "", ""),
		at("search", nil, "NameTaken", alice.address.Hex()+" has a service of that name already, #9"),
		other,
	})
	snapshot, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found := snapshot.Named("search"); len(found) != 2 || found[0].Owner != alice.Address() || found[1].Owner != bob.Address() {
		t.Errorf("services called search are %v, want alice's and bob's", found)
	}
}

// testServiceNames: a name moves with its service, is in nobody's way but its owner's, and is free after withdrawal.
func testServiceNames(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams)
	c := r.contracts.service
	at := func(who *Account, what string, call []byte, want, words string) step {
		return step{who: who, what: what, contract: r.contracts.services, call: call, want: want, words: words}
	}
	register := func(who *Account, name, want, words string) step {
		s := at(who, "register "+name, c.PackRegister(name, packed(t, name)), want, words)
		s.value = milli(50)
		return s
	}
	withdraw := at(bob, "withdraw", c.PackWithdraw(1), "", "")
	withdraw.before = advance(chain, testParams.UnlockDelay)
	play(t, r, []step{
		register(alice, "search", "", ""), // 1
		register(bob, "search", "", ""),   // 2
		register(alice, "other", "", ""),  // 3
		at(alice, "offer", c.PackOfferOwnership(1, bob.address), "", ""),
		at(bob, "bob has one", c.PackAcceptOwnership(1), "NameTaken", bob.address.Hex()+" has a service of that name already, #2"),
		register(alice, "search", "NameTaken", "#1"), // nothing moved
		at(bob, "give away", c.PackOfferOwnership(2, carol.address), "", ""),
		at(carol, "accept", c.PackAcceptOwnership(2), "", ""),
		at(bob, "bob has none", c.PackAcceptOwnership(1), "", ""),
		register(bob, "search", "NameTaken", "#1"),
		register(carol, "search", "NameTaken", "#2"),
		register(alice, "search", "", ""), // 4: alice's name is free
		at(alice, "offer to self", c.PackOfferOwnership(4, alice.address), "", ""),
		at(alice, "accept from self", c.PackAcceptOwnership(4), "NameTaken", "#4"),
		at(bob, "leave", c.PackUnregister(1), "", ""),
		register(bob, "search", "NameTaken", "#1"), // still held
		withdraw,
		register(bob, "search", "", ""), // 5
	})
	for _, want := range []struct {
		owner *Account
		id    uint32
	}{{alice, 4}, {bob, 5}, {carol, 2}, {dave, 0}} {
		call := c.PackIdOfName(want.owner.address, [32]byte(keccak("search")))
		got, err := read(t.Context(), r, r.contracts.services, "latest", call, c.UnpackIdOfName)
		if err != nil || got != want.id {
			t.Errorf("idOfName of %s is %d, %v; want %d", want.owner, got, err, want.id)
		}
	}
}

// testPublish: revision n+1 names a block at least the grace ahead; owner only (protocol 1.4).
func testPublish(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams)
	c := r.contracts.service
	services := r.contracts.services
	play(t, r, []step{
		{who: alice, what: "register", contract: services, value: milli(50), call: c.PackRegister("search", packed(t, "1"))},
	})
	head := func() uint64 {
		b, err := latest(t.Context(), r.client)
		if err != nil {
			t.Fatal(err)
		}
		return uint64(b.Number)
	}
	grace := uint64(testParams.Grace)
	publish := func(who *Account, what string, from uint64, want, words string) step {
		return step{who: who, what: what, contract: services, call: c.PackPublish(1, packed(t, what), from), want: want, words: words}
	}
	bad := packed(t, "bad")
	bad.Home = 0
	// The next transaction is in block head+1, and sees that number.
	start := head()
	play(t, r, []step{
		publish(bob, "a stranger", 0, "NotOwner", ""),
		{who: alice, what: "unknown", contract: services, call: c.PackPublish(7, packed(t, "7"), 0), want: "NoSuchRecord"},
		{who: alice, what: "bounds hold", contract: services, call: c.PackPublish(1, bad, 0), want: "Missing", words: "home"},
		publish(alice, "now", start+1, "TooSoon", "earliest"),
		publish(alice, "a block too soon", start+grace, "TooSoon", ""),
		{who: alice, what: "delegate", contract: services, call: c.PackSetDelegate(1, carol.address)},
		publish(carol, "the delegate", 0, "NotOwner", ""),
	})
	second := head() + 1
	play(t, r, []step{publish(alice, "as soon as possible", 0, "", "")})
	third := head() + 1 + grace
	play(t, r, []step{publish(alice, "just in time", third, "", "")})
	play(t, r, []step{publish(alice, "much later", 1<<63, "", "")})
	snapshot, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	service, _ := snapshot.Service(1)
	want := []uint64{service.Since, second + grace, third, 1 << 63}
	for i, v := range service.Revisions {
		if v.Number != uint32(i+1) || v.ActiveFrom != want[i] {
			t.Errorf("revision %d is number %d, active from %d; want %d", i+1, v.Number, v.ActiveFrom, want[i])
		}
	}
	if active, ok := service.Active(third - 1); !ok || active.Number != 2 && third-1 >= second+grace {
		t.Errorf("before block %d revision %d is active", third, active.Number)
	}
	play(t, r, []step{
		{who: alice, what: "leave", contract: services, call: c.PackUnregister(1)},
		publish(alice, "while leaving", 0, "WrongStatus", "is leaving"),
	})
}

// testRevoke: at once and for good, by owner or delegate, also while the service leaves (protocol 1.2, 1.4).
func testRevoke(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams)
	c := r.contracts.service
	at := func(who *Account, what string, call []byte, want, words string) step {
		return step{who: who, what: what, contract: r.contracts.services, call: call, want: want, words: words}
	}
	register := at(alice, "register", c.PackRegister("search", packed(t, "1")), "", "")
	register.value = milli(50)
	withdraw := at(alice, "withdraw", c.PackWithdraw(1), "", "")
	withdraw.before = advance(chain, testParams.UnlockDelay)
	play(t, r, []step{
		register,
		at(alice, "2", c.PackPublish(1, packed(t, "2"), 0), "", ""),
		at(alice, "3", c.PackPublish(1, packed(t, "3"), 0), "", ""),
		at(alice, "4", c.PackPublish(1, packed(t, "4"), 0), "", ""),
		at(alice, "of no service", c.PackRevoke(2, 1, ""), "NoSuchRecord", ""),
		at(alice, "zero", c.PackRevoke(1, 0, ""), "NoSuchRevision", "service #1 has no revision 0, the newest is 4"),
		at(alice, "five", c.PackRevoke(1, 5, ""), "NoSuchRevision", "revision 5"),
		at(bob, "stranger", c.PackRevoke(1, 1, ""), "NotAllowed", alice.address.Hex()),
		at(alice, "long reason", c.PackRevoke(1, 1, strings.Repeat("x", 129)), "BadLength", "reason has a length of 129"),
		at(alice, "owner", c.PackRevoke(1, 2, strings.Repeat("x", 128)), "", ""),
		at(alice, "twice", c.PackRevoke(1, 2, ""), "AlreadyRevoked", "revision 2 of service #1"),
		at(alice, "delegate", c.PackSetDelegate(1, carol.address), "", ""),
		at(carol, "by the delegate, twice", c.PackRevoke(1, 2, "again"), "AlreadyRevoked", ""),
		at(carol, "by the delegate", c.PackRevoke(1, 1, "wrong\x1b[31m"), "", ""),
		at(alice, "leave", c.PackUnregister(1), "", ""),
		at(carol, "by the delegate while leaving", c.PackRevoke(1, 3, ""), "", ""),
		at(bob, "stranger while leaving", c.PackRevoke(1, 4, ""), "NotAllowed", carol.address.Hex()),
		withdraw,
		at(alice, "gone", c.PackRevoke(1, 4, ""), "WrongStatus", "is gone"),
	})
	snapshot, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	service, _ := snapshot.Service(1)
	for i, want := range []string{"wrong\uFFFD[31m", strings.Repeat("x", 128), "", ""} {
		if v := service.Revisions[i]; v.Reason != want || v.Revoked != (i < 3) {
			t.Errorf("revision %d: revoked %t for %q; want %t for %q", i+1, v.Revoked, v.Reason, i < 3, want)
		}
	}
	for n := range uint32(4) {
		yes, err := read(t.Context(), r, r.contracts.services, "latest", c.PackRevoked(1, n+1), c.UnpackRevoked)
		if err != nil || yes != (n < 3) {
			t.Errorf("revoked(1, %d) is %t, %v", n+1, yes, err)
		}
	}
}

func keccak(text string) common.Hash { return crypto.Keccak256Hash([]byte(text)) }
