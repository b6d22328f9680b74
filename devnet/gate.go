package devnet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"barnraise"
	"barnraise/conformance"
	"barnraise/runtime"
	"barnraise/server"
	"barnraise/whole"
)

// gate is one for all servers of this machine: an image that one of them has tried here need not be tried again by the others,
// at the same time or ever, since they are the same machine. Each pulls and starts it by itself.
type gate struct {
	dir  string     // of the reports of images that passed
	real server.Try // who tries what was not tried yet
	mu   sync.Mutex
	busy map[string]*sync.Mutex // by report
}

// try is a server's gate.
func (g *gate) try(ctx context.Context, r runtime.Runtime, s conformance.Subject, real []conformance.Answered) (conformance.Report, error) {
	if len(real) > 0 {
		return g.real(ctx, r, s, real)
	}
	document, err := s.Manifest.Encode()
	if err != nil {
		return conformance.Report{}, err
	}
	name := barnraise.Sum(append([]byte(s.Image.String()+"\n"), document...))
	file := filepath.Join(g.dir, strings.TrimPrefix(name.String(), "sha256:")+".json")
	defer g.alone(file)()
	if b, err := os.ReadFile(file); err == nil {
		if report, err := conformance.ParseReport(b); err == nil && report.Passed {
			return report, nil
		}
	}
	report, err := g.real(ctx, r, s, nil)
	if err != nil {
		return report, err
	}
	return report, g.keep(file, report)
}

// alone waits until nobody else tries the same.
func (g *gate) alone(file string) (done func()) {
	g.mu.Lock()
	one := g.busy[file]
	if one == nil {
		one = new(sync.Mutex)
		g.busy[file] = one
	}
	g.mu.Unlock()
	one.Lock()
	return one.Unlock
}

func (g *gate) keep(file string, r conformance.Report) error {
	b, err := r.Encode()
	if err = errors.Join(err, os.MkdirAll(g.dir, 0o755)); err != nil {
		return err
	}
	return whole.Write(file, b, 0o600)
}
