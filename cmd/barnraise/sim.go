package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"barnraise/sim"
	"barnraise/sim/chart"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
)

const simHelp = `Sim plays the barter of many servers, each with the planner, the probes and the scores that barnraise serve has, on a
registry in memory. Nothing is fetched, started or written on any chain.

  free riders    claim to run what pays them best, and run only their own services
  whitewashers   do the same, and come back under another id once nobody advances them anything more
  liars          run what they offer, and answer some probes wrongly

Each epoch is a line; what the last twenty come to stands at the end. The same flags give the same bytes on one machine,
however many processors it has. What the figures mean, and what they came to, is in docs/barter.md.`

// simFormats are what --format takes.
var simFormats = []string{"text", "csv", "json", "svg"}

// playing is what somebody says on the command line when he has a network played.
type playing struct {
	sim.Options
	format, plots string
	csv           bool
}

func (a *app) sim() *cobra.Command {
	p := playing{Options: sim.Default()}
	c := &cobra.Command{
		Use:   "sim",
		Short: "Play the barter of thousands of servers, and measure what comes of it",
		Long:  simHelp,
		Example: `  barnraise sim --servers 2000 --services 1000 --epochs 60 --free-riders 0.2
  barnraise sim --liars 0.1 --churn 0.01 --plots plots`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := p.check(a.json); err != nil {
				return fmt.Errorf("%w: %w; see: barnraise sim --help", errUsage, err)
			}
			return a.play(c, p)
		},
	}
	f := c.Flags()
	f.IntVar(&p.Servers, "servers", p.Servers, "how many servers there are")
	f.IntVar(&p.Services, "services", p.Services, "how many services they are home to")
	f.IntVar(&p.Epochs, "epochs", p.Epochs, "how long, in epochs of six hours")
	f.Float64Var(&p.FreeRiders, "free-riders", p.FreeRiders, "share of the servers that run only their own services")
	f.Float64Var(&p.Whitewashers, "whitewashers", p.Whitewashers, "share of the servers that do so under ever new ids")
	f.Float64Var(&p.Liars, "liars", p.Liars, "share of the servers that lie")
	f.Float64Var(&p.LieRate, "lie-rate", p.LieRate, "share of its answers in which a liar lies")
	f.Float64Var(&p.Churn, "churn", p.Churn, "share of the servers that are replaced by newcomers in each epoch")
	f.Float64Var(&p.Capacity, "capacity", p.Capacity, "mean units that a server has for services of others")
	f.Float64Var(&p.Rewards, "rewards", p.Rewards, "mean number of services of others that a server would like to see run")
	f.Uint64Var(&p.Seed, "seed", p.Seed, "of all that is left to chance")
	f.StringVar(&p.format, "format", "", "text, csv, json or svg; text where it is not said")
	f.BoolVar(&p.csv, "csv", false, "the same as --format csv")
	f.StringVar(&p.plots, "plots", "", "also write an SVG of each figure into this directory")
	return c
}

// check settles the format, and looks at all the rest.
func (p *playing) check(json bool) error {
	var said []string
	if p.format != "" {
		said = append(said, p.format)
	}
	if p.csv {
		said = append(said, "csv")
	}
	if json {
		said = append(said, "json")
	}
	switch {
	case len(said) == 0:
		p.format = "text"
	case len(said) > 1:
		return fmt.Errorf("--format %s: say one format", strings.Join(said, " and "))
	case !slices.Contains(simFormats, said[0]):
		return fmt.Errorf("--format %s: there are %s", said[0], strings.Join(simFormats, ", "))
	default:
		p.format = said[0]
	}
	return p.Options.Check()
}

// play runs the simulation and prints it as it comes.
func (a *app) play(c *cobra.Command, p playing) error {
	bar, run := a.progress(p.Epochs), chart.Run{}
	printer := p.printer(harmless{a.out})
	sum, err := sim.Run(c.Context(), p.Options, func(e sim.Epoch) error {
		run.Epochs = append(run.Epochs, e)
		if err := errors.Join(bar.Clear(), printer.Epoch(e)); err != nil {
			return err
		}
		return bar.Add(1)
	})
	if clearErr := bar.Clear(); err == nil {
		err = clearErr
	}
	switch {
	case err != nil && c.Context().Err() != nil:
		return fmt.Errorf("play the barter: stopped after %d of %d epochs", len(run.Epochs), p.Epochs)
	case err != nil:
		return fmt.Errorf("play the barter: %w", err)
	}
	run.Summary = sum
	return a.show(p, printer, run)
}

// show prints the summary, and draws what is to be drawn.
func (a *app) show(p playing, printer sim.Printer, run chart.Run) error {
	if err := printer.Summary(run.Summary); err != nil {
		return fmt.Errorf("print the summary: %w", err)
	}
	if p.format == "svg" {
		if err := chart.Sheet(a.out, run); err != nil {
			return err
		}
	}
	if p.plots == "" {
		return nil
	}
	return chart.Files(p.plots, run)
}

// printer is the one of the format; SVG is drawn in the end.
func (p playing) printer(w io.Writer) sim.Printer {
	switch p.format {
	case "csv":
		return sim.CSV(w)
	case "json":
		return sim.JSON(w)
	case "svg":
		w = io.Discard
	}
	return sim.Text(w)
}

// progress is a bar on the terminal that hears the talk, and nothing where that is no terminal.
func (a *app) progress(steps int) *progressbar.ProgressBar {
	h, _ := a.talk.(harmless)
	f, ok := h.Writer.(*os.File)
	if !ok {
		return progressbar.DefaultSilent(int64(steps))
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return progressbar.DefaultSilent(int64(steps))
	}
	return progressbar.NewOptions(steps, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("epochs"),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
}
