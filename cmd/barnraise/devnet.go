package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"barnraise"
	"barnraise/devnet"

	"github.com/spf13/cobra"
)

func (a *app) devnet() *cobra.Command {
	c := &cobra.Command{Use: "devnet", Short: "A whole network on this machine, for development and tests"}
	c.AddCommand(a.devnetUp(), a.devnetDown())
	return c
}

func (a *app) devnetUp() *cobra.Command {
	var o devnet.Options
	var detach bool
	c := &cobra.Command{
		Use:   "up",
		Short: "Start a network",
		Long: `Up starts an embedded chain with the registry on it and servers of different operators that run every service the
project ships. It stays in the foreground until it is interrupted; with --json it prints one line when it is ready.
With --dir the network is kept, also when it is killed, and the next start goes on from there.

--with makes the last servers adversaries, one of each named, none a home unless its name says so:

` + adversaries() + `
Where it is not said how many servers there are, there are four, or as many more as leave two of them honest.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if detach && o.Dir == "" {
				return fmt.Errorf("%w: --detach needs --dir, by which devnet down finds the network", errUsage)
			}
			if err := o.Check(); err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			if detach {
				return a.detach(c.Context(), o)
			}
			return a.runDevnet(c.Context(), o)
		},
	}
	c.Flags().IntVar(&o.Servers, "servers", 0, "how many; four where it is not said, more with three adversaries and up")
	c.Flags().StringSliceVar(&o.With, "with", nil, "adversaries among them, by name")
	c.Flags().StringVar(&o.Dir, "dir", "", "directory that keeps the network; else a temporary one that goes with it")
	c.Flags().BoolVar(&detach, "detach", false, "return when the network is ready, and leave it running")
	return c
}

// adversaries lists what --with can name.
func adversaries() string {
	const column, width = 20, 90
	var b strings.Builder
	for _, k := range devnet.Adversaries() {
		fmt.Fprintf(&b, "  %-*s", column-3, k.Name)
		at := 0
		for _, word := range strings.Fields(k.Does) {
			if at += len(word) + 1; at > width {
				fmt.Fprintf(&b, "\n%*s", column-1, "")
				at = len(word) + 1
			}
			b.WriteString(" " + word)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// devnetResult is the line that devnet up prints when it is ready.
type devnetResult struct {
	Network string         `json:"network"`
	RPC     string         `json:"rpc"`
	Servers []memberResult `json:"servers"`
}

type memberResult struct {
	ID    barnraise.ServerID `json:"id"`
	URL   string             `json:"url"`
	Admin string             `json:"admin"` // empty: these servers have no admin listener
	Data  string             `json:"data"`
	With  string             `json:"with,omitempty"` // which adversary it is
}

func describeNet(n *devnet.Net) devnetResult {
	r := devnetResult{Network: n.File, RPC: n.RPC()}
	for _, m := range n.Servers {
		one := memberResult{ID: m.ID, URL: m.URL, Data: m.Data}
		if m.Adversary != nil {
			one.With = m.Adversary.Name
		}
		r.Servers = append(r.Servers, one)
	}
	return r
}

func (a *app) runDevnet(ctx context.Context, o devnet.Options) (err error) {
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "barnraise-devnet-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.Dir)
	}
	release, err := hold(ctx, o.Dir)
	if err != nil {
		return err
	}
	defer release() // when all of it has ended
	o.Cache, o.Progress = a.cache, func(line string) { a.say("%s", line) }
	n, err := devnet.Up(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	r := describeNet(n)
	if err := a.print(r, func(w io.Writer) { fmt.Fprintf(w, "export BARNRAISE_NETWORK=%s\n", r.Network) }); err != nil {
		return err
	}
	a.say("ready: %d servers; interrupt to end", len(r.Servers))
	<-ctx.Done()
	a.say("ending")
	return nil
}

// detach starts the network in a process of its own and waits until it says that it is ready.
func (a *app) detach(ctx context.Context, o devnet.Options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(o.Dir, "devnet.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"devnet", "up", "--json", "--dir", o.Dir, "--servers", strconv.Itoa(o.Servers), "--cache", a.cache}
	if o.With != nil {
		args = append(args, "--with", strings.Join(o.With, ","))
	}
	child := exec.Command(self, args...)
	child.Stderr, child.SysProcAttr = log, ownSession()
	ready, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { child.Process.Kill() })
	defer stop()
	line, err := bufio.NewReader(ready).ReadString('\n')
	if err != nil {
		err = errors.Join(child.Wait(), ctx.Err())
		return fmt.Errorf("the network did not start: %w: %s; see %s", err, lastLine(log.Name()), log.Name())
	}
	if a.json {
		_, err = io.WriteString(a.out, line)
		return err
	}
	fmt.Fprintf(a.out, "export BARNRAISE_NETWORK=%s\n", filepath.Join(o.Dir, "network.yaml"))
	a.say("process %d; end it with: barnraise devnet down --dir %s", child.Process.Pid, o.Dir)
	return child.Process.Release()
}

// lastLine is the end of a log, in which a process says why it ended.
func lastLine(path string) string {
	const most = 4 << 10
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	}
	b, _ := io.ReadAll(io.LimitReader(f, most))
	b = bytes.TrimSpace(b)
	return string(b[bytes.LastIndexByte(b, '\n')+1:])
}

func (a *app) devnetDown() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "down",
		Short: "End a detached network",
		RunE: func(c *cobra.Command, _ []string) error {
			if dir == "" {
				return fmt.Errorf("%w: name the network's directory with --dir", errUsage)
			}
			err := endHolder(c.Context(), dir)
			if err != nil {
				return fmt.Errorf("end the network in %s: %w", dir, err)
			}
			a.say("ended")
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "directory of the network")
	return c
}
