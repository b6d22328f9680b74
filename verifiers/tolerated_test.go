package verifiers_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/verifiers"
)

func TestTolerated(t *testing.T) {
	const body = `{"jsonrpc":"2.0","id":1,"result":{"took":3,"items":[{"id":"a","score":0.5},{"score":"none","id":"b"}],"tags":["x","y"],` +
		`"one":["x"],"a/b~c":{"é":[[1,2],[3]]}}}`
	for _, c := range []struct {
		config string
		want   []string
	}{
		{``, nil}, {`null`, nil}, {`{}`, nil}, {`{"ignore":[],"sets":[]}`, nil},
		{`{"ignore":["/result/took"]}`, []string{"/result/took"}},
		{`{"ignore":["/result/none","/result/took/deeper","/result/items/2","/result/items/-","/result/items/00"]}`, nil},
		{`{"ignore":["/result/items/*/id"]}`, []string{"/result/items/0/id", "/result/items/1/id"}},
		{`{"ignore":["/result/items/1/id","/*/items/1/*"]}`, []string{"/result/items/1/id", "/result/items/1/score"}},
		{`{"ignore":["/result","/result/took"]}`, []string{"/result"}},
		{`{"tolerance":[{"at":"/result/items/*/score","absolute":1e-9}]}`, []string{"/result/items/0/score"}},
		{`{"tolerance":[{"at":"/result/items","relative":0.5},{"at":"/result/took","relative":0.5}]}`, []string{"/result/took"}},
		{`{"sets":["/result/tags","/result/one","/result/took"]}`, []string{"/result/tags"}},
		{`{"sets":["/result/items"],"ignore":["/result/items/0/id"]}`, []string{"/result/items"}},
		{`{"sets":["/result/items"],"ignore":["/result/items/*/id"],"tolerance":[{"at":"/result/items/*/score","absolute":1}]}`,
			[]string{"/result/items", "/result/items/0/id", "/result/items/1/id"}},
		{`{"sets":["/result/a~1b~0c/é","/result/a~1b~0c/\u00e9/*"]}`, []string{"/result/a~1b~0c/é", "/result/a~1b~0c/é/0"}},
	} {
		got, err := verifiers.Tolerated([]byte(c.config), []byte(body))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", c.config, got, err, c.want)
		}
	}
}

// TestConfig holds that Go and the module refuse the same configurations.
func TestConfig(t *testing.T) {
	judge := standard(t, engine(t), "json")
	long := func(parts int) string { return strings.Repeat("/x", parts) }
	list := func(n int) string { return `{"ignore":[` + strings.TrimSuffix(strings.Repeat(`"/a",`, n), ",") + `]}` }
	for config, good := range map[string]bool{
		`null`: true, `{}`: true, ` { "sets" : [ ] } `: true, `{"ignore":["/","//","/a/"]}`: true, `{"\u0073ets":["\/a"]}`: true,
		`[]`: false, `1`: false, `"/a"`: false, `true`: false,
		`{"ignored":[]}`: false, `{"ignore":null}`: false, `{"ignore":"/a"}`: false, `{"ignore":{}}`: false, `{"ignore":[null]}`: false,
		`{"ignore":[""]}`: false, `{"ignore":["a"]}`: false, `{"ignore":["/~"]}`: false, `{"ignore":["/~2"]}`: false, `{"ignore":["/~01"]}`: true,
		`{"ignore":["` + long(64) + `"]}`: true, `{"ignore":["` + long(65) + `"]}`: false, list(64): true, list(65): false,
		`{"tolerance":["/a"]}`: false, `{"tolerance":[{}]}`: false, `{"tolerance":[{"at":"/a"}]}`: false, `{"tolerance":[{"absolute":1}]}`: false,
		`{"tolerance":[{"at":"/a","absolute":1}]}`: true, `{"tolerance":[{"absolute":1e-300,"at":"/a"}]}`: true,
		`{"tolerance":[{"at":"/a","absolute":0}]}`: false, `{"tolerance":[{"at":"/a","absolute":-1}]}`: false, `{"tolerance":[{"at":"/a","absolute":"1"}]}`: false,
		`{"tolerance":[{"at":"/a","absolute":1e999}]}`: false, `{"tolerance":[{"at":"/a","absolute":1e-999}]}`: false,
		`{"tolerance":[{"at":"/a","relative":0.5}]}`: true, `{"tolerance":[{"at":"/a","relative":1}]}`: false, `{"tolerance":[{"at":"/a","relative":0}]}`: false,
		`{"tolerance":[{"at":"/a","relative":0.5,"absolute":1}]}`: false, `{"tolerance":[{"at":"/a","relative":0.5,"x":1}]}`: false,
		`{"tolerance":[{"at":1,"relative":0.5}]}`: false, `{"tolerance":[{"at":"a","relative":0.5}]}`: false,
	} {
		_, err := verifiers.Tolerated([]byte(config), []byte(`{}`))
		if (err == nil) != good || err != nil && !errors.Is(err, verifiers.ErrConfig) {
			t.Errorf("%.200s: %v, want good %v", config, err, good)
		}
		got := judge(t, asked(config, `{}`, `{}`))
		if (got.verdict.Status == "accepted") != good || !good && !strings.HasPrefix(got.verdict.Reason, "config: ") {
			t.Errorf("%.200s: the module says %v %s, want good %v", config, got, got.verdict.Reason, good)
		}
	}
}

// TestToleratedBound holds that the list is short however long the response, and covers what it does not name.
func TestToleratedBound(t *testing.T) {
	const config = `{"ignore":["/result/*/id","/none","/*/x/a"],"tolerance":[{"at":"/result/*/n","absolute":1}],"sets":["/result"]}`
	many := func(n int) string {
		return `{"result":[` + strings.Repeat(`{"id":1,"n":1},`, n-1) + `{"id":1}]}`
	}
	got, err := verifiers.Tolerated([]byte(config), []byte(many(verifiers.MaxTolerated-1)))
	if err != nil || len(got) != verifiers.MaxTolerated || got[0] != "/result" || got[1] != "/result/0/id" {
		t.Errorf("%d, %v", len(got), err)
	}
	for name, body := range map[string]string{
		"one too many":  many(verifiers.MaxTolerated),
		"a long name":   `{"result":{"` + strings.Repeat("x", verifiers.MaxToleratedBytes) + `":{"id":1}}}`,
		"long names":    `{"result":{"` + strings.Repeat("x", 40000) + `":{"id":1},"` + strings.Repeat("y", 40000) + `":{"id":1}}}`,
		"a million too": many(1_000_000),
	} {
		got, err := verifiers.Tolerated([]byte(config), []byte(body))
		if err != nil || !slices.Equal(got, []string{"/result"}) {
			t.Errorf("%s: %.200q, %v", name, got, err)
		}
	}
	if got, err := verifiers.Tolerated([]byte(`{"ignore":["/*/*"]}`), []byte(many(2000))); err != nil || !slices.Equal(got, []string{""}) {
		t.Errorf("%.200q, %v", got, err)
	}
}

func TestToleratedRefuses(t *testing.T) {
	for _, body := range []string{``, `{`, `{"a":1}x`, `{"a":1,"a":2}`, `{"b":{"c":[1,}}`, "{\"b\":\"\xff\"}", strings.Repeat("[", 20000)} {
		if got, err := verifiers.Tolerated([]byte(`{"ignore":["/a","/b/c"]}`), []byte(body)); err == nil || errors.Is(err, verifiers.ErrConfig) {
			t.Errorf("%.40q: %q, %v", body, got, err)
		}
	}
}

// find gives the node that a pointer leads to.
func find(n *node, pointer string) *node {
	if pointer == "" {
		return n
	}
	for part := range strings.SplitSeq(pointer[1:], "/") {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		i, _ := strconv.Atoi(part)
		if n.kind == '{' {
			i = slices.Index(n.names, part)
		}
		n = n.members[i]
	}
	return n
}

func (n *node) clone() *node {
	c := *n
	c.members = nil
	for _, m := range n.members {
		c.members = append(c.members, m.clone())
	}
	return &c
}

func (w writer) text(n *node) string {
	var b strings.Builder
	w.write(&b, n)
	return b.String()
}

// altered lists ways to alter a node that a rule could let pass.
func altered(n *node) (list []*node) {
	list = append(list, &node{kind: '"', text: "altered, whatever it was"})
	switch {
	case n.kind == '0':
		mantissa, exponent, found := strings.Cut(n.text, "e")
		if !strings.Contains(mantissa, ".") {
			mantissa += "."
		}
		mantissa += "00000000000000001"
		if found {
			mantissa += "e" + exponent
		}
		list = append(list, &node{kind: '0', text: mantissa}, &node{kind: '0', text: "1e-999"})
	case n.kind == '[' && len(n.members) > 1:
		turned := n.clone()
		turned.members = append(turned.members[1:], turned.members[0])
		list = append(list, turned)
	}
	return list
}

// FuzzTolerated holds that Tolerated lists what can be altered without a change of the verdict, and nothing else.
func FuzzTolerated(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	judge := standard(f, engine(f), "json")
	f.Fuzz(func(t *testing.T, seed uint64) {
		w := writer{rand.New(rand.NewPCG(seed, 2))}
		n := &node{kind: '{', names: []string{"a", "i", "t", "s"}}
		for range n.names {
			n.members = append(n.members, w.value(3))
		}
		config, a := w.config(n), w.text(n)
		if jsonrpc.Strict([]byte(config)) != nil || jsonrpc.Strict([]byte(a)) != nil {
			t.Fatalf("%s\n%s", config, a)
		}
		list, err := verifiers.Tolerated([]byte(config), []byte(a))
		if err != nil {
			t.Fatal(err)
		}
		accepts := func(at string, with *node) bool {
			other := n.clone()
			*find(other, at) = *with.clone()
			return judge(t, asked(config, a, w.text(other))).verdict.Status == "accepted"
		}
		anything := &node{kind: '"', text: "something that nobody writes"}
		for _, pointer := range list {
			at := find(n, pointer)
			if x, err := strconv.ParseFloat(at.text, 64); at.kind == '0' && (err != nil || x > 1e308 || len(at.text) > 40) {
				continue // no other number is near
			}
			if !slices.ContainsFunc(altered(at), func(with *node) bool { return accepts(pointer, with) }) {
				t.Errorf("config %s\n%s\nlists %s, which cannot be altered", config, a, pointer)
			}
		}
		changed := n.clone()
		pointers := w.change(changed, "")
		b := w.text(changed)
		if twin(t, asked("null", a, b)) || judge(t, asked(config, a, b)).verdict.Status != "accepted" {
			return
		}
		covered := func(pointer string) bool {
			return slices.ContainsFunc(list, func(open string) bool {
				return open == pointer || strings.HasPrefix(pointer, open+"/") && accepts(open, anything)
			})
		}
		if !covered(pointers[0]) && (len(pointers) < 3 || !covered(pointers[1]) || !covered(pointers[2])) {
			t.Errorf("config %s\n%s\n%s\naccepted, but %s is not among %s", config, a, b, pointers, fmt.Sprint(list))
		}
	})
}
