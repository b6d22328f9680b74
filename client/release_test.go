package client

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"barnraise"
	"barnraise/score"
)

// numbered is an answer of so many bytes that tells the request it is to.
func numbered(size int) func(request []byte) []byte {
	return func(request []byte) []byte {
		sum := barnraise.Sum(request).Hex()
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":"%s%s"}`, sum, bytes.Repeat([]byte("0"), size))
	}
}

// TestRelease holds that memory which was given back is used again for nothing that somebody still looks at.
func TestRelease(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	for _, m := range n.members {
		m.answer = numbered(500)
	}
	c, _ := n.client(1, WithMemo(1<<20))
	ask := func(i int) *Answer {
		a, err := c.Call(t.Context(), "oracle", "ask", []int{i})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	right := func(i int, result []byte) bool {
		request := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"ask","params":[%d]}`, i)
		return bytes.Contains(numbered(500)(request), result) && len(result) > 500
	}
	kept := ask(0)
	for i := 1; i < 30; i++ {
		a := ask(i)
		if !right(i, a.Result) {
			t.Fatalf("call %d has %.80s", i, a.Result)
		}
		a.Release()
		if a.Result != nil {
			t.Fatal("the result is still there")
		}
		a.Release() // changes nothing
	}
	if !right(0, kept.Result) {
		t.Errorf("the answer that was kept is %.80s", kept.Result)
	}
	for i := range 30 { // from memory
		if a := ask(i); !right(i, a.Result) || !a.Memo {
			t.Errorf("call %d is remembered as %.80s", i, a.Result)
		}
	}
}

// TestReleaseKeepsEvidence holds that what is evidence, or was shown before, is not given back.
func TestReleaseKeepsEvidence(t *testing.T) {
	n := newNetwork(t, 5, "compare")
	truth, lie := numbered(500), func(request []byte) []byte {
		return bytes.Replace(numbered(500)(request), []byte("00"), []byte("11"), 1)
	}
	for _, m := range n.members {
		m.answer = truth
	}
	n.members[3].answer = lie
	c, kept := n.client(1, WithPolicy(score.Fast))
	evident, shown, i := 0, make(map[*Answer][]byte), 0
	ask := func(options ...CallOption) {
		i++
		a, err := c.Call(t.Context(), "oracle", "ask", []int{i}, options...)
		if err != nil {
			return // undecided
		}
		if a.Evidence != "" {
			evident++
		}
		a.Release()
	}
	for range 100 {
		ask()
		ask(OnProvisional(func(p *Answer) { shown[p] = slices.Clone(p.Result) }))
		c.Book(func(b *score.Book) { b.Forget(4) })
	}
	for p, was := range shown {
		if !bytes.Equal(p.Result, was) {
			t.Fatalf("what was shown became %.90s", p.Result)
		}
	}
	if evident == 0 || len(shown) == 0 {
		t.Fatal("the liar was not met, or nothing was shown")
	}
	for _, e := range kept.kept {
		for _, o := range e.Answers {
			if want := truth(e.Request); !bytes.Equal(o.Response, want) && !bytes.Equal(o.Response, lie(e.Request)) {
				t.Fatalf("evidence about %s has %.90s", e.Request, o.Response)
			}
		}
	}
}
