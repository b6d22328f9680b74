package registry

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"barnraise"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/crypto"
)

var alice, bob, carol = barnraise.Address{1}, barnraise.Address{2}, barnraise.Address{3}

func wei(n int64) *big.Int { return big.NewInt(n) }

// published is a revision that the contract takes.
func published(id, number uint32, activeFrom uint64) RevisionPublished {
	return RevisionPublished{
		ID: id, Number: number, Image: barnraise.Digest{1, byte(number)}, Reference: "registry.example/search",
		Verifier: rawCID(1), Manifest: rawCID(2), Home: 1, ActiveFrom: activeFrom,
	}
}

func rawCID(b byte) []byte {
	return append([]byte{1, 0x55, 0x12, 0x20}, bytes.Repeat([]byte{b}, 32)...)
}

// at is an event in a block.
type at struct {
	block uint64
	event Event
}

// serviceStory is everything that can happen to services, once.
var serviceStory = []at{
	{5, ServiceRegistered{1, alice, "search", wei(50)}}, {5, published(1, 1, 5)},
	{6, ServiceRegistered{2, bob, "search", wei(60)}}, {6, published(2, 1, 6)},
	{7, published(1, 2, 20)}, {7, DelegateSet{1, carol}}, {8, RevisionRevoked{1, 2, "wrong"}}, {9, DepositAdded{1, wei(55)}},
	{9, OwnershipOffered{1, carol}}, {9, OwnershipTransferred{1, alice, carol}}, {10, DelegateSet{1, bob}},
	{11, Unregistered{1, 1000}},
	{12, RevisionRevoked{1, 1, ""}}, {20, Withdrawn{1, carol, wei(55)}},
}

// serverStory is everything that can happen to servers, once.
var serverStory = []at{
	{5, ServerRegistered{1, alice, wei(50)}}, {5, URLSet{1, "https://a.example"}}, {5, KeyRotated{1, [32]byte{1, 2, 3}}},
	{5, ListsSet{1, ids(1, 2), ids(3), 4}}, {6, KeyRotated{1, [32]byte{4, 5, 6}}}, {7, KeyRotated{1, [32]byte{1}}},
	{8, KeyRotated{1, [32]byte{7, 8, 9}}}, {9, ListsSet{1, ids(2), ids(3), 5}}, {10, ListsSet{1, nil, nil, 5}},
	{11, DelegateSet{1, bob}},
}

func ids(list ...barnraise.ServiceID) []barnraise.ServiceID { return list }

// fold applies a story; times are a hundred times the block.
func fold(t testing.TB, apply func(Block, Event) error, story []at) {
	t.Helper()
	for i, e := range story {
		if err := apply(Block{e.block, int64(100 * e.block)}, e.event); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
}

// TestServices: what the events of services lead to.
func TestServices(t *testing.T) {
	var s Services
	fold(t, s.Apply, serviceStory)
	verifier, _ := ParseCID(rawCID(1))
	manifest, _ := ParseCID(rawCID(2))
	revision := func(number uint32, from uint64) barnraise.Revision {
		return barnraise.Revision{Number: number, Image: barnraise.Digest{1, byte(number)}, Reference: "registry.example/search",
			Verifier: verifier, Manifest: manifest, Home: 1, ActiveFrom: from}
	}
	first, second := revision(1, 5), revision(2, 20)
	first.Revoked, second.Revoked, second.Reason = true, true, "wrong"
	want := []barnraise.Service{
		{
			ID: 1, Owner: carol, Delegate: bob, Name: "search", Status: barnraise.StatusGone, Since: 5,
			Revisions: []barnraise.Revision{first, second},
		},
		{
			ID: 2, Owner: bob, Name: "search", Status: barnraise.StatusActive, Since: 6,
			Revisions: []barnraise.Revision{revision(1, 6)},
		},
	}
	if got := s.List(); !reflect.DeepEqual(got, want) {
		t.Errorf("services are\n%+v, want\n%+v", got, want)
	}
	head, ok := s.Head(1)
	if !ok || head.Deposit.Sign() != 0 || head.Edits != 2 || head.UnlockAt != 1000 || head.PendingOwner != (barnraise.Address{}) {
		t.Errorf("head of 1 is %+v, %t", head, ok)
	}
	for _, id := range []uint32{0, 3, 1 << 31} {
		if _, ok := s.Head(id); ok {
			t.Errorf("there is a head of %d", id)
		}
		if _, ok := s.Commitment(id); ok {
			t.Errorf("there is a commitment of %d", id)
		}
	}
}

// TestServers: what the events of servers lead to; a weak key ends the one before and is not listed (protocol 1.6).
func TestServers(t *testing.T) {
	var s Servers
	fold(t, s.Apply, serverStory)
	want := []barnraise.Server{{
		ID: 1, Operator: alice, Delegate: bob, URL: "https://a.example", Capacity: 5, Status: barnraise.StatusActive, Since: 5,
		Keys: []barnraise.Key{
			{Key: barnraise.PublicKey{1, 2, 3}, From: 5, To: 6, ReplacedAt: 600},
			{Key: barnraise.PublicKey{4, 5, 6}, From: 6, To: 7, ReplacedAt: 700},
			{Key: barnraise.PublicKey{7, 8, 9}, From: 8},
		},
	}}
	if got := s.List(); !reflect.DeepEqual(got, want) {
		t.Errorf("servers are\n%+v, want\n%+v", got, want)
	}
	if changed := s.records[0].rewardsAt; changed != 10 {
		t.Errorf("rewards changed at %d, want 10", changed)
	}
	if head, _ := s.Head(1); head.Edits != 8 {
		t.Errorf("%d edits, want 8", head.Edits)
	}
	if s.NeedsTime(URLSet{ID: 1}) || s.NeedsTime(KeyRotated{ID: 2}) || !s.NeedsTime(KeyRotated{ID: 1}) {
		t.Error("only a rotation that replaces a key needs the time")
	}
}

// TestHashesFrozen: the running hashes and commitments of the stories. Contracts are deployed that count on them: they can
// never change (protocol 1.8).
func TestHashesFrozen(t *testing.T) {
	var services Services
	var servers Servers
	fold(t, services.Apply, serviceStory)
	fold(t, servers.Apply, serverStory)
	for _, c := range []struct {
		name string
		got  [32]byte
		want string
	}{
		{"services log", services.Log(), "42aacdaf161bb4054be50944e2dd2a9cdaa3fff6b1d97cebb6bf203cfc083653"},
		{"services 2", services.commitments[1], "df2f12dc2a2ccaea06e0511eaa15aaac9252c2b5c3edf69fb146305aff568ff2"},
		{"servers log", servers.Log(), "ebc4d8323c9a7ff1821607e84e5bd62836c1b386154f65179b471e84ac099e7b"},
		{"servers 1", servers.commitments[0], "57af3fb15022aa21c5308d032587304b262af4d46498c46f442e3788da00e9f0"},
	} {
		if hex.EncodeToString(c.got[:]) != c.want {
			t.Errorf("%s is %x, want %s", c.name, c.got, c.want)
		}
	}
}

// TestLists: a list stays as it was when the registry goes on.
func TestLists(t *testing.T) {
	var services Services
	var servers Servers
	var old [][]barnraise.Service
	var older [][]barnraise.Server
	for i := range serviceStory {
		fold(t, services.Apply, serviceStory[i:i+1])
		old = append(old, services.List())
	}
	for i := range serverStory {
		fold(t, servers.Apply, serverStory[i:i+1])
		older = append(older, servers.List())
	}
	for i := range old {
		var fresh Services
		fold(t, fresh.Apply, serviceStory[:i+1])
		if !reflect.DeepEqual(fresh.List(), old[i]) {
			t.Errorf("services after event %d changed afterwards", i)
		}
	}
	for i := range older {
		var fresh Servers
		fold(t, fresh.Apply, serverStory[:i+1])
		if !reflect.DeepEqual(fresh.List(), older[i]) {
			t.Errorf("servers after event %d changed afterwards", i)
		}
	}
}

// TestForeignEvents: what the contracts would not have written, or not then, is refused and changes nothing.
func TestForeignEvents(t *testing.T) {
	big96 := new(big.Int).Lsh(wei(1), 96)
	with := func(change func(*RevisionPublished)) RevisionPublished {
		e := published(2, 2, 30)
		change(&e)
		return e
	}
	long := func(n int) string { return strings.Repeat("x", n) }
	check := func(side string, apply func(Block, Event) error, log func() [32]byte, list func() any, cases []at) {
		t.Helper()
		before, listed := log(), fmt.Sprint(list())
		for i, c := range cases {
			if err := apply(Block{Number: c.block}, c.event); !errors.Is(err, ErrEvents) || len(err.Error()) > 500 {
				t.Errorf("%s, case %d, %+v: error is %v, want ErrEvents", side, i, c.event, err)
			}
			if log() != before || fmt.Sprint(list()) != listed {
				t.Fatalf("%s, case %d, %+v: it changed something", side, i, c.event)
			}
		}
	}
	var s Services
	fold(t, s.Apply, serviceStory)
	check("services", s.Apply, s.Log, func() any { return s.List() }, []at{
		{19, DelegateSet{2, bob}}, {0, DelegateSet{2, bob}},
		{21, DelegateSet{0, bob}}, {21, DelegateSet{3, bob}}, {21, DelegateSet{1 << 31, bob}}, {21, DelegateSet{1, bob}},
		{21, ServiceRegistered{2, alice, "again", wei(1)}}, {21, ServiceRegistered{4, alice, "again", wei(1)}},
		{21, ServiceRegistered{0, alice, "again", wei(1)}}, {21, ServiceRegistered{3, barnraise.Address{}, "again", wei(1)}},
		{21, ServiceRegistered{3, alice, "no", wei(1)}}, {21, ServiceRegistered{3, alice, long(1000), wei(1)}},
		{21, ServiceRegistered{3, alice, "again", nil}}, {21, ServiceRegistered{3, alice, "again", wei(-1)}},
		{21, ServiceRegistered{3, alice, "again", big96}},
		{21, ServiceRegistered{3, bob, "search", wei(1)}},
		{21, with(func(e *RevisionPublished) { e.Number = 1 })}, {21, with(func(e *RevisionPublished) { e.Number = 3 })},
		{21, with(func(e *RevisionPublished) { e.Image = barnraise.Digest{} })},
		{21, with(func(e *RevisionPublished) { e.Home = 0 })},
		{21, with(func(e *RevisionPublished) { e.Reference = "" })},
		{21, with(func(e *RevisionPublished) { e.Reference = long(161) })},
		{21, with(func(e *RevisionPublished) { e.Verifier = nil })},
		{21, with(func(e *RevisionPublished) { e.Verifier = make([]byte, 65) })},
		{21, with(func(e *RevisionPublished) { e.Manifest = nil })},
		{21, with(func(e *RevisionPublished) { e.Manifest = make([]byte, 65) })},
		{21, with(func(e *RevisionPublished) { e.ActiveFrom = 20 })},
		{21, RevisionRevoked{2, 0, ""}}, {21, RevisionRevoked{2, 2, ""}}, {21, RevisionRevoked{2, 1, long(129)}},
		{21, RevisionRevoked{1, 1, ""}},
		{21, OwnershipTransferred{2, bob, alice}}, {21, OwnershipTransferred{2, bob, barnraise.Address{}}},
		{21, DepositAdded{2, wei(59)}}, {21, DepositAdded{2, nil}}, {21, DepositAdded{2, big96}},
		{21, Withdrawn{2, bob, wei(60)}}, {21, Withdrawn{1, carol, wei(0)}}, {21, Unregistered{1, 5}},
		{21, ServerRegistered{3, alice, wei(1)}}, {21, URLSet{2, "https://a.example"}},
		{21, KeyRotated{2, [32]byte{9}}}, {21, ListsSet{ID: 2}},
	})
	var v Servers
	fold(t, v.Apply, serverStory)
	check("servers", v.Apply, v.Log, func() any { return v.List() }, []at{
		{21, ServerRegistered{1, alice, wei(1)}}, {21, ServerRegistered{2, barnraise.Address{}, wei(1)}},
		{21, ServerRegistered{2, alice, nil}},
		{21, URLSet{2, "https://a.example"}}, {21, URLSet{1, "http://"}}, {21, URLSet{1, long(129)}}, {21, KeyRotated{1, [32]byte{}}},
		{21, ListsSet{ID: 1, Offers: ids(0)}}, {21, ListsSet{ID: 1, Offers: ids(2, 1)}}, {21, ListsSet{ID: 1, Rewards: ids(1, 1)}},
		{21, ListsSet{ID: 1, Offers: ascending(257)}}, {21, ListsSet{ID: 1, Rewards: ascending(65)}},
		{21, ServiceRegistered{2, alice, "search", wei(1)}}, {21, published(1, 9, 30)}, {21, RevisionRevoked{1, 1, ""}},
	})
	fold(t, v.Apply, []at{{30, OwnershipOffered{1, carol}}, {31, Unregistered{1, 5}}})
	check("servers, leaving", v.Apply, v.Log, func() any { return v.List() }, []at{
		{32, OwnershipTransferred{1, alice, carol}}, {32, URLSet{1, "https://b.example"}}, {32, ListsSet{ID: 1}},
		{32, DelegateSet{1, carol}},
		{32, Withdrawn{1, bob, wei(50)}}, {32, Withdrawn{1, alice, wei(49)}}, {32, Withdrawn{1, alice, nil}},
		{32, Unregistered{1, 6}},
	})
	if head, _ := v.Head(1); !head.PendingOwner.IsZero() {
		t.Error("a leaving record is still offered")
	}
}

// TestNames: a name is in use once under an owner; it moves with its service, and is free after withdrawal (protocol 1.2).
func TestNames(t *testing.T) {
	var s Services
	register := func(id uint32, owner barnraise.Address) at {
		return at{5, ServiceRegistered{id, owner, "search", wei(1)}}
	}
	refused := func(what string, e at) {
		t.Helper()
		before := s.Log()
		if err := s.Apply(Block{Number: e.block}, e.event); !errors.Is(err, ErrEvents) || s.Log() != before {
			t.Errorf("%s: error is %v, want ErrEvents and no change", what, err)
		}
	}
	fold(t, s.Apply, []at{register(1, alice), register(2, bob)})
	refused("registered twice", register(3, alice))
	fold(t, s.Apply, []at{{5, OwnershipOffered{1, bob}}})
	refused("passed to one who has it", at{5, OwnershipTransferred{1, alice, bob}})
	fold(t, s.Apply, []at{{5, OwnershipOffered{1, alice}}})
	refused("passed to oneself", at{5, OwnershipTransferred{1, alice, alice}})
	fold(t, s.Apply, []at{{5, OwnershipOffered{1, carol}}, {5, OwnershipTransferred{1, alice, carol}}})
	refused("of the new owner", register(3, carol))
	fold(t, s.Apply, []at{register(3, alice), {5, Unregistered{1, 1000}}})
	refused("of one who leaves", register(4, carol))
	fold(t, s.Apply, []at{{5, Withdrawn{1, carol, wei(1)}}, register(4, carol)})
}

func ascending(n int) []barnraise.ServiceID {
	list := make([]barnraise.ServiceID, n)
	for i := range list {
		list[i] = barnraise.ServiceID(i + 1)
	}
	return list
}

// TestHostileTexts: what strangers wrote reaches nobody's terminal raw, while commitments are to the exact bytes.
func TestHostileTexts(t *testing.T) {
	const evil = "a\x1b[31m\u202e\xff\n"
	var s Services
	var v Servers
	e := published(1, 1, 5)
	e.Reference = evil
	fold(t, s.Apply, []at{{5, ServiceRegistered{1, alice, "search", wei(1)}}, {5, e}, {6, RevisionRevoked{1, 1, evil}}})
	fold(t, v.Apply, []at{{5, ServerRegistered{1, alice, wei(1)}}, {5, URLSet{1, evil}}})
	revision := s.List()[0].Revisions[0]
	for _, text := range []string{revision.Reference, revision.Reason, v.List()[0].URL} {
		if want := "a\uFFFD[31m\uFFFD\uFFFD\uFFFD"; text != want {
			t.Errorf("text is %q, want %q", text, want)
		}
	}
	if v.records[0].url != keccak([]byte(evil)) {
		t.Error("the commitment is not to the bytes of the event")
	}
}

// TestUnusableCID: a revision whose CIDs are not of our kind is kept and cannot be called.
func TestUnusableCID(t *testing.T) {
	var s Services
	e := published(1, 1, 5)
	e.Verifier, e.Manifest = []byte("not a CID"), rawCID(7)[:35]
	fold(t, s.Apply, []at{{5, ServiceRegistered{1, alice, "search", wei(1)}}, {5, e}})
	if v := s.List()[0].Revisions[0]; v.Verifier != "" || v.Manifest != "" || v.Number != 1 {
		t.Errorf("the revision is %+v, want it without CIDs", v)
	}
}

// TestCID: only version 1, raw or dag-pb, SHA-256, is ours, and each has one spelling.
func TestCID(t *testing.T) {
	sum := bytes.Repeat([]byte{7}, 32)
	kind := func(prefix ...byte) []byte { return append(prefix, sum...) }
	for name, c := range map[string]struct {
		raw []byte
		ok  bool
	}{
		"raw":            {kind(1, 0x55, 0x12, 0x20), true},
		"dag-pb":         {kind(1, 0x70, 0x12, 0x20), true},
		"version 0":      {kind(0x12, 0x20), false},
		"dag-cbor":       {kind(1, 0x71, 0x12, 0x20), false},
		"SHA-512":        {append(kind(1, 0x55, 0x13, 0x40), sum...), false},
		"identity":       {kind(1, 0x55, 0x00, 0x20), false},
		"SHA-256 cut":    {kind(1, 0x55, 0x12, 0x14)[:24], false},
		"long varint":    {kind(1, 0xd5, 0x00, 0x12, 0x20), false},
		"something more": {append(kind(1, 0x55, 0x12, 0x20), 0), false},
		"cut off":        {kind(1, 0x55, 0x12, 0x20)[:35], false},
		"empty":          {nil, false},
		"long":           {make([]byte, 65), false},
	} {
		id, err := ParseCID(c.raw)
		if (err == nil) != c.ok {
			t.Errorf("%s: %q, %v; want success %t", name, id, err, c.ok)
		}
		if !c.ok {
			continue
		}
		if back, err := CIDBytes(id); err != nil || !bytes.Equal(back, c.raw) {
			t.Errorf("%s: back to %x, %v; want %x", name, back, err, c.raw)
		}
		if _, err := CIDBytes(barnraise.CID(strings.ToUpper(string(id)))); err == nil {
			t.Errorf("%s: another spelling is taken", name)
		}
	}
	for _, text := range []string{"", "b", "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", strings.Repeat("b", 1000)} {
		if raw, err := CIDBytes(barnraise.CID(text)); err == nil {
			t.Errorf("%.20q is taken as %x", text, raw)
		}
	}
}

func FuzzCID(f *testing.F) {
	f.Add(rawCID(1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		id, err := ParseCID(raw)
		if err != nil {
			return
		}
		if back, err := CIDBytes(id); err != nil || !bytes.Equal(back, raw) {
			t.Fatalf("%x is %s, back to %x, %v", raw, id, back, err)
		}
	})
}

// TestWords: our encoding is that of another implementation, whatever the lengths.
func TestWords(t *testing.T) {
	typed := func(names ...string) (args abi.Arguments) {
		for _, name := range names {
			kind, err := abi.NewType(name, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			args = append(args, abi.Argument{Type: kind})
		}
		return args
	}
	pack := func(args abi.Arguments, values ...any) [32]byte {
		t.Helper()
		b, err := args.Pack(values...)
		if err != nil {
			t.Fatal(err)
		}
		return crypto.Keccak256Hash(b)
	}
	h := [32]byte{9}
	chain := typed("bytes32", "uint32", "bytes32", "string", "bytes", "bytes", "uint32", "uint64")
	for n := range 65 {
		e := RevisionPublished{
			Number: uint32(n), Image: barnraise.Digest{8}, Reference: strings.Repeat("r", n), Verifier: bytes.Repeat([]byte{1}, 64-n),
			Manifest: bytes.Repeat([]byte{2}, n/2), Home: 1<<32 - 1, ActiveFrom: 1<<64 - 1,
		}
		if e.chain(h) != pack(chain, h, e.Number, [32]byte(e.Image), e.Reference, e.Verifier, e.Manifest, e.Home, e.ActiveFrom) {
			t.Fatalf("with %d bytes the encoding of a revision differs", n)
		}
		var list []uint32
		for i := range n {
			list = append(list, uint32(i*i+1))
		}
		typedIDs := make([]barnraise.ServiceID, n)
		for i := range list {
			typedIDs[i] = barnraise.ServiceID(list[i])
		}
		var v Servers
		fold(t, v.Apply, []at{{5, ServerRegistered{1, alice, wei(1)}}, {5, ListsSet{1, typedIDs, typedIDs, 6}}})
		got := v.records[0]
		if got.offers != pack(typed("uint32[]", "uint32"), list, uint32(6)) || got.rewards != pack(typed("uint32[]"), list) {
			t.Fatalf("with %d ids the encoding of lists differs", n)
		}
	}
	var s Services
	fold(t, s.Apply, serviceStory[:9])
	head, _ := s.Head(1)
	record := s.records[0]
	got, _ := s.Commitment(1)
	want := pack(
		typed("uint32", "address", "address", "address", "uint8", "uint96", "uint64", "uint64", "uint32", "bytes32", "bytes32", "bytes32"),
		uint32(1), [20]byte(head.Owner), [20]byte(head.Delegate), [20]byte(head.PendingOwner), uint8(head.Status), head.Deposit,
		head.Since, head.UnlockAt, head.Edits, record.name, record.revisions, record.revocations,
	)
	if got != want {
		t.Errorf("the commitment is %x, want %x", got, want)
	}
}

// TestHostileHistory: a record that its owner writes to all day does not make reading slow, also where each write changes what
// is there already: nothing long is copied for a short event.
func TestHostileHistory(t *testing.T) {
	const writes = 20_000
	var s Services
	var v Servers
	fold(t, s.Apply, []at{{5, ServiceRegistered{1, alice, "search", wei(1)}}})
	fold(t, v.Apply, []at{{5, ServerRegistered{1, alice, wei(1)}}})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range uint32(writes) {
		fold(t, s.Apply, []at{{5, published(1, i+1, 5)}, {5, RevisionRevoked{1, i + 1, ""}}})
		fold(t, v.Apply, []at{{5, KeyRotated{1, [32]byte{2, byte(i), byte(i >> 8)}}}})
	}
	runtime.ReadMemStats(&after)
	if per := (after.TotalAlloc - before.TotalAlloc) / writes; per > 64<<10 {
		t.Errorf("%d bytes are allocated for three writes", per)
	}
	if revisions, keys := len(s.List()[0].Revisions), len(v.List()[0].Keys); revisions != writes || keys != writes {
		t.Errorf("%d revisions and %d keys, want %d", revisions, keys, writes)
	}
}
