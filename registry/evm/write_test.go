package evm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// TestEndpoints: a registry is written and read alike over the embedded chain's own client and over HTTP. [TestSuite] has it on
// another implementation of the chain.
func TestEndpoints(t *testing.T) {
	chain := newChain(t)
	t.Run("attached", func(t *testing.T) { suite(t, chain.RPC(), chain.URL(), alice) })
	t.Run("http", func(t *testing.T) {
		client, err := dial(t.Context(), chain.URL())
		if err != nil {
			t.Fatal(err)
		}
		suite(t, client, chain.URL(), bob)
	})
}

// suite deploys a registry, writes what there is to write, and expects to read exactly that.
func suite(t *testing.T, client *rpc.Client, url string, owner *Account) {
	ctx := t.Context()
	n, err := Deploy(ctx, client, owner, testParams)
	if err != nil {
		t.Fatal(err)
	}
	n.RPC = []string{url}
	r, err := New(ctx, client, n)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got := r.params; !reflect.DeepEqual(got, testParams) {
		t.Errorf("the constants are %+v, want %+v", got, testParams)
	}

	first, second := revision(t, "first"), revision(t, "second")
	id, registered, err := r.RegisterService(ctx, owner, "search", first, nil)
	if err != nil || id != 1 {
		t.Fatalf("service %s, %v; want #1", id, err)
	}
	number, published, err := r.Publish(ctx, owner, id, second)
	if err != nil || number != 2 {
		t.Fatalf("revision %d, %v; want 2", number, err)
	}
	profile := Profile{
		URL: "http://127.0.0.1:8001", Key: publicKey("a"), Offers: []barnraise.ServiceID{1}, Rewards: []barnraise.ServiceID{1, 2},
	}
	server, opened, err := r.RegisterServer(ctx, owner, profile, milli(75))
	if err != nil || server != 1 {
		t.Fatalf("server %s, %v; want 1", server, err)
	}
	write := func(what string, tx Tx, err error) {
		t.Helper()
		if err != nil || tx.Hash == (common.Hash{}) || tx.Block == 0 || tx.Gas < 21_000 {
			t.Fatalf("%s: transaction %+v, %v", what, tx, err)
		}
	}
	delegate := testAccount("delegate").Address()
	tx, err := r.SetURL(ctx, owner, server, "http://127.0.0.1:8002")
	write("set URL", tx, err)
	tx, err = r.SetLists(ctx, owner, server, []barnraise.ServiceID{1, 5}, []barnraise.ServiceID{1, 2}, 10)
	write("set lists", tx, err)
	tx, err = r.SetServerDelegate(ctx, owner, server, delegate)
	write("set delegate of server", tx, err)
	tx, err = r.SetServiceDelegate(ctx, owner, id, delegate)
	write("set delegate of service", tx, err)

	got, err := r.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	first.Number, first.ActiveFrom = 1, registered.Block
	second.Number, second.ActiveFrom = 2, published.Block+uint64(testParams.Grace)
	want := barnraise.NewSnapshot(n.Registry(), got.Block, got.Hash, uint64(testParams.Grace), []barnraise.Service{{
		ID: 1, Owner: owner.Address(), Delegate: delegate, Name: "search", Status: barnraise.StatusActive,
		Since: registered.Block, Revisions: []barnraise.Revision{first, second},
	}}, []barnraise.Server{{
		ID: 1, Operator: owner.Address(), Delegate: delegate, URL: "http://127.0.0.1:8002",
		Keys: []barnraise.Key{{Key: publicKey("a"), From: opened.Block}}, Offers: []barnraise.ServiceID{1, 5},
		Rewards: []barnraise.ServiceID{1, 2}, Capacity: 10, Status: barnraise.StatusActive, Since: opened.Block,
	}})
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the snapshot is\n%+v, want\n%+v", got, want)
	}
	head, err := latest(ctx, client)
	if err != nil || got.Block != uint64(head.Number) || got.Hash != head.Hash {
		t.Errorf("the snapshot is of block %d, the head is %d, %v", got.Block, uint64(head.Number), err)
	}
	suiteRefusals(t, r, owner)
}

// suiteRefusals: what a contract refuses comes out as typed and in words, whoever runs the chain.
func suiteRefusals(t *testing.T, r *Registry, owner *Account) {
	ctx := t.Context()
	bad := revision(t, "bad")
	bad.Home = 0
	_, _, small := r.RegisterService(ctx, owner, "other", revision(t, "x"), milli(10))
	_, _, taken := r.RegisterService(ctx, owner, "search", revision(t, "x"), nil)
	_, _, homeless := r.Publish(ctx, owner, 1, bad)
	if _, err := r.SetLists(ctx, owner, 1, nil, []barnraise.ServiceID{3}, 1); err != nil {
		t.Error(err) // long enough after the registration
	}
	_, rewards := r.SetLists(ctx, owner, 1, nil, []barnraise.ServiceID{4}, 1)
	_, unknown := r.SetURL(ctx, owner, 7, "http://127.0.0.1:8003")
	for _, c := range []struct {
		err         error
		name, words string
	}{
		{small, "DepositTooSmall", `register service "other": this registry asks a deposit of 0.05, you sent 0.01`},
		{taken, "NameTaken", "has a service of that name already, #1"},
		{homeless, "Missing", "publish revision of service #1: home must not be zero"},
		{rewards, "RewardsTooSoon", "set lists of server 1: this server can change its rewards again from block"},
		{unknown, "NoSuchRecord", "there is no server 7"},
	} {
		var revert *Revert
		if !errors.As(c.err, &revert) || revert.Name != c.name || !strings.Contains(c.err.Error(), c.words) {
			t.Errorf("error is %v, want %s with %q", c.err, c.name, c.words)
		}
	}
	if _, _, err := r.RegisterService(ctx, mallory, "poor", revision(t, "x"), nil); err == nil ||
		!strings.Contains(err.Error(), "send some of the chain's coin to "+registry.Checksum(mallory.Address())) {
		t.Errorf("error is %v, want a hint to fund the account", err)
	}
	foreign := revision(t, "x")
	foreign.Verifier = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"
	if _, _, err := r.Publish(ctx, owner, 1, foreign); err == nil || !strings.Contains(err.Error(), "verifier") {
		t.Errorf("error is %v, want one about the verifier", err)
	}
}

// TestParallelWriters: many who write with one account, partly in vain, do not get in each other's way.
func TestParallelWriters(t *testing.T) {
	chain := newChain(t)
	r := newRegistry(t, chain, testParams)
	n := r.Network()
	over, err := Dial(t.Context(), n) // HTTP, so that two connections are in it
	if err != nil {
		t.Fatal(err)
	}
	defer over.Close()
	const writers = 60
	var refused atomic.Int32
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			use := []*Registry{r, over}[i%2]
			deposit := milli(50)
			if i%5 == 4 {
				deposit = milli(1)
			}
			_, _, err := use.RegisterService(t.Context(), alice, fmt.Sprint("service-", i), revision(t, fmt.Sprint(i)), deposit)
			var revert *Revert
			switch {
			case errors.As(err, &revert):
				refused.Add(1)
			case err != nil:
				t.Error(err)
			}
		})
	}
	group.Wait()
	s, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := len(s.Services()); got != writers*4/5 || refused.Load() != writers/5 {
		t.Errorf("%d services and %d refusals, want %d and %d", got, refused.Load(), writers*4/5, writers/5)
	}
}

// TestTwoAccountsOfOneKey: processes that share a key find free numbers, if not too many write at once, and each write is
// made once.
func TestTwoAccountsOfOneKey(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	var group sync.WaitGroup
	for i, a := range []*Account{accountOf(alice.key), accountOf(alice.key)} {
		group.Go(func() {
			for j := range 10 {
				p := Profile{URL: fmt.Sprint("http://127.0.0.1:", 8000+100*i+j), Key: publicKey("a")}
				if _, _, err := r.RegisterServer(t.Context(), a, p, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	s, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	urls := make(map[string]bool)
	for _, v := range s.Servers() {
		urls[v.URL] = true
	}
	if len(s.Servers()) != 20 || len(urls) != 20 {
		t.Errorf("%d servers with %d URLs, want 20 of each", len(s.Servers()), len(urls))
	}
}

// TestSentTwice: an endpoint that passes a transaction on, and then says that it has it already, or that its number is used,
// made one write and not two; one whose answer is lost, too.
func TestSentTwice(t *testing.T) {
	for _, c := range []struct {
		says   string
		status int // of HTTP
		mined  bool
	}{
		{"already known", 200, false}, {"AlreadyKnown", 200, false}, {"ALREADY_EXISTS: already known", 200, true},
		{"transaction already imported", 200, true}, {"nonce too low: next nonce 4, tx nonce 3", 200, true},
		{"request timed out", -32002, false}, {"", http.StatusGatewayTimeout, false}, {"", http.StatusBadGateway, true},
	} {
		t.Run(fmt.Sprint(c.says, " ", c.status), func(t *testing.T) {
			chain := newChain(t)
			r := newRegistry(t, chain, testParams)
			answers := 0
			behind := through(t, r, func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
				if method != "eth_sendRawTransaction" {
					return result, nil
				}
				if answers++; c.mined {
					var hash common.Hash
					if err := json.Unmarshal(result, &hash); err != nil {
						return nil, err
					}
					if _, err := r.sender().wait(t.Context(), hash); err != nil {
						return nil, err
					}
				}
				return nil, answer{c.says, c.status}
			})
			p := Profile{URL: "http://127.0.0.1:8001", Key: publicKey("a")}
			id, tx, err := behind.RegisterServer(t.Context(), alice, p, nil)
			if err != nil || id != 1 || tx.Block == 0 || answers != 1 {
				t.Errorf("server %s, transaction %+v, %v, sent %d times; want server 1 and no error", id, tx, err, answers)
			}
			s, err := r.Snapshot(t.Context())
			if err != nil || len(s.Servers()) != 1 {
				t.Errorf("snapshot %v, %v; want one server", s, err)
			}
			if _, _, err := behind.RegisterServer(t.Context(), alice, p, nil); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestRefused: what an endpoint certainly did not take is no transaction.
func TestRefused(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	behind := through(t, r, func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if method == "eth_sendRawTransaction" {
			return nil, errors.New("transactions are not taken here")
		}
		return result, nil
	})
	_, tx, err := behind.RegisterServer(t.Context(), alice, Profile{URL: "http://127.0.0.1:8001", Key: publicKey("a")}, nil)
	if err == nil || !strings.Contains(err.Error(), "not taken here") || strings.Contains(err.Error(), "may still come") || tx != (Tx{}) {
		t.Errorf("transaction %+v, error is %v; want none, and what the endpoint says", tx, err)
	}
	gone, err := dial(t.Context(), "http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	if _, err := chainID(t.Context(), gone); err == nil || !refused(err) {
		t.Errorf("error is %v, want one of an endpoint that was never reached", err)
	}
}

// TestRevertedInBlock: a call that gets into a block, and is refused there, tells why as well.
func TestRevertedInBlock(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	behind := through(t, r, func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if method == "eth_estimateGas" {
			return json.RawMessage(`"0x493e0"`), nil // as if it would be taken
		}
		return result, nil
	})
	for range 2 {
		_, tx, err := behind.RegisterService(t.Context(), alice, "search", revision(t, "search"), milli(10))
		var revert *Revert
		if !errors.As(err, &revert) || revert.Name != "DepositTooSmall" || tx.Block == 0 {
			t.Errorf("transaction %+v, error is %v; want one in a block, and DepositTooSmall", tx, err)
		}
	}
	if _, _, err := behind.RegisterService(t.Context(), alice, "search", revision(t, "search"), nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestOldChain: a chain without base fee gets transactions with a gas price.
func TestOldChain(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	behind := through(t, r, func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if method == "eth_getBlockByNumber" {
			result = bytes.Replace(result, []byte("baseFeePerGas"), []byte("noFeePerGas"), 1)
		}
		return result, nil
	})
	_, tx, err := behind.RegisterService(t.Context(), alice, "search", revision(t, "search"), nil)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := ask[map[string]any](t.Context(), r.client, "eth_getTransactionByHash", tx.Hash)
	if err != nil || sent["type"] != "0x0" {
		t.Errorf("the transaction is of type %v, %v; want 0x0", sent["type"], err)
	}
}

// TestAbsurdFees: an endpoint that lies about the price of gas empties no account.
func TestAbsurdFees(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	for _, lie := range []string{"eth_maxPriorityFeePerGas", "eth_estimateGas"} {
		behind := through(t, r, func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
			if method == lie {
				return json.RawMessage(`"0xfffffffffffffff"`), nil
			}
			return result, nil
		})
		_, _, err := behind.RegisterService(t.Context(), alice, "search", revision(t, "search"), nil)
		if err == nil || !strings.Contains(err.Error(), "for this transaction: use another one") {
			t.Errorf("%s: error is %v, want one about the cost", lie, err)
		}
	}
}

// TestNotTakenUp: a transaction that no block takes is given up when the caller does, and named; also where the endpoint did
// not say whether it has it.
func TestNotTakenUp(t *testing.T) {
	for name, lost := range map[string]bool{"sent": false, "lost": true} {
		t.Run(name, func(t *testing.T) {
			r := newRegistry(t, newChain(t), testParams)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			asked := 0
			behind := through(t, r, func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
				switch method {
				case "eth_sendRawTransaction":
					if lost {
						return nil, answer{status: http.StatusGatewayTimeout}
					}
				case "eth_getTransactionReceipt":
					switch asked++; asked {
					case 1:
						return json.RawMessage("null"), nil
					case 3:
						cancel(errors.New("the caller had enough"))
					}
					return nil, errors.New("first line\nsecond line")
				}
				return result, nil
			})
			_, tx, err := behind.RegisterService(ctx, alice, "search", revision(t, "search"), nil)
			if err == nil || tx.Hash == (common.Hash{}) || tx.Block != 0 {
				t.Fatalf("transaction %+v, error is %v; want a hash and no block", tx, err)
			}
			for _, want := range []string{
				"wait for transaction " + tx.Hash.String() + ", which may still come: the caller had enough",
				"eth_getTransactionReceipt: first line second line",
			} {
				if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error is %q, want one line with %q", err, want)
				}
			}
			if asked < 3 {
				t.Errorf("asked for the receipt %d times", asked)
			}
			if _, _, err := r.RegisterService(t.Context(), alice, "resolve", revision(t, "resolve"), nil); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestDeployParams: constants that no contract could hold are refused before anything is sent.
func TestDeployParams(t *testing.T) {
	chain := newChain(t)
	for name, change := range map[string]func(*Params){
		"no deposit":       func(p *Params) { p.ServiceDeposit = nil },
		"negative deposit": func(p *Params) { p.ServerDeposit = big.NewInt(-1) },
		"huge deposit":     func(p *Params) { p.ServerDeposit = new(big.Int).Lsh(big.NewInt(1), 96) },
		"odd delay":        func(p *Params) { p.UnlockDelay = time.Millisecond },
		"negative delay":   func(p *Params) { p.UnlockDelay = -time.Second },
		"long delay":       func(p *Params) { p.UnlockDelay = 1 << 62 / time.Second * time.Second },
	} {
		p := testParams
		change(&p)
		if _, err := Deploy(t.Context(), chain.RPC(), alice, p); err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%s: error is %v, want one that says what it takes", name, err)
		}
	}
	free := Params{ServiceDeposit: new(big.Int), ServerDeposit: new(big.Int)}
	r := newRegistry(t, chain, free)
	if _, _, err := r.RegisterService(t.Context(), bob, "search", revision(t, "search"), nil); err != nil {
		t.Errorf("without any deposit: %v", err)
	}
}
