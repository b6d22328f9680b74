package sim

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// Printer writes the figures of a run: epochs as they come, then the summary. It fails as its writer does.
type Printer interface {
	Epoch(Epoch) error
	Summary(Summary) error
}

// names are those of [figures], as in JSON.
var names = []string{
	"cov2", "cov3", "changed", "exclusive_honest", "exclusive_free", "tx", "replicas", "replicas_p10", "given", "received_honest",
	"received_free", "gini", "probes", "probes_refuted", "exclusive_washed", "exclusive_liars",
}

// JSON prints one object a line and epoch, and the summary as the last.
func JSON(w io.Writer) Printer { return lines{json.NewEncoder(w)} }

type lines struct{ *json.Encoder }

func (p lines) Epoch(e Epoch) error     { return p.Encode(e) }
func (p lines) Summary(s Summary) error { return p.Encode(s) }

// CSV prints one line an epoch under a line of names. The last one is the summary, and says so in its last column.
func CSV(w io.Writer) Printer { return &table{out: csv.NewWriter(w)} }

type table struct {
	out    *csv.Writer
	headed bool
}

func (p *table) Epoch(e Epoch) error     { return p.row(e, false) }
func (p *table) Summary(s Summary) error { return p.row(s.Epoch, true) }

func (p *table) row(e Epoch, summary bool) error {
	if !p.headed {
		p.headed = true
		if err := p.out.Write(append(append([]string{"epoch"}, names...), "summary")); err != nil {
			return err
		}
	}
	row := []string{strconv.Itoa(e.Epoch)}
	for _, f := range figures(&e) {
		row = append(row, strconv.FormatFloat(*f, 'f', -1, 64))
	}
	if err := p.out.Write(append(row, strconv.FormatBool(summary))); err != nil {
		return err
	}
	p.out.Flush()
	return p.out.Error()
}

// Text prints a table for people, and in the end what it comes to in words.
func Text(w io.Writer) Printer { return &prose{out: w} }

type prose struct {
	out    io.Writer
	headed bool
}

const heading = `epoch  services with     lists   copies of what nobody else rewards   trans-   probes
       2 hosts  3 hosts  changed  honest homes  free riders' homes      actions  per server
`

func (p *prose) Epoch(e Epoch) error {
	if !p.headed {
		p.headed = true
		if _, err := io.WriteString(p.out, heading); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(p.out, "%5d  %5.1f %%  %5.1f %%  %5.1f %%  %12.2f  %18.2f  %11.3f  %10.1f\n",
		e.Epoch, 100*e.Cov2, 100*e.Cov3, 100*e.Changed, e.ExclusiveHonest, e.ExclusiveFree, e.Tx, e.Probes)
	return err
}

func (p *prose) Summary(s Summary) error {
	words := "not settled: 1 % of the servers or more change their lists in each epoch"
	if s.Converged > 0 {
		words = fmt.Sprintf("settled from epoch %d on: fewer than 1 %% of the servers changed their lists in the mean of five", s.Converged)
	}
	_, err := fmt.Fprintf(p.out, `
%d servers, %d services, %d epochs, seed %d; %.4g %% free riders, %.4g %% whitewashers, %.4g %% liars, churn %.4g %%
%s
in the mean of the last epochs
  %5.1f %%  of honest servers' services really run on two servers, their home included
  %5.1f %%  on three
  %7.2f  servers run such a service; a tenth of them has %.4g or fewer
  %7.2f  others run a service that only its home rewards, where that is honest; a free rider's %.2f, a whitewasher's %.2f,
           a liar's %.2f
  %7.1f  hosts elsewhere of all that an honest server rewards; a free rider %.1f
  %7.3f  is the Gini coefficient of what honest servers get for what they give
  %7.3f  transactions a server and epoch; %.1f %% of the lists change
  %7.1f  probes a server and epoch, %.1f without a right answer
`, s.Servers, s.Services, s.Epoch.Epoch, s.Seed, 100*s.FreeRiders, 100*s.Whitewashers, 100*s.Liars, 100*s.Churn, words,
		100*s.Cov2, 100*s.Cov3, s.Replicas, s.Least, s.ExclusiveHonest, s.ExclusiveFree, s.ExclusiveWashed, s.ExclusiveLiars,
		s.ReceivedHonest, s.ReceivedFree, s.Gini, s.Tx, 100*s.Changed, s.Probes, s.Refuted)
	return err
}
