package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/devnet"
	"barnraise/dial"
	"barnraise/jsonrpc"
	"barnraise/verifiers"

	"github.com/spf13/cobra"
)

// question is what the demo asks: a real one, whose answer everybody can judge.
const question = `{"q":"copy until end of file","k":10}`

func (a *app) demo() *cobra.Command {
	var once bool
	var dir string
	c := &cobra.Command{
		Use:   "demo",
		Short: "See strangers answer a real question, and a liar caught, in one minute",
		Long: `Demo starts a whole network on this machine: an embedded chain, three servers A, B and C of different operators, and
a search service over the documentation of Go's standard library. It asks, has the answers judged, lets C begin to lie,
catches it, and has the evidence rechecked in a fresh process. Then it stays up for you to go on.

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
	client   machineClient
	liar     devnet.Member

	truth json.RawMessage
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
	Evidence string             `json:"evidence"`
}

func (s *story) run(ctx context.Context, once bool) (err error) {
	if s.cache, err = s.cacheDir(); err != nil {
		return err
	}
	if s.evidence, err = client.EvidenceDirectory(); err != nil {
		return err
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "barnraise-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(s.dir)
	} else {
		if s.dir, err = filepath.Abs(s.dir); err != nil {
			return err
		}
		s.evidence = client.Directory(filepath.Join(s.dir, "evidence"))
	}
	release, err := hold(ctx, s.dir)
	if err != nil {
		return err
	}
	defer release()
	s.told.Convictions, s.told.OK = []conviction{}, true
	defer func() { err = errors.Join(err, s.close()) }()
	for _, step := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"network", s.startNetwork}, {"registry", s.readRegistry}, {"question", s.ask}, {"lie", s.lie}, {"caught", s.catch},
		{"avoided", s.avoid}, {"recheck", s.recheck}, {"tamper", s.tamper},
	} {
		if s.step(ctx, step.name, step.do); !s.told.OK {
			break
		}
	}
	if err := s.end(); once || err != nil {
		return err
	}
	s.goOn()
	<-ctx.Done()
	return nil
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
	if s.client.Client != nil {
		err = s.client.Close()
	}
	if s.net != nil {
		err = errors.Join(err, s.net.Close())
	}
	return err
}

func (s *story) startNetwork(ctx context.Context) (string, error) {
	began := time.Now()
	n, err := devnet.Up(ctx, devnet.Options{
		Dir: s.dir, Cache: s.cache, Servers: 3, Turncoat: true, Progress: func(line string) { s.say("  %s", line) },
	})
	if err != nil {
		return "", err
	}
	s.net, s.liar = n, n.Servers[len(n.Servers)-1]
	s.network = n.File
	s.client, _, err = s.app.client(ctx, client.WithKeeper(s.evidence))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("three servers of three operators are up: A, B and C, on a chain of their own (%.1f s)", time.Since(began).Seconds()), nil
}

func (s *story) readRegistry(ctx context.Context) (string, error) {
	list, err := s.net.Snapshot(ctx)
	if err != nil {
		return "", err
	}
	id := s.net.Network.Names["search"]
	service, revision, ok := list.Active(id)
	if hosts := list.Hosts(id); !ok || len(hosts) != 3 {
		return "", fmt.Errorf("service %s is offered by %d servers, want 3", id, len(hosts))
	}
	return fmt.Sprintf("service %s %q is registered by %s and offered by all three:\nimage    %s\nverifier %s (%s)",
		id, service.Name, service.Owner, revision.Image, revision.Verifier, standardVerifier(revision.Verifier)), nil
}

func standardVerifier(c barnraise.CID) string {
	for name, id := range verifiers.CIDs() {
		if id == c {
			return name
		}
	}
	return "not one of ours"
}

// call makes a verified call and counts it.
func (s *story) call(ctx context.Context) (*client.Answer, error) {
	answer, err := s.client.Call(ctx, "search", "search_query", []byte(question))
	if err != nil {
		return nil, err
	}
	s.told.Requests += answer.Requests
	s.told.Answers++
	for _, server := range answer.Struck {
		if !slices.ContainsFunc(s.told.Convictions, func(c conviction) bool { return c.Server == server }) {
			s.told.Convictions = append(s.told.Convictions, conviction{server, answer.Evidence})
		}
	}
	return answer, nil
}

// hits is what the demo reads of an answer.
type hits struct {
	Hits []struct {
		Doc   string `json:"doc"`
		Title string `json:"title"`
	} `json:"hits"`
}

func (s *story) ask(ctx context.Context) (string, error) {
	answer, err := s.call(ctx)
	if err != nil {
		return "", err
	}
	var h hits
	if err := answer.Decode(&h); err != nil {
		return "", err
	}
	s.truth = answer.Result
	for i, v := range h.Hits {
		if v.Doc == "io.Copy" {
			return fmt.Sprintf("asked %s: %d servers signed the same answer, the verifier accepted it\nhit %d: %s", question, answer.Requests, i+1, v.Title), nil
		}
	}
	return "", fmt.Errorf("io.Copy is not among the %d hits for %s", len(h.Hits), question)
}

// lie lets C begin to lie, and shows what somebody would read who believes it.
func (s *story) lie(ctx context.Context) (string, error) {
	s.liar.Lie(true)
	lie, err := s.believe(ctx, s.liar)
	if err != nil {
		return "", err
	}
	at := 0
	for at < min(len(lie), len(s.truth)) && lie[at] == s.truth[at] {
		at++
	}
	if at == len(lie) || len(lie) != len(s.truth) {
		return "", errors.New("the turncoat does not lie")
	}
	from, to := max(0, at-12), min(len(lie), at+12)
	return fmt.Sprintf("C begins to lie, by one byte. Who believes it reads …%s… where the truth is …%s…", lie[from:to], s.truth[from:to]), nil
}

// believe asks one server as any HTTP client would, and checks nothing.
func (s *story) believe(ctx context.Context, m devnet.Member) (json.RawMessage, error) {
	request, err := jsonrpc.NewRequest("search_query", []byte(question))
	if err != nil {
		return nil, err
	}
	url := fmt.Sprintf("%s/v1/services/%d/1", m.URL, s.net.Network.Names["search"])
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := dial.Client(true, time.Minute).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	r, err := jsonrpc.ParseResponse(body, jsonrpc.WireID)
	return json.RawMessage(r.Result), err
}

func (s *story) catch(ctx context.Context) (string, error) {
	for range 10 {
		answer, err := s.call(ctx)
		if err != nil {
			return "", err
		}
		if !bytes.Equal(answer.Result, s.truth) {
			return "", errors.New("a verified call returned the lie")
		}
		if len(answer.Struck) == 0 {
			continue // C was not asked
		}
		var told []string
		for _, v := range answer.Asked {
			told = append(told, fmt.Sprintf("%s %s (%s)", s.letter(v.Server), v.Outcome, v.Role))
		}
		if len(answer.Struck) != 1 || answer.Struck[0] != s.liar.ID {
			return "", fmt.Errorf("struck are %v, the liar is %d", answer.Struck, s.liar.ID)
		}
		return fmt.Sprintf("the same call, verified, returns the truth, and C is caught: %s\nthe image was run here to know who is right; evidence: %s",
			strings.Join(told, ", "), answer.Evidence), nil
	}
	return "", errors.New("in ten calls the liar was not asked once")
}

func (s *story) letter(id barnraise.ServerID) string {
	for i, m := range s.net.Servers {
		if m.ID == id {
			return string(rune('A' + i))
		}
	}
	return id.String()
}

func (s *story) avoid(ctx context.Context) (string, error) {
	const calls = 5
	for range calls {
		answer, err := s.call(ctx)
		if err != nil {
			return "", err
		}
		if answer.Asked[0].Server == s.liar.ID {
			return "", errors.New("the liar was asked first again")
		}
	}
	return fmt.Sprintf("C's word has lost its weight: in %d more calls it was never asked first", calls), nil
}

// fresh runs this program again, in a process that knows nothing but the files. What it says where it finds nothing is an
// error.
func (s *story) fresh(ctx context.Context, evidence string) (r recheckResult, code int, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, 0, err
	}
	if evidence, err = filepath.Abs(evidence); err != nil {
		return r, 0, err
	}
	c := exec.CommandContext(ctx, self, "verify", evidence, "--re-execute", "--json", "--network", s.net.File, "--cache", s.cache)
	c.Dir = os.TempDir()
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code, err = exit.ExitCode(), nil
		if len(out) == 0 {
			err = fmt.Errorf("a fresh process fails: %s", bytes.TrimSpace(exit.Stderr))
		}
	}
	if err != nil {
		return r, code, err
	}
	return r, code, json.Unmarshal(out, &r)
}

func (s *story) recheck(ctx context.Context) (string, error) {
	r, code, err := s.fresh(ctx, s.told.Convictions[0].Evidence)
	if err != nil {
		return "", err
	}
	if code != 0 || !r.Holds || len(r.Culprits) != 1 || r.Culprits[0] != s.liar.ID {
		return "", fmt.Errorf("a fresh process finds: holds %v, culprits %v, exit code %d", r.Holds, r.Culprits, code)
	}
	return "a fresh process rechecks the evidence by itself and comes to the same: it holds, and C is wrong", nil
}

func (s *story) tamper(ctx context.Context) (string, error) {
	b, err := os.ReadFile(s.told.Convictions[0].Evidence)
	if err != nil {
		return "", err
	}
	b[len(b)/2] ^= 1
	forged := filepath.Join(s.dir, "tampered.json")
	if err := os.WriteFile(forged, b, 0o600); err != nil {
		return "", err
	}
	r, code, err := s.fresh(ctx, forged)
	if err != nil {
		return "", err
	}
	if code != exitEvidence || r.Holds {
		return "", fmt.Errorf("evidence with an altered byte: holds %v, exit code %d", r.Holds, code)
	}
	return "evidence with one altered byte does not hold: nobody can be slandered", nil
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
  go run ./cmd/barnraise servers list
  go run ./cmd/barnraise verify %s --re-execute
  curl -s %s/v1/services/%d/1 -H 'Content-Type: application/json' -D - \
       -d '{"jsonrpc":"2.0","id":1,"method":"search_info","params":[]}'
`, s.net.File, s.told.Convictions[0].Evidence, s.net.Servers[0].URL, s.net.Network.Names["search"])
}
