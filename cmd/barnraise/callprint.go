package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"barnraise"
	"barnraise/client"
	"barnraise/jsonrpc"
	"barnraise/registry"
)

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
	Snapshot *viewResult          `json:"snapshot,omitempty"` // with --snapshot: what it began with

	Unverified []string       `json:"unverified,omitempty"` // JSON pointers into the response, see client.Answer
	Passed     []passedResult `json:"passed,omitempty"`     // with --explain: who was not asked
}

type askedResult struct {
	Server  barnraise.ServerID `json:"server"`
	URL     string             `json:"url"`
	Role    string             `json:"role"`
	Outcome string             `json:"outcome"`
	Why     string             `json:"why,omitempty"`
	MS      float64            `json:"ms"`
	Effect  string             `json:"effect,omitempty"` // with --explain
}

type passedResult struct {
	Server barnraise.ServerID `json:"server"`
	URL    string             `json:"url"`
	Why    string             `json:"why"`
}

// errUnverified is the error beside an answer that is printed, and that nobody but the home vouches for.
var errUnverified = errors.New("NOT VERIFIED: too few servers answered; this is what the home says, and nobody else vouches for it")

func asked(list []client.Asked) []askedResult {
	results := []askedResult{}
	for _, v := range list {
		ms := float64(v.Took.Microseconds()) / 1000
		results = append(results, askedResult{v.Server, v.URL, v.Role, v.Outcome, v.Why, ms, v.Effect})
	}
	return results
}

func passed(list []client.Candidate) (results []passedResult) {
	for _, v := range list {
		results = append(results, passedResult(v))
	}
	return results
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// printAnswer prints an answer. It fails with [errUnverified] where that is one which nobody should build on.
func (a *app) printAnswer(v *client.Answer, network registry.Network, explain bool) error {
	result := callResult{
		Result: v.Result, Error: v.Error, Service: v.Service, Revision: v.Revision,
		Verdict: map[string]string{"status": string(v.Verdict)}, Asked: asked(v.Asked), Requests: v.Requests,
		Memo: v.Memo, Network: network.Digest(), Evidence: optional(v.Evidence), Struck: v.Struck, Unverified: v.Unverified,
		Passed: passed(v.Passed), Snapshot: a.viewed,
	}
	if !a.json {
		a.tell(result, explain)
		if len(v.Unverified) > 0 {
			a.say("%s", openTo(v.Unverified))
		}
		if v.Evidence != "" {
			a.say("evidence: %s", v.Evidence)
		}
	}
	err := a.print(result, func(w io.Writer) {
		if v.Error != nil {
			fmt.Fprintf(w, "error %d: %s\n", v.Error.Code, registry.Printable(v.Error.Message))
			return
		}
		fmt.Fprintln(w, printableJSON(v.Result))
	})
	if v.Verdict != barnraise.Accepted {
		err = errors.Join(errUnverified, err)
	}
	return err
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
func (a *app) tell(r callResult, explain bool) {
	if explain {
		a.tellAll(r)
		return
	}
	for _, v := range r.Asked {
		why := ""
		if v.Why != "" {
			why = ": " + registry.Printable(v.Why)
		}
		a.say("%-8s server %d  %6.1f ms  %s%s", v.Role, v.Server, v.MS, v.Outcome, why)
	}
}

// asWhat says why a server was asked, by its role.
var asWhat = map[string]string{
	client.RolePrimary: "to answer first",
	client.RoleAuditor: "to check, by chance",
	client.RoleAnchor:  "to check, being trusted",
	client.RoleWitness: "after answers differed",
}

// tellAll says of each candidate why it was or was not asked, what came of it, and what that did to its score.
func (a *app) tellAll(r callResult) {
	t := tabwriter.NewWriter(a.talk, 0, 0, 2, ' ', 0)
	defer t.Flush()
	row := func(server barnraise.ServerID, cells ...string) {
		for i, c := range cells {
			if cells[i] = registry.Printable(c); c == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintf(t, "%d\t%s\n", server, strings.Join(cells, "\t"))
	}
	fmt.Fprintln(t, "SERVER\tASKED\tANSWER\tTOOK\tITS SCORE\tWHY\tURL")
	for _, v := range r.Asked {
		row(v.Server, v.Role+", "+asWhat[v.Role], v.Outcome, fmt.Sprintf("%.1f ms", v.MS), v.Effect, v.Why, v.URL)
	}
	for _, v := range r.Passed {
		row(v.Server, "no", "", "", "", v.Why, v.URL)
	}
}

// printFailure tells programs what was tried before a call failed closed.
func (a *app) printFailure(err error, network registry.Network, explain bool) error {
	result := callResult{Network: network.Digest(), Verdict: map[string]string{"status": string(barnraise.Undecided)}, Snapshot: a.viewed}
	var tooFew *client.TooFewError
	var undecided *client.UndecidedError
	switch {
	case errors.As(err, &tooFew):
		result.Service, result.Revision, result.Asked = tooFew.Service, tooFew.Revision, asked(tooFew.Asked)
		result.Verdict["reason"], result.Requests = "too few servers", tooFew.Requests
		result.Struck, result.Evidence = tooFew.Struck, optional(tooFew.Evidence)
		if explain {
			result.Passed = unasked(tooFew)
		}
	case errors.As(err, &undecided):
		result.Service, result.Revision, result.Asked = undecided.Service, undecided.Revision, asked(undecided.Asked)
		result.Verdict["reason"], result.Evidence = undecided.Reason, optional(undecided.Evidence)
		result.Requests, result.Struck, result.Passed = undecided.Requests, undecided.Struck, passed(undecided.Passed)
	default:
		return nil
	}
	if !a.json {
		a.tell(result, explain)
		return nil
	}
	return a.print(result, nil)
}

// unasked lists the candidates that were not asked.
func unasked(e *client.TooFewError) []passedResult {
	list := slices.DeleteFunc(slices.Clone(e.Candidates), func(v client.Candidate) bool {
		return slices.ContainsFunc(e.Asked, func(o client.Asked) bool { return o.Server == v.Server })
	})
	return passed(list)
}
