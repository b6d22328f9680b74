package client

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"barnraise"
)

// Protocol 3.3: a signature makes no answer of what is not strict JSON.
func TestProtocol3_3SignedBodiesThatAreNoAnswers(t *testing.T) {
	with := func(result string) string { return `{"jsonrpc":"2.0","id":1,"result":` + result + `}` }
	deep := func(n int) string { return with(strings.Repeat("[", n-1) + strings.Repeat("]", n-1)) }
	for name, body := range map[string]string{
		"a name twice, deep down":   with(`[{"a":{"b":1,"b":1}}]`),
		"a name twice, by escape":   with(`{"a":1,"\u0061":1}`),
		"a lone surrogate":          with(`"\udc00"`),
		"a lone surrogate in names": with(`{"\ud800":1}`),
		"surrogates as UTF-8":       with("\"\xed\xa0\x80\xed\xb0\x80\""),
		"overlong UTF-8":            with("\"\xc0\xaf\""),
		"cut off UTF-8":             with("\"\xe2\x82\""),
		"UTF-16":                    "\xff\xfe{\x00}\x00",
		"UTF-7":                     "+AHs-}",
		"depth 65":                  deep(65),
		"id 1.0":                    `{"jsonrpc":"2.0","id":1.0,"result":1}`,
		"id 1e0":                    `{"jsonrpc":"2.0","id":1e0,"result":1}`,
		`id "1"`:                    `{"jsonrpc":"2.0","id":"1","result":1}`,
		"id null":                   `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}`,
		"result and error":          `{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}`,
		"result and null error":     `{"jsonrpc":"2.0","id":1,"result":1,"error":null}`,
		"neither":                   `{"jsonrpc":"2.0","id":1}`,
		"an extra member":           `{"jsonrpc":"2.0","id":1,"result":1,"in3":{}}`,
		"a byte after":              with("1") + "x",
		"a zero byte after":         with("1") + "\x00",
		"two answers":               with("1") + with("1"),
		"a batch":                   "[" + with("1") + "]",
		"a zero in front":           with("01"),
		"a plus in front":           with("+1"),
		"a hexadecimal number":      with("0x10"),
		"infinity":                  with("Infinity"),
		"a comment":                 with("1/**/"),
		"single quotes":             with("'1'"),
		"a zero byte in a string":   with("\"\x00\""),
		"an error's code as float":  `{"jsonrpc":"2.0","id":1,"error":{"code":1.0,"message":"x"}}`,
		"an error's code too large": `{"jsonrpc":"2.0","id":1,"error":{"code":9223372036854775808,"message":"x"}}`,
		"an error's name twice":     `{"jsonrpc":"2.0","id":1,"error":{"code":1,"code":1,"message":"x"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 3, "compare")
			n.members[2].answer = func([]byte) []byte { return []byte(body) }
			if got := meetBad(t, n); got.Outcome != OutcomeFailed || !strings.Contains(got.Why, "read response") {
				t.Errorf("it %s: %s", got.Outcome, got.Why)
			}
		})
	}
	for name, result := range map[string]string{
		"depth 64": strings.Repeat("[", 63) + strings.Repeat("]", 63), "big numbers": `[123456789012345678901234567890,1e400,-0,0.1e-400]`,
		"a pair of surrogates": `"\ud83d\ude00"`, "spaces": " \t\r\n1 ",
	} {
		n := newNetwork(t, 3, "compare")
		for _, m := range n.members {
			m.answer = func([]byte) []byte { return []byte(with(result)) }
		}
		if a := call(t, newClient(n)); string(a.Result) != strings.TrimSpace(result) {
			t.Errorf("%s: %s came back as %s", name, result, a.Result)
		}
	}
}

// A day of clock skew: who introduces himself out of time is not asked, and no liar for it. The time in a receipt decides nothing:
// an answer to one request of one revision is as true tomorrow.
func TestADayOfClockSkew(t *testing.T) {
	for _, skew := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		n := newNetwork(t, 3, "compare")
		n.members[2].introduce = func(i *barnraise.Introduction) { i.IssuedAt += int64(skew.Seconds()) }
		if got := meetBad(t, n); got.Outcome != OutcomeFailed || !strings.Contains(got.Why, fmt.Sprintf("issued %d s from now", int(skew.Seconds()))) || n.seen(3, "/v1/") != 0 {
			t.Errorf("server's clock off by %v: it %s: %s; it was sent %d calls", skew, got.Outcome, got.Why, n.seen(3, "/v1/"))
		}
		n = newNetwork(t, 3, "compare")
		n.members[2].receipt = func(r *barnraise.Receipt) { r.IssuedAt += int64(skew.Seconds()) }
		if got := meetBad(t, n); got.Outcome != OutcomeAgreed {
			t.Errorf("a receipt's clock off by %v: it %s: %s", skew, got.Outcome, got.Why)
		}
		n = newNetwork(t, 3, "compare")
		own := time.Now().Add(skew)
		c, kept := n.client(1, WithClock(func() time.Time { return own }, [32]byte{1}))
		_, err := c.Call(t.Context(), "oracle", "ask", nil)
		if !errors.Is(err, ErrUnavailable) || !errors.Is(err, barnraise.ErrIntroduction) || !strings.Contains(err.Error(), "s from now") || len(n.calls()) != 0 {
			t.Errorf("this machine's clock off by %v: %v", skew, err)
		}
		own = own.Add(2 * time.Minute)
		n.now = func() time.Time { return own }
		if a := call(t, c); len(a.Asked) != 3 || len(kept.kept) != 0 {
			t.Errorf("once the clocks agree: %+v", a)
		}
	}
}
