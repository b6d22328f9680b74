// Package chart draws what a simulation came to, as SVG.
package chart

import (
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"

	"barnraise/sim"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Run is what is drawn.
type Run struct {
	Epochs  []sim.Epoch
	Summary sim.Summary
}

// The size of one plot.
const (
	width  = 5 * vg.Inch
	height = 3 * vg.Inch
)

// Names are the plots, in the order in which [Sheet] shows them.
var Names = []string{"coverage", "replicas", "fairness", "convergence", "transactions"}

var (
	green = color.RGBA{R: 0x4c, G: 0x8c, B: 0x4a, A: 0xff}
	blue  = color.RGBA{R: 0x35, G: 0x6f, B: 0xa8, A: 0xff}
	red   = color.RGBA{R: 0xb5, G: 0x47, B: 0x3a, A: 0xff}
	paper = color.RGBA{R: 0xfb, G: 0xf8, B: 0xf2, A: 0xff}
)

// Files writes each plot as an SVG of its name into a directory, which is made where it is missing.
func Files(dir string, r Run) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("make directory for plots: %w", err)
	}
	for _, name := range Names {
		p, err := r.plot(name)
		if err != nil {
			return err
		}
		c := vgsvg.New(width, height)
		p.Draw(draw.New(c))
		if err := write(filepath.Join(dir, name+".svg"), c); err != nil {
			return err
		}
	}
	return nil
}

func write(name string, c *vgsvg.Canvas) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write plot: %w", err)
	}
	if _, err := c.WriteTo(f); err != nil {
		f.Close()
		return fmt.Errorf("write plot %s: %w", name, err)
	}
	return f.Close()
}

// Sheet writes one SVG with all plots.
func Sheet(w io.Writer, r Run) error {
	const columns = 2
	rows := (len(Names) + columns - 1) / columns
	grid := make([][]*plot.Plot, rows)
	for i := range rows {
		grid[i] = make([]*plot.Plot, columns)
	}
	for i, name := range Names {
		p, err := r.plot(name)
		if err != nil {
			return err
		}
		grid[i/columns][i%columns] = p
	}
	c := vgsvg.New(columns*width, vg.Length(rows)*height)
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: vg.Millimeter, PadY: vg.Millimeter}
	for i, row := range plot.Align(grid, tiles, draw.New(c)) {
		for j, place := range row {
			if grid[i][j] != nil {
				grid[i][j].Draw(place)
			}
		}
	}
	if _, err := c.WriteTo(w); err != nil {
		return fmt.Errorf("write plots: %w", err)
	}
	return nil
}

// curve is one figure over the epochs.
type curve struct {
	label  string
	color  color.Color
	figure func(sim.Epoch) float64
}

// plot draws the plot of a name.
func (r Run) plot(name string) (*plot.Plot, error) {
	switch name {
	case "coverage":
		return r.curves("Honest servers' services that really run", "% of them", true,
			curve{"on 2 servers or more", blue, func(e sim.Epoch) float64 { return 100 * e.Cov2 }},
			curve{"on 3 servers or more", green, func(e sim.Epoch) float64 { return 100 * e.Cov3 }})
	case "fairness":
		return r.curves("Copies of what only its home rewards", "other hosts", false,
			curve{"home is honest", green, func(e sim.Epoch) float64 { return e.ExclusiveHonest }},
			curve{"home is a free rider", red, func(e sim.Epoch) float64 { return e.ExclusiveFree }})
	case "convergence":
		return r.curves("Servers that change their lists", "% of all", false,
			curve{"", blue, func(e sim.Epoch) float64 { return 100 * e.Changed }})
	case "transactions":
		sum := 0.0
		return r.curves("Transactions so far", "per server", false,
			curve{"", red, func(e sim.Epoch) float64 { sum += e.Tx; return sum }})
	}
	return r.histogram()
}

func empty(title, x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = paper
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Y.Min = 0
	p.Legend.YOffs, p.Legend.XOffs = vg.Millimeter, -vg.Millimeter
	for _, s := range []*text.Style{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	} {
		s.Font.Variant = "Sans"
	}
	return p
}

// curves draws figures over the epochs. A share goes up to a hundred.
func (r Run) curves(title, y string, share bool, list ...curve) (*plot.Plot, error) {
	p := empty(title, "epoch", y)
	if p.Legend.Top = !share; p.Legend.Top {
		p.Legend.YOffs = -vg.Millimeter
	}
	for _, c := range list {
		points := make(plotter.XYs, len(r.Epochs))
		for i, e := range r.Epochs {
			points[i] = plotter.XY{X: float64(e.Epoch), Y: c.figure(e)}
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", title, err)
		}
		line.Color, line.Width = c.color, vg.Points(1.5)
		p.Add(line)
		if c.label != "" {
			p.Legend.Add(c.label, line)
		}
	}
	p.Y.Min = 0
	switch {
	case share:
		p.Y.Max = 100
	case list[0].label != "":
		p.Y.Max *= 1.3 // room for the legend
	}
	return p, nil
}

// histogram draws how many services have how many replicas in the end.
func (r Run) histogram() (*plot.Plot, error) {
	values := make(plotter.Values, len(r.Summary.Histogram))
	labels := make([]string, len(values))
	for i, n := range r.Summary.Histogram {
		values[i] = float64(n)
		if i%2 == 0 {
			labels[i] = fmt.Sprint(i + 1)
		}
	}
	labels[len(labels)-1] = "more"
	bars, err := plotter.NewBarChart(values, vg.Points(10))
	if err != nil {
		return nil, fmt.Errorf("draw replicas: %w", err)
	}
	bars.Color, bars.LineStyle.Width = green, 0
	p := empty("Replicas of a service, home included, in the end", "servers that really run it", "services")
	p.Add(bars)
	p.NominalX(labels...)
	p.Y.Min = 0
	return p, nil
}
