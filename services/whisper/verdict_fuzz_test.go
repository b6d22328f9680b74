package main

import (
	"context"
	"math"
	"strings"
	"testing"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/services/whisper/mail"
)

// Whatever is answered to a query for mail, the verifier does not break, and accepts nothing but the honest result.
func FuzzVerdict(f *testing.F) {
	v := court(f)
	a := ask(query{boxes(f)[4], mail.Query{Topics: topics[:3], From: 100, To: 110, Limit: 3}})
	f.Add(a.answer)
	for _, answer := range hostile() {
		if len(answer) < 10_000 {
			f.Add(answer)
		}
	}
	f.Fuzz(func(t *testing.T, answer string) {
		if _, err := jsonrpc.ParseResponse([]byte(answer), jsonrpc.WireID); err != nil {
			return // the host passes none of these on
		}
		r := v.Run(context.Background(), []byte(a.config), [][]byte{[]byte(a.request)}, [][]byte{[]byte(answer)})
		if r.Problem != nil {
			t.Errorf("%v", r.Problem)
		}
		if r.Verdict.Status != barnraise.Disagreement && !strings.Contains(answer, within(a.answer)) {
			t.Errorf("%+v", r.Verdict)
		}
	})
}

// Whatever is asked, the program's answer is not called wrong, and proves itself unless it is an error that cannot.
func FuzzRequest(f *testing.F) {
	v, config := court(f), configuration(f)
	methods := []string{"whisper_validate", "whisper_mail", "waku_messageHash", "whisper_seal"}
	for _, a := range table(f) {
		for i, method := range methods {
			if a.method == method && len(a.params) < 10_000 {
				f.Add(i, a.params)
			}
		}
	}
	f.Fuzz(func(t *testing.T, method int, params string) {
		request, err := jsonrpc.NewRequest(methods[uint(method)%uint(len(methods))], []byte(params))
		if err != nil || len(params) > math.MaxUint16 {
			return
		}
		answer, want := reply(string(request)), accepted
		if !isProvable(answer) {
			want = needed
		}
		if got := judged(v, config, string(request), answer); got != want {
			t.Errorf("%s, want %s\n%s\n%.1000s", got, want, request, answer)
		}
	})
}
