package evm

import (
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// TestSuite: whatever implements the chain, the contracts take and refuse the same, and what is read is the same. No test of
// the suite knows where it runs; and when all have run, every function of both contracts has been called, every event written
// and every error provoked.
func TestSuite(t *testing.T) {
	tests := []struct {
		name string
		run  func(*testing.T, world)
	}{
		{"Ownership", testOwnership},
		{"DepositTooLarge", testDepositTooLarge},
		{"StorageSlots", testStorageSlots},
		{"PaymentRefused", testPaymentRefused},
		{"ServiceRegister", testServiceRegister},
		{"ServiceNames", testServiceNames},
		{"Publish", testPublish},
		{"Revoke", testRevoke},
		{"ServerRegister", testServerRegister},
		{"ServerSet", testServerSet},
		{"RewardsEvery", testRewardsEvery},
		{"Constants", testConstants},
		{"WritesAndReads", testWritesAndReads},
		{"RandomWrites", testRandomWrites},
		{"SnapshotIncremental", testSnapshotIncremental},
		{"Reorgs", testReorgs},
		{"ReorgsRereads", testReorgsRereads},
		{"LyingEndpoint", testLyingEndpoint},
		{"LyingState", testLyingState},
		{"Liars", testLiars},
		{"LoneLiar", testLoneLiar},
		{"Contradiction", testContradiction},
		{"ManyProcesses", testManyProcesses},
		{"Proofs", testProofs},
	}
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			seen, ran := newRecord(), 0
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) {
					test.run(t, &watched{world: w.start(t), t: t, seen: seen})
					ran++
				})
			}
			if ran == len(tests) && !t.Failed() {
				seen.check(t)
			}
		})
	}
}

// worlds are the implementations of a chain that there are here.
func worlds() []struct {
	name  string
	start func(*testing.T) world
} {
	return []struct {
		name  string
		start func(*testing.T) world
	}{
		{"embedded", func(t *testing.T) world { return newChain(t) }},
		{"anvil", func(t *testing.T) world { return newAnvil(t) }},
	}
}

// anvil is the chain of Foundry, in a process of its own.
type anvil struct {
	*testing.T
	url    string
	client *rpc.Client
}

// newAnvil starts a chain with the same people as the embedded one.
func newAnvil(t *testing.T) *anvil {
	t.Helper()
	bin := os.Getenv("BARNRAISE_ANVIL")
	if bin == "" && os.Getenv("CI") != "" {
		t.Fatal("BARNRAISE_ANVIL does not name an anvil binary (Foundry)")
	}
	if bin == "" {
		t.Skip("no second implementation of the chain: BARNRAISE_ANVIL does not name an anvil binary (Foundry)")
	}
	client, url := startAnvil(t, bin)
	t.Cleanup(client.Close)
	a := &anvil{t, url, client}
	funds := (*hexutil.Big)(new(big.Int).Mul(big.NewInt(1e18), big.NewInt(1e6)))
	for _, who := range []*Account{alice, bob, carol, dave} {
		if err := a.tell("anvil_setBalance", who.address, funds); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func (a *anvil) URL() string { return a.url }

func (a *anvil) RPC() *rpc.Client {
	client, err := dial(a.Context(), a.url)
	if err != nil {
		a.Fatal(err)
	}
	return client
}

// Fork goes back by so many blocks as are too many.
func (a *anvil) Fork(block uint64) error {
	head, err := ask[hexutil.Uint64](a.Context(), a.client, "eth_blockNumber")
	if err != nil {
		return err
	}
	return a.tell("anvil_rollback", uint64(head)-block)
}

func (a *anvil) AdvanceTime(d time.Duration) error {
	if err := a.tell("evm_increaseTime", uint64(d/time.Second)); err != nil {
		return err
	}
	return a.tell("evm_mine")
}

// tell makes a call whose result says nothing.
func (a *anvil) tell(method string, args ...any) error {
	_, err := ask[any](a.Context(), a.client, method, args...)
	return err
}

// startAnvil runs a chain until the test ends.
func startAnvil(t *testing.T, bin string) (*rpc.Client, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	cmd := exec.Command(bin, "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--silent")
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", bin, err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	url := fmt.Sprint("http://127.0.0.1:", port)
	client, err := dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if _, err = chainID(t.Context(), client); err == nil {
			return client, url
		}
		time.Sleep(50 * time.Millisecond) // another process
	}
	t.Fatalf("anvil does not answer: %v", err)
	return nil, ""
}
