package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"barnraise"
	"barnraise/score"

	"github.com/spf13/cobra"
)

func (a *app) scores() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "scores",
		Short: "Say what you, or a server, think of servers",
		Long: `Say what is thought of servers, by what was seen of them: three numbers, and never one. Integrity falls with strikes, availability
counts answers and failures of the last hours, latency follows a rise at once. The weight is what they come to for the plan: a
server of weight 0 is owed nothing. Scores are an opinion, told to nobody.

It is what your own calls have shown in the network; with --config, what the server of a configuration has seen for itself.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if file == "" {
				return a.notebook(c.Context(), func(n *notebook) error {
					return a.printScores(scoresOf(n.book, epochOf(n.now), n.now))
				})
			}
			return a.at(c.Context(), file, func(d *desk) error {
				book, err := d.book(c.Context())
				if err != nil {
					return err
				}
				return a.printScores(scoresOf(book, d.epoch(), d.now))
			})
		},
	}
	configFlag(c, &file)
	return c
}

// scoreResult is what is thought of a server.
type scoreResult struct {
	Server       barnraise.ServerID `json:"server"`
	URL          string             `json:"url"`
	Integrity    float64            `json:"integrity"` // the least in any service
	Availability float64            `json:"availability"`
	MS           int64              `json:"ms"` // 0 where it was never heard
	Weight       float64            `json:"weight"`
	Strikes      int                `json:"strikes"`   // that stand
	Convicted    bool               `json:"convicted"` // one of them can convince others
	Suspended    bool               `json:"suspended"` // in all services
	Left         uint64             `json:"left,omitempty"`
	Services     []serviceScore     `json:"services"`
}

// serviceScore is what is thought of a server in a service.
type serviceScore struct {
	Service   barnraise.ServiceID `json:"service"`
	Integrity float64             `json:"integrity"`
	History   float64             `json:"history"` // answers that stood since its last strike
	Doubt     float64             `json:"doubt"`   // at 8 it is suspended
	Strikes   int                 `json:"strikes"`
	Suspended bool                `json:"suspended"`
	Left      uint64              `json:"left,omitempty"` // own requests until that ends
}

// scoresOf lists what is thought of every server that is known, ascending.
func scoresOf(b *score.Book, epoch uint64, now time.Time) []scoreResult {
	list := []scoreResult{}
	_, rows := b.Rows()
	for _, r := range rows {
		list = append(list, scoreOf(b, r, epoch, now))
	}
	return list
}

func scoreOf(b *score.Book, row score.Row, epoch uint64, now time.Time) scoreResult {
	id := row.Server
	r := scoreResult{
		Server: id, URL: row.URL, Integrity: 1, Availability: b.Availability(id, now), MS: b.Latency(id).Milliseconds(),
		Weight: b.Weight(id, epoch, now), Convicted: b.Convicted(id, epoch), Left: left(row.Until, b), Services: []serviceScore{},
	}
	r.Suspended = r.Left > 0
	strikes := make(map[barnraise.ServiceID]int)
	for _, s := range b.Standing(epoch) {
		if s.Server == id {
			strikes[s.Service]++
			r.Strikes++
		}
	}
	for _, h := range row.Services {
		s := serviceScore{
			Service: h.Service, Integrity: b.Integrity(id, h.Service), History: b.History(id, h.Service), Doubt: b.Doubt(id, h.Service),
			Strikes: strikes[h.Service], Suspended: b.Suspended(id, h.Service), Left: max(left(h.Until, b), r.Left),
		}
		r.Integrity = min(r.Integrity, s.Integrity)
		r.Services = append(r.Services, s)
	}
	return r
}

// left is how many own requests a suspension still lasts.
func left(until uint64, b *score.Book) uint64 { return until - min(until, b.Requests()) }

func (a *app) printScores(list []scoreResult) error {
	return a.print(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "no server was asked anything yet")
			return
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		defer t.Flush()
		fmt.Fprintln(t, "SERVER\tINTEGRITY\tAVAILABILITY\tLATENCY\tWEIGHT\tSTRIKES\tSUSPENDED\tURL")
		for _, r := range list {
			fmt.Fprintf(t, "%d\t%.2f\t%.2f\t%s\t%.2f\t%s\t%s\t%s\n",
				r.Server, r.Integrity, r.Availability, latency(r.MS), r.Weight, r.strikes(), r.suspended(), r.URL)
		}
	})
}

func latency(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return fmt.Sprintf("%d ms", ms)
}

// strikes says how many stand, and whether others can be convinced.
func (r scoreResult) strikes() string {
	if r.Convicted {
		return fmt.Sprintf("%d, convicted", r.Strikes)
	}
	return fmt.Sprint(r.Strikes)
}

// suspended says where a server is not asked any more.
func (r scoreResult) suspended() string {
	if r.Suspended {
		return "everywhere"
	}
	in := []barnraise.ServiceID{}
	for _, s := range r.Services {
		if s.Suspended {
			in = append(in, s.Service)
		}
	}
	if len(in) == 0 {
		return "no"
	}
	return fmt.Sprintf("in %v", in)
}
