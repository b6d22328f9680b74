package evm

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// TestReplaced: who waits for a transaction whose number another one used is told so.
func TestReplaced(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	s := r.sender()
	before, err := s.nonce(t.Context(), bob, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, _, err := r.RegisterService(t.Context(), bob, fmt.Sprint("service-", i), revision(t, "x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	chain := new(big.Int).SetUint64(r.chainID)
	for i := range uint64(3) {
		tx, err := bob.sign(t.Context(), types.NewTx(&types.DynamicFeeTx{ChainID: chain, Nonce: before + i}), chain)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.land(t.Context(), bob, tx); !errors.Is(err, ErrReplaced) || !strings.Contains(err.Error(), registry.Checksum(bob.Address())) {
			t.Errorf("error is %v, want %v", err, ErrReplaced)
		}
	}
	next, err := bob.sign(t.Context(), types.NewTx(&types.DynamicFeeTx{ChainID: chain, Nonce: before + 3}), chain)
	if err != nil || s.look(t.Context(), next) != nobody {
		t.Errorf("a number is used that is free, %v", err)
	}
}

// TestLateReceipts: an endpoint that shows a block long before it shows its receipts makes nobody write twice.
func TestLateReceipts(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	looks := 0
	behind := through(t, r, func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if looks < 14 && method == "eth_getTransactionReceipt" {
			looks++
			return json.RawMessage("null"), nil
		}
		return result, nil
	})
	_, tx, err := behind.RegisterServer(t.Context(), alice, Profile{URL: "http://127.0.0.1:8001", Key: publicKey("a")}, nil)
	if err != nil || tx.Block == 0 || looks != 14 {
		t.Errorf("transaction %+v, %v, after %d looks", tx, err, looks)
	}
}

// TestSentTwiceAndLate: an endpoint that passes a write on twice, and shows the block but no receipt, made one write.
func TestSentTwiceAndLate(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	mined, looks := false, 0
	behind := through(t, r, func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		switch {
		case method == "eth_getTransactionReceipt" && mined && looks < 3:
			looks++
			return json.RawMessage("null"), nil
		case method == "eth_sendRawTransaction":
			var hash common.Hash
			if err := json.Unmarshal(result, &hash); err != nil {
				return nil, err
			}
			if _, err := r.sender().wait(t.Context(), hash); err != nil {
				return nil, err
			}
			mined = true
			return nil, errors.New("nonce too low: next nonce 4, tx nonce 3")
		}
		return result, nil
	})
	id, tx, err := behind.RegisterServer(t.Context(), alice, Profile{URL: "http://127.0.0.1:8001", Key: publicKey("a")}, nil)
	if err != nil || id != 1 || tx.Block == 0 || looks != 3 {
		t.Errorf("server %s, %+v, %v, after %d looks", id, tx, err, looks)
	}
	if s, err := r.Snapshot(t.Context()); err != nil || len(s.Servers()) != 1 {
		t.Errorf("%v, %v; want one server", s, err)
	}
}

func TestFirstBlock(t *testing.T) {
	broken := errors.New("no state")
	for _, c := range []struct {
		head, from, state uint64 // state: no older block is known
		want              uint64
		ok                bool
	}{
		{100, 100, 0, 100, true}, {100, 99, 0, 99, true}, {100, 57, 0, 57, true}, {100, 1, 0, 1, true}, {100, 101, 0, 0, false},
		{100, 0, 0, 0, false}, {0, 0, 0, 0, false}, {100, 99, 97, 99, true}, {100, 57, 90, 0, false}, {100, 57, 101, 0, false},
	} {
		asked := 0
		at, ok := firstBlock(c.head, func(n uint64) (bool, error) {
			if asked++; n < c.state {
				return false, broken
			}
			return n >= c.from, nil
		})
		if at != c.want || ok != c.ok || asked > 20 {
			t.Errorf("%+v: it is %d, %v, asked %d times", c, at, ok, asked)
		}
	}
}

// testManyProcesses: programs that share a key and make the very same call at once make it once each, or are told that they
// did not.
func testManyProcesses(t *testing.T, chain world) {
	manyProcesses(t, newRegistry(t, chain, testParams), alice)
}

func manyProcesses(t *testing.T, r *Registry, of *Account) {
	const processes, writers, each = 4, 3, 4
	var group sync.WaitGroup
	var mu sync.Mutex
	made := make(map[barnraise.ServerID]common.Hash)
	for i := range processes {
		a := accountOf(of.key) // as another process has it
		a.salt = uint64(i)
		over, err := Dial(t.Context(), r.Network())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(over.Close)
		for range writers {
			group.Go(func() {
				for range each {
					p := Profile{URL: "http://127.0.0.1:8000", Key: publicKey("a")}
					id, tx, err := over.RegisterServer(t.Context(), a, p, nil)
					switch {
					case errors.Is(err, ErrReplaced), errors.Is(err, errTaken):
						continue // it knows that it has to do it again
					case err != nil:
						t.Error(err)
						continue
					}
					mu.Lock()
					if other, twice := made[id]; twice {
						t.Errorf("server %s is claimed by %s and %s", id, other, tx.Hash)
					}
					made[id] = tx.Hash
					mu.Unlock()
				}
			})
		}
	}
	group.Wait()
	s, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []barnraise.ServerID
	for _, v := range s.Servers() {
		ids = append(ids, v.ID)
	}
	if len(ids) != len(made) || len(made) < processes*each {
		t.Errorf("%d servers are there, %d writers were told so", len(ids), len(made))
	}
}

// TestUnderpriced: a transaction that nobody wants at its price is none, and can be made again.
func TestUnderpriced(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	times := 0
	behind := through(t, r, func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if method != "eth_sendRawTransaction" {
			return result, nil
		}
		times++
		return nil, errors.New("transaction underpriced: tip needed 1000000, tip permitted 1")
	})
	_, tx, err := behind.RegisterServer(t.Context(), alice, Profile{URL: "http://127.0.0.1:8001", Key: publicKey("a")}, nil)
	if err == nil || !strings.Contains(err.Error(), "nothing was written: the price of gas rose meanwhile, try again") || tx != (Tx{}) || times != 1 {
		t.Errorf("transaction %+v, sent %d times, error is %v", tx, times, err)
	}
}
