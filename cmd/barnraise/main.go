// Command barnraise runs, calls and checks services in a network in which nobody has to be believed.
//
// Results go to standard output, talk to standard error. It exits 0 when done, 1 on failure, 2 on wrong usage, 3 where an
// answer could not be verified, 4 where evidence does not hold.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"barnraise"
	"barnraise/client"
	"barnraise/registry"
	"barnraise/registry/evm"
	"barnraise/wasm"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitNotVerified = 3
	exitEvidence    = 4
)

// errUsage marks errors of whoever typed the command.
var errUsage = errors.New("wrong usage")

// app is what all subcommands share.
type app struct {
	out, talk io.Writer
	json      bool
	network   string // file
	cache     string // directory
	lock      string // file
	private   bool   // the user says that the network is

	trust  evm.Trust   // in what was last read of the registry
	begins *beginning  // instead of the chain's events; nil for these
	viewed *viewResult // what that came to

	compiler *wasm.Engine // once it is needed, see engine
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, out, talk io.Writer) int {
	a := &app{out: out, talk: harmless{talk}}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	a.say("barnraise: %s", words(err))
	return exitCode(err)
}

func exitCode(err error) int {
	switch {
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, barnraise.ErrEvidence):
		return exitEvidence
	case errors.Is(err, client.ErrTooFew), errors.Is(err, client.ErrUndecided), errors.Is(err, errUnverified):
		return exitNotVerified
	}
	return exitFailed
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "barnraise",
		Short: "If you run my service, I will run yours: off-chain services that nobody has to believe",
		Long: `Barnraise is a network in which independent servers run each other's off-chain services, and in which
nobody has to be believed: every answer is signed, compared and judged by the service's own verifier.

Start with:  barnraise demo`,
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetOut(a.out)
	root.SetErr(a.talk)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w: %w; see: %s --help", errUsage, err, c.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, "print results as JSON, for programs")
	flags.StringVar(&a.network, "network", "", "the network file; else $BARNRAISE_NETWORK, else the one in the user's configuration directory")
	flags.StringVar(&a.cache, "cache", "", "directory for images, content and compiled code; else barnraise in the user's cache directory")
	flags.StringVar(&a.lock, "lock", "", "the lock file, which keeps what bare names meant; else barnraise.lock here where there is one, else beside the network file")
	flags.BoolVar(&a.private, "private", false, "the network's servers and gateways may be on this machine or in a private network; never say so of a stranger's network")
	root.AddCommand(
		a.demo(), a.devnet(), a.call(), a.proxy(), a.verify(), a.serve(), a.services(), a.servers(), a.networks(), a.plan(), a.takedown(), a.scores(), a.explain(), a.evidence(), a.image(), a.verifier(), a.check(), a.content(),
		a.doctor(), a.sim(), a.version(), a.worker(), a.forward(),
	)
	root.InitDefaultHelpCmd() // before strictArgs, or cobra adds them without
	root.InitDefaultCompletionCmd()
	strictArgs(root)
	return root
}

// strictArgs makes wrong arguments, and subcommands that do not exist, errors of usage.
func strictArgs(c *cobra.Command) {
	for _, sub := range c.Commands() {
		strictArgs(sub)
	}
	check := c.Args
	if c.Name() == "help" {
		check = topicExists
	}
	if c.HasSubCommands() && c.Run == nil && c.RunE == nil {
		c.RunE = func(c *cobra.Command, args []string) error { return c.Help() }
		check = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("no command %q", args[0])
			}
			return nil
		}
	}
	if check == nil {
		check = cobra.NoArgs
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return fmt.Errorf("%w: %w; see: %s --help", errUsage, err, c.CommandPath())
		}
		return nil
	}
}

func topicExists(c *cobra.Command, args []string) error {
	if _, rest, err := c.Root().Find(args); err != nil || len(rest) > 0 {
		return fmt.Errorf("no command %q", strings.Join(args, " "))
	}
	return nil
}

// print writes a result: as JSON, or by text, in which strangers' words cannot steer a terminal.
func (a *app) print(v any, text func(w io.Writer)) error {
	if !a.json {
		text(harmless{a.out})
		return nil
	}
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (a *app) say(format string, args ...any) { fmt.Fprintf(a.talk, format+"\n", args...) }

// cacheDir is where images, content and compiled code are kept.
func (a *app) cacheDir() (string, error) {
	if a.cache != "" {
		return filepath.Abs(a.cache)
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache directory: %w; name one with --cache", err)
	}
	return filepath.Join(user, "barnraise"), nil
}

func (a *app) readNetwork() (registry.Network, error) {
	n, err := registry.ReadNetwork(a.network)
	if a.private {
		n = n.AsPrivate()
	}
	return n, err
}

// networkNamed is the network file that the user named; empty where it is the one in the configuration directory.
func (a *app) networkNamed() string {
	if a.network != "" {
		return a.network
	}
	return os.Getenv("BARNRAISE_NETWORK")
}
