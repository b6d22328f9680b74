package client

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnraise/content"
	"barnraise/manifest"
	"barnraise/verifiers"
)

// What json tolerates is chosen by whoever answers: answers that differ so are accepted, and the caller is told of what the
// server he got it from chose.
func TestTolerated(t *testing.T) {
	n := newNetwork(t, 4, "json")
	n.publish(manifest.Manifest{Config: []byte(`{"ignore":["/result/took"],"tolerance":[{"at":"/result/items/*/score","absolute":0.5}]}`)})
	for i, m := range n.members {
		m.answer = func([]byte) []byte {
			return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":{"answer":42,"took":"%d ms","items":[{"score":1.%d},{"score":7}]}}`, i, i)
		}
	}
	c, kept := n.client(1)
	a := call(t, c)
	if want := []string{"/result/items/0/score", "/result/items/1/score", "/result/took"}; !slices.Equal(a.Unverified, want) {
		t.Errorf("unverified are %q, want %q", a.Unverified, want)
	}
	primary := int(a.Asked[0].Server) - 1
	if !bytes.Contains(a.Result, fmt.Appendf(nil, `"%d ms"`, primary)) || len(a.Asked) < 2 || len(kept.kept) > 0 || len(a.Struck) > 0 {
		t.Errorf("answer is %+v", a)
	}
	for _, v := range a.Asked {
		if v.Outcome != OutcomeAgreed {
			t.Errorf("server %d %s, and is within what is tolerated", v.Server, v.Outcome)
		}
	}
	for _, m := range n.members {
		m.answer = func([]byte) []byte {
			return []byte(strings.Replace(`{"jsonrpc":"2.0","id":1,"result":{"answer":4X}}`, "X", fmt.Sprint(m.id), 1))
		}
	}
	if a, err := newClient(n).Call(t.Context(), "oracle", "ask", nil); err == nil {
		t.Errorf("answers that differ elsewhere: %+v", a)
	}
}

// What stands beside a proof is not proven.
func TestBesideTheProof(t *testing.T) {
	n := newNetwork(t, 3, "hash-target")
	n.publish(manifest.Manifest{Config: []byte(`{"bits":0}`)})
	for i, m := range n.members {
		m.answer = func([]byte) []byte {
			return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":{"took/ms":{"nonce":%d},"nonce":"%02x","~":1}}`, i, i)
		}
	}
	a := call(t, newClient(n))
	if want := []string{"/result/took~1ms", "/result/~0"}; !slices.Equal(a.Unverified, want) {
		t.Errorf("unverified are %q, want %q", a.Unverified, want)
	}
}

func TestUnverified(t *testing.T) {
	ids := verifiers.CIDs()
	many := `{"result":{"nonce":"00"`
	for i := range verifiers.MaxTolerated + 1 {
		many += fmt.Sprintf(`,"%d":1`, i)
	}
	for name, c := range map[string]struct {
		verifier, config, response string
		want                       []string
	}{
		"compared bytes":                   {"compare", `null`, string(truth), nil},
		"json without a configuration":     {"json", `null`, string(truth), nil},
		"json that ignores":                {"json", `{"ignore":["/result/answer"]}`, string(truth), []string{"/result/answer"}},
		"json with a bad configuration":    {"json", `{"ignore":1}`, string(truth), []string{all}},
		"a nonce alone":                    {"hash-target", `{"bits":0}`, `{"result":{"nonce":"00"},"id":1}`, nil},
		"an error where a proof should be": {"hash-target", `{"bits":0}`, `{"error":{"code":1,"message":""}}`, []string{all}},
		"no object":                        {"hash-target", `{"bits":0}`, `{"result":"00"}`, []string{all}},
		"too many members":                 {"hash-target", `{"bits":0}`, many + `}}`, []string{"/result"}},
		"no JSON":                          {"hash-target", `{"bits":0}`, `{"result":{"a":`, []string{all}},
	} {
		if got := unverified(ids[c.verifier], []byte(c.config), []byte(c.response)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := unverified(content.Sum([]byte("an author's own")), nil, truth); got != nil {
		t.Errorf("a verifier of the author's own leaves open %q", got)
	}
}

// FuzzUnverified holds that nothing in a response breaks the list, and that it stays within its bounds.
func FuzzUnverified(f *testing.F) {
	f.Add(truth)
	f.Add([]byte(`{"result":{"nonce":"00","a":[1,{"b":2}]}}`))
	id := verifiers.CIDs()["hash-target"]
	f.Fuzz(func(t *testing.T, response []byte) {
		list := unverified(id, nil, response)
		if len(list) > verifiers.MaxTolerated || slices.Contains(list, "/result/nonce") {
			t.Errorf("%q of %q", list, response)
		}
	})
}
