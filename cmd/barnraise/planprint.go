package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"barnraise"
	"barnraise/barter"
	"barnraise/hosting"
)

// planResult is a plan as JSON. Servers and services are there with --explain, what follows only of a server's own plan.
type planResult struct {
	Self     barnraise.ServerID `json:"self"`
	Epoch    uint64             `json:"epoch"`
	Actions  []plannedAction    `json:"actions"`
	Servers  []plannedDebt      `json:"servers,omitempty"`
	Services []plannedWorth     `json:"services,omitempty"`

	URL     string                `json:"url,omitempty"`
	Next    *time.Time            `json:"next,omitempty"` // when it plans next; none where it never has
	Idle    string                `json:"idle,omitempty"` // why nothing is started for others now
	Own     []barnraise.ServiceID `json:"own,omitempty"`
	Hosting []hostedResult        `json:"hosting,omitempty"` // what it means to host for others, whatever the plan makes of it

	explain bool
	now     time.Time
}

// plannedAction is an action, and of a start in a server's own plan the operator's word on it.
type plannedAction struct {
	barter.Action
	Consent string `json:"consent,omitempty"` // yes, ask, no
	Word    string `json:"word,omitempty"`
}

// proposed is what is printed for a start that waits for the operator.
const proposed = "propose"

func (a plannedAction) verb() string {
	if a.Consent == consentWord(hosting.Ask) {
		return proposed
	}
	return string(a.Verb)
}

// plannedDebt is how two servers stand with each other, and when the other was looked at.
type plannedDebt struct {
	barter.Debt
	FirstSeen *uint64        `json:"firstSeen,omitempty"` // epoch
	Looked    []lookedResult `json:"looked,omitempty"`
}

// lookedResult is when a server was asked for a service last, and what came of it.
type lookedResult struct {
	Service  barnraise.ServiceID `json:"service"`
	Standing string              `json:"standing"` // confirmed, refuted, unknown
	Epoch    *uint64             `json:"epoch,omitempty"`
	At       *time.Time          `json:"at,omitempty"`
}

// plannedWorth is what a service is to a server.
type plannedWorth struct {
	barter.Worth
	Guessed bool `json:"guessed,omitempty"` // its manifest was not looked at yet: what it costs is a guess
}

// hostedResult is what a server means to do with a service of others.
type hostedResult struct {
	Service barnraise.ServiceID  `json:"service"`
	Phase   hosting.Phase        `json:"phase"`
	Cost    uint32               `json:"cost"`
	For     []barnraise.ServerID `json:"for"`
	Since   uint64               `json:"since"` // epoch
	Reason  string               `json:"reason"`
	Absent  *time.Time           `json:"absent,omitempty"` // since when it is to run and does not
}

// newPlan plans.
func newPlan(in barter.Input, explain bool) planResult {
	r := planResult{Self: in.Self, Epoch: in.Epoch, Actions: []plannedAction{}, explain: explain}
	e := barter.Explain(in)
	for _, v := range e.Actions {
		r.Actions = append(r.Actions, plannedAction{Action: v})
	}
	if explain {
		for _, v := range e.Debts {
			r.Servers = append(r.Servers, plannedDebt{Debt: v})
		}
		for _, v := range e.Services {
			r.Services = append(r.Services, plannedWorth{Worth: v})
		}
	}
	return r
}

func (a *app) printPlan(r planResult, names serviceNames) error {
	return a.print(r, func(w io.Writer) {
		r.head(w)
		r.actions(w, names)
		if r.Idle != "" {
			fmt.Fprintf(w, "nothing is started for others now: %s\n", r.Idle)
		}
		if r.explain {
			r.debts(w)
			r.worths(w, names)
		}
	})
}

// head says whose plan it is, where that is a server's own.
func (r planResult) head(w io.Writer) {
	if r.URL == "" {
		return
	}
	next := "as soon as it has looked around"
	if r.Next != nil {
		next = "in " + max(0, r.Next.Sub(r.now)).Round(time.Second).String()
	}
	fmt.Fprintf(w, "server %d at %s, in epoch %d; it plans next %s\n", r.Self, r.URL, r.Epoch, next)
}

func (r planResult) actions(w io.Writer, names serviceNames) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	for _, id := range r.Own {
		fmt.Fprintf(t, "own\t%s %s\tit always runs here\n", id, names(id))
	}
	for _, h := range r.Hosting {
		if h.Phase == hosting.Leaving {
			fmt.Fprintf(t, "leave\t%s %s\t%s\n", h.Service, names(h.Service), h.Reason)
		}
	}
	for _, v := range r.Actions {
		what := fmt.Sprintf("%s %s", v.Service, names(v.Service))
		if v.Verb == barter.Unpaid {
			what = fmt.Sprintf("server %d", v.For[0])
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", v.verb(), what, r.why(v))
	}
	if len(r.Actions) == 0 {
		fmt.Fprintf(t, "server %d owes nothing, and hosts nothing of others\n", r.Self)
	}
}

// why says what an action rests on, and what keeps it from being done.
func (r planResult) why(v plannedAction) string {
	why := v.Reason
	if v.verb() == proposed {
		why += "; " + v.Word
	}
	i := slices.IndexFunc(r.Hosting, func(h hostedResult) bool { return h.Service == v.Service && h.Absent != nil })
	if i >= 0 && v.Verb == barter.Keep {
		why += "; it does not run yet, since " + ago(r.now, *r.Hosting[i].Absent)
	}
	return why
}

// debts prints with whom a server has to do.
func (r planResult) debts(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	looked := ""
	if r.URL != "" {
		looked = "\tLOOKED AT"
	}
	fmt.Fprintf(t, "\nSERVER\tI OWE\tIT OWES\tCONFIRMED\tCLAIMED\tI RUN\tIT GAVE\tIT GOT\tWEIGHT%s\n", looked)
	for _, d := range r.Servers {
		if looked != "" {
			looked = "\t" + lastLook(r.now, d.Looked)
		}
		fmt.Fprintf(t, "%d\t%d\t%d\t%v\t%v\t%v\t%d\t%d\t%.2f%s\n",
			d.Server, d.Owed, d.Owes, d.Confirmed, d.Claimed, d.Paid, d.Given, d.Received, d.Weight, looked)
	}
}

// lastLook says when a server was looked at last, for any service.
func lastLook(now time.Time, list []lookedResult) string {
	last := lookedResult{}
	for _, l := range list {
		if later(l.At, last.At) || last.At == nil && l.Epoch != nil && (last.Epoch == nil || *l.Epoch > *last.Epoch) {
			last = l
		}
	}
	return last.when(now)
}

func later(a, b *time.Time) bool { return a != nil && (b == nil || a.After(*b)) }

// when says when that was; of what lies longer back than events are kept, the epoch is known.
func (l lookedResult) when(now time.Time) string {
	switch {
	case l.At != nil:
		return ago(now, *l.At)
	case l.Epoch != nil:
		return fmt.Sprintf("in epoch %d", *l.Epoch)
	}
	return "never"
}

// worths prints what services are worth to a server.
func (r planResult) worths(w io.Writer, names serviceNames) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "\nSERVICE\tCOSTS\tHOSTS\tRUNS\tFOR\tSTOPS, OR DOES NOT RUN BECAUSE")
	for _, s := range r.Services {
		live, guess := s.Live, ""
		if s.Runs {
			live++
		}
		if s.Guessed {
			guess = "?"
		}
		fmt.Fprintf(t, "%s %s\t%d%s\t%d of %d\t%s\t%v\t%s\n", s.Service, names(s.Service), s.Cost, guess, live, s.Wanted, r.runs(s), s.For, s.Ends)
	}
}

// runs says whether a service runs once the plan is carried out.
func (r planResult) runs(s plannedWorth) string {
	i := slices.IndexFunc(r.Actions, func(v plannedAction) bool { return v.Service == s.Service && v.Verb == barter.Start })
	switch {
	case !s.Runs:
		return "no"
	case i < 0:
		return "yes"
	case r.Actions[i].verb() == proposed:
		return "if you agree"
	}
	return "soon"
}

// consentWord is the operator's word in a result.
func consentWord(c hosting.Consent) string {
	switch c {
	case hosting.Yes:
		return "yes"
	case hosting.No:
		return "no"
	}
	return "ask"
}

// standingWord is what is known of an offer, in a result.
func standingWord(s barter.Standing) string {
	switch s {
	case barter.Confirmed:
		return "confirmed"
	case barter.Refuted:
		return "refuted"
	}
	return "unknown"
}
