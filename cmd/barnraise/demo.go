package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"barnraise"
	"barnraise/client"
	"barnraise/devnet"

	"github.com/spf13/cobra"
)

func (a *app) demo() *cobra.Command {
	var once bool
	var dir string
	c := &cobra.Command{
		Use:   "demo",
		Short: "See strangers run each other's services, and a liar caught, in one minute",
		Long: `Demo starts a whole network on this machine: an embedded chain, three servers A, B and C of different operators, and
three services, matrix, whisper and search. Who rewards a service would like to see it run; the servers find by themselves what to
host for each other, and say why. Then it asks each service a question, of one server, whose answer proves itself; lets a server lie
about it, and catches it; and has the evidence rechecked in a fresh process. Then it stays up for you to go on.

With --once it tells the story and ends; it exits 0 only if every step came true. Without --dir the evidence is kept where
that of your own calls is, and the network goes when the demo ends.`,
		RunE: func(c *cobra.Command, _ []string) error {
			s := &story{app: a, dir: dir}
			return s.run(c.Context(), once)
		},
	}
	c.Flags().BoolVar(&once, "once", false, "tell the story and end")
	c.Flags().StringVar(&dir, "dir", "", "directory that keeps the network; else a temporary one that goes with it")
	return c
}

// story is the demo under way.
type story struct {
	*app
	dir      string
	evidence client.Directory // it outlives the network
	net      *devnet.Net
	client   machineClient   // of the chapter
	callers  []machineClient // of all chapters; what each has found out is still being told to others
	barter   chronicle

	truth map[string]json.RawMessage // by service
	told  demoResult
}

// demoResult is what demo prints as JSON, once the story is told.
type demoResult struct {
	OK          bool         `json:"ok"`
	Steps       []stepResult `json:"steps"`
	Requests    int          `json:"requests"` // sent to servers by verified calls
	Answers     int          `json:"answers"`  // accepted
	Convictions []conviction `json:"convictions"`
}

type stepResult struct {
	Step   string `json:"step"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

type conviction struct {
	Server   barnraise.ServerID `json:"server"`
	Service  string             `json:"service"`
	Evidence string             `json:"evidence"`
}

func (s *story) run(ctx context.Context, once bool) (err error) {
	if s.cache, err = s.cacheDir(); err != nil {
		return err
	}
	leave, err := s.settle()
	if err != nil {
		return err
	}
	defer leave()
	release, err := hold(ctx, s.dir)
	if err != nil {
		return err
	}
	defer release()
	defer func() { err = errors.Join(err, s.close()) }()
	s.tell(ctx)
	if err := s.end(); once || err != nil {
		return err
	}
	s.goOn()
	<-ctx.Done()
	return nil
}

// settle finds the directories of network and evidence. Leave takes away what goes with the demo.
func (s *story) settle() (leave func(), err error) {
	if s.evidence, err = client.EvidenceDirectory(); err != nil {
		return nil, err
	}
	if s.dir == "" {
		s.dir, err = os.MkdirTemp("", "barnraise-demo-")
		return func() { os.RemoveAll(s.dir) }, err
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return nil, err
	}
	s.evidence = client.Directory(filepath.Join(s.dir, "evidence"))
	return func() {}, nil
}

// act is a step of the story, by its name.
type act struct {
	name string
	do   func(context.Context) (string, error)
}

// tell tells the story as far as it comes true.
func (s *story) tell(ctx context.Context) {
	s.told.Convictions, s.told.OK, s.truth = []conviction{}, true, make(map[string]json.RawMessage)
	s.acts(ctx, act{"network", s.startNetwork}, act{"registry", s.readRegistry}, act{"barter", s.watchBarter})
	for _, c := range s.chapters() {
		s.acts(ctx,
			act{c.service, func(ctx context.Context) (string, error) { return s.ask(ctx, c) }},
			act{c.service + " lie", func(ctx context.Context) (string, error) { return s.lie(ctx, c) }})
	}
	s.acts(ctx, act{"recheck", s.recheck}, act{"tamper", s.tamper})
}

// acts tells some steps, up to the first that does not come true.
func (s *story) acts(ctx context.Context, acts ...act) {
	for _, a := range acts {
		if s.told.OK {
			s.step(ctx, a.name, a.do)
		}
	}
}

// step tells one step of the story.
func (s *story) step(ctx context.Context, name string, do func(context.Context) (string, error)) {
	detail, err := do(ctx)
	r := stepResult{Step: name, OK: err == nil, Detail: detail}
	if err != nil {
		r.Detail, s.told.OK = err.Error(), false
	}
	s.told.Steps = append(s.told.Steps, r)
	if !s.json {
		mark := map[bool]string{true: "✓", false: "✗"}[r.OK]
		fmt.Fprintf(harmless{s.out}, "%s %s\n", mark, strings.ReplaceAll(r.Detail, "\n", "\n  "))
	}
}

// end prints the whole story for programs, and fails where it did not come true.
func (s *story) end() error {
	if s.json {
		if err := s.print(s.told, nil); err != nil {
			return err
		}
	}
	if !s.told.OK {
		return fmt.Errorf("the step %q did not come true", s.told.Steps[len(s.told.Steps)-1].Step)
	}
	return nil
}

func (s *story) close() (err error) {
	for _, c := range s.callers {
		err = errors.Join(err, c.Close())
	}
	if s.net != nil {
		err = errors.Join(err, s.net.Close())
	}
	return err
}

func (s *story) letter(id barnraise.ServerID) string {
	for i, m := range s.net.Servers {
		if m.ID == id {
			return string(rune('A' + i))
		}
	}
	return id.String()
}

// goOn says where to go on: to people, not to a program that reads the results.
func (s *story) goOn() {
	w := s.out
	if s.json {
		w = s.talk
	}
	fmt.Fprintf(w, `
The network stays up until you interrupt it. In another terminal:

  export BARNRAISE_NETWORK=%s
  go run ./cmd/barnraise call search search_query '{"q":"parse a date","k":3}'
  go run ./cmd/barnraise call --one search search_query '{"q":"parse a date","k":3,"proof":true}'
  go run ./cmd/barnraise servers list
  go run ./cmd/barnraise verify %s --re-execute
  curl -s %s/v1/services/%d/1 -H 'Content-Type: application/json' -D - \
       -d '{"jsonrpc":"2.0","id":1,"method":"search_info","params":[]}'
`, s.net.File, s.told.Convictions[0].Evidence, s.net.Servers[0].URL, s.net.Network.Names["search"])
}
