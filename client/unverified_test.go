package client

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnraise/manifest"
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
	if !bytes.Contains(a.Result, fmt.Appendf(nil, `"%d ms"`, primary)) || len(a.Asked) != 3 || len(kept.kept) > 0 || len(a.Struck) > 0 {
		t.Errorf("answer is %+v", a)
	}
	if len(a.Asked) == 3 && a.Asked[2].Role != RoleAnchor {
		t.Errorf("asked %+v, want an anchor beside the other auditor, whose bytes differ", a.Asked)
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
