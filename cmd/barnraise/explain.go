package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"barnraise"
	"barnraise/barter"
	"barnraise/hosting"
	"barnraise/store"

	"github.com/spf13/cobra"
)

func (a *app) explain() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "explain SERVER",
		Short: "Say what you, or a server, think of a server, and every event behind it",
		Long: `Say what your own calls have shown of a server in the network: scores in each service, evidence in which it signed an answer, and
every event that is kept, newest last.

With --config it is what the server of a configuration thinks of another, and how they stand with each other: besides what is owed
either way, what it was asked and when, and what is hosted for it. Of the server itself it says what evidence of others is about it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := serverID(args[0])
			if err != nil {
				return err
			}
			if file == "" {
				return a.notebook(c.Context(), func(n *notebook) error { return n.explain(c.Context(), id) })
			}
			return a.at(c.Context(), file, func(d *desk) error { return d.explain(c.Context(), id) })
		},
	}
	configFlag(c, &file)
	return c
}

// explanation is everything that is known of a server.
type explanation struct {
	plannedDebt
	URL      string         `json:"url"`
	Status   string         `json:"status"`
	Since    uint64         `json:"since"`  // block
	Scores   *scoreResult   `json:"scores"` // null where it was never asked anything
	Hosting  []hostedResult `json:"hosting"`
	Evidence []store.Item   `json:"evidence"`
	Events   []store.Event  `json:"events"` // newest last

	now  time.Time
	self bool // it is the server that was asked
}

func (d *desk) explain(ctx context.Context, id barnraise.ServerID) error {
	v, err := d.look(ctx)
	if err != nil {
		return err
	}
	of, ok := v.head.Server(id)
	if !ok {
		return fmt.Errorf("the registry has no server %d; list them with: barnraise servers list", id)
	}
	f, err := d.foresee(ctx, v)
	if err != nil {
		return err
	}
	e := explanation{
		plannedDebt: plannedDebt{Debt: barter.Account(f.Input, id)}, URL: of.URL, Status: of.Status.String(), Since: of.Since, now: d.now,
		self: id == v.self, Hosting: []hostedResult{},
	}
	if err := d.acquaint(ctx, &e.plannedDebt, f); err != nil {
		return err
	}
	for _, h := range hostings(f.Hosting) {
		if slices.Contains(h.For, id) {
			e.Hosting = append(e.Hosting, h)
		}
	}
	if err := d.recall(ctx, &e, id); err != nil {
		return err
	}
	return d.app.print(e, func(w io.Writer) { e.text(w, namesOf(v.confirmed)) })
}

// recall adds what is kept of a server: scores, evidence and events.
func (d *desk) recall(ctx context.Context, e *explanation, id barnraise.ServerID) error {
	book, err := d.book(ctx)
	if err != nil {
		return err
	}
	if row, known := book.Row(id); known {
		s := scoreOf(book, row, d.epoch(), d.now)
		e.Scores = &s
	}
	if e.Evidence, err = d.evidence(ctx, store.EvidenceFilter{Server: id}); err != nil {
		return err
	}
	e.Events, err = d.events(ctx, store.EventFilter{Server: id})
	return err
}

func (e explanation) text(w io.Writer, names serviceNames) {
	fmt.Fprintf(w, "server %d at %s, %s since block %d, %s\n", e.Server, e.URL, e.Status, e.Since, e.seen())
	if !e.self {
		e.scores(w, names)
		e.debt(w, names)
	}
	if len(e.Evidence) > 0 {
		fmt.Fprintln(w)
		writeEvidence(w, e.Evidence)
	}
	fmt.Fprintln(w)
	writeEvents(w, e.Events)
}

func (e explanation) seen() string {
	switch {
	case e.self:
		return "this one"
	case e.FirstSeen == nil:
		return "never seen by this server"
	}
	return fmt.Sprintf("first seen in epoch %d", *e.FirstSeen)
}

func (e explanation) scores(w io.Writer, names serviceNames) { e.Scores.text(w, names) }

// text prints what is thought of a server; s is nil where it was never asked anything.
func (s *scoreResult) text(w io.Writer, names serviceNames) {
	if s == nil {
		fmt.Fprintln(w, "it was never asked anything: its weight is 1")
		return
	}
	fmt.Fprintf(w, "integrity %.2f, availability %.2f, latency %s: its weight is %.2f; strikes: %s; suspended: %s\n\n",
		s.Integrity, s.Availability, latency(s.MS), s.Weight, s.strikes(), s.suspended())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "SERVICE\tINTEGRITY\tANSWERS\tDOUBT\tSTRIKES\tSUSPENDED")
	for _, v := range s.Services {
		suspended := "no"
		if v.Suspended {
			suspended = fmt.Sprintf("for %d own requests", v.Left)
		}
		fmt.Fprintf(t, "%s %s\t%.2f\t%.4g\t%.2f\t%d\t%s\n", v.Service, names(v.Service), v.Integrity, v.History, v.Doubt, v.Strikes, suspended)
	}
}

// debt prints how both stand with each other, as this server sees it.
func (e explanation) debt(w io.Writer, names serviceNames) {
	fmt.Fprintf(w, "\nI owe it %d, it owes me %d; it was found to run %d of others' services, and its own are offered %d times by others\n\n",
		e.Owed, e.Owes, e.Given, e.Received)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	for _, l := range e.Looked {
		fmt.Fprintf(t, "it offers\t%s %s\t%s; looked at %s\n", l.Service, names(l.Service), l.Standing, l.when(e.now))
	}
	for _, id := range e.Paid {
		fmt.Fprintf(t, "I run\t%s %s\tit would like to see that run\n", id, names(id))
	}
	for _, h := range e.Hosting {
		what := map[hosting.Phase]string{hosting.Proposed: "it is to get", hosting.Hosting: "it is paid with", hosting.Leaving: "it was paid with"}[h.Phase]
		fmt.Fprintf(t, "%s\t%s %s\t%s\n", what, h.Service, names(h.Service), h.Reason)
	}
}

// writeEvents prints events, newest last.
func writeEvents(w io.Writer, list []store.Event) {
	if len(list) == 0 {
		fmt.Fprintln(w, "no events are kept")
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	for _, e := range list {
		service := "-"
		if e.Service != 0 {
			service = e.Service.String()
		}
		if e.Revision != 0 {
			service += fmt.Sprintf("@%d", e.Revision)
		}
		text := strings.Join(strings.Fields(e.Text), " ") // of strangers' words, too
		if e.Evidence != "" {
			text += "; evidence " + e.Evidence
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", e.At.UTC().Format(time.DateTime), e.Kind, service, text)
	}
}
