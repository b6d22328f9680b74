package client

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"barnraise"
	"barnraise/judge"
)

func TestEvidenceWithoutContradictionDoesNotHold(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	n.members[2].answer = func([]byte) []byte { return lie }
	c, kept := n.client(1, WithRerunner(honestMachine))
	for len(kept.kept) == 0 {
		call(t, c)
	}
	e := kept.kept[0]
	e.Answers = slices.DeleteFunc(slices.Clone(e.Answers), func(a barnraise.Answer) bool { return a.Server == 3 })
	if r, err := c.Recheck(context.Background(), e, true); !errors.Is(err, barnraise.ErrEvidence) || r.Holds {
		t.Errorf("evidence of agreement holds: %+v, %v", r, err)
	}
}

func TestDirectoryKeepsEvidence(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	e := n.evidence(n.members...)
	dir := Directory(t.TempDir() + "/below")
	name, err := dir.Keep(e)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := dir.Keep(e); err != nil || again != name {
		t.Errorf("kept twice: %s and %s, %v", name, again, err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := barnraise.ParseEvidence(b); err != nil || !reflect.DeepEqual(read, e) {
		t.Errorf("read back: %+v, %v", read, err)
	}
	if files, err := filepath.Glob(string(dir) + "/*"); err != nil || len(files) != 1 {
		t.Errorf("the directory has %v, %v", files, err)
	}
	hidden, _ := filepath.Glob(string(dir) + "/.*")
	if len(hidden) > 0 {
		t.Errorf("left behind: %v", hidden)
	}
	if _, err := Directory(name + "/below").Keep(e); err == nil {
		t.Error("kept below a file")
	}
}

// looking is a Keeper that looks at the book before it keeps anything.
type looking struct {
	client *Client
	struck bool
	err    error
}

func (k *looking) Keep(barnraise.Evidence) (string, error) {
	k.client.mu.Lock()
	defer k.client.mu.Unlock()
	k.struck = !k.client.book.Clean(2, k.client.epoch())
	return "somewhere", k.err
}

// Evidence first, then the strike: whoever is struck can be shown why.
func TestNobodyIsStruckBeforeTheEvidenceIsKept(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	for _, full := range []error{errors.New("disk is full"), nil} {
		keeper := &looking{err: full}
		c, _ := n.client(1, WithRerunner(honestMachine), WithKeeper(keeper))
		keeper.client = c
		for c.book.Availability(2, n.now()) == 1 && c.book.Latency(2) == 0 {
			if _, err := c.Call(t.Context(), "oracle", "ask", nil); c.book.Latency(2) != 0 && !errors.Is(err, full) {
				t.Errorf("error is %v, want %v", err, full)
			}
		}
		if clean := c.book.Clean(2, c.epoch()); keeper.struck || clean != (full != nil) {
			t.Errorf("keeper fails: %v; struck before: %v; clean after: %v", full, keeper.struck, clean)
		}
	}
}

// Evidence that nobody would read is none: where not all answers fit, the winner and those that are struck do.
func TestEvidenceIsNoLongerThanIsRead(t *testing.T) {
	n := newNetwork(t, 1, "compare")
	s, _ := n.Snapshot(t.Context())
	r := &round{target: target{snapshot: s, service: n.services[0], revision: n.services[0].Revisions[0]}, disputed: 3}
	for i := range 4 {
		r.signed = append(r.signed, barnraise.Answer{Server: barnraise.ServerID(i), Response: bytes.Repeat([]byte{byte(i)}, 20<<20)})
	}
	e := r.evidence(judge.Step{Do: judge.Accept, Winner: 1, Strikes: []judge.Strike{{Answer: 2}}})
	if len(e.Answers) != 2 || e.Answers[0].Server != 1 || e.Answers[1].Server != 2 {
		t.Errorf("%d answers are kept", len(e.Answers))
	}
	e = r.evidence(judge.Step{Do: judge.Fail, Strikes: []judge.Strike{{Answer: 2}, {Answer: 3}}})
	if len(e.Answers) != 2 || e.Answers[0].Server != 0 || e.Answers[1].Server != 2 {
		t.Errorf("undecided: %d answers are kept", len(e.Answers))
	}
}

// Protocol 3.3: what would never have reached a verifier proves nothing, though it is signed.
func TestEvidenceOfBodiesThatAreNotStrictDoesNotHold(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.members[1].answer = func([]byte) []byte { return []byte(`{"jsonrpc":"2.0","id":1,"result":1,"result":2}`) }
	c, _ := n.client(1, WithRerunner(honestMachine))
	for _, execute := range []bool{false, true} {
		if r, err := c.Recheck(t.Context(), n.evidence(n.members...), execute); !errors.Is(err, barnraise.ErrEvidence) || r.Holds {
			t.Errorf("%+v, %v", r, err)
		}
	}
	n.members[1].answer = func([]byte) []byte { return lie }
	e := n.evidence(n.members...)
	if _, err := c.Recheck(t.Context(), e, false); err != nil {
		t.Errorf("two strict answers that differ: %v", err)
	}
	n = newNetwork(t, 2, "compare")
	n.members[1].answer = n.members[0].answer
	e = n.evidenceFor(`{"method":"ask","jsonrpc":"2.0","id":1,"params":[]}`, n.members...)
	if _, err := c.Recheck(t.Context(), e, false); !errors.Is(err, barnraise.ErrEvidence) || !strings.Contains(err.Error(), "wire form") {
		t.Errorf("a request in another form: %v", err)
	}
}

// Protocol 1.9: evidence uses confirmed records; calls may use the head.
func TestEvidenceIsNotLookedAtTooEarly(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	e := n.evidence(n.members...)
	n.block = 9
	c, _ := n.client(1)
	_, err := c.Recheck(t.Context(), e, false)
	var early *UnconfirmedError
	if !errors.As(err, &early) || early.Block != 10 || early.Confirmed != 9 || errors.Is(err, barnraise.ErrEvidence) || !strings.Contains(err.Error(), "block 10") {
		t.Errorf("a block too early: %v", err)
	}
	n.services[0].Revisions[0].Revoked = true // so far at the head only
	forged := e
	forged.Block = 1000
	if _, err := c.Recheck(t.Context(), forged, false); !errors.Is(err, barnraise.ErrEvidence) {
		t.Errorf("a file that names a block of its own: %v", err)
	}
	forged = e
	forged.Registry.Chain = "eip155:1"
	if _, err := c.Recheck(t.Context(), forged, false); !errors.Is(err, barnraise.ErrEvidence) {
		t.Errorf("of another registry: %v", err)
	}
	n.block = 10
	if _, err := c.Recheck(t.Context(), e, false); err != nil {
		t.Errorf("once the block is confirmed: %v", err)
	}
}

// What the registry knows at the head only does not make evidence hold.
func TestEvidenceRestsOnConfirmedRecords(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	e := n.evidence(n.members...)
	c, _ := n.client(1, WithRegistry(unconfirmed{n}))
	if _, err := c.Call(t.Context(), "oracle", "ask", nil); !errors.Is(err, ErrUndecided) {
		t.Errorf("a call sees the head: %v", err)
	}
	if _, err := c.Recheck(t.Context(), e, false); !errors.Is(err, barnraise.ErrEvidence) {
		t.Errorf("the service is not confirmed: %v", err)
	}
}

// unconfirmed is a registry in which nothing is confirmed yet.
type unconfirmed struct{ *network }

func (u unconfirmed) Confirmed(context.Context) (*barnraise.Snapshot, error) {
	return barnraise.NewSnapshot(u.config.Registry(), 10, [32]byte{}, 5, nil, nil), nil
}

// Whoever is to be asked for manifest, verifier and image is where the head says.
func TestRecheckAsksServersWhereTheyAre(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	c, _ := n.client(1, WithRegistry(moved{n}))
	if _, err := c.Recheck(t.Context(), n.evidence(n.members...), false); err != nil {
		t.Error(err)
	}
}

// moved is a registry whose servers have moved lately.
type moved struct{ *network }

func (m moved) Confirmed(ctx context.Context) (*barnraise.Snapshot, error) {
	for _, v := range m.members {
		v.base = "http://gone.test"
		defer func() { v.base = "" }()
	}
	return m.network.Confirmed(ctx)
}
