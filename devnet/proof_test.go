package devnet

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"barnraise"
	"barnraise/adversary"
	"barnraise/client"
	"barnraise/score"
)

// An answer that proves itself costs one request. Of one without a proof the verifier says that it needs two, and the client asks
// on; the answer is the same.
func TestProofSparesTheSecondServer(t *testing.T) {
	n := up(t, Options{Servers: 3})
	c := open(t, n, client.WithPolicy(score.One))
	for params, want := range map[string]int{
		`{"q":"copy until end of file","k":10,"proof":true}`:  1,
		`{"q":"copy until end of file","k":10,"proof":false}`: 2,
		`{"q":"copy until end of file","k":10}`:               2,
	} {
		a, err := c.Call(t.Context(), "search", "search_query", []byte(params))
		if err != nil {
			t.Fatal(err)
		}
		if a.Requests != want || len(a.Asked) != want || a.Evidence != "" || !bytes.Contains(a.Result, []byte(`"io.Copy"`)) {
			t.Errorf("%s: %d requests, asked %+v, evidence %q", params, a.Requests, a.Asked, a.Evidence)
		}
		for _, v := range a.Asked {
			if v.Outcome != client.OutcomeAgreed {
				t.Errorf("%s: server %d %s: %s", params, v.Server, v.Outcome, v.Why)
			}
		}
	}
}

// The only host of a service, and its home, is caught by one answer: the call fails closed, with evidence. Once it tells the truth
// again, its proof is as good as anybody's.
func TestOnlyHostIsCaughtByOneAnswer(t *testing.T) {
	n := up(t, Options{Servers: 1, Turncoats: true})
	c := open(t, n, client.WithPolicy(score.One))
	const params = `{"q":"copy until end of file","k":3,"proof":true}`
	forget := func(response []byte) []byte {
		return bytes.Replace(response, []byte(`"io.Copy"`), []byte(`"io.Cop"`), 1)
	}
	for _, lie := range []adversary.Lie{nil, forget, nil} {
		if err := n.Lie(t.Context(), 1, "search", lie); err != nil {
			t.Fatal(err)
		}
		a, err := c.Call(t.Context(), "search", "search_query", []byte(params))
		var undecided *client.UndecidedError
		switch {
		case lie == nil && err != nil:
			t.Error(err)
		case lie == nil && (a.Requests != 1 || !bytes.Contains(a.Result, []byte(`"io.Copy"`))):
			t.Errorf("%d requests, %.200s", a.Requests, a.Result)
		case lie != nil && !errors.As(err, &undecided):
			t.Errorf("the lie: %v", err)
		case lie != nil && (undecided.Evidence == "" || undecided.Asked[0].Outcome != client.OutcomeStruck):
			t.Errorf("the lie: evidence %q, asked %+v", undecided.Evidence, undecided.Asked)
		}
	}
}

// A server lies about what it is told to lie about, and about nothing else; who is honest for good never does.
func TestTurncoatLiesAboutOneService(t *testing.T) {
	n := up(t, Options{Servers: 3, Turncoats: true, With: []string{"freerider"}})
	ctx := t.Context()
	for _, wrong := range []struct {
		server  barnraise.ServerID
		service string
	}{{3, "search"}, {4, "search"}, {1, "nosuch"}} {
		if err := n.Lie(ctx, wrong.server, wrong.service, adversary.Falsify); err == nil {
			t.Errorf("server %d lies about %s", wrong.server, wrong.service)
		}
	}
	if err := n.Lie(ctx, 2, "search", adversary.Falsify); err != nil {
		t.Fatal(err)
	}
	a := n.Servers[1].Adversary
	s, err := n.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var about []string
	for _, v := range s.Services() {
		if _, r, _ := s.Active(v.ID); a.Turned(r.Image) != nil {
			about = append(about, v.Name)
		}
	}
	if !slices.Equal(about, []string{"search"}) {
		t.Errorf("it lies about %v", about)
	}
}
