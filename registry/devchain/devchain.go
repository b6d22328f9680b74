// Package devchain runs a real Ethereum node inside this process: a chain of one, for development, demonstrations and tests.
// It seals a block as soon as a transaction arrives that the block can take, and one a second while a published revision waits
// for its block (protocol 1.4). It listens on the loopback address only, and knows no peers.
//
// Its clock runs ahead of ours: every block is at least a second later than the one before. It stands still between blocks.
package devchain

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"sync"
	"syscall"
	"time"

	"barnraise"
	"barnraise/registry/contracts/services"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

// ChainID is the chain id of every devchain.
const ChainID = 31337

// gasLimit is that of a block: room for a few thousand registrations.
const gasLimit = 500_000_000

// leastTip is what a block takes a transaction for, in wei and per gas.
const leastTip = 1

// funds is what each account of [Config.Fund] starts with, in ether.
const funds = 1_000_000

// Config says what chain to run.
type Config struct {
	// Dir is where the chain is kept, also when the process is killed. Empty for a chain that lives in memory.
	Dir string
	// Port is where JSON-RPC is served over HTTP, on 127.0.0.1. Zero for any free one.
	Port int
	// Fund lists the accounts that have a million ether each from the start. For a chain that is kept it must always be the same
	// list.
	Fund []barnraise.Address
}

// Chain is a running chain. Its methods are safe for concurrent use.
type Chain struct {
	stack  *node.Node
	eth    *eth.Ethereum
	beacon *catalyst.SimulatedBeacon

	contract    *services.Registry // reads events
	publication common.Hash        // the first topic of a published revision

	mu      sync.Mutex // held while sealing or rewinding
	waiting uint64     // the highest block that a published revision waits for

	quit  chan struct{}
	loops sync.WaitGroup
	close func() error
}

// Start starts the chain, or the one kept in the directory from where it was. It fails, saying what to do, where the port or
// the directory is in use.
func Start(c Config) (*Chain, error) { return start(c, time.Second) }

// start takes the time between two empty blocks.
func start(c Config, interval time.Duration) (*Chain, error) {
	stack, err := node.New(nodeConfig(c))
	if err != nil {
		return nil, explain(c, err)
	}
	contract := services.NewRegistry()
	chain := &Chain{
		stack: stack, quit: make(chan struct{}), contract: contract,
		publication: contract.GetABI().Events[services.RegistryRevisionPublishedEventName].ID,
	}
	if err := chain.assemble(c); err != nil {
		_ = stack.Close() // the first error says it
		return nil, explain(c, err)
	}
	chain.rescan()
	chain.close = sync.OnceValue(chain.stop)
	chain.loops.Go(func() { chain.sealLoop(interval) })
	return chain, nil
}

// assemble puts the parts of a node together and starts them.
func (c *Chain) assemble(config Config) (err error) {
	if c.eth, err = eth.New(c.stack, ethConfig(config)); err != nil {
		return err
	}
	logs := filters.NewFilterSystem(c.eth.APIBackend, filters.Config{})
	c.stack.RegisterAPIs([]rpc.API{{Namespace: "eth", Service: filters.NewFilterAPI(logs)}})
	if c.beacon, err = catalyst.NewSimulatedBeacon(0, common.Address{}, c.eth); err != nil {
		return err
	}
	c.stack.RegisterLifecycle(c.beacon)
	if err := c.stack.Start(); err != nil {
		return err
	}
	c.eth.SetSynced()
	return nil
}

// URL is the HTTP endpoint, on this machine.
func (c *Chain) URL() string { return c.stack.HTTPEndpoint() }

// RPC is a client that talks to the node inside the process. It is the caller's to close.
func (c *Chain) RPC() *rpc.Client { return c.stack.Attach() }

// Close stops the chain. What is kept stays. A second call does nothing.
func (c *Chain) Close() error { return c.close() }

func (c *Chain) stop() error {
	close(c.quit)
	c.loops.Wait()
	if err := c.stack.Close(); err != nil {
		return fmt.Errorf("stop chain: %w", err)
	}
	return nil
}

// nodeConfig asks for the database that gives every write to the operating system at once: the other one loses what a killed
// process wrote last.
func nodeConfig(c Config) *node.Config {
	n := node.DefaultConfig
	n.DBEngine = rawdb.DBLeveldb
	n.Name, n.DataDir, n.IPCPath, n.UseLightweightKDF = "devchain", c.Dir, "", true
	n.HTTPHost, n.HTTPPort = "127.0.0.1", c.Port
	n.HTTPModules = []string{"eth", "net", "web3"}
	n.HTTPVirtualHosts = []string{"localhost", "127.0.0.1"} // no page of another site gets through
	n.HTTPCors = nil
	n.P2P = p2p.Config{NoDiscovery: true, NoDial: true}
	return &n
}

// ethConfig keeps the state of every block, written with the block, so that a killed process goes on from its last one.
func ethConfig(c Config) *ethconfig.Config {
	e := ethconfig.Defaults
	e.NetworkId = ChainID
	e.Genesis = genesis(c.Fund)
	e.SyncMode = ethconfig.FullSync
	e.LogNoHistory = true // an index of events runs after the head, and a search that overtakes it fails; blooms are enough here
	e.StateScheme, e.NoPruning = rawdb.HashScheme, true
	e.TxPool.NoLocals = true
	e.Miner.GasPrice, e.Miner.GasCeil = big.NewInt(leastTip), gasLimit
	e.RPCTxFeeCap = 0 // none
	e.DatabaseCache, e.DatabaseHandles, e.TrieCleanCache, e.TrieDirtyCache, e.SnapshotCache = 16, 64, 16, 16, 0
	return &e
}

func genesis(fund []barnraise.Address) *core.Genesis {
	g := core.DeveloperGenesisBlock(gasLimit, nil)
	g.Config, g.BaseFee = chainConfig(), big.NewInt(params.GWei)
	alloc := maps.Clone(g.Alloc)
	for _, a := range fund {
		alloc[common.Address(a)] = types.Account{Balance: new(big.Int).Mul(big.NewInt(funds), big.NewInt(params.Ether))}
	}
	g.Alloc = alloc
	return g
}

// chainConfig has every fork that the main network has, up to Osaka, and none that is still to come.
func chainConfig() *params.ChainConfig {
	zero, now := new(big.Int), new(uint64)
	return &params.ChainConfig{
		ChainID: big.NewInt(ChainID), HomesteadBlock: zero, EIP150Block: zero, EIP155Block: zero, EIP158Block: zero,
		ByzantiumBlock: zero, ConstantinopleBlock: zero, PetersburgBlock: zero, IstanbulBlock: zero, MuirGlacierBlock: zero,
		BerlinBlock: zero, LondonBlock: zero, ArrowGlacierBlock: zero, GrayGlacierBlock: zero, TerminalTotalDifficulty: zero,
		ShanghaiTime: now, CancunTime: now, PragueTime: now, OsakaTime: now,
		BlobScheduleConfig: &params.BlobScheduleConfig{
			Cancun: params.DefaultCancunBlobConfig, Prague: params.DefaultPragueBlobConfig,
		},
	}
}

// explain says what an operator can do about an error of the node.
func explain(c Config, err error) error {
	var other *core.GenesisMismatchError
	switch {
	case errors.Is(err, node.ErrDatadirUsed):
		return fmt.Errorf("start chain: %s is in use by another process: stop it, or use the chain at its URL: %w", c.Dir, err)
	case errors.As(err, &other):
		return fmt.Errorf("start chain: %s holds a chain that began with other funded accounts: "+
			"name the same ones, or use another directory: %w", c.Dir, err)
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("start chain: port %d is in use: stop what listens there, or choose another, 0 for any: %w", c.Port, err)
	}
	return fmt.Errorf("start chain: %w", err)
}
