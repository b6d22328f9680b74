package verifiers_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"barnraise"
	"barnraise/verifier"
	"barnraise/wasm"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/crypto/sha3"
)

// probe asks testdata/probe.wasm, which shows what a verdict of the SDK for AssemblyScript rests on.
func probe(t testing.TB) func(t testing.TB, what byte, of []byte) []byte {
	t.Helper()
	module, err := os.ReadFile("testdata/probe.wasm")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	code, err := engine(t).Compile(ctx, module, wasm.VerifierCaps(), wasm.Limits{Fuel: verifier.Fuel, Memory: verifier.Memory})
	if err != nil {
		t.Fatal(err)
	}
	return func(t testing.TB, what byte, of []byte) []byte {
		t.Helper()
		instance, err := code.Instantiate(ctx, wasm.IO{})
		if err != nil {
			t.Fatal(err)
		}
		defer instance.Close(ctx)
		out, err := instance.Exchange(ctx, "verify", append([]byte{what}, of...), 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// TestSHA256 holds the hash of the SDK to the examples of FIPS 180-4 and RFC 6234, and to another program's.
func TestSHA256(t *testing.T) {
	ask := probe(t)
	for message, want := range map[string]string{
		"":    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq":                                                         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
		"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu": "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
		strings.Repeat("a", 1_000_000):         "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
		strings.Repeat("0123456701234567", 40): "594847328451bdfa85056225462cc1d867d877fb388df0ce35f25ab5562bfbb5",
	} {
		if got := hex.EncodeToString(ask(t, 's', []byte(message))); got != want {
			t.Errorf("%.40q: %s, want %s", message, got, want)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		message := make([]byte, n)
		for i := range message {
			message[i] = byte(r.Uint32())
		}
		if want := sha256.Sum256(message); !bytes.Equal(ask(t, 's', message), want[:]) {
			t.Errorf("%d bytes: not %x", n, want)
		}
	}
}

// TestKeccak256 holds the other hash to known answers and to another program's.
func TestKeccak256(t *testing.T) {
	ask := probe(t)
	for message, want := range map[string]string{
		"":                          "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
		"abc":                       "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
		"transfer(address,uint256)": "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b",
	} {
		if got := hex.EncodeToString(ask(t, 'k', []byte(message))); got != want {
			t.Errorf("%q: %s, want %s", message, got, want)
		}
	}
	r := rand.New(rand.NewPCG(7, 8))
	for n := range 600 {
		message := make([]byte, n)
		for i := range message {
			message[i] = byte(r.Uint32())
		}
		h := sha3.NewLegacyKeccak256()
		h.Write(message)
		if want := h.Sum(nil); !bytes.Equal(ask(t, 'k', message), want) {
			t.Errorf("%d bytes: not %x", n, want)
		}
	}
}

func TestHex(t *testing.T) {
	ask := probe(t)
	for text, want := range map[string]string{
		`"0x"`: "0x", `"0x00"`: "0x00", `"0x0aF9Ff"`: "0x0af9ff", `"\u0030x6\u0031"`: "0x61", `"0x0123456789abcdefABCDEF"`: "0x0123456789abcdefabcdef",
		`""`: "?", `"0"`: "?", `"0x0"`: "?", `"0X00"`: "?", `"00"`: "?", `"0x0g"`: "?", `"0xg0"`: "?", `"0x/0"`: "?", `"0x:0"`: "?",
		`"0x@0"`: "?", "\"0x`0\"": "?", `"0x 0"`: "?", `"0x0é"`: "?", `"0x00\u0000"`: "?", `"0x00 "`: "?", `" 0x00"`: "?",
	} {
		if got := string(ask(t, 'x', []byte(text+","))); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestNumber holds what Decimal.toNumber promises: the nearest float up to 15 digits and small exponents, and within one unit
// in the last place else.
func TestNumber(t *testing.T) {
	ask := probe(t)
	r := rand.New(rand.NewPCG(3, 4))
	list := []string{"0", "-0", "1", "-1.5", "9007199254740993", "1e22", "1e23", "123456789012345678901234567890e-10", "1.7976931348623157e308",
		"1.7976931348623159e308", "1e309", "1e310", "1e99999999999999999999", "-1e400", "5e-324", "4.9e-324", "2e-324", "1e-323", "2.2250738585072014e-308",
		"2.2250738585072011e-308", "1e-345", "1e-999999999999999999999", "0.000000000000000000000000000000000000000001", "0e999",
		"9999999999999999999", "99999999999999999999", "18446744073709551615", "18446744073709551616", strings.Repeat("9", 400) + "e-399",
		"0." + strings.Repeat("0", 400) + "1e401", "1" + strings.Repeat("0", 400) + "e-400"}
	for range 3000 {
		list = append(list,
			strconv.FormatFloat(math.Float64frombits(r.Uint64()), 'g', -1, 64), // any float
			fmt.Sprintf("%.*f", r.IntN(12), r.NormFloat64()*1000),
			fmt.Sprintf("%de%d", r.Int64()>>r.IntN(63), r.IntN(700)-350))
	}
	off := 0
	for _, s := range list {
		if strings.ContainsAny(s, "NI") {
			continue
		}
		want, _ := strconv.ParseFloat(s, 64)
		got := math.Float64frombits(binary.LittleEndian.Uint64(ask(t, 'n', []byte(s+" "))))
		if got == want {
			continue
		}
		off++
		if near := math.Nextafter(want, got); near != got || len(s) <= 15 && !strings.Contains(s, "e") {
			t.Errorf("%s: %v, want %v", s, got, want)
		}
	}
	if off > len(list)/100 {
		t.Errorf("%d of %d are not the nearest", off, len(list))
	}
	t.Logf("%d of %d are not the nearest", off, len(list))
}

// shown writes a value as testdata/probe.ts does.
func shown(b *strings.Builder, v jsontext.Value) {
	switch v.Kind() {
	case '"':
		fmt.Fprintf(b, `"%x"`, text(v))
	case '0':
		n, err := strconv.ParseInt(string(v), 10, 64)
		if digits := strings.TrimPrefix(string(v), "-"); err != nil || len(digits) > 18 {
			n = -7
		}
		fmt.Fprintf(b, "%s=%d", v, n)
	case '[', '{':
		d := jsontext.NewDecoder(bytes.NewReader(v))
		d.ReadToken()
		b.WriteByte(byte(v.Kind()))
		for d.PeekKind() != ']' && d.PeekKind() != '}' {
			if v.Kind() == '{' {
				name, _ := d.ReadValue()
				shown(b, name.Clone())
				b.WriteByte(':')
			}
			value, _ := d.ReadValue()
			shown(b, value.Clone())
			b.WriteByte(',')
		}
		b.WriteByte(byte(v.Kind()) + 2)
	default:
		b.Write(v)
	}
}

// TestReader holds the JSON reader of the SDK against another one.
func TestReader(t *testing.T) {
	ask := probe(t)
	for seed := range uint64(300) {
		w := writer{rand.New(rand.NewPCG(seed, 5))}
		value := jsontext.Value(w.text(w.value(4)))
		var want strings.Builder
		shown(&want, jsontext.Value(bytes.TrimSpace(value)))
		if got := ask(t, 'j', append(value, " ]"...)); string(got) != want.String() {
			t.Errorf("%s\n%s, want\n%s", value, got, &want)
		}
	}
	deep := strings.Repeat("[", 64) + "1" + strings.Repeat("]", 64)
	if got := string(ask(t, 'j', []byte(deep+","))); !strings.Contains(got, "1=1") {
		t.Errorf("sixty-four levels: %s", got)
	}
	if got := string(ask(t, 'j', []byte("["+deep+"],"))); strings.Contains(got, "1=1") || strings.Count(got, "[") != 65 {
		t.Errorf("sixty-five levels: %s", got)
	}
	if got := string(ask(t, 'r', []byte(`{"jsonrpc":"2.0","id":1,"method":"search_query","params":[{"q":1}]},`))); got != `search_query[{"71":1=1,},]` {
		t.Errorf("%s", got)
	}
}

// TestFuel holds what a verdict on two answers of 64 KB takes, written alike and otherwise, at most.
func TestFuel(t *testing.T) {
	item := func(i int) string {
		return fmt.Sprintf(`{"id":%d,"name":"abc def ghi","ok":true,"score":%d.8213497161865234,"tags":["x","y","zzz"],"text":"Lorem ipsum dolor sit amet"}`, i, i)
	}
	var one, other strings.Builder
	for i := range 500 {
		one.WriteString(item(i) + ",")
		other.WriteString("," + strings.Replace(item(499-i), `,"ok":true`, `,"ok" : true`, 1))
	}
	a := `{"jsonrpc":"2.0","id":1,"result":[` + one.String() + `0]}`
	b := `{"result":[0` + other.String() + `],"id":1,"jsonrpc":"2.0"}`
	respelled := strings.ReplaceAll(a, ".8213497161865234", ".82134971618652340")
	e := engine(t)
	for _, c := range []struct {
		name, config, a, b string
		status             barnraise.Outcome
		most               uint64 // million units
	}{
		{"compare", "null", a, strings.Replace(a, "0]", "1]", 1), barnraise.Disagreement, 10},
		{"json", "null", a, respelled, barnraise.Accepted, 20},
		{"json", `{"sets":["/result"]}`, a, b, barnraise.Accepted, 30},
		{"json", `{"sets":["/result","/result/*/tags"],"ignore":["/result/*/id"],"tolerance":[{"at":"/x","absolute":1}]}`, a, b, barnraise.Accepted, 30},
		{"json", `{"ignore":["/result/*/id"],"tolerance":[{"at":"/result/*/score","relative":1e-9}]}`, a, strings.ReplaceAll(a, "65234", "65235"), barnraise.Accepted, 20},
		{"hash-target", `{"bits":0}`, a, b, barnraise.Disagreement, 10},
	} {
		got := standard(t, e, c.name)(t, asked(c.config, c.a, c.b))
		if got.verdict.Status != c.status || got.fuel > c.most*1_000_000 {
			t.Errorf("%s %s: %v for two answers of %d bytes, want %s for at most %d million", c.name, c.config, got, len(a), c.status, c.most)
		}
		t.Logf("%s %s: %d units", c.name, c.config, got.fuel)
	}
}
