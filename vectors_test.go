package barnraise_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"barnraise"
	"barnraise/content"
	"barnraise/jsonrpc"
	"barnraise/verifier"
	"barnraise/verifiers"
	"barnraise/wasm"
)

var update = flag.Bool("update", false, "write docs/vectors.json anew")

const vectorFile = "docs/vectors.json"

// vectors is docs/vectors.json: what another implementation must agree with, byte for byte. Bodies are in base64 (padded), as
// strings where the name says so.
type vectors struct {
	About    string           `json:"about"`
	Keys     []keyVector      `json:"keys"`
	WeakKeys []string         `json:"weakKeys"` // hexadecimal; to be refused (1.6)
	Requests []requestVector  `json:"requests"`
	Strict   []strictVector   `json:"strictResponses"`
	Receipts []receiptVector  `json:"receipts"`
	Verdicts []verdictVector  `json:"verdicts"`
	Registry registryVector   `json:"registry"` // which the evidence is checked against
	Evidence []evidenceVector `json:"evidence"`
	Passes   []passVector     `json:"passes"` // checked against the same registry
	Log      logVectors       `json:"registryLog"`
}

type keyVector struct {
	Seed   string `json:"seed"` // hexadecimal
	Public string `json:"public"`
	KeyID  string `json:"kid"`
}

type requestVector struct {
	Method string `json:"method"`
	Params string `json:"params"` // empty where the caller gives none
	Body   string `json:"body"`   // empty where it cannot be written
}

type strictVector struct {
	Name string `json:"name"`
	Body []byte `json:"body"` // of a response to a request in wire form
	OK   bool   `json:"ok"`
}

type receiptVector struct {
	Name    string `json:"name"`
	Token   string `json:"token"`
	Payload string `json:"payload,omitempty"`
	Key     int    `json:"key"`    // index into keys under which it is checked
	Parses  bool   `json:"parses"` // it is written as 4.1 says
	Holds   bool   `json:"holds"`  // and its signature holds
}

type verdictVector struct {
	Name      string            `json:"name"`
	Verifier  string            `json:"verifier"` // a standard one
	CID       barnraise.CID     `json:"cid"`
	Config    string            `json:"config"`
	Requests  [][]byte          `json:"requests"`
	Responses [][]byte          `json:"responses"`
	Verdict   barnraise.Verdict `json:"verdict"`
	Fuel      uint64            `json:"fuel"`
}

type registryVector struct {
	Chain    string                     `json:"chain"`
	Services barnraise.Address          `json:"services"`
	Servers  barnraise.Address          `json:"servers"`
	Block    uint64                     `json:"block"`
	Time     int64                      `json:"time"` // Unix seconds
	Service  barnraise.ServiceID        `json:"service"`
	Revision uint32                     `json:"revision"`
	Image    barnraise.Digest           `json:"image"`
	Verifier barnraise.CID              `json:"verifier"`
	Manifest barnraise.CID              `json:"manifest"`
	Keys     map[barnraise.ServerID]int `json:"serverKeys"` // server id to index into keys
}

type evidenceVector struct {
	Name  string `json:"name"`
	File  string `json:"file"`
	Holds bool   `json:"holds"` // registry facts, digests and signatures are right; whether answers contradict each other is the verifier's to say
}

type passVector struct {
	Name     string           `json:"name"`
	Type     string           `json:"type"` // that it is to have
	Token    string           `json:"token"`
	URL      string           `json:"url"`      // of the server that it is shown to
	Evidence barnraise.Digest `json:"evidence"` // that it is shown for; of zeros for the list
	Holds    bool             `json:"holds"`
}

func (v *vectors) key(i int) ed25519.PrivateKey {
	seed, _ := hex.DecodeString(v.Keys[i].Seed)
	return ed25519.NewKeyFromSeed(seed)
}

func (v *vectors) public(i int) barnraise.PublicKey {
	return barnraise.PublicKey(v.key(i).Public().(ed25519.PublicKey))
}

const (
	wireRequest = `{"jsonrpc":"2.0","id":1,"method":"search_info","params":[]}`
	saysThree   = `{"jsonrpc":"2.0","id":1,"result":{"docs":3}}`
	saysFour    = `{"jsonrpc":"2.0","id":1,"result":{"docs":4}}`
	manifestCID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
)

// makeVectors computes the file from nothing but what stands here.
func makeVectors(t *testing.T) *vectors {
	v := &vectors{About: "Vectors of the Barnraise protocol, written by TestVectors; see protocol.md for the sentences they belong to."}
	v.makeKeys(t)
	v.makeRequests()
	v.makeStrict()
	v.makeReceipts()
	v.makeVerdicts(t)
	v.makeEvidence()
	v.makePasses()
	v.makeLog(t)
	return v
}

func (v *vectors) makeKeys(t *testing.T) {
	for i := range 3 {
		seed := bytes.Repeat([]byte{byte(i + 1)}, ed25519.SeedSize)
		v.Keys = append(v.Keys, keyVector{Seed: hex.EncodeToString(seed)})
		v.Keys[i].Public, v.Keys[i].KeyID = v.public(i).String(), v.public(i).ID()
	}
	v.WeakKeys = []string{
		strings.Repeat("00", 32), "01" + strings.Repeat("00", 31), strings.Repeat("00", 31) + "80", "01" + strings.Repeat("00", 30) + "80",
		"ec" + strings.Repeat("ff", 30) + "7f", "ec" + strings.Repeat("ff", 31), "ed" + strings.Repeat("ff", 30) + "7f", strings.Repeat("ff", 32),
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	}
	for _, weak := range v.WeakKeys {
		b, err := hex.DecodeString(weak)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := barnraise.NewPublicKey([32]byte(b)); err == nil {
			t.Errorf("weak key %s is taken", weak)
		}
	}
}

func (v *vectors) makeRequests() {
	for _, r := range [][2]string{
		{"search_info", ""}, {"search_query", `{"q":"copy","k":10}`}, {"a.b_C9", `[1, 2.50, "ä\u00e4"]`}, {"x", ` {} `},
		{"", "[]"}, {"1x", "[]"}, {"a b", "[]"}, {"x", "1"}, {"x", `{"a":1,"a":2}`}, {"x", `{`},
	} {
		body, err := jsonrpc.NewRequest(r[0], []byte(r[1]))
		if err != nil {
			body = nil
		}
		v.Requests = append(v.Requests, requestVector{r[0], r[1], string(body)})
	}
}

func (v *vectors) makeStrict() {
	nested := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	for _, c := range [][2]string{
		{"a result", saysThree},
		{"null", `{"jsonrpc":"2.0","id":1,"result":null}`},
		{"members in another order, with space", " {\"result\" : 1.0 ,\"id\":1,\"jsonrpc\":\"2.0\"}\n"},
		{"big integer and exponent", `{"jsonrpc":"2.0","id":1,"result":[12345678901234567890123,1e400]}`},
		{"an error", `{"jsonrpc":"2.0","id":1,"error":{"code":-32011,"message":"unknown_doc"}}`},
		{"an error with data", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","data":{"a":[]}}}`},
		{"surrogate pair", `{"jsonrpc":"2.0","id":1,"result":"\ud83d\ude00"}`},
		{"64 levels", `{"jsonrpc":"2.0","id":1,"result":` + nested(63) + `}`},
		{"65 levels", `{"jsonrpc":"2.0","id":1,"result":` + nested(64) + `}`},
		{"name twice", `{"jsonrpc":"2.0","id":1,"result":1,"result":1}`},
		{"name twice deep down", `{"jsonrpc":"2.0","id":1,"result":[{"a":{"b":1,"b":1}}]}`},
		{"name twice by an escape", `{"jsonrpc":"2.0","id":1,"result":{"a":1,"\u0061":1}}`},
		{"RESULT beside result", `{"jsonrpc":"2.0","id":1,"result":1,"RESULT":2}`},
		{"RESULT alone", `{"jsonrpc":"2.0","id":1,"RESULT":1}`},
		{"byte order mark", "\xef\xbb\xbf" + saysThree},
		{"lone high surrogate", `{"jsonrpc":"2.0","id":1,"result":"\ud800"}`},
		{"lone low surrogate", `{"jsonrpc":"2.0","id":1,"result":"\udc00"}`},
		{"invalid UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\xff\"}"},
		{"overlong UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\xc0\x80\"}"},
		{"control character", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\x01\"}"},
		{"other id", `{"jsonrpc":"2.0","id":2,"result":1}`},
		{"id as string", `{"jsonrpc":"2.0","id":"1","result":1}`},
		{"id as 1.0", `{"jsonrpc":"2.0","id":1.0,"result":1}`},
		{"no id", `{"jsonrpc":"2.0","result":1}`},
		{"both", `{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}`},
		{"neither", `{"jsonrpc":"2.0","id":1}`},
		{"another member", `{"jsonrpc":"2.0","id":1,"result":1,"x":1}`},
		{"error without code", `{"jsonrpc":"2.0","id":1,"error":{"message":""}}`},
		{"error with a float", `{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":""}}`},
		{"error with more", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","stack":""}}`},
		{"array", `[` + saysThree + `]`},
		{"something behind it", saysThree + "x"},
		{"NaN", `{"jsonrpc":"2.0","id":1,"result":NaN}`},
		{"cut short", saysThree[:30]},
		{"empty", ""},
	} {
		_, err := jsonrpc.ParseResponse([]byte(c[1]), jsonrpc.WireID)
		v.Strict = append(v.Strict, strictVector{c[0], []byte(c[1]), err == nil})
	}
}

func (v *vectors) receipt(server barnraise.ServerID, response string) barnraise.Receipt {
	return barnraise.Receipt{
		Registry: barnraise.Registry{Chain: "eip155:31337", Services: barnraise.Address{19: 1}, Servers: barnraise.Address{19: 2}},
		Service:  3, Revision: 2, Image: barnraise.Sum([]byte("image")), Platform: barnraise.Sum([]byte("platform")),
		Request: barnraise.Sum([]byte(wireRequest)), Response: barnraise.Sum([]byte(response)), Server: server, Block: 41, IssuedAt: 1_800_000_000,
	}
}

func (v *vectors) makeReceipts() {
	good := v.receipt(1, saysThree)
	token := good.Sign(v.key(0))
	parts := strings.Split(token, ".")
	add := func(name, token string, key int) {
		r := receiptVector{Name: name, Token: token, Key: key}
		if receipt, signed, err := barnraise.ParseReceipt(token); err == nil {
			r.Parses, r.Payload, r.Holds = true, string(receipt.Payload()), signed.Verify(v.public(key)) == nil
		}
		v.Receipts = append(v.Receipts, r)
	}
	payload := string(good.Payload())
	add("good", token, 0)
	add("under another key", token, 1)
	add("signed by another key", good.Sign(v.key(1)), 0)
	add("signature altered", token[:len(token)-2]+"AA", 0)
	add("of another type", barnraise.Sign(barnraise.TypeServer, good.Payload(), v.key(0)), 0)
	add("no signature", parts[0]+"."+parts[1]+".", 0)
	add("padded", token+"=", 0)
	add("another version", barnraise.Sign(barnraise.TypeReceipt, []byte(strings.Replace(payload, `"v":1`, `"v":2`, 1)), v.key(0)), 0)
	add("space in the payload", barnraise.Sign(barnraise.TypeReceipt, []byte(strings.Replace(payload, `:3,`, `: 3,`, 1)), v.key(0)), 0)
	add("another member", barnraise.Sign(barnraise.TypeReceipt, []byte(strings.Replace(payload, `{`, `{"x":1,`, 1)), v.key(0)), 0)
	add("members in another order", barnraise.Sign(barnraise.TypeReceipt, []byte(strings.Replace(payload, `"service":3,"revision":2`, `"revision":2,"service":3`, 1)), v.key(0)), 0)
	add("address in capitals", barnraise.Sign(barnraise.TypeReceipt, []byte(strings.Replace(payload, `0x`, `0X`, 1)), v.key(0)), 0)
}

func (v *vectors) makeVerdicts(t *testing.T) {
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	host := verifier.NewHost(engine)
	long := `{"jsonrpc":"2.0","id":1,"result":"` + strings.Repeat("x", 2000) + `"}`
	for _, c := range []struct {
		name, config string
		responses    []string
	}{
		{"one answer", "null", []string{saysThree}},
		{"two alike", "null", []string{saysThree, saysThree}},
		{"two that differ", "null", []string{saysThree, saysFour}},
		{"two against one", "null", []string{saysThree, saysFour, saysThree}},
		{"all different", "null", []string{saysThree, saysFour, `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}`}},
		{"the same value, other bytes", "null", []string{saysThree, strings.Replace(saysThree, ":3", ": 3", 1)}},
		{"longer", "null", []string{long, long, long}},
		{"the last byte differs", "null", []string{long, strings.Replace(long, `x"`, `y"`, 1)}},
		{"with a configuration", `{"a":[1.50,"x"]}`, []string{saysThree, saysThree}},
	} {
		for _, name := range verifiers.Bytewise() {
			one := verdictVector{Name: c.name, Verifier: name, Config: c.config, Requests: [][]byte{}, Responses: [][]byte{}}
			for _, r := range c.responses {
				one.Requests, one.Responses = append(one.Requests, []byte(wireRequest)), append(one.Responses, []byte(r))
			}
			v.makeVerdict(t, host, one)
		}
	}
	for _, of := range verifiers.Names() {
		if slices.Contains(verifiers.Bytewise(), of) {
			continue
		}
		for _, p := range standardVectors(t, of) {
			got := v.makeVerdict(t, host, verdictVector{Name: p.Name, Verifier: of, Config: string(p.Config), Requests: p.Requests, Responses: p.Responses})
			if err := p.Want.Check(got); err != nil {
				t.Errorf("%s of %s: %v", p.Name, of, err)
			}
		}
	}
}

// makeVerdict adds what the verifier says, and what it takes.
func (v *vectors) makeVerdict(t *testing.T, host *verifier.Host, one verdictVector) barnraise.Verdict {
	t.Helper()
	module, _ := verifiers.Module(one.Verifier)
	loaded, err := host.Load(context.Background(), module, verifier.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r := loaded.Run(context.Background(), []byte(one.Config), one.Requests, one.Responses)
	if r.Problem != nil {
		t.Errorf("%s of %s: %v", one.Name, one.Verifier, r.Problem)
	}
	one.CID, one.Verdict, one.Fuel = content.Sum(module), r.Verdict, r.Fuel
	v.Verdicts = append(v.Verdicts, one)
	return one.Verdict
}

// chosenVectors name vectors of package verifiers, by the verifier that they are chosen for. verifiers/testdata/vectors.json has them
// all, with what each verifier is to say.
var chosenVectors = map[string][]string{
	"hash-target": {
		"proof: one", "proof: one and a lie", "proof: a lie, a proof, another, a lie", "proof: a bit too few", "proof: an error alone",
		"proof: an error and a proof", "proof: malformed: {\"bits\":257}",
	},
	"json": {
		"members in another order", "numbers: 1 and 1.0 and 10e-1", "numbers: the same double, another number", "escapes", "ignored",
		"ignored, but not there", "within a tolerance", "beyond a tolerance", "a set in another order", "a set with one element twice",
		"malformed: another member",
	},
}

// standardVectors reads the vectors that are chosen for a verifier.
func standardVectors(t *testing.T, of string) (list []verifiers.Vector) {
	t.Helper()
	b, err := os.ReadFile("verifiers/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	all, err := verifiers.ParseVectors(b, of)
	if err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(all, func(p verifiers.Vector) bool { return !slices.Contains(chosenVectors[of], p.Name) })
	if len(list) != len(chosenVectors[of]) || len(list) == 0 {
		t.Errorf("%s: %d of the vectors chosen are there, want %d", of, len(list), len(chosenVectors[of]))
	}
	return list
}

func (v *vectors) snapshot() *barnraise.Snapshot {
	r := v.Registry
	var servers []barnraise.Server
	for id, key := range r.Keys {
		servers = append(servers, barnraise.Server{ID: id, Status: barnraise.StatusActive, Keys: []barnraise.Key{{Key: v.public(key), From: 1}}})
	}
	return barnraise.NewSnapshot(barnraise.Registry{Chain: r.Chain, Services: r.Services, Servers: r.Servers}, r.Block, [32]byte{}, 5,
		[]barnraise.Service{{ID: r.Service, Status: barnraise.StatusActive, Revisions: []barnraise.Revision{
			{Number: r.Revision, Image: r.Image, Verifier: r.Verifier, Manifest: r.Manifest, Home: 1},
		}}}, servers)
}

func (v *vectors) makeEvidence() {
	module, _ := verifiers.Module("compare")
	of := v.receipt(1, "")
	v.Registry = registryVector{
		Chain: of.Registry.Chain, Services: of.Registry.Services, Servers: of.Registry.Servers, Block: 50, Time: 1_800_000_100,
		Service: of.Service, Revision: of.Revision, Image: of.Image, Verifier: content.Sum(module), Manifest: manifestCID,
		Keys: map[barnraise.ServerID]int{1: 0, 2: 1},
	}
	revision := barnraise.Revision{Number: of.Revision, Verifier: v.Registry.Verifier, Manifest: v.Registry.Manifest}
	one := func(server barnraise.ServerID, response string, key int) barnraise.Answer {
		return barnraise.Answer{Server: server, Response: []byte(response), Receipt: v.receipt(server, response).Sign(v.key(key))}
	}
	file := func(answers ...barnraise.Answer) string {
		return string(barnraise.NewEvidence(of.Registry, of.Service, revision, []byte(wireRequest), answers).Encode())
	}
	good := file(one(1, saysThree, 0), one(2, saysFour, 1))
	for _, c := range [][2]string{
		{"two that differ", good},
		{"one server, two answers", file(one(1, saysThree, 0), one(1, saysFour, 0))},
		{"white space between the parts", strings.ReplaceAll(good, `,"`, ",\n\t\"")},
		{"signed with another server's key", file(one(1, saysThree, 0), one(2, saysFour, 0))},
		{"of a server that is not registered", file(one(1, saysThree, 0), one(3, saysFour, 2))},
		{"one answer twice", file(one(1, saysThree, 0), one(1, saysThree, 0))},
		{"no answers", file()},
		{"another block", strings.Replace(good, `"block":41`, `"block":42`, 1)},
		{"another service", strings.Replace(good, `"service":3`, `"service":4`, 1)},
		{"another verifier", strings.Replace(good, `"verifier":"b`, `"verifier":"c`, 1)},
		{"another chain", strings.Replace(good, `"chain":"eip155:31337"`, `"chain":"eip155:1"`, 1)},
		{"members in another order", strings.Replace(good, `"service":3,"revision":2`, `"revision":2,"service":3`, 1)},
		{"another member", strings.Replace(good, `{"v":1,`, `{"v":1,"x":1,`, 1)},
		{"a name in capitals", strings.Replace(good, `"block"`, `"Block"`, 1)},
		{"cut short", good[:len(good)-1]},
	} {
		e, err := barnraise.ParseEvidence([]byte(c[1]))
		if err == nil {
			err = e.Check(v.snapshot(), v.Registry.Time)
		}
		v.Evidence = append(v.Evidence, evidenceVector{c[0], c[1], err == nil})
	}
}

// makePasses signs passes of server 2.
func (v *vectors) makePasses() {
	const here = "https://a.example/base"
	good := barnraise.Pass{
		Registry: v.receipt(1, "").Registry, Server: 2, URL: here, Evidence: barnraise.Sum([]byte("evidence")), IssuedAt: v.Registry.Time - 60,
	}
	add := func(name, token string) {
		_, err := barnraise.CheckPass(v.snapshot(), barnraise.TypePull, token, here, good.Evidence, v.Registry.Time)
		v.Passes = append(v.Passes, passVector{name, barnraise.TypePull, token, here, good.Evidence, err == nil})
	}
	with := func(change func(p *barnraise.Pass)) string {
		p := good
		change(&p)
		return p.Sign(barnraise.TypePull, v.key(1))
	}
	add("good", good.Sign(barnraise.TypePull, v.key(1)))
	add("of another type", good.Sign(barnraise.TypeOffer, v.key(1)))
	add("signed with another server's key", good.Sign(barnraise.TypePull, v.key(0)))
	add("for another URL", with(func(p *barnraise.Pass) { p.URL = "https://b.example" }))
	add("for other evidence", with(func(p *barnraise.Pass) { p.Evidence = barnraise.Digest{} }))
	add("too old", with(func(p *barnraise.Pass) { p.IssuedAt = v.Registry.Time - barnraise.MaxPassAge - 1 }))
	add("of another registry", with(func(p *barnraise.Pass) { p.Registry.Chain = "eip155:1" }))
	add("space in the payload", barnraise.Sign(barnraise.TypePull, []byte(strings.Replace(string(good.Payload()), `:2,`, `: 2,`, 1)), v.key(1)))
}

// TestVectors computes docs/vectors.json anew and finds it unchanged. What other implementations hold to does not change
// unnoticed.
func TestVectors(t *testing.T) {
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	v := makeVectors(t)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectorFile, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is not what the tests compute; look at the difference, and write it anew with: go test . -run TestVectors -update", vectorFile)
	}
	v.sensible(t)
}

// sensible looks at the verdicts on the vectors, so that writing the file anew cannot make nonsense the rule.
func (v *vectors) sensible(t *testing.T) {
	count := func(what string, good, all, want int) {
		if good != want || all <= want {
			t.Errorf("%s: %d of %d are taken, want %d", what, good, all, want)
		}
	}
	good := 0
	for _, s := range v.Strict {
		if s.OK {
			good++
		}
	}
	count("strict responses", good, len(v.Strict), 8)
	good = 0
	for _, r := range v.Receipts {
		if r.Holds {
			good++
		}
	}
	count("receipts", good, len(v.Receipts), 1)
	good = 0
	for _, e := range v.Evidence {
		if e.Holds {
			good++
		}
	}
	count("evidence", good, len(v.Evidence), 3)
	good = 0
	for _, p := range v.Passes {
		if p.Holds {
			good++
		}
	}
	count("passes", good, len(v.Passes), 1)
	for _, d := range v.Verdicts {
		alike := len(d.Responses) > 0
		for _, r := range d.Responses {
			alike = alike && bytes.Equal(r, d.Responses[0])
		}
		accepted := d.Verdict.Status == barnraise.Accepted
		if slices.Contains(verifiers.Bytewise(), d.Verifier) && accepted != alike || d.Fuel == 0 {
			t.Errorf("%s by %s: %+v for %d fuel", d.Name, d.Verifier, d.Verdict, d.Fuel)
		}
	}
	if len(v.Verdicts) != 2*9+11+7 {
		t.Errorf("%d verdicts", len(v.Verdicts))
	}
}
