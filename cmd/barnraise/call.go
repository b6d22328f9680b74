package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"barnraise/audit"
	"barnraise/client"
	"barnraise/content"
	"barnraise/dial"
	"barnraise/jsonrpc"
	"barnraise/registry"
	"barnraise/score"

	"github.com/spf13/cobra"
)

func (a *app) call() *cobra.Command {
	var f callFlags
	c := &cobra.Command{
		Use:   "call SERVICE[@REVISION] METHOD [PARAMS]",
		Short: "One verified call",
		Long: `Call asks several servers of different operators and prints an answer that the service's verifier accepts.
SERVICE is an id such as '#3' or a name that the network file or the lock file knows. PARAMS are a JSON array or object.

How far it goes before it believes an answer is the policy's: default; cheap, for answers of little worth each; paranoid, which
compares every answer; fast, which asks all at once, so that servers who act together can tell that all who are asked are theirs;
exact, which wants so many equal answers of operators of whom nothing is known that all being liars is less likely than EPS; one,
for answers that prove themselves, which asks nobody beside those whom the verifier wants. What it learns of servers the next call
knows: what each policy does depends on that. See also: barnraise scores, explain.

With --snapshot it begins with a file that barnraise network show --save wrote, wherever it comes from, or with the answers of two
servers of different operators. Every record is then checked by proof against the hash of its block, for which the checkpoint of
the network file vouches, or an RPC endpoint, or, where neither can, those servers alone; which of them is said.

It exits 3 where the answer cannot be verified. With --fallback home an answer of the home alone is printed where too few servers
answer, and said to be unverified; that, too, exits 3.`,
		Example: `  barnraise call search search_query '{"q":"copy until end of file","k":3}'
  barnraise call search search_query '{"q":"copy until end of file"}' --policy exact=1e-6 --anchor 2 --explain`,
		Args: cobra.RangeArgs(2, 3),
		RunE: func(c *cobra.Command, args []string) error { return a.runCall(c, args, f) },
	}
	flags := c.Flags()
	f.askFlags.on(c)
	flags.DurationVar(&f.timeout, "timeout", client.Timeout, "how long the call may take in all")
	flags.StringVar(&f.fallback, "fallback", "", "home: print the home's answer, unverified, where too few servers answer")
	flags.BoolVar(&f.explain, "explain", false, "say of each server why it was or was not asked, and what its answer did to its score")
	flags.StringVar(&f.snapshot, "snapshot", "", "begin with this snapshot file, or with what these servers say (URL,URL), instead of reading the chain's events")
	flags.BoolVar(&f.one, "one", false, "the same as --policy one")
	return c
}

// callFlags are what a call may be told.
type callFlags struct {
	askFlags
	timeout      time.Duration
	fallback     string
	snapshot     string
	explain, one bool
}

// options are what the flags ask for.
func (f callFlags) options(policyGiven bool) (open []client.Option, call []client.CallOption, err error) {
	if f.timeout <= 0 {
		return nil, nil, fmt.Errorf("%w: --timeout wants a positive duration", errUsage)
	}
	if f.one && policyGiven && f.policy != score.One.Name {
		return nil, nil, fmt.Errorf("%w: --one is --policy one, and not %s as well", errUsage, f.policy)
	}
	if f.one {
		f.policy = score.One.Name
	}
	if _, open, err = f.askFlags.options(); err != nil {
		return nil, nil, err
	}
	switch f.fallback {
	case "":
	case "home":
		call = append(call, client.FallbackHome())
	default:
		return nil, nil, fmt.Errorf("%w: --fallback %q: there is home", errUsage, f.fallback)
	}
	if f.explain {
		call = append(call, client.Explained())
	}
	return open, call, nil
}

func (a *app) runCall(c *cobra.Command, args []string, f callFlags) error {
	open, wishes, err := f.options(c.Flags().Changed("policy"))
	if err != nil {
		return err
	}
	var params []byte
	if len(args) == 3 {
		params = []byte(args[2])
	}
	if _, err := jsonrpc.NewRequest(args[1], params); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if f.snapshot != "" {
		a.begins = &beginning{f.snapshot, args[0]}
	}
	ctx, cancel := context.WithTimeout(c.Context(), f.timeout)
	defer cancel()
	cl, network, err := a.caller(ctx, open...)
	if err != nil {
		return err
	}
	defer cl.Close()
	answer, err := cl.Call(ctx, args[0], args[1], params, wishes...)
	if err != nil {
		return errors.Join(err, a.printFailure(err, network, f.explain))
	}
	return a.printAnswer(answer, network, f.explain)
}

// machineClient closes with the client what it was opened over.
type machineClient struct {
	*client.Client
	machine *audit.Machine
	done    func() // with the registry
}

// Close ends all of it.
func (c machineClient) Close() error {
	c.done()
	return errors.Join(c.Client.Close(), c.machine.Close())
}

// client opens a client that settles disputes on this machine.
func (a *app) client(ctx context.Context, options ...client.Option) (machineClient, registry.Network, error) {
	network, err := a.readNetwork()
	if err != nil {
		return machineClient{}, network, err
	}
	cache, err := a.cacheDir()
	if err != nil {
		return machineClient{}, network, err
	}
	lock, err := a.lockFile()
	if err != nil {
		return machineClient{}, network, err
	}
	reader, done, err := a.reader(ctx, network)
	if err != nil {
		return machineClient{}, network, err
	}
	machine, err := audit.Open(cache, dial.Client(network.Private(), 0))
	if err != nil {
		done()
		return machineClient{}, network, err
	}
	options = append([]client.Option{client.WithLock(lock)}, options...)
	options = append(options, client.WithCache(cache), client.WithRegistry(reader), client.WithRerunner(machine), client.WithReport(a.skipped()))
	cl, err := client.Open(ctx, network, options...)
	if err != nil {
		done()
		return machineClient{}, network, errors.Join(err, machine.Close())
	}
	return machineClient{cl, machine, done}, network, nil
}

// skipped names servers and gateways that sent other bytes than they were asked for, one at a time.
func (a *app) skipped() func(source string, err error) {
	var mu sync.Mutex
	return func(source string, err error) {
		if !errors.Is(err, content.ErrMismatch) {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		a.say("skipped %s: %s", registry.Printable(source), registry.Printable(err.Error()))
	}
}
