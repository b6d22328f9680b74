package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/verifier"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

// runResult is what verifier run prints as JSON.
type runResult struct {
	Verdict barnraise.Verdict `json:"verdict"`
	Fuel    uint64            `json:"fuel"`    // units used
	Problem string            `json:"problem"` // why there is no verdict of the verifier's; empty where there is one
}

func (r runResult) text(w io.Writer) {
	fmt.Fprintf(w, "%s  winner %d  culprits %v\n", r.Verdict.Status, r.Verdict.Winner, r.Verdict.Culprits)
	if r.Verdict.Need > 0 {
		fmt.Fprintf(w, "need     %d answers\n", r.Verdict.Need)
	}
	if r.Verdict.Reason != "" {
		fmt.Fprintf(w, "reason   %s\n", r.Verdict.Reason)
	}
	fmt.Fprintf(w, "fuel     %d units\n", r.Fuel)
	if r.Problem != "" {
		fmt.Fprintf(w, "problem  %s\n", r.Problem)
	}
}

func (a *app) verifierRun() *cobra.Command {
	var manifestFile string
	c := &cobra.Command{
		Use:   "run FILE INPUT",
		Short: "Put one input before a verifier, and print its verdict and what it took",
		Long: `Run puts {"abi":1,"config":…,"requests":[…],"responses":[…]}, a file or - for standard input, before a verifier: a file,
or one of ` + standardNames() + `. Each body is passed on as it is written there, without the white space around it.
A verifier that fails is an undecided verdict with a problem, and no failure of this command.`,
		Example: `  echo '{"abi":1,"requests":[1,1],"responses":[2,3]}' | barnraise verifier run compare -`,
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			v, err := a.candidate(args[0], manifestFile)
			if err != nil {
				return err
			}
			in, err := readInput(args[1], c.InOrStdin())
			if err != nil {
				return err
			}
			loaded, err := a.load(c.Context(), &v)
			if err != nil {
				return err
			}
			a.warn(in)
			result := loaded.Run(c.Context(), in.Config, in.Requests, in.Responses)
			if err := c.Context().Err(); err != nil {
				return err
			}
			r := runResult{Verdict: result.Verdict, Fuel: result.Fuel}
			if result.Problem != nil {
				r.Problem = result.Problem.Error()
			}
			return a.print(r, r.text)
		},
	}
	manifestFlag(c, &manifestFile)
	return c
}

// warn says what no host would put before a verifier.
func (a *app) warn(in input) {
	for i, body := range in.Responses {
		if _, err := jsonrpc.ParseResponse(body, jsonrpc.WireID); err != nil {
			a.say("response %d would not get as far as a verifier: %v", i, err)
		}
	}
}

// input is what a verifier is asked (protocol 5.2).
type input struct {
	Config              []byte
	Requests, Responses [][]byte
}

// encode writes it so that [parseInput] reads it.
func (in input) encode() []byte { return verifier.Input(in.Config, in.Requests, in.Responses) }

// maxInput is the longest input that is read: no verifier has more memory, in bytes.
var maxInput = int64(verifier.MaxLimits.Memory)

// readInput reads an input from a file, or from standard input where the name is -.
func readInput(name string, stdin io.Reader) (input, error) {
	var b []byte
	var err error
	if name == "-" {
		b, err = io.ReadAll(io.LimitReader(stdin, maxInput+1))
	} else {
		b, err = readLimited(name, maxInput)
	}
	if err == nil && int64(len(b)) > maxInput {
		err = fmt.Errorf("more than %d bytes", maxInput)
	}
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			return input{}, err
		}
		return input{}, fmt.Errorf("read input: %w", err)
	}
	in, err := parseInput(b)
	if err != nil {
		return in, fmt.Errorf("read input %s: %w; want {\"abi\":1,\"config\":…,\"requests\":[…],\"responses\":[…]}", name, err)
	}
	return in, nil
}

// parseInput reads an input. Bodies are as they are written, without the white space around them. How many there are is left
// to the host that is to put them before a verifier.
func parseInput(b []byte) (input, error) {
	var file struct {
		ABI       *int             `json:"abi"`
		Config    jsontext.Value   `json:"config"`
		Requests  []jsontext.Value `json:"requests"`
		Responses []jsontext.Value `json:"responses"`
	}
	if err := json.Unmarshal(b, &file, json.RejectUnknownMembers(true)); err != nil {
		return input{}, err
	}
	if file.ABI == nil || *file.ABI != 1 {
		return input{}, errors.New("abi is not 1")
	}
	in := input{Config: file.Config}
	for _, v := range file.Requests {
		in.Requests = append(in.Requests, bytes.TrimSpace(v))
	}
	for _, v := range file.Responses {
		in.Responses = append(in.Responses, bytes.TrimSpace(v))
	}
	return in, nil
}
