package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/manifest"
	"barnraise/services/whisper/mail"
	"barnraise/verifier"
	"barnraise/wasm"
)

// court is the service's verifier as a client loads it, with what service.yaml grants.
func court(t testing.TB) *verifier.Verifier {
	t.Helper()
	module, err := os.ReadFile("verifier.wasm")
	if err != nil {
		t.Fatal(err)
	}
	return courtOf(t, module)
}

func courtOf(t testing.TB, module []byte) *verifier.Verifier {
	t.Helper()
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	source, err := manifest.ReadSource("service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	limits := verifier.Limits{
		Module: uint64(source.VerifierLimits.Module), Memory: uint64(source.VerifierLimits.Memory), Fuel: source.VerifierLimits.Fuel,
	}
	v, err := verifier.NewHost(engine).Load(context.Background(), module, limits)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// judged is the verdict on answers to a request, in short: its status, winner, culprits and need; or what went wrong.
func judged(v *verifier.Verifier, config, request string, answers ...string) string {
	var requests, responses [][]byte
	for _, a := range answers {
		requests, responses = append(requests, []byte(request)), append(responses, []byte(a))
	}
	r := v.Run(context.Background(), []byte(config), requests, responses)
	if r.Problem != nil {
		return r.Problem.Error()
	}
	return fmt.Sprint(r.Verdict.Status, r.Verdict.Winner, r.Verdict.Culprits, r.Verdict.Need)
}

// says is what judged gives for a verdict.
func says(status barnraise.Outcome, winner, need int, culprits ...int) string {
	return fmt.Sprint(status, winner, slices.Concat([]int{}, culprits), need)
}

// Verdicts by name.
var (
	accepted = says(barnraise.Accepted, 0, 0)
	rejected = says(barnraise.Disagreement, -1, 0, 0) // the only answer is known to be wrong
	needed   = says(barnraise.Undecided, -1, 2)
)

func asks(method, params string) string {
	request, err := jsonrpc.NewRequest(method, []byte(params))
	if err != nil {
		panic(err)
	}
	return string(request)
}

// reply is what the program answers.
func reply(request string) string { return string(program.Handle([]byte(request))) }

func resultOf(text string) string { return `{"jsonrpc":"2.0","id":1,"result":` + text + `}` }

func errorOf(text string) string { return `{"jsonrpc":"2.0","id":1,"error":` + text + `}` }

// within is the result of a response.
func within(response string) string {
	text, _ := strings.CutPrefix(response, `{"jsonrpc":"2.0","id":1,"result":`)
	return strings.TrimSuffix(text, "}")
}

// configuration is that of the archive that the program was built with.
func configuration(t testing.TB) string {
	t.Helper()
	a, err := mail.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	return rootConfig(a)
}

func rootConfig(a *mail.Archive) string {
	root := a.Root()
	return fmt.Sprintf(`{"archive":"0x%x"}`, root)
}

const notFound = `{"code":-32030,"message":"not_found_in_range"}`

// TestVerdicts holds what the verifier says of several answers, and of those that nobody can prove.
func TestVerdicts(t *testing.T) {
	v, config := court(t), configuration(t)
	if v.MinRequests() != 1 {
		t.Errorf("it wants %d answers", v.MinRequests())
	}
	sealing := asks("whisper_seal", `{"profile":"geth6","expiry":1700000000,"ttl":50,"topic":"0x01020304","data":"0x00","bits":6}`)
	later := asks("whisper_seal", `{"profile":"geth6","expiry":1700000000,"ttl":50,"topic":"0x01020304","data":"0x00","bits":6,"nonceFrom":70000}`)
	mailing := asks("whisper_mail", fmt.Sprintf(`{"profile":"eip627","topics":["0x01020304"],"from":0,"to":4294967295,"limit":5,"archive":%s}`,
		strings.TrimSuffix(strings.TrimPrefix(config, `{"archive":`), "}")))
	foreign := asks("whisper_mail", `{"profile":"eip627","archive":"0x0000000000000000000000000000000000000000","topics":["0x01020304"],"from":0,"to":1,"limit":5}`)
	checking := asks("whisper_validate", `{"profile":"geth6","envelopes":["0xc0"],"now":1}`)
	hashing := asks("waku_messageHash", `{"messages":[]}`)
	bad := asks("whisper_seal", `{"profile":"geth5","expiry":1700000000,"ttl":50,"topic":"0x01020304","data":"0x00","bits":6}`)
	high := asks("whisper_seal", `{"profile":"geth6","expiry":1700000000,"ttl":50,"topic":"0x01020304","data":"0x00","bits":21}`)
	other := asks("rpc.discover", `[]`)
	found, alsoFound := reply(sealing), reply(later) // the second is right for the wider range of the first, but not the smallest
	wider := strings.Replace(sealing, `"bits":6`, `"bits":6,"nonceTo":1000000`, 1)
	nothing, weird := errorOf(notFound), errorOf(`{"code":-32603,"message":"internal error"}`)
	for _, c := range []struct {
		name, config, request string
		answers               []string
		want                  string
	}{
		{"a seal", config, sealing, []string{found}, accepted},
		{"the same seal twice", config, sealing, []string{found, found}, accepted},
		{"two seals", config, wider, []string{found, alsoFound}, accepted},
		{"a seal out of range", config, later, []string{found}, rejected},
		{"a seal and one out of range", config, later, []string{found, alsoFound}, says(barnraise.Accepted, 1, 0, 0)},
		{"no nonce will do", config, sealing, []string{nothing}, needed},
		{"no nonce will do, twice", config, sealing, []string{nothing, nothing}, accepted},
		{"no nonce will do, and a seal", config, sealing, []string{nothing, found}, says(barnraise.Accepted, 1, 0, 0)},
		{"no nonce will do, and a seal that is wrong", config, later, []string{nothing, found}, says(barnraise.Disagreement, -1, 0, 1)},
		{"no nonce will do, twice, and a wrong seal", config, later, []string{nothing, found, nothing}, says(barnraise.Accepted, 0, 0, 1)},
		{"no such nonce, written otherwise", config, sealing, []string{strings.Replace(nothing, "range", "rage", 1)}, rejected},
		{"another error than the seal deserves", config, sealing, []string{weird}, rejected},
		{"mail", config, mailing, []string{reply(mailing)}, accepted},
		{"mail and an error", config, mailing, []string{weird, reply(mailing)}, says(barnraise.Accepted, 1, 0, 0)},
		{"mail without configuration", "null", mailing, []string{reply(mailing)}, needed},
		{"mail twice, without configuration", "{}", mailing, []string{reply(mailing), reply(mailing)}, accepted},
		{"different mail, without configuration", `{"archive":7}`, mailing, []string{reply(mailing), weird}, says(barnraise.Disagreement, -1, 0)},
		{"mail of an archive of another service", `{"archive":"0x0000000000000000000000000000000000000001"}`, mailing, []string{reply(mailing)}, rejected},
		{"unknown archive", config, foreign, []string{reply(foreign)}, accepted},
		{"unknown archive, in other words", config, foreign, []string{strings.Replace(reply(foreign), "_", " ", 1)}, rejected},
		{"mail of an unknown archive", config, foreign, []string{reply(mailing)}, rejected},
		{"bad RLP", config, checking, []string{reply(checking)}, accepted},
		{"another's bad RLP", config, checking, []string{strings.Replace(reply(checking), ":0}", ":1}", 1)}, rejected},
		{"no bad RLP", config, checking, []string{resultOf(`[]`)}, rejected},
		{"no hashes", "null", hashing, []string{reply(hashing)}, accepted},
		{"hashes of something", config, hashing, []string{resultOf(`{"hashes":["0x00"]}`)}, rejected},
		{"invalid params", config, bad, []string{reply(bad)}, needed},
		{"invalid params, twice", config, bad, []string{reply(bad), reply(bad)}, accepted},
		{"invalid params, two ways to say so", config, bad, []string{reply(bad), strings.Replace(reply(bad), "want", "need", 1)}, says(barnraise.Disagreement, -1, 0)},
		{"a result for invalid params", config, bad, []string{found}, rejected},
		{"another error for invalid params", config, bad, []string{nothing}, rejected},
		{"target too high", config, high, []string{reply(high)}, accepted},
		{"target too high, not found", config, high, []string{nothing}, rejected},
		{"target not too high", config, sealing, []string{reply(high)}, rejected},
		{"another method", config, other, []string{reply(other)}, needed},
		{"another method, twice", config, other, []string{reply(other), reply(other)}, accepted},
	} {
		if got := judged(v, c.config, c.request, c.answers...); got != c.want {
			t.Errorf("%s: %s, want %s\n%.300s\n%.300s", c.name, got, c.want, c.request, c.answers)
		}
	}
	r := v.Run(context.Background(), []byte(config), [][]byte{[]byte(sealing), []byte(later)}, [][]byte{[]byte(found), []byte(found)})
	if r.Verdict.Status != barnraise.Undecided || r.Verdict.Need != 0 {
		t.Errorf("answers to two requests: %+v", r.Verdict)
	}
}
