package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json/jsontext"
)

// odd are values that a param may be given instead of its own.
var odd = []string{
	"null", "true", "0", "-0", "1", "-1", "1.0", "1.5", "1e1", "10E0", "4294967295", "4294967296", "18446744073709551615", "18446744073709551616",
	"9223372036854775808", "-9223372036854775808", "-9223372036854775809", "123456789", "1234567890", "340282366920938463463374607431768211456",
	`""`, `"0x"`, `"0X00"`, `"0x0"`, `"0x00"`, `"0x0G"`, `"00"`, `"0x01020304"`, `"0x01020304 "`, `"\u0030x\u0030102\u003004"`, `"0xABCDEFab"`, `"eip627"`, `"geth6"`,
	`"\u0067eth6"`, `"geth6\u0000"`, `"1"`, `"0.2"`, `"00.20"`, `".2"`, `"1."`, `"1.2.3"`, `"+1"`, `"-1"`, `"1e1"`, `"0.1234567890"`, `"1234567890"`, `"0.999999999"`,
	`"999999999.999999999"`, `"\u0030.2"`, `"é😀\n"`, `"\ud83d\ude00"`, `[]`, `[[]]`, `[null]`, `["0x01020304","0x01020304"]`, `["0x00000000"]`, `[1]`, `{}`, `{"":1}`,
	`{"topic":"0x00000000","expiry":1,"hash":"0x00"}`, `{"topic":"0x00000000","expiry":1}`, `[{}]`, `["0x"]`, `["0xc9808084000000008080"]`,
	`[{"pubsubTopic":"a","payload":"0x","contentTopic":"","timestamp":-0}]`, `[{"pubsubTopic":"a","payload":"0x","contentTopic":"","timestamp":1,"meta":null}]`,
	`[{"pubsubTopic":"a","payload":"0x","contentTopic":"","timestamp":1.0}]`, `[{"pubsubTopic":"a","payload":"0x","contentTopic":"","timestamp":1,"Meta":"0x"}]`,
	`[{"pubsubTopic":"\u0000","payload":"0x\u0030\u0030","contentTopic":"\"","timestamp":-9223372036854775808,"meta":"0x"}]`,
}

// strange changes params: a value, a name, how many there are, by name or by position, and how they are written.
func (m maker) strange(params string) string {
	names, values := members(params)
	for range 1 + m.IntN(2) {
		i := m.IntN(len(names))
		switch m.IntN(8) {
		case 0:
			names, values = slices.Delete(names, i, i+1), slices.Delete(values, i, i+1)
		case 1:
			names, values = append(names, m.pick(`"now"`, `"Profile"`, `"bits"`, `"minPow"`, `"nonceTo"`, `"start"`, `""`, `"profile "`)), append(values, odd[m.IntN(len(odd))])
		case 2:
			names[i] = strings.Replace(names[i], "o", `\u006f`, 1)
		default:
			values[i] = odd[m.IntN(len(odd))]
		}
		if len(names) == 0 {
			return m.pick("[]", "{}")
		}
	}
	var b strings.Builder
	byPosition := m.IntN(6) == 0
	for i := range names {
		b.WriteString(m.pick("", "", " ", "\n\t"))
		if !byPosition {
			b.WriteString(names[i] + m.pick(":", " : "))
		}
		b.WriteString(values[i] + m.pick("", "", " ") + ",")
	}
	list := strings.TrimSuffix(b.String(), ",")
	if byPosition {
		return "[" + list + "]"
	}
	return "{" + list + "}"
}

// members are those of an object, in their order.
func members(object string) (names, values []string) {
	d := jsontext.NewDecoder(strings.NewReader(object))
	_, _ = d.ReadToken()
	for d.PeekKind() == '"' {
		name, _ := d.ReadValue()
		names = append(names, string(name))
		value, _ := d.ReadValue()
		values = append(values, string(value))
	}
	return names, values
}

// Whatever is asked, the program's own answer is never called wrong, and its errors for bad params never prove themselves. So the
// verifier reads params as the program does.
func TestOddRequests(t *testing.T) {
	v, config := court(t), configuration(t)
	root, _ := strings.CutPrefix(config, `{"archive":`)
	var mu sync.Mutex
	count := map[string]int{}
	inParallel(4*some(), func(seed int) {
		m := maker{rand.New(rand.NewPCG(uint64(seed), 12))}
		method, params := "whisper_mail", fmt.Sprintf(`{"profile":"geth6","archive":%s,"topics":["0x%x"],"from":%d,"to":1800000000,"limit":%d}`,
			strings.TrimSuffix(root, "}"), topics[2], m.number()%1_800_000_000, 1+m.IntN(5))
		switch m.IntN(4) {
		case 0:
			method, params = "whisper_seal", m.sealing()
		case 1:
			method, params = "whisper_validate", m.validation()
		case 2:
			method, params = "waku_messageHash", m.messages()
		}
		if params = m.strange(params); jsonrpc.Strict([]byte(params)) != nil {
			return // a name is there twice
		}
		request := asks(method, params)
		answer := reply(request)
		want := accepted
		if !isProvable(answer) {
			want = needed
		}
		if got := judged(v, config, request, answer); got != want {
			t.Errorf("seed %d: %s, want %s\n%s\n%s", seed, got, want, request, answer)
		}
		mu.Lock()
		defer mu.Unlock()
		count[kindOf(asked{request: request, answer: answer})]++
	})
	t.Logf("%v", count)
}

// What the service's own tests ask and are answered is right, too.
func TestTables(t *testing.T) {
	v, config := court(t), configuration(t)
	for _, a := range table(t) {
		want, response := accepted, `{"jsonrpc":"2.0","id":1,`+a.want+"}"
		if !isProvable(response) {
			want = needed
		}
		if got := judged(v, config, asks(a.method, a.params), response); got != want {
			t.Errorf("%s %s: %s, want %s", a.method, a.name, got, want)
		}
	}
}
