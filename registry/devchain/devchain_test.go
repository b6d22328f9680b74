package devchain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/evm"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"
)

// childDir makes this binary run a chain in that directory until it is killed, instead of tests.
const childDir = "BARNRAISE_TEST_DEVCHAIN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		runChild(dir)
		return
	}
	os.Exit(m.Run())
}

// runChild prints the chain's URL and waits for the parent to go.
func runChild(dir string) {
	fund, err := barnraise.ParseAddress(os.Getenv(childDir + "_FUND"))
	if err != nil {
		fmt.Println("error", err)
		return
	}
	chain, err := Start(Config{Dir: dir, Fund: []barnraise.Address{fund}})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Println("url", chain.URL())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// startChild runs a chain in another process.
func startChild(t *testing.T, dir string, fund barnraise.Address) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childDir+"_FUND="+fund.String())
	stdin, err := cmd.StdinPipe() // closed when this process ends, however it ends
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close() })
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the other process says nothing: %v", err)
	}
	kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if kind != "url" {
		t.Fatalf("the other process fails: %s", rest)
	}
	return cmd, rest
}

func newChain(t *testing.T, c Config, interval time.Duration) *Chain {
	t.Helper()
	chain, err := start(c, interval)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := chain.Close(); err != nil {
			t.Error(err)
		}
	})
	return chain
}

func newAccount(t *testing.T) *evm.Account {
	t.Helper()
	a, err := evm.NewAccount()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// deploy makes a registry with a grace of six blocks.
func deploy(t *testing.T, chain *Chain, a *evm.Account) registry.Network {
	t.Helper()
	n, err := evm.Deploy(t.Context(), chain.RPC(), a, evm.Params{ServiceDeposit: new(big.Int), ServerDeposit: new(big.Int), Grace: 6})
	if err != nil {
		t.Fatal(err)
	}
	n.RPC = []string{chain.URL()}
	return n
}

func connect(t *testing.T, n registry.Network) *evm.Registry {
	t.Helper()
	r, err := evm.Dial(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func revision(t *testing.T) barnraise.Revision {
	t.Helper()
	cid, err := registry.ParseCID(append([]byte{1, 0x55, 0x12, 0x20}, make([]byte, 32)...))
	if err != nil {
		t.Fatal(err)
	}
	return barnraise.Revision{Image: barnraise.Sum(nil), Reference: "registry.example/a", Verifier: cid, Manifest: cid, Home: 1}
}

func (c *Chain) head() uint64 { return c.eth.BlockChain().CurrentBlock().Number.Uint64() }

func (c *Chain) target() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting
}

// TestStart: the chain is what it says it is, its accounts are funded, and nobody but this machine gets at it.
func TestStart(t *testing.T) {
	a := newAccount(t)
	chain := newChain(t, Config{Fund: []barnraise.Address{a.Address()}}, time.Second)
	client := chain.RPC()
	defer client.Close()
	var id hexutil.Uint64
	if err := client.Call(&id, "eth_chainId"); err != nil || id != ChainID {
		t.Errorf("chain id is %d, %v; want %d", id, err, ChainID)
	}
	var balance hexutil.Big
	if err := client.Call(&balance, "eth_getBalance", common.Address(a.Address()), "latest"); err != nil {
		t.Fatal(err)
	}
	want := new(big.Int).Mul(big.NewInt(funds), big.NewInt(1e18))
	if balance.ToInt().Cmp(want) != 0 {
		t.Errorf("balance is %s, want %s", balance.ToInt(), want)
	}
	u, err := url.Parse(chain.URL())
	if err != nil || u.Hostname() != "127.0.0.1" || u.Port() == "0" {
		t.Errorf("URL is %s, %v", chain.URL(), err)
	}
	for _, c := range []struct {
		name, host, origin, method string
		status                     int
		contains                   string
	}{
		{"plain", "", "", "eth_chainId", 200, `"0x7a69"`},
		{"by name", "localhost:" + u.Port(), "", "net_version", 200, `"31337"`},
		{"a name that leads here", "evil.example", "", "eth_chainId", 403, "invalid host"},
		{"a page of another site", "", "https://evil.example", "eth_chainId", 200, `"0x7a69"`},
		{"admin", "", "", "admin_nodeInfo", 200, "does not exist"},
		{"debug", "", "", "debug_setHead", 200, "does not exist"},
		{"personal", "", "", "personal_listAccounts", 200, "does not exist"},
		{"engine", "", "", "engine_exchangeCapabilities", 200, "does not exist"},
		{"miner", "", "", "miner_setExtra", 200, "does not exist"},
		{"txpool", "", "", "txpool_content", 200, "does not exist"},
	} {
		call := strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"` + c.method + `","params":[]}`)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, chain.URL(), call)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Host = c.host
		if c.origin != "" {
			request.Header.Set("Origin", c.origin)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := bufio.NewReader(response.Body).ReadString('\n')
		response.Body.Close()
		allowed := response.Header.Get("Access-Control-Allow-Origin")
		if response.StatusCode != c.status || !strings.Contains(body, c.contains) || allowed != "" {
			t.Errorf("%s: %d %q %v", c.name, response.StatusCode, body, response.Header)
		}
	}
}

// TestInUse: a port, a directory or a chain that cannot be had is an error that says what to do.
func TestInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	dir := t.TempDir()
	chain := newChain(t, Config{Dir: dir}, time.Second)
	expect := func(c Config, want string) {
		t.Helper()
		other, err := Start(c)
		if err == nil {
			other.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one with %q", err, want)
		}
	}
	expect(Config{Port: port}, fmt.Sprintf("port %d is in use: stop what listens there, or choose another", port))
	expect(Config{Dir: dir}, dir+" is in use by another process: stop it, or use the chain at its URL")
	if err := errors.Join(chain.Close(), chain.Close()); err != nil {
		t.Fatal(err)
	}
	expect(Config{Dir: dir, Fund: []barnraise.Address{{1}}}, "name the same ones, or use another directory")
	expect(Config{Dir: dir, Port: port}, "is in use")
	newChain(t, Config{Dir: dir}, time.Second) // none of it left a lock
}

// TestKill: a process that is killed loses nothing it has shown, and the chain goes on from there.
func TestKill(t *testing.T) {
	dir, a := t.TempDir(), newAccount(t)
	child, url := startChild(t, dir, a.Address())
	network := registry.Network{}
	var before *barnraise.Snapshot
	func() {
		defer func() { _ = child.Process.Kill(); _ = child.Wait() }() // SIGKILL
		client, err := rpc.DialContext(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		params := evm.Params{ServiceDeposit: new(big.Int), ServerDeposit: new(big.Int)}
		if network, err = evm.Deploy(t.Context(), client, a, params); err != nil {
			t.Fatal(err)
		}
		network.RPC = []string{url}
		r := connect(t, network)
		for i := range 20 {
			if _, _, err := r.RegisterService(t.Context(), a, fmt.Sprint("service-", i), revision(t), nil); err != nil {
				t.Fatal(err)
			}
		}
		if before, err = r.Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err = Start(Config{Dir: dir, Fund: []barnraise.Address{a.Address()}})
		if err == nil || !strings.Contains(err.Error(), "in use by another process") {
			t.Errorf("a second process: error is %v", err)
		}
	}()
	chain := newChain(t, Config{Dir: dir, Fund: []barnraise.Address{a.Address()}}, time.Second)
	network.RPC = []string{chain.URL()}
	r := connect(t, network)
	after, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if after.Block != before.Block || after.Hash != before.Hash || len(after.Services()) != 20 {
		t.Errorf("block %d with %d services, before the kill %d with 20", after.Block, len(after.Services()), before.Block)
	}
	if _, _, err := r.RegisterService(t.Context(), a, "afterwards", revision(t), nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestWaiting: while a published revision waits for its block, empty blocks are sealed, also after a restart, and then no
// more; one that waits for ever is not hurried for (protocol 1.4).
func TestWaiting(t *testing.T) {
	config := Config{Dir: t.TempDir()}
	a := newAccount(t)
	config.Fund = []barnraise.Address{a.Address()}
	chain := newChain(t, config, time.Hour) // that nothing happens before the restart
	network := deploy(t, chain, a)
	r := connect(t, network)
	id, _, err := r.RegisterService(t.Context(), a, "search", revision(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = r.Publish(t.Context(), a, id, revision(t)); err != nil {
		t.Fatal(err)
	}
	never := revision(t)
	never.ActiveFrom = 1 << 40
	if _, _, err = r.Publish(t.Context(), a, id, never); err != nil {
		t.Fatal(err)
	}
	s, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	service, _ := s.Service(id)
	second, _ := service.Revision(2)
	if _, v, _ := s.Active(id); v.Number != 1 || s.Block+5 != second.ActiveFrom {
		t.Fatalf("at block %d revision %d is active, revision 2 from block %d on", s.Block, v.Number, second.ActiveFrom)
	}
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}

	chain = newChain(t, config, 5*time.Millisecond)
	network.RPC = []string{chain.URL()}
	r = connect(t, network)
	for range 1000 {
		if s, err = r.Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.Block >= second.ActiveFrom {
			break
		}
		time.Sleep(time.Millisecond) // the chain's pace, not ours
	}
	if _, v, ok := s.Active(id); !ok || v.Number != 2 {
		t.Fatalf("at block %d revision %d is active, want 2 from block %d on", s.Block, v.Number, second.ActiveFrom)
	}
	for range 20 {
		chain.sealWaiting()
	}
	if chain.head() != second.ActiveFrom {
		t.Errorf("head is %d, want it to stop at %d", chain.head(), second.ActiveFrom)
	}
	third, _, err := r.Publish(t.Context(), a, id, revision(t))
	if err != nil || third != 4 {
		t.Fatalf("revision %d, %v; want 4", third, err)
	}
	for range 1000 {
		if chain.head() == second.ActiveFrom+7 { // its own block and the grace
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("head is %d, want %d", chain.head(), second.ActiveFrom+7)
}

// TestUnderpriced: a transaction that no block takes makes none, and the chain's clock stands still; it gets into a later one
// where it fits, and holds up nobody else.
func TestUnderpriced(t *testing.T) {
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	poor, a := crypto.PubkeyToAddress(key.PublicKey), newAccount(t)
	chain := newChain(t, Config{Fund: []barnraise.Address{barnraise.Address(poor), a.Address()}}, 5*time.Millisecond)
	client := chain.RPC()
	defer client.Close()
	send := func(nonce uint64, most *big.Int) common.Hash {
		t.Helper()
		id := big.NewInt(ChainID)
		tx, err := types.SignNewTx(key, types.LatestSignerForChainID(id), &types.DynamicFeeTx{
			ChainID: id, Nonce: nonce, GasTipCap: big.NewInt(leastTip), GasFeeCap: most, Gas: 21_000, To: &poor,
		})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := tx.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := client.CallContext(t.Context(), nil, "eth_sendRawTransaction", hexutil.Bytes(raw)); err != nil {
			t.Fatal(err)
		}
		return tx.Hash()
	}
	mined := func(hash common.Hash) bool {
		t.Helper()
		var receipt map[string]any // an error while the node is not done with indexing
		return client.CallContext(t.Context(), &receipt, "eth_getTransactionReceipt", hash) == nil && receipt != nil
	}
	base := func() *big.Int {
		head := chain.eth.BlockChain().CurrentBlock()
		return eip1559.CalcBaseFee(chain.eth.BlockChain().Config(), head)
	}

	hash := send(0, base()) // nothing is left for the tip
	for range 20 {
		chain.sealPending()
		chain.sealWaiting()
	}
	if chain.head() != 0 || mined(hash) {
		t.Fatalf("head is %d, the transaction is in a block: %t; want no block", chain.head(), mined(hash))
	}
	deploy(t, chain, a) // blocks, after which gas is cheaper
	chain.sealPending()
	if !mined(hash) {
		t.Errorf("at block %d the base fee is %s, and the transaction is in no block", chain.head(), base())
	}
	before := chain.head()
	hash = send(1, new(big.Int).Add(base(), big.NewInt(leastTip))) // just enough
	for range 1000 {
		if mined(hash) {
			break
		}
		time.Sleep(time.Millisecond) // the chain's pace, not ours
	}
	if !mined(hash) || chain.head() != before+1 {
		t.Errorf("head is %d after %d, the transaction is in a block: %t; want one more", chain.head(), before, mined(hash))
	}
}

// TestFork: going back forgets blocks, transactions and what waited for them.
func TestFork(t *testing.T) {
	a := newAccount(t)
	chain := newChain(t, Config{Fund: []barnraise.Address{a.Address()}}, time.Hour)
	r := connect(t, deploy(t, chain, a)) // blocks 1 and 2
	id, _, err := r.RegisterService(t.Context(), a, "search", revision(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Publish(t.Context(), a, id, revision(t)); err != nil {
		t.Fatal(err)
	}
	if chain.head() != 4 || chain.target() != 10 {
		t.Fatalf("head is %d, a revision waits for %d; want 4 and 10", chain.head(), chain.target())
	}
	if err := chain.Fork(3); err != nil {
		t.Fatal(err)
	}
	chain.sealPending()
	if chain.head() != 3 || chain.target() > 3 {
		t.Errorf("head is %d, a revision waits for %d; want 3 and none", chain.head(), chain.target())
	}
	if err := chain.Fork(99); err == nil {
		t.Error("a fork at a block that does not exist succeeds")
	}
}

// TestAdvanceTime: the next block is later by what was asked, also while transactions come in.
func TestAdvanceTime(t *testing.T) {
	a := newAccount(t)
	chain := newChain(t, Config{Fund: []barnraise.Address{a.Address()}}, time.Hour)
	r := connect(t, deploy(t, chain, a))
	done := make(chan error, 1)
	go func() {
		for i := range 10 {
			if _, _, err := r.RegisterService(context.Background(), a, fmt.Sprint("service-", i), revision(t), nil); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range 5 {
		before := chain.eth.BlockChain().CurrentBlock().Time
		if err := chain.AdvanceTime(time.Hour); err != nil {
			t.Fatal(err)
		}
		if now := chain.eth.BlockChain().CurrentBlock().Time; now < before+3600 {
			t.Errorf("time went from %d to %d, want an hour at least", before, now)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
