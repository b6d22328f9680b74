//go:build unix

package evm

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"barnraise/registry"
	"barnraise/registry/contracts/services"
	"barnraise/registry/devchain"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

var (
	benchServices = flag.Int("services", 5_000, "services of the registry that is measured")
	benchServers  = flag.Int("servers", 10_000, "servers of the registry that is measured")
	benchReader   = flag.String("reader", "", "network file of a chain that runs: read it once, and say what memory that took")
)

// filler writes much with one account, a batch at a time.
type filler struct {
	testing.TB
	client  *rpc.Client
	chainID *big.Int
	account *Account
	nonce   uint64
	batch   []rpc.BatchElem
}

func (f *filler) send(to common.Address, gas uint64, data []byte) {
	f.Helper()
	tx, err := types.SignNewTx(f.account.key, types.LatestSignerForChainID(f.chainID), &types.DynamicFeeTx{
		ChainID: f.chainID, Nonce: f.nonce, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(1e15), Gas: gas, To: &to, Value: milli(50), Data: data,
	})
	if err != nil {
		f.Fatal(err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.nonce++
	f.batch = append(f.batch, rpc.BatchElem{Method: "eth_sendRawTransaction", Args: []any{hexutil.Bytes(raw)}, Result: new(common.Hash)})
	if len(f.batch) == 500 {
		f.flush()
	}
}

// flush sends the batch, and waits until the chain has taken it up.
func (f *filler) flush() {
	f.Helper()
	if len(f.batch) == 0 {
		return
	}
	if err := f.client.BatchCallContext(f.Context(), f.batch); err != nil {
		f.Fatal(err)
	}
	for _, e := range f.batch {
		if e.Error != nil {
			f.Fatal(e.Error)
		}
	}
	f.batch = f.batch[:0]
	for {
		n, err := ask[hexutil.Uint64](f.Context(), f.client, "eth_getTransactionCount", f.account.address, "latest")
		if err != nil {
			f.Fatal(err)
		}
		if uint64(n) >= f.nonce {
			return
		}
		runtime.Gosched()
	}
}

// fill registers services and servers, as different from each other as real ones.
func fill(b testing.TB, chain *devchain.Chain, r *Registry) {
	b.Helper()
	client := chain.RPC()
	defer client.Close()
	start := func(a *Account) *filler {
		n, err := ask[hexutil.Uint64](b.Context(), client, "eth_getTransactionCount", a.address, "latest")
		if err != nil {
			b.Fatal(err)
		}
		return &filler{TB: b, client: client, chainID: new(big.Int).SetUint64(r.chainID), account: a, nonce: uint64(n)}
	}
	c := r.contracts
	f := start(alice)
	for i := range *benchServices {
		name := fmt.Sprintf("service-%d", i)
		f.send(c.services, 600_000, c.service.PackRegister(name, services.ServiceRegistryRevision{
			Image: keccak(name), Ref: "registry.example/" + name, Verifier: rawCID("v" + name), Manifest: rawCID("m" + name), Home: 1,
		}))
	}
	f.flush()
	f = start(bob)
	for i := range *benchServers {
		first := uint32(1 + i%max(1, *benchServices-8))
		f.send(c.servers, 600_000, c.server.PackRegister(fmt.Sprintf("https://server-%d.example", i), publicKey(fmt.Sprint(i)),
			[]uint32{first, first + 2, first + 3, first + 7}, []uint32{first + 1, first + 4}, 100))
	}
	f.flush()
}

// BenchmarkScale measures a registry of 10,000 servers and 5,000 services on the real embedded chain: reading it from its logs, over
// the chain's own client and over HTTP; reading it when nothing has changed; going on from what was kept; its size and memory.
// It takes half a minute to fill the chain. See docs/performance.md.
func BenchmarkScale(b *testing.B) {
	chain := newChain(b)
	r := newRegistry(b, chain, testParams)
	fill(b, chain, r)
	filled := peak(b)
	n := r.Network()
	n.Confirmations = ptr(1)
	attached := func(b testing.TB, o ...Option) *Registry {
		opened, err := New(b.Context(), chain.RPC(), n, o...)
		if err != nil {
			b.Fatal(err)
		}
		return opened
	}
	overHTTP := func(b testing.TB, o ...Option) *Registry {
		opened, err := Dial(b.Context(), n, o...)
		if err != nil {
			b.Fatal(err)
		}
		return opened
	}
	for name, open := range map[string]func(testing.TB, ...Option) *Registry{"attached": attached, "http": overHTTP} {
		b.Run("index/"+name, func(b *testing.B) {
			benchIndex(b, open)
			b.ReportMetric(filled, "filled-MB") // the most that the process had when the chain was full
			b.ReportMetric(peak(b), "peak-MB")  // and when it had been read
		})
		b.Run("idle/"+name, func(b *testing.B) { benchIdle(b, open) })
	}
	b.Run("reader", func(b *testing.B) { benchSeparate(b, n) })
	b.Run("restart/http", func(b *testing.B) { benchRestart(b, overHTTP) })
	b.Run("size", func(b *testing.B) { benchSize(b, attached) })
}

// benchSeparate reads the registry over HTTP in a process of its own, as a server does whose chain is elsewhere.
func benchSeparate(b *testing.B, n registry.Network) {
	file := filepath.Join(b.TempDir(), "network.yaml")
	if err := os.WriteFile(file, n.Encode(), 0o600); err != nil {
		b.Fatal(err)
	}
	var most float64
	for b.Loop() {
		out, err := exec.CommandContext(b.Context(), os.Args[0], "-test.run", "^TestReader$", "-reader", file).CombinedOutput()
		if err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		var took float64
		if _, err := fmt.Sscanf(string(out), "reader-MB %f", &took); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		most = max(most, took)
	}
	b.ReportMetric(most, "reader-MB")
}

// TestReader is that process; see [benchSeparate].
func TestReader(t *testing.T) {
	if *benchReader == "" {
		t.Skip("it is the other process of BenchmarkScale, which gives it -reader")
	}
	n, err := registry.ReadNetwork(*benchReader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Dial(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	look(t, r)
	fmt.Printf("reader-MB %f\n", peak(t))
}

func look(b testing.TB, r *Registry) {
	s, err := r.Snapshot(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if len(s.Services()) != *benchServices || len(s.Servers()) != *benchServers {
		b.Fatalf("%d services and %d servers", len(s.Services()), len(s.Servers()))
	}
}

// benchIndex also measures what the index holds in memory, and what processor time it takes, with the chain's own part in it.
func benchIndex(b *testing.B, open func(testing.TB, ...Option) *Registry) {
	var last *Registry
	began := used(b)
	for b.Loop() {
		if last != nil {
			last.Close()
		}
		last = open(b)
		if _, err := last.Snapshot(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((used(b)-began).Seconds()/float64(b.N), "cpu-s/op")
	look(b, last)
	last.Close()
	with := heap()
	runtime.KeepAlive(last)
	last = nil
	b.ReportMetric((with-heap())/1e6, "held-MB")
}

// used is the processor time of this process so far.
func used(b testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what was waited for in the first
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func benchIdle(b *testing.B, open func(testing.TB, ...Option) *Registry) {
	r := open(b)
	defer r.Close()
	look(b, r)
	for b.Loop() {
		if _, err := r.Snapshot(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func benchRestart(b *testing.B, open func(testing.TB, ...Option) *Registry) {
	keeper := &shelf{}
	r := open(b, WithKeeper(keeper))
	look(b, r)
	if _, err := r.Confirmed(b.Context()); err != nil {
		b.Fatal(err)
	}
	r.Close()
	began := used(b)
	for b.Loop() {
		r := open(b, WithKeeper(keeper))
		if _, err := r.Snapshot(b.Context()); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
	b.ReportMetric((used(b)-began).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(len(keeper.data))/1e6, "kept-MB")
}

func benchSize(b *testing.B, open func(testing.TB, ...Option) *Registry) {
	r := open(b)
	defer r.Close()
	state, err := r.State(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var file bytes.Buffer
	for b.Loop() {
		file.Reset()
		if err := registry.WriteState(&file, state); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(file.Len())/1e6, "file-MB")
}

// peak is the most memory that the process ever had, in MB; zero where the system does not say.
func peak(b testing.TB) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 64)
			if err != nil {
				b.Fatal(err)
			}
			return n * 1024 / 1e6
		}
	}
	return 0
}
