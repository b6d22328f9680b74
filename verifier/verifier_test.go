package verifier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/verifiers"
	"barnraise/wasm"
)

func host(t testing.TB) *Host {
	t.Helper()
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	return NewHost(engine)
}

func ready(t testing.TB, name string) *Verifier {
	t.Helper()
	module, _ := verifiers.Module(name)
	v, err := host(t).Load(context.Background(), module, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func bodies(list ...string) (b [][]byte) {
	for _, s := range list {
		b = append(b, []byte(s))
	}
	return b
}

// TestReadyMade holds what compare and spot say, and what that takes.
func TestReadyMade(t *testing.T) {
	const (
		request = `{"jsonrpc":"2.0","id":1,"method":"m","params":[]}`
		one     = `{"jsonrpc":"2.0","id":1,"result":{"a":[1,"]\",{"]}}`
		spaced  = `{"jsonrpc":"2.0","id":1,"result":{"a":[1, "]\",{"]}}`
		failure = `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}`
	)
	for _, c := range []struct {
		name      string
		requests  []string
		responses []string
		want      barnraise.Outcome
		winner    int
	}{
		{"two that agree", []string{request, request}, []string{one, one}, barnraise.Accepted, 0},
		{"two errors that agree", []string{request, request}, []string{failure, failure}, barnraise.Accepted, 0},
		{"sixty-four that agree", repeated(request, 64), repeated(one, 64), barnraise.Accepted, 0},
		{"two that differ in a space", []string{request, request}, []string{one, spaced}, barnraise.Disagreement, -1},
		{"a result and an error", []string{request, request}, []string{one, failure}, barnraise.Disagreement, -1},
		{"a majority is no proof", repeated(request, 5), []string{one, one, one, one, spaced}, barnraise.Disagreement, -1},
		{"a lone answer contradicts nothing", []string{request}, []string{one}, barnraise.Accepted, 0},
		{"answers to different requests", []string{request, strings.Replace(request, "m", "n", 1)}, []string{one, one}, barnraise.Undecided, -1},
		{"one byte each", []string{"1", "1"}, []string{"2", "2"}, barnraise.Accepted, 0},
		{"eight bytes and one more, which differs", []string{"1", "1"}, []string{"123456789", "123456780"}, barnraise.Disagreement, -1},
		{"eight bytes, the first of which differs", []string{"1", "1"}, []string{"12345678", "22345678"}, barnraise.Disagreement, -1},
		{"white space around a body is part of it", []string{"1", "1"}, []string{"[]", "[]\n"}, barnraise.Disagreement, -1},
	} {
		for _, name := range verifiers.Bytewise() {
			for _, config := range []string{"", `{"responses":[1,2],"a":"}\\\""}`} {
				r := ready(t, name).Run(context.Background(), []byte(config), bodies(c.requests...), bodies(c.responses...))
				if r.Problem != nil || r.Verdict.Status != c.want || r.Verdict.Winner != c.winner || len(r.Verdict.Culprits) > 0 || r.Fuel == 0 {
					t.Errorf("%s: %s: %+v", name, c.name, r)
				}
			}
		}
	}
	if c, s := ready(t, "compare").MinRequests(), ready(t, "spot").MinRequests(); c != 2 || s != 1 {
		t.Errorf("compare asks for %d, spot for %d", c, s)
	}
}

func repeated(s string, n int) (list []string) {
	for range n {
		list = append(list, s)
	}
	return list
}

// TestDeterministic holds protocol 5.7: same file, same input, same verdict, for the same fuel.
func TestDeterministic(t *testing.T) {
	requests := bodies(`[]`, `[]`, `[]`)
	responses := bodies(`{"a":"`+strings.Repeat("é", 999)+`"}`, `{"a":"`+strings.Repeat("é", 999)+`"}`, `{"a":""}`)
	first := ready(t, "compare").Verify(context.Background(), nil, requests, responses)
	for range 3 {
		if again := ready(t, "compare").Verify(context.Background(), nil, requests, responses); again.Fuel != first.Fuel || again.Verdict.Status != first.Verdict.Status {
			t.Errorf("%+v, before it was %+v", again, first)
		}
	}
}

func TestInputBounds(t *testing.T) {
	v := ready(t, "compare")
	huge := [][]byte{bytes.Repeat([]byte("1"), 6<<20), bytes.Repeat([]byte("1"), 6<<20)}
	for name, c := range map[string]struct{ requests, responses [][]byte }{
		"none":                    {nil, nil},
		"more responses":          {bodies("1"), bodies("1", "1")},
		"sixty-five":              {bodies(repeated("1", 65)...), bodies(repeated("1", 65)...)},
		"more than memory":        {bodies("1", "1", "1"), append(huge, huge[0])},
		"sixty-four times memory": {bodies(repeated("1", 64)...), bodies(repeated(strings.Repeat("1", 1<<20), 64)...)},
	} {
		r := v.Verify(context.Background(), nil, c.requests, c.responses)
		if !errors.Is(r.Problem, ErrInput) || r.Verdict.Status != barnraise.Undecided || r.Verdict.Winner != -1 || r.Verdict.Culprits == nil {
			t.Errorf("%s: %+v, want undecided for ErrInput", name, r)
		}
	}
	if r := v.Verify(context.Background(), nil, bodies("1", "1"), huge); r.Problem != nil || r.Verdict.Status != barnraise.Accepted {
		t.Errorf("twelve megabytes: %+v", r)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if r := v.Verify(gone, nil, bodies("1"), bodies("1")); !errors.Is(r.Problem, context.Canceled) || r.Verdict.Status != barnraise.Undecided {
		t.Errorf("%+v, want the context's error", r)
	}
}

// module is a verifier put together by hand. What is empty is left as a good one has it.
type module struct {
	imports, verify, minRequests, start, data string
	float                                     bool // minRequests is an f64
	drop                                      string
	extra                                     string // one more export of the function that verifies
	pages                                     string // bounds of the memory
}

const end = "\x0b"

func leb(n int) string {
	out := ""
	for ; n >= 0x80; n >>= 7 {
		out += string([]byte{byte(n) | 0x80})
	}
	return out + string([]byte{byte(n)})
}

// constant is i32.const, i64.const.
func constant(opcode byte, n int64) string {
	out := string([]byte{opcode})
	for {
		c := byte(n & 0x7f)
		n >>= 7
		if n == 0 && c&0x40 == 0 || n == -1 && c&0x40 != 0 {
			return out + string([]byte{c})
		}
		out += string([]byte{c | 0x80})
	}
}

func sized(s string) string { return leb(len(s)) + s }

func vec(items ...string) string { return leb(len(items)) + strings.Join(items, "") }

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// answer is a body of verify that points to the n bytes of data.
func answer(at, n uint32) string { return constant(0x42, int64(uint64(at)<<32|uint64(n))) }

func (m module) encode() []byte {
	verdict := or(m.data, `{"status":"accepted","winner":0,"culprits":[]}`)
	first := 0 // index of the first function of its own
	out := "\x00asm\x01\x00\x00\x00"
	section := func(id byte, content string) { out += string([]byte{id}) + sized(content) }
	count := "\x60\x00\x01\x7f"
	if m.float {
		count = "\x60\x00\x01\x7c"
	}
	section(1, vec("\x60\x00\x00", count, "\x60\x01\x7f\x01\x7f", "\x60\x02\x7f\x7f\x01\x7e", "\x60\x04\x7f\x7f\x7f\x7f\x00"))
	if m.imports != "" {
		section(2, m.imports)
		first = 1
	}
	section(3, vec("\x00", "\x01", "\x02", "\x03", "\x00")) // marker, minRequests, alloc, verify, start
	section(5, vec(or(m.pages, "\x00\x01")))
	exports := []string{}
	for i, name := range []string{"verifier_abi_1", "minRequests", "alloc", "verify"} {
		if name != m.drop {
			exports = append(exports, sized(name)+"\x00"+leb(first+i))
		}
	}
	if m.drop != "memory" {
		exports = append(exports, sized("memory")+"\x02\x00")
	}
	if m.extra != "" {
		exports = append(exports, sized(m.extra)+"\x00"+leb(first+3))
	}
	section(7, vec(exports...))
	if m.start != "" {
		section(8, leb(first+4))
	}
	body := func(code string) string { return sized("\x00" + code + end) }
	section(10, vec(body(""), body(or(m.minRequests, constant(0x41, 2))), body(constant(0x41, 4096)),
		body(or(m.verify, answer(0, uint32(len(verdict))))), body(m.start)))
	section(11, vec("\x00"+constant(0x41, 0)+end+sized(verdict)))
	return []byte(out)
}

func f64(v float64) string {
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(math.Float64bits(v) >> (8 * i))
	}
	return "\x44" + string(b)
}

const forever = "\x03\x40\x0c\x00\x0b"

// TestRefused holds that what is no verifier is refused in words that its author understands, at once, whatever it tries.
func TestRefused(t *testing.T) {
	bomb := "" // a thousand loops
	for range 1000 {
		bomb += "\x03\x40\x41\x00\x0d\x00\x0b"
	}
	good, _ := verifiers.Module("compare")
	imported := func(from, name string) string { return vec(sized(from) + sized(name) + "\x00\x04") }
	h := host(t)
	for name, c := range map[string]struct {
		module []byte
		words  string
	}{
		"nothing":                          {nil, "does not begin like"},
		"no marker":                        {module{drop: "verifier_abi_1"}.encode(), `"verifier_abi_1" of type () -> (): there is none`},
		"no memory":                        {module{drop: "memory"}.encode(), "memory"},
		"no alloc":                         {module{drop: "alloc"}.encode(), `"alloc" of type (i32) -> (i32)`},
		"no verify":                        {module{drop: "verify"}.encode(), `"verify" of type (i32, i32) -> (i64)`},
		"no minRequests":                   {module{drop: "minRequests"}.encode(), `"minRequests" of type () -> (i32)`},
		"minRequests of 0":                 {module{minRequests: constant(0x41, 0)}.encode(), "it is 0, want a whole number from 1 to 64"},
		"minRequests of 65":                {module{minRequests: constant(0x41, 65)}.encode(), "it is 65"},
		"minRequests below zero":           {module{minRequests: constant(0x41, -1)}.encode(), "it is -1"},
		"minRequests of a half":            {module{float: true, minRequests: f64(1.5)}.encode(), "it is 1.5"},
		"minRequests that is no number":    {module{float: true, minRequests: f64(math.NaN())}.encode(), "it is NaN"},
		"minRequests without bound":        {module{float: true, minRequests: f64(math.Inf(1))}.encode(), "it is +Inf"},
		"minRequests that does not end":    {module{minRequests: forever + "\x00"}.encode(), "out of fuel"},
		"minRequests that traps":           {module{minRequests: "\x00"}.encode(), "trapped: unreachable"},
		"a start function that loops":      {module{start: forever}.encode(), "out of fuel"},
		"a start function that traps":      {module{start: "\x00"}.encode(), "trapped"},
		"another import":                   {module{imports: imported("env", "log")}.encode(), "imports env.log, which the host does not give"},
		"an import from elsewhere":         {module{imports: imported("host", "abort")}.encode(), "imports host.abort"},
		"WASI of another type":             {module{imports: imported("wasi_snapshot_preview1", "sock_send")}.encode(), "imports wasi_snapshot_preview1.sock_send as"},
		"an export named like the counter": {module{extra: "barnraise_fuel"}.encode(), "belong to the host"},
		"its own fuel, by the next global": {module{verify: constant(0x42, 1<<60) + "\x24\x00" + answer(0, 4)}.encode(), "global 0 of 0"},
		"more memory than there is":        {module{pages: "\x00" + leb(257)}.encode(), "begins with 16842752 bytes of memory"},
		"a memory of 4 GiB":                {module{pages: "\x00" + leb(65536)}.encode(), "begins with"},
		"too large":                        {append(bytes.Clone(good), append([]byte("\x00\x80\x80\x10\x01x"), make([]byte, 256<<10)...)...), "at most 262144"},
		"five thousand loops":              {module{start: strings.Repeat(bomb, 5)}.encode(), "complexity"},
		"a value that is missing":          {module{verify: "\x01"}.encode(), "validate"},
	} {
		start := time.Now()
		_, err := h.Load(context.Background(), c.module, Limits{})
		took := time.Since(start)
		if !errors.Is(err, wasm.ErrRefused) || !strings.Contains(err.Error(), c.words) || strings.Contains(err.Error(), "wasm stack trace") {
			t.Errorf("%s: %v, want ErrRefused with %q", name, err, c.words)
		}
		if took > 20*time.Second { // two seconds where it is compiled and runs until its fuel is used up
			t.Errorf("%s: refused after %v", name, took)
		}
	}
	all := module{drop: "alloc"}.encode()
	all = bytes.Replace(all, []byte("verify\x00"), []byte("werify\x00"), 1)
	if _, err := h.Load(context.Background(), all, Limits{}); err == nil || !strings.Contains(err.Error(), "alloc") || !strings.Contains(err.Error(), `"verify"`) {
		t.Errorf("an author is not told everything at once: %v", err)
	}
}

// TestTruncated holds that no part of a verifier is a verifier.
func TestTruncated(t *testing.T) {
	good, _ := verifiers.Module("compare")
	h := host(t)
	for n := range good {
		if _, err := h.Load(context.Background(), good[:n:n], Limits{}); !errors.Is(err, wasm.ErrRefused) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

// TestMinRequests holds that it may be an i32 or an f64, 1 to 64 (protocol 5.1, 5.4).
func TestMinRequests(t *testing.T) {
	h := host(t)
	for want, m := range map[int]module{
		1: {minRequests: constant(0x41, 1)}, 64: {minRequests: constant(0x41, 64)},
		2: {float: true, minRequests: f64(2)}, 63: {float: true, minRequests: f64(63)},
	} {
		v, err := h.Load(context.Background(), m.encode(), Limits{})
		if err != nil || v.MinRequests() != want {
			t.Errorf("%v, %v, want %d", v, err, want)
		}
	}
}

// TestProblems holds protocol 5.5: whatever a verifier does instead of judging is undecided and names nobody.
func TestProblems(t *testing.T) {
	h := host(t)
	grow := "\x03\x40\x41\x01\x40\x00\x1a\x0c\x00\x0b" // a page at a time, for ever
	for name, c := range map[string]struct {
		module module
		want   error
		words  string
	}{
		"a trap":                         {module{verify: "\x00"}, wasm.ErrTrap, "unreachable"},
		"a load beyond the memory":       {module{verify: constant(0x41, -1) + "\x29\x03\x00"}, wasm.ErrTrap, "out of bounds"},
		"a call of itself without end":   {module{verify: "\x20\x00\x20\x01\x10\x03"}, wasm.ErrStack, "calls nest too deep"},
		"a loop without end":             {module{verify: forever + "\x00"}, wasm.ErrFuel, "4000000000 units are used up"},
		"memory without end":             {module{verify: grow + "\x00"}, wasm.ErrFuel, ""},
		"abort":                          {module{imports: vec(sized("env") + sized("abort") + "\x00\x04"), verify: constant(0x41, 0) + constant(0x41, 0) + constant(0x41, 7) + constant(0x41, 9) + "\x10\x00\x00"}, wasm.ErrTrap, "line 7, column 9"},
		"a verdict outside the memory":   {module{verify: answer(65530, 10)}, wasm.ErrTrap, "outside its memory"},
		"a verdict far outside":          {module{verify: answer(math.MaxUint32, 10)}, wasm.ErrTrap, "outside its memory"},
		"a verdict of 4 GiB":             {module{verify: answer(0, math.MaxUint32)}, wasm.ErrTrap, "at most 65536"},
		"no verdict":                     {module{verify: answer(0, 0)}, ErrMalformed, ""},
		"no JSON":                        {module{data: "accepted"}, ErrMalformed, ""},
		"a culprit that is not there":    {module{data: `{"status":"disagreement","winner":-1,"culprits":[2]}`}, ErrMalformed, "culprits"},
		"a winner that is not there":     {module{data: `{"status":"accepted","winner":2,"culprits":[]}`}, ErrMalformed, "winner"},
		"a winner that is a culprit":     {module{data: `{"status":"accepted","winner":1,"culprits":[1]}`}, ErrMalformed, "is a culprit"},
		"a culprit of who cannot tell":   {module{data: `{"status":"undecided","winner":-1,"culprits":[1]}`}, ErrMalformed, "undecided"},
		"everybody a culprit, all twice": {module{data: `{"status":"disagreement","winner":-1,"culprits":[0,1,0,1]}`}, ErrMalformed, "ascending"},
	} {
		v, err := h.Load(context.Background(), c.module.encode(), Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		start := time.Now()
		r := v.Verify(context.Background(), nil, bodies("1", "1"), bodies("1", "1"))
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: takes %v", name, took)
		}
		if !errors.Is(r.Problem, c.want) || !strings.Contains(r.Problem.Error(), c.words) {
			t.Errorf("%s: %v, want %v with %q", name, r.Problem, c.want, c.words)
		}
		if v := r.Verdict; v.Status != barnraise.Undecided || v.Winner != -1 || len(v.Culprits) != 0 || r.Fuel == 0 || r.Fuel > Fuel {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestForgets holds that a verifier finds nothing of its last verdict: this one would trap.
func TestForgets(t *testing.T) {
	mark := constant(0x41, 200)
	body := mark + "\x28\x02\x00" + "\x04\x40\x00\x0b" + mark + constant(0x41, 1) + "\x36\x02\x00" // load, if, unreachable; store
	verdict := `{"status":"accepted","winner":0,"culprits":[]}`
	v, err := host(t).Load(context.Background(), module{verify: body + answer(0, uint32(len(verdict))), minRequests: body + constant(0x41, 1)}.encode(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if r := v.Verify(context.Background(), nil, bodies("1"), bodies("1")); r.Problem != nil || r.Verdict.Status != barnraise.Accepted {
			t.Errorf("%+v", r)
		}
	}
}

// BenchmarkVerify is one verdict of compare on three answers: run in an instance of its own, by one caller and by one for each
// core, and where it is known without.
func BenchmarkVerify(b *testing.B) {
	v := ready(b, "compare")
	for _, size := range []int{2 << 10, 64 << 10} {
		body := []byte(`{"jsonrpc":"2.0","id":1,"result":[` + strings.Repeat(`{"id":12,"name":"abc def","ok":true},`, size/37) + `0]}`)
		requests, responses := bodies("[]", "[]", "[]"), [][]byte{bytes.Clone(body), bytes.Clone(body), bytes.Clone(body)}
		judge := func(b *testing.B, verify func(context.Context, []byte, [][]byte, [][]byte) Result) {
			if r := verify(context.Background(), nil, requests, responses); r.Verdict.Status != barnraise.Accepted {
				b.Error(r)
			}
		}
		b.Run(fmt.Sprintf("run/%dK", size>>10), func(b *testing.B) {
			for b.Loop() {
				judge(b, v.Run)
			}
		})
		b.Run(fmt.Sprintf("parallel/%dK", size>>10), func(b *testing.B) {
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					judge(b, v.Run)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "verdicts/s")
		})
		b.Run(fmt.Sprintf("known/%dK", size>>10), func(b *testing.B) {
			for b.Loop() {
				judge(b, v.Verify)
			}
		})
	}
}
