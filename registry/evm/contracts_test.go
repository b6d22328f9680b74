package evm

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"barnraise/registry/contracts/services"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// side is one of the two contracts, seen as what both have in common.
type side struct {
	name     string
	address  common.Address
	abi      *abi.ABI
	register []byte // a call that opens a record
}

func sides(t testing.TB, r *Registry) []side {
	c := r.contracts
	return []side{
		{"services", c.services, c.servicesABI, c.service.PackRegister("search", packed(t, "search"))},
		{"servers", c.servers, c.serversABI, c.server.PackRegister("https://a.example", publicKey("a"), list(1, 3), list(2, 1), 9)},
	}
}

func packed(t testing.TB, name string) services.ServiceRegistryRevision {
	t.Helper()
	p, err := pack(revision(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// advance moves the chain's clock.
func advance(chain world, d time.Duration) func(testing.TB) {
	return func(t testing.TB) {
		t.Helper()
		if err := chain.AdvanceTime(d); err != nil {
			t.Fatal(err)
		}
	}
}

// testOwnership: deposit, delegate, offer and acceptance, leaving and withdrawal, on both contracts (protocol 1.2, 1.5).
func testOwnership(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams)
	call := r.contracts.service // the functions that both have are packed alike
	none := common.Address{}
	for _, s := range sides(t, r) {
		t.Run(s.name, func(t *testing.T) {
			unknown := "there is no " + strings.TrimSuffix(s.name, "s") + " 2"
			at := func(who *Account, what string, data []byte, want, words string) step {
				return step{who: who, what: what, contract: s.address, call: data, want: want, words: words}
			}
			paid := func(amount *big.Int, s step) step { s.value = amount; return s }
			later := func(d time.Duration, s step) step { s.before = advance(chain, d); return s }
			play(t, r, []step{
				paid(milli(49), at(alice, "deposit too small", s.register, "DepositTooSmall", "of 0.05, you sent 0.049")),
				paid(milli(50), at(alice, "the least deposit", s.register, "", "")),

				at(alice, "delegate of no record", call.PackSetDelegate(2, bob.address), "NoSuchRecord", unknown),
				at(alice, "offer of no record", call.PackOfferOwnership(0, bob.address), "NoSuchRecord", ""),
				at(alice, "acceptance of no record", call.PackAcceptOwnership(2), "NoSuchRecord", ""),
				at(alice, "deposit to no record", call.PackTopUp(2), "NoSuchRecord", ""),
				at(alice, "no record leaves", call.PackUnregister(2), "NoSuchRecord", ""),
				at(alice, "no record is withdrawn", call.PackWithdraw(2), "NoSuchRecord", ""),

				at(bob, "stranger names a delegate", call.PackSetDelegate(1, bob.address), "NotOwner", "belongs to "+alice.address.Hex()),
				at(bob, "stranger offers", call.PackOfferOwnership(1, bob.address), "NotOwner", ""),
				at(bob, "stranger accepts", call.PackAcceptOwnership(1), "NotOffered", "offered to (nobody)"),
				paid(milli(1), at(bob, "stranger adds to the deposit", call.PackTopUp(1), "NotOwner", "")),
				at(bob, "stranger makes it leave", call.PackUnregister(1), "NotOwner", ""),
				at(bob, "stranger withdraws", call.PackWithdraw(1), "NotOwner", ""),

				at(alice, "delegate", call.PackSetDelegate(1, carol.address), "", ""),
				at(carol, "delegate names a delegate", call.PackSetDelegate(1, dave.address), "NotOwner", ""),
				at(carol, "delegate offers", call.PackOfferOwnership(1, carol.address), "NotOwner", ""),
				at(carol, "delegate adds to the deposit", call.PackTopUp(1), "NotOwner", ""),
				at(carol, "delegate makes it leave", call.PackUnregister(1), "NotOwner", ""),
				at(carol, "delegate withdraws", call.PackWithdraw(1), "NotOwner", ""),

				paid(milli(7), at(alice, "owner adds to the deposit", call.PackTopUp(1), "", "")),
				at(alice, "offer", call.PackOfferOwnership(1, bob.address), "", ""),
				at(carol, "somebody else accepts", call.PackAcceptOwnership(1), "NotOffered", "offered to "+bob.address.Hex()),
				at(alice, "the owner accepts his own offer", call.PackAcceptOwnership(1), "NotOffered", ""),
				at(alice, "offer taken back", call.PackOfferOwnership(1, none), "", ""),
				at(bob, "accepted too late", call.PackAcceptOwnership(1), "NotOffered", ""),
				at(alice, "offer again", call.PackOfferOwnership(1, bob.address), "", ""),
				at(bob, "acceptance", call.PackAcceptOwnership(1), "", ""),
				at(alice, "the old owner", call.PackSetDelegate(1, alice.address), "NotOwner", "belongs to "+bob.address.Hex()),
				at(bob, "accepted twice", call.PackAcceptOwnership(1), "NotOffered", ""),

				at(bob, "withdrawn before leaving", call.PackWithdraw(1), "WrongStatus", "is active"),
				at(bob, "offer before leaving", call.PackOfferOwnership(1, alice.address), "", ""),
				at(bob, "leaving", call.PackUnregister(1), "", ""),
				at(alice, "accepted while it leaves", call.PackAcceptOwnership(1), "WrongStatus", "is leaving"),
				at(bob, "leaving twice", call.PackUnregister(1), "WrongStatus", "is leaving"),
				at(bob, "delegate while it leaves", call.PackSetDelegate(1, carol.address), "WrongStatus", ""),
				at(bob, "offer while it leaves", call.PackOfferOwnership(1, carol.address), "WrongStatus", ""),
				at(bob, "deposit while it leaves", call.PackTopUp(1), "WrongStatus", ""),
				at(bob, "withdrawn too soon", call.PackWithdraw(1), "Locked", "is locked until 20"),
				later(testParams.UnlockDelay, at(alice, "withdrawn by the old owner", call.PackWithdraw(1), "NotOwner", "")),
				at(bob, "withdrawal", call.PackWithdraw(1), "", ""),
				at(bob, "withdrawn twice", call.PackWithdraw(1), "WrongStatus", "is gone"),
				at(bob, "back again", call.PackSetDelegate(1, carol.address), "WrongStatus", ""),
				paid(milli(60), at(bob, "another record of the same kind", s.register, "", "")),
			})
			s.checkTransfer(t, r)
		})
	}
}

// checkTransfer looks at what [testOwnership] leaves.
func (s side) checkTransfer(t *testing.T, r *Registry) {
	t.Helper()
	first := s.head(t, r, 1)
	if first.Owner != bob.address || first.Delegate != (common.Address{}) || first.Deposit.Sign() != 0 || first.Status != 3 {
		t.Errorf("record 1 is %+v, want bob's, without delegate and deposit, gone", first)
	}
	if second := s.head(t, r, 2); second.Owner != bob.address || second.Deposit.Cmp(milli(60)) != 0 || second.Status != 1 {
		t.Errorf("record 2 is %+v, want bob's, active", second)
	}
	if got := balance(t, r, s.address); got.Cmp(milli(60)) != 0 {
		t.Errorf("the contract holds %s, want the deposit of record 2", ether(got))
	}
}

// head reads a record's head from storage.
func (s side) head(t testing.TB, r *Registry, id uint32) services.HeadsOutput {
	t.Helper()
	h, err := read(t.Context(), r, s.address, "latest", r.contracts.service.PackHeads(id), r.contracts.service.UnpackHeads)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// testDepositTooLarge: a deposit that no uint96 holds reverts. Nobody has so much, so the calls are made as if alice had.
func testDepositTooLarge(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams)
	rich := map[common.Address]any{alice.address: map[string]any{"balance": (*hexutil.Big)(new(big.Int).Lsh(big.NewInt(1), 100))}}
	more := new(big.Int).Lsh(big.NewInt(1), 96)
	most := new(big.Int).Sub(more, big.NewInt(1))
	for _, s := range sides(t, r) {
		play(t, r, []step{{who: alice, what: "register", contract: s.address, value: milli(50), call: s.register}})
		for _, c := range []struct {
			what  string
			value *big.Int
			call  []byte
			want  string
		}{
			{"register, most", most, s.register, ""},
			{"register, one more", more, s.register, "DepositTooLarge"},
			{"topUp, most", new(big.Int).Sub(most, milli(50)), r.contracts.service.PackTopUp(1), ""},
			{"topUp, one more", new(big.Int).Sub(more, milli(50)), r.contracts.service.PackTopUp(1), "DepositTooLarge"},
		} {
			call := c.call
			if s.name == "services" && c.call[0] == s.register[0] {
				call = r.contracts.service.PackRegister("another", packed(t, "another"))
			}
			m := message{From: &alice.address, To: &s.address, Value: (*hexutil.Big)(c.value), Input: call}
			_, err := ask[hexutil.Bytes](t.Context(), r.client, "eth_call", m, "latest", rich)
			if err != nil {
				err = r.contracts.explain(&s.address, err)
			}
			var revert *Revert
			if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &revert) || revert.Name != c.want) {
				t.Errorf("%s, %s: error is %v, want %q", s.name, c.what, err, c.want)
			}
		}
	}
}

// testStorageSlots: log, count and commitments stand where proofs look for them.
func testStorageSlots(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams)
	for _, s := range sides(t, r) {
		play(t, r, []step{{who: alice, what: "register", contract: s.address, value: milli(50), call: s.register}})
		log, count, err := r.head.stored(t.Context(), r.head.at, s.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := storage(t, r, s.address, 0); got != log || log == [32]byte{} {
			t.Errorf("%s: slot 0 is %x, log is %x", s.name, got, log)
		}
		if got := storage(t, r, s.address, 1); got.Big().Uint64() != uint64(count) || count != 1 {
			t.Errorf("%s: slot 1 is %x, count is %d", s.name, got, count)
		}
		if got, want := mapped(t, r, s.address, 1, 2), s.commitment(t, r, 1); got != want || want == [32]byte{} {
			t.Errorf("%s: slot 2 of record 1 is %x, its commitment %x", s.name, got, want)
		}
	}
}

func (s side) commitment(t testing.TB, r *Registry, id uint32) [32]byte {
	t.Helper()
	call := r.contracts.service
	c, err := read(t.Context(), r, s.address, "latest", call.PackCommitments(id), call.UnpackCommitments)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// testPaymentRefused: a withdrawal that the owner's account does not take reverts, and one that calls back gets no more than
// it owns. Owners become contracts by a delegation of EIP-7702.
func testPaymentRefused(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams)
	call := r.contracts.service
	for _, s := range sides(t, r) {
		play(t, r, []step{
			{who: bob, what: "bob's", contract: s.address, value: milli(70), call: s.register},
			{who: alice, what: "alice's", contract: s.address, value: milli(50), call: s.register},
			{who: alice, what: "leaving", contract: s.address, call: call.PackUnregister(2)},
		})
		advance(chain, testParams.UnlockDelay)(t)

		delegateTo(t, chain, r, alice, s.address) // a registry takes no plain payments
		play(t, r, []step{{who: alice, what: "refused", contract: s.address, call: call.PackWithdraw(2), want: "PaymentRefused",
			words: "does not accept the deposit of 0.05"}})
		if h := s.head(t, r, 2); h.Status != 2 || h.Deposit.Cmp(milli(50)) != 0 {
			t.Errorf("%s: after the refusal the record is %+v, want it leaving with its deposit", s.name, h)
		}

		delegateTo(t, chain, r, alice, deploy(t, r, callsBack(call.PackWithdraw(2)))) // which withdraws again while it is paid
		before := balance(t, r, s.address)
		play(t, r, []step{{who: alice, what: "calls back", contract: s.address, call: call.PackWithdraw(2)}})
		if paid := new(big.Int).Sub(before, balance(t, r, s.address)); paid.Cmp(milli(50)) != 0 {
			t.Errorf("%s: the contract paid %s for a deposit of 0.05", s.name, ether(paid))
		}
		if log := storage(t, r, alice.address, 0); log.Big().Uint64() != 1 {
			t.Errorf("%s: the owner's code was not called", s.name)
		}
		delegateTo(t, chain, r, alice, common.Address{})
		play(t, r, []step{{who: alice, what: "name of its own again", contract: s.address, value: milli(50), call: s.register}})
	}
}

// testConstants: what a registry was deployed with can be read, by everybody and for ever.
func testConstants(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams)
	if r.params.Grace != testParams.Grace || r.params.RewardsEvery != testParams.RewardsEvery ||
		r.params.UnlockDelay != testParams.UnlockDelay || r.params.ServiceDeposit.Cmp(testParams.ServiceDeposit) != 0 ||
		r.params.ServerDeposit.Cmp(testParams.ServerDeposit) != 0 {
		t.Errorf("the constants are %+v, want %+v", r.params, testParams)
	}
	for _, s := range sides(t, r) {
		play(t, r, []step{{who: alice, what: "register", contract: s.address, value: milli(50), call: s.register}})
	}
	c := r.contracts
	if h, err := read(t.Context(), r, c.services, "latest", c.service.PackHashes(1), c.service.UnpackHashes); err != nil ||
		h.Name != keccak("search") || h.Revisions == [32]byte{} || h.Revocations != [32]byte{} {
		t.Errorf("the parts of a service are %+v, %v", h, err)
	}
	if h, err := read(t.Context(), r, c.servers, "latest", c.server.PackHashes(1), c.server.UnpackHashes); err != nil ||
		h.Url != keccak("https://a.example") || h.Keys == [32]byte{} || h.Offers == [32]byte{} || h.Rewards == [32]byte{} {
		t.Errorf("the parts of a server are %+v, %v", h, err)
	}
}

// testWritesAndReads: what is written over a registry's functions is read again, and nothing else.
func testWritesAndReads(t *testing.T, chain world) { suite(t, chain.RPC(), chain.URL(), alice) }
