package verifiers_test

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/verifiers"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A twin of the module json, as plain as can be: values are decoded whole, numbers are fractions, elements of sets are tried
// one against each other.

type config struct {
	Ignore    []string `json:"ignore"`
	Tolerance []struct {
		At       string  `json:"at"`
		Absolute float64 `json:"absolute"`
		Relative float64 `json:"relative"`
	} `json:"tolerance"`
	Sets []string `json:"sets"`
}

// at says whether a pointer leads to a path. Elements of sets have the index −1.
func at(pointer string, path []any) bool {
	parts := strings.Split(pointer, "/")[1:]
	if len(parts) != len(path) {
		return false
	}
	for i, p := range parts {
		p = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
		name, ok := path[i].(string)
		if index, isIndex := path[i].(int); isIndex {
			name, ok = strconv.Itoa(index), index >= 0
		}
		if p != "*" && (!ok || p != name) {
			return false
		}
	}
	return true
}

func inSet(path []any) bool { return slices.Contains(path, any(-1)) }

func (c *config) same(a, b jsontext.Value, path []any) bool {
	for _, p := range c.Ignore {
		if at(p, path) {
			return true
		}
	}
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case '{':
		return c.sameObject(a, b, path)
	case '[':
		return c.sameArray(a, b, path)
	case '"':
		return text(a) == text(b)
	case '0':
		return c.sameNumber(strings.TrimSpace(string(a)), strings.TrimSpace(string(b)), path)
	}
	return true
}

func text(v jsontext.Value) (s string) {
	if json.Unmarshal(v, &s) != nil {
		panic(v)
	}
	return s
}

func (c *config) sameObject(a, b jsontext.Value, path []any) bool {
	var x, y map[string]jsontext.Value
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil || len(x) != len(y) {
		return false
	}
	for name := range x {
		if _, ok := y[name]; !ok || !c.same(x[name], y[name], append(slices.Clone(path), name)) {
			return false
		}
	}
	return true
}

func (c *config) sameArray(a, b jsontext.Value, path []any) bool {
	var x, y []jsontext.Value
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil || len(x) != len(y) {
		return false
	}
	set := slices.ContainsFunc(c.Sets, func(p string) bool { return at(p, path) })
	for i := range x {
		if !set {
			if !c.same(x[i], y[i], append(slices.Clone(path), i)) {
				return false
			}
			continue
		}
		j := slices.IndexFunc(y, func(v jsontext.Value) bool { return c.same(x[i], v, append(slices.Clone(path), -1)) })
		if j < 0 {
			return false
		}
		y = slices.Delete(y, j, j+1)
	}
	return true
}

func (c *config) sameNumber(a, b string, path []any) bool {
	if sameDecimal(a, b) {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || errY != nil || inSet(path) {
		return false
	}
	for _, t := range c.Tolerance {
		most := t.Absolute
		if most == 0 {
			most = t.Relative * max(math.Abs(x), math.Abs(y))
		}
		if at(t.At, path) && math.Abs(x-y) <= most {
			return true
		}
	}
	return false
}

// sameDecimal compares fractions; where an exponent is far out, what is left of the digits, and the exponents.
func sameDecimal(a, b string) bool {
	x, y := decimal(a), decimal(b)
	return x.wild == y.wild && x.digits.Cmp(y.digits) == 0 && x.exponent.Cmp(y.exponent) == 0
}

type dec struct {
	digits, exponent *big.Int
	wild             string // the whole number, where its exponent has more than 18 digits
}

func decimal(s string) dec {
	whole := s
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	d := dec{digits: new(big.Int), exponent: new(big.Int)}
	if exponent != "" {
		d.exponent.SetString(strings.TrimPrefix(exponent, "+"), 10)
	}
	before, after, _ := strings.Cut(mantissa, ".")
	d.digits.SetString(before+after, 10)
	if d.digits.Sign() == 0 {
		return dec{digits: new(big.Int), exponent: new(big.Int)}
	}
	if len(strings.TrimLeft(strings.TrimLeft(exponent, "+-"), "0")) > 18 {
		return dec{new(big.Int), new(big.Int), whole}
	}
	d.exponent.Sub(d.exponent, big.NewInt(int64(len(after))))
	for ten, rest := big.NewInt(10), new(big.Int); ; {
		q, r := new(big.Int).QuoRem(d.digits, ten, rest)
		if r.Sign() != 0 {
			return d
		}
		d.digits = q
		d.exponent.Add(d.exponent, big.NewInt(1))
	}
}

// twin says whether json is to accept some answers.
func twin(t testing.TB, v verifiers.Vector) bool {
	var c config
	if err := json.Unmarshal(v.Config, &c); err != nil {
		t.Fatal(err)
	}
	for i := range v.Responses {
		for j := range i {
			if !c.same(v.Responses[j], v.Responses[i], nil) {
				return false
			}
		}
	}
	return true
}

// FuzzJSON holds the module against its twin on whatever two strict bodies, under whatever configuration.
func FuzzJSON(f *testing.F) {
	const all = `{"ignore":["/i","/*/i"],"tolerance":[{"at":"/t","absolute":0.5},{"at":"/*/t","relative":1e-3}],"sets":["/s","/s/*","/*/*/s"]}`
	for _, c := range []string{"null", all} {
		for _, s := range [][2]string{
			{`{"a":1,"b":[true,"x"]}`, ` { "b" : [ true , "\u0078" ] , "a" : 10e-1 } `},
			{`{"i":1,"t":0.5,"s":[1,2,{"i":3,"a":[]}]}`, `{"s":[2,{"a":[],"i":4},1.0],"t":0.75,"i":null}`},
			{`{"s":[[1,2],[3,[]]]}`, `{"s":[[[],3],[2,1]]}`},
			{`{"a":{"t":1000.5,"é":"\ud83d\ude00"}}`, `{"a":{"\u00e9":"😀","t":1000}}`},
			{`1e999999999999999999`, `10E+999999999999999998`},
			{`{"x":{"y":{"s":["a",-0,0.0]}}}`, `{"x":{"y":{"s":[0,"a",0]}}}`},
		} {
			f.Add([]byte(c), []byte(s[0]), []byte(s[1]))
		}
	}
	judge := standard(f, engine(f), "json")
	f.Fuzz(func(t *testing.T, config, a, b []byte) {
		for _, body := range [][]byte{config, a, b} {
			if jsonrpc.Strict(body) != nil || len(body) > 1<<16 {
				t.Skip()
			}
		}
		_, err := verifiers.Tolerated(config, a)
		v := asked(string(config), string(a), string(b))
		got := judge(t, v)
		if (err != nil) != (got.verdict.Status == "undecided") {
			t.Fatalf("config %s: %v %v; Tolerated says %v", config, got, got.verdict.Reason, err)
		}
		if err != nil {
			return
		}
		if want := twin(t, v); want != (got.verdict.Status == "accepted") {
			t.Errorf("config %s\n%s\n%s\n%v, the twin says %v", config, a, b, got, want)
		}
		back := judge(t, asked(string(config), string(b), string(a)))
		if back.verdict.Status != got.verdict.Status {
			t.Errorf("config %s\n%s\n%s\n%v, the other way round %v", config, a, b, got, back)
		}
		if same := judge(t, asked(string(config), string(a), string(a), string(bytes.Clone(a)))); same.verdict.Status != "accepted" {
			t.Errorf("config %s: %s thrice: %v", config, a, same)
		}
	})
}

// FuzzSpelling holds the module against its twin on values that are written in different ways, and altered a little.
func FuzzSpelling(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	judge := standard(f, engine(f), "json")
	f.Fuzz(func(t *testing.T, seed uint64) {
		w := writer{rand.New(rand.NewPCG(seed, 1))}
		n := &node{kind: '{', names: []string{"a", "i", "t", "s"}}
		for range n.names {
			n.members = append(n.members, w.value(3))
		}
		config := w.config(n)
		var a, b strings.Builder
		w.write(&a, n)
		for range w.IntN(3) {
			w.change(n, "")
		}
		w.write(&b, n)
		for _, body := range []string{config, a.String(), b.String()} {
			if err := jsonrpc.Strict([]byte(body)); err != nil {
				t.Fatalf("%v\n%s", err, body)
			}
		}
		v := asked(config, a.String(), b.String())
		if w.IntN(2) == 0 {
			v = asked(config, b.String(), a.String())
		}
		got := judge(t, v)
		want := twin(t, v)
		if got.problem != "" || want != (got.verdict.Status == "accepted") || got.verdict.Status == "undecided" {
			t.Errorf("config %s\n%s\n%s\n%v %s, the twin says %v", config, &a, &b, got, got.verdict.Reason, want)
		}
	})
}
