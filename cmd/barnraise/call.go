package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"barnraise"
	"barnraise/audit"
	"barnraise/client"
	"barnraise/content"
	"barnraise/dial"
	"barnraise/jsonrpc"
	"barnraise/registry"
	"barnraise/registry/evm"
	"barnraise/score"

	"github.com/spf13/cobra"
)

func (a *app) call() *cobra.Command {
	var timeout time.Duration
	var evidence string
	var one bool
	c := &cobra.Command{
		Use:   "call SERVICE[@REVISION] METHOD [PARAMS]",
		Short: "One verified call",
		Long: `Call asks several servers of different operators and prints an answer that the service's verifier accepts.
SERVICE is an id such as '#3' or a name that the network file knows. PARAMS are a JSON array or object.
With --one it asks nobody beside those whom the verifier wants: one server, where an answer proves itself.
It exits 3 where the answer cannot be verified.`,
		Example: `  barnraise call search search_query '{"q":"copy until end of file","k":3}'`,
		Args:    cobra.RangeArgs(2, 3),
		RunE: func(c *cobra.Command, args []string) error {
			if timeout <= 0 {
				return fmt.Errorf("%w: --timeout wants a positive duration", errUsage)
			}
			var options []client.Option
			if evidence != "" {
				options = append(options, client.WithKeeper(client.Directory(evidence)))
			}
			if one {
				options = append(options, client.WithPolicy(score.One))
			}
			return a.runCall(c, args, timeout, options)
		},
	}
	c.Flags().DurationVar(&timeout, "timeout", client.Timeout, "how long the call may take in all")
	c.Flags().StringVar(&evidence, "evidence", "", "directory for evidence; else the user's")
	c.Flags().BoolVar(&one, "one", false, "ask one server where the verifier is content with one answer: where answers prove themselves")
	return c
}

func (a *app) runCall(c *cobra.Command, args []string, timeout time.Duration, options []client.Option) error {
	var params []byte
	if len(args) == 3 {
		params = []byte(args[2])
	}
	if _, err := jsonrpc.NewRequest(args[1], params); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	ctx, cancel := context.WithTimeout(c.Context(), timeout)
	defer cancel()
	cl, network, err := a.client(ctx, options...)
	if err != nil {
		return err
	}
	defer cl.Close()
	answer, err := cl.Call(ctx, args[0], args[1], params)
	if err != nil {
		return errors.Join(err, a.printFailure(err, network))
	}
	return a.printAnswer(answer, network)
}

// machineClient closes with the client what it was opened over.
type machineClient struct {
	*client.Client
	registry *evm.Registry
	machine  *audit.Machine
}

// Close ends all of it.
func (c machineClient) Close() error {
	c.registry.Close()
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
	reader, err := a.dial(ctx, network)
	if err != nil {
		return machineClient{}, network, err
	}
	machine, err := audit.Open(cache, dial.Client(network.Private(), 0))
	if err != nil {
		reader.Close()
		return machineClient{}, network, err
	}
	options = append(options, client.WithCache(cache), client.WithRegistry(reader), client.WithRerunner(machine), client.WithReport(a.skipped()))
	cl, err := client.Open(ctx, network, options...)
	if err != nil {
		reader.Close()
		return machineClient{}, network, errors.Join(err, machine.Close())
	}
	return machineClient{cl, reader, machine}, network, nil
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

// callResult is what call prints as JSON.
type callResult struct {
	Result   json.RawMessage      `json:"result,omitempty"`
	Error    *jsonrpc.Error       `json:"error,omitempty"`
	Service  barnraise.ServiceID  `json:"service,omitempty"`
	Revision uint32               `json:"revision,omitempty"`
	Verdict  map[string]string    `json:"verdict"`
	Asked    []askedResult        `json:"asked"`
	Requests int                  `json:"requests"`
	Memo     bool                 `json:"memo"`
	Network  barnraise.Digest     `json:"network"`
	Evidence *string              `json:"evidence"`
	Struck   []barnraise.ServerID `json:"struck,omitempty"`

	Unverified []string `json:"unverified,omitempty"` // JSON pointers into the response, see client.Answer
}

type askedResult struct {
	Server  barnraise.ServerID `json:"server"`
	URL     string             `json:"url"`
	Role    string             `json:"role"`
	Outcome string             `json:"outcome"`
	Why     string             `json:"why,omitempty"`
	MS      float64            `json:"ms"`
}

func asked(list []client.Asked) []askedResult {
	results := []askedResult{}
	for _, v := range list {
		ms := float64(v.Took.Microseconds()) / 1000
		results = append(results, askedResult{v.Server, v.URL, v.Role, v.Outcome, v.Why, ms})
	}
	return results
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (a *app) printAnswer(v *client.Answer, network registry.Network) error {
	result := callResult{
		Result: v.Result, Error: v.Error, Service: v.Service, Revision: v.Revision,
		Verdict: map[string]string{"status": string(v.Verdict)}, Asked: asked(v.Asked), Requests: v.Requests,
		Network: network.Digest(), Evidence: optional(v.Evidence), Struck: v.Struck, Unverified: v.Unverified,
	}
	if !a.json {
		a.tell(result.Asked)
		if len(v.Unverified) > 0 {
			a.say("%s", openTo(v.Unverified))
		}
		if v.Evidence != "" {
			a.say("evidence: %s", v.Evidence)
		}
	}
	return a.print(result, func(w io.Writer) {
		if v.Error != nil {
			fmt.Fprintf(w, "error %d: %s\n", v.Error.Code, registry.Printable(v.Error.Message))
			return
		}
		fmt.Fprintln(w, printableJSON(v.Result))
	})
}

// openTo says in one line what of an answer nobody but the answering server vouches for.
func openTo(pointers []string) string {
	const most, long = 5, 80
	var names []string
	for _, p := range pointers[:min(len(pointers), most)] {
		name := registry.Printable(p)
		if p == "" {
			name = "all of it"
		}
		if utf8.RuneCountInString(name) > long {
			name = string([]rune(name)[:long]) + "…"
		}
		names = append(names, name)
	}
	line := "unverified, chosen by the server that answered: " + strings.Join(names, ", ")
	if more := len(pointers) - most; more > 0 {
		line += fmt.Sprintf(" and %d more, see --json", more)
	}
	return line
}

// tell says who was asked, and what came of it.
func (a *app) tell(list []askedResult) {
	for _, v := range list {
		why := ""
		if v.Why != "" {
			why = ": " + registry.Printable(v.Why)
		}
		a.say("%-8s server %d  %6.1f ms  %s%s", v.Role, v.Server, v.MS, v.Outcome, why)
	}
}

// printFailure tells programs what was tried before a call failed closed.
func (a *app) printFailure(err error, network registry.Network) error {
	result := callResult{Network: network.Digest(), Verdict: map[string]string{"status": string(barnraise.Undecided)}}
	var tooFew *client.TooFewError
	var undecided *client.UndecidedError
	switch {
	case errors.As(err, &tooFew):
		result.Service, result.Revision, result.Asked = tooFew.Service, tooFew.Revision, asked(tooFew.Asked)
		result.Verdict["reason"], result.Requests = "too few servers", tooFew.Requests
	case errors.As(err, &undecided):
		result.Service, result.Revision, result.Asked = undecided.Service, undecided.Revision, asked(undecided.Asked)
		result.Verdict["reason"], result.Evidence = undecided.Reason, optional(undecided.Evidence)
		result.Requests = undecided.Requests
	default:
		return nil
	}
	if !a.json {
		a.tell(result.Asked)
		return nil
	}
	return a.print(result, nil)
}
