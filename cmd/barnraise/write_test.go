package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"barnraise"
	"barnraise/registry/devchain"
	"barnraise/registry/evm"
)

// ledger is a fresh registry behind an endpoint that takes so many transactions and then no more.
type ledger struct {
	account string // key file
	takes   atomic.Int64
	talk    strings.Builder
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	dir := t.TempDir()
	l := &ledger{account: filepath.Join(dir, "account")}
	account, err := evm.NewAccount()
	if err == nil {
		err = evm.WriteAccount(l.account, account)
	}
	if err != nil {
		t.Fatal(err)
	}
	chain, err := devchain.Start(devchain.Config{Fund: []barnraise.Address{account.Address()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chain.Close() })
	network, err := evm.Deploy(t.Context(), chain.RPC(), account, evm.Params{ServiceDeposit: big.NewInt(1), ServerDeposit: big.NewInt(1)})
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("eth_sendRawTransaction")) && l.takes.Add(-1) < 0 {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no more"}}`)
			return
		}
		resp, err2 := http.Post(chain.URL(), "application/json", bytes.NewReader(body))
		if err != nil || err2 != nil {
			t.Errorf("pass on: %v, %v", err, err2)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", "application/json")
		io.Copy(w, resp.Body)
	}))
	t.Cleanup(proxy.Close)
	network.RPC, network.Confirmations = []string{proxy.URL}, new(uint64)
	file := filepath.Join(dir, "network.yaml")
	if err := os.WriteFile(file, network.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BARNRAISE_NETWORK", file)
	return l
}

// written is what writing commands print as JSON.
type written struct {
	ID           int        `json:"id"`
	Gas          uint64     `json:"gas"`
	Transaction  string     `json:"transaction"`
	Transactions []txResult `json:"transactions"`
}

// run runs a writing command while the endpoint takes so many transactions.
func (l *ledger) run(t *testing.T, takes int64, args ...string) (code int, w written) {
	t.Helper()
	l.takes.Store(takes)
	l.talk.Reset()
	var out strings.Builder
	code = run(t.Context(), append(args, "--account", l.account, "--json"), &out, &l.talk)
	if err := json.Unmarshal([]byte(out.String()), &w); err != nil {
		t.Fatalf("%v: it prints %q and says %q", err, out.String(), l.talk.String())
	}
	return code, w
}

// What was paid for is told, also where the next transaction fails.
func TestNothingPaidForIsLost(t *testing.T) {
	const delegate = "0x00000000000000000000000000000000000000de"
	l := newLedger(t)
	key := filepath.Join(t.TempDir(), "key.pem")
	code, w := l.run(t, 1, "servers", "register", "--url", "http://127.0.0.1:1", "--key", key, "--delegate", delegate)
	hint := fmt.Sprintf("it is registered as server 1: set the delegate with: barnraise servers set 1 --account %s --delegate %s", l.account, delegate)
	if code != exitFailed || w.ID != 1 || len(w.Transactions) != 1 || w.Transactions[0].Does != "register" || !strings.Contains(l.talk.String(), hint) {
		t.Errorf("the second transaction fails: exit code %d, %+v, it says %q", code, w, l.talk.String())
	}
	code, w = l.run(t, 2, "servers", "set", "1", "--url", "http://127.0.0.1:2", "--delegate", delegate, "--capacity", "3")
	if code != exitFailed || len(w.Transactions) != 2 || w.Transactions[1].Does != "set delegate" {
		t.Errorf("the third transaction fails: exit code %d, %+v, it says %q", code, w, l.talk.String())
	}
	code, w = l.run(t, 3, "servers", "set", "1", "--url", "http://127.0.0.1:3", "--delegate", delegate, "--capacity", "3")
	gas := uint64(0)
	for _, tx := range w.Transactions {
		gas += tx.Gas
	}
	if code != 0 || len(w.Transactions) != 3 || w.Gas != gas || w.Transaction != w.Transactions[2].Transaction {
		t.Errorf("three transactions: exit code %d, %+v", code, w)
	}
}

func TestWhatBecameOfATransaction(t *testing.T) {
	refused := errors.New("refused")
	w := &writing{made: map[string]any{"id": 7}}
	for _, c := range []struct {
		tx   evm.Tx
		err  error
		text string
	}{
		{evm.Tx{}, refused, ""},
		{evm.Tx{Hash: [32]byte{1}, Block: 5, Gas: 3}, nil, "in block 5, 3 gas"},
		{evm.Tx{Hash: [32]byte{2}, Block: 6, Gas: 4}, refused, "in block 6, refused, 4 gas"},
		{evm.Tx{Hash: [32]byte{3}}, refused, "may still come"},
	} {
		before := len(w.transactions)
		if err := w.did("it", c.tx, c.err); err != c.err {
			t.Errorf("%v: %v", c.tx, err)
		}
		if c.text == "" && len(w.transactions) != before {
			t.Error("a transaction that was never sent is noted")
		}
		if c.text != "" && !strings.HasSuffix(w.transactions[before].text(), c.text) {
			t.Errorf("it says %q, want %q", w.transactions[before].text(), c.text)
		}
	}
	if r := w.result(); r["gas"] != uint64(7) || r["id"] != 7 || r["transaction"] != w.transactions[2].Transaction {
		t.Errorf("the result is %v", r)
	}
}

func TestListsOnTheCommandLine(t *testing.T) {
	for typed, want := range map[string]idList{
		"3": {3}, "#3": {3}, "3,1,#2,3": {1, 2, 3}, " 4, 5": {4, 5}, "": nil, "4294967295": {1<<32 - 1},
	} {
		var l idList
		if err := l.Set(typed); err != nil || !slices.Equal(l, want) {
			t.Errorf("%q is %v, %v; want %v", typed, l, err, want)
		}
	}
	for _, typed := range []string{"0", "4294967296", "4294967297", "-1", "1,", ",", "##1", "x", "1 2"} {
		var l idList
		if err := l.Set(typed); err == nil {
			t.Errorf("%q is %v", typed, l)
		}
	}
}

func TestEtherOnTheCommandLine(t *testing.T) {
	for typed, want := range map[string]string{"0.05": "50000000000000000", "1": "1000000000000000000", "0": "0", "1e-18": "1"} {
		var e ether
		if err := e.Set(typed); err != nil || e.wei.String() != want {
			t.Errorf("%q is %v, %v; want %s", typed, e.wei, err, want)
		}
	}
	for _, typed := range []string{"", "-1", "much"} {
		if err := new(ether).Set(typed); err == nil {
			t.Errorf("%q is an amount", typed)
		}
	}
}
