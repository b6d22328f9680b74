package client

import (
	"errors"
	"slices"
	"testing"

	"barnraise/manifest"
	"barnraise/score"
)

// Where an answer proves itself one server is asked. Its lie costs it a strike, with evidence that anybody can recheck, and the
// caller one more request; where nobody else can be asked, the call fails closed.
func TestOneServerIsEnough(t *testing.T) {
	right, wrong := []byte(`{"jsonrpc":"2.0","id":1,"result":{"nonce":"00"}}`), []byte(`{"jsonrpc":"2.0","id":1,"result":{"nonce":"no"}}`)
	for name, c := range map[string]struct {
		servers  int
		options  []Option
		lies     bool // the last server
		requests int
		culprits bool // for whoever executes
	}{
		"the truth":                     {3, nil, false, 1, false},
		"a lie":                         {3, nil, true, 2, false},
		"a lie, executed here":          {3, []Option{WithRerunner(machine{right, right})}, true, 2, true},
		"the only host lies":            {1, nil, true, 1, false},
		"the only host, executed here":  {1, []Option{WithRerunner(machine{right, right})}, true, 1, true},
		"the only host tells the truth": {1, nil, false, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, c.servers, "hash-target")
			n.publish(manifest.Manifest{Config: []byte(`{"bits":0}`)})
			for _, m := range n.members {
				m.answer = func([]byte) []byte { return right }
			}
			liar := n.members[c.servers-1] // who is not the home, where there is another
			if c.lies {
				liar.answer = func([]byte) []byte { return wrong }
			}
			for seed := range byte(50) {
				client, kept := n.client(seed, append(c.options, WithPolicy(score.One))...)
				a, err := client.Call(t.Context(), "oracle", "ask", nil)
				var asked Asked
				switch undecided := (*UndecidedError)(nil); {
				case c.servers == 1 && c.lies:
					if !errors.As(err, &undecided) || undecided.Evidence == "" || undecided.Requests != c.requests {
						t.Fatalf("%+v, %v", undecided, err)
					}
					asked = undecided.Asked[0]
				case err != nil:
					t.Fatal(err)
				default:
					asked = a.Asked[0]
				}
				if c.lies && asked.Server != liar.id {
					continue // the liar was not asked
				}
				if a != nil && (a.Requests != c.requests || string(a.Result) != `{"nonce":"00"}`) {
					t.Errorf("%d requests, result %s", a.Requests, a.Result)
				}
				if struck := asked.Outcome == OutcomeStruck; struck != c.lies && (c.servers > 1 || c.culprits) {
					t.Errorf("the liar %s: %s", asked.Outcome, asked.Why)
				}
				if !c.lies {
					return
				}
				r, err := client.Recheck(t.Context(), kept.kept[0], c.culprits)
				if err != nil || !r.Holds || slices.Contains(r.Culprits, liar.id) != c.culprits {
					t.Errorf("%+v, %v", r, err)
				}
				return
			}
			t.Error("the liar was never asked")
		})
	}
}
