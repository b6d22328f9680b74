package verifiers_test

import (
	"fmt"
	"slices"
	"testing"

	"barnraise/content"
	"barnraise/verifiers"
)

const truth = `{"jsonrpc":"2.0","id":1,"result":{"answer":42}}`

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
		"compared bytes":                   {"compare", `null`, truth, nil},
		"json without a configuration":     {"json", `null`, truth, nil},
		"json that ignores":                {"json", `{"ignore":["/result/answer"]}`, truth, []string{"/result/answer"}},
		"json with a bad configuration":    {"json", `{"ignore":1}`, truth, []string{""}},
		"a nonce alone":                    {"hash-target", `{"bits":0}`, `{"result":{"nonce":"00"},"id":1}`, nil},
		"an error where a proof should be": {"hash-target", `{"bits":0}`, `{"error":{"code":1,"message":""}}`, []string{""}},
		"no object":                        {"hash-target", `{"bits":0}`, `{"result":"00"}`, []string{""}},
		"too many members":                 {"hash-target", `{"bits":0}`, many + `}}`, []string{"/result"}},
		"no JSON":                          {"hash-target", `{"bits":0}`, `{"result":{"a":`, []string{""}},
	} {
		if got := verifiers.Unverified(ids[c.verifier], []byte(c.config), []byte(c.response)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := verifiers.Unverified(content.Sum([]byte("an author's own")), nil, []byte(truth)); got != nil {
		t.Errorf("a verifier of the author's own leaves open %q", got)
	}
}

// FuzzUnverified holds that nothing in a response breaks the list, and that it stays within its bounds.
func FuzzUnverified(f *testing.F) {
	f.Add([]byte(truth))
	f.Add([]byte(`{"result":{"nonce":"00","a":[1,{"b":2}]}}`))
	id := verifiers.CIDs()["hash-target"]
	f.Fuzz(func(t *testing.T, response []byte) {
		list := verifiers.Unverified(id, nil, response)
		if len(list) > verifiers.MaxTolerated || slices.Contains(list, "/result/nonce") {
			t.Errorf("%q of %q", list, response)
		}
	})
}
