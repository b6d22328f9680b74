package barnraise

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var otherResponse = []byte(`{"jsonrpc":"2.0","id":1,"result":{"docs":4}}`)

func testSnapshot(t testing.TB) *Snapshot {
	var servers []Server
	for id := ServerID(1); id <= 4; id++ {
		key := Key{Key: public(t, testKey(byte(id))), From: 3}
		servers = append(servers, Server{ID: id, Operator: Address{byte(id)}, Status: StatusActive, Keys: []Key{key}, Offers: []ServiceID{3}})
	}
	first := testRevision
	first.Number, first.Image = 1, Sum([]byte("older"))
	services := []Service{{ID: 3, Owner: Address{9}, Name: "search", Status: StatusActive, Revisions: []Revision{first, testRevision}}}
	return NewSnapshot(testRegistry, 50, [32]byte{1}, 5, services, servers)
}

func testEvidence() Evidence {
	return NewEvidence(testRegistry, 3, testRevision, testRequest, []Answer{
		{1, testResponse, testReceipt(1, testResponse).Sign(testKey(1))},
		{2, otherResponse, testReceipt(2, otherResponse).Sign(testKey(2))},
	})
}

func TestEvidenceHolds(t *testing.T) {
	e := testEvidence()
	b := e.Encode()
	got, err := ParseEvidence(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(testSnapshot(t), 1_800_000_000); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Encode(), b) {
		t.Error("does not write back as it was read")
	}
	if got.Block != 41 {
		t.Errorf("block is %d, want the receipts' newest, 41", got.Block)
	}
	spaced := bytes.ReplaceAll(b, []byte(`,"`), []byte(",\n \""))
	if _, err := ParseEvidence(spaced); err != nil {
		t.Errorf("with white space between the members: %v", err)
	}
}

// Whatever byte of a file is altered, and to whatever value, the evidence no longer holds.
func TestEvidenceWithOneAlteredByte(t *testing.T) {
	s := testSnapshot(t)
	b := testEvidence().Encode()
	for i := range b {
		for _, v := range []byte{b[i] ^ 1, b[i] ^ 0x20, b[i] + 1, ' ', '\n', '0', '"', 'A', 0, 0xff} {
			if v == b[i] {
				continue
			}
			altered := bytes.Clone(b)
			altered[i] = v
			e, err := ParseEvidence(altered)
			if err == nil {
				err = e.Check(s, 1_800_000_000)
			}
			if !errors.Is(err, ErrEvidence) {
				t.Fatalf("byte %d %q altered to %q: error is %v, want ErrEvidence", i, b[i], v, err)
			}
		}
	}
}

func TestEvidenceThatDoesNotHold(t *testing.T) {
	s := testSnapshot(t)
	good := testEvidence()
	for name, c := range map[string]struct {
		change func(*Evidence)
		want   string
	}{
		"other registry":   {func(e *Evidence) { e.Registry.Chain = "eip155:1" }, "registry"},
		"unknown service":  {func(e *Evidence) { e.Service = 9 }, "no revision"},
		"unknown revision": {func(e *Evidence) { e.Revision = 9 }, "no revision"},
		"other verifier":   {func(e *Evidence) { e.Verifier = "bafkreiother" }, "verifier"},
		"other manifest":   {func(e *Evidence) { e.Manifest = "bafkreiother" }, "manifest"},
		"no answers":       {func(e *Evidence) { e.Answers = nil }, "answers"},
		"later block":      {func(e *Evidence) { e.Block++ }, "block"},
		"other request":    {func(e *Evidence) { e.Request = []byte(`{}`) }, "request differs"},
		"other response":   {func(e *Evidence) { e.Answers[0].Response = otherResponse }, "response differs"},
		"other server":     {func(e *Evidence) { e.Answers[0].Server = 3 }, "server differs"},
		"unregistered server": {func(e *Evidence) {
			e.Answers[0] = Answer{8, testResponse, testReceipt(8, testResponse).Sign(testKey(8))}
		}, "none of this server's"},
		"foreign key":       {func(e *Evidence) { e.Answers[0].Receipt = testReceipt(1, testResponse).Sign(testKey(3)) }, "none of this server's"},
		"same answer twice": {func(e *Evidence) { e.Answers = append(e.Answers, e.Answers[0]) }, "twice"},
		"older revision":    {func(e *Evidence) { e.Revision = 1 }, "revision differs"},
	} {
		t.Run(name, func(t *testing.T) {
			e := good
			e.Answers = append([]Answer(nil), good.Answers...)
			c.change(&e)
			if err := e.Check(s, 1_800_000_000); !errors.Is(err, ErrEvidence) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want ErrEvidence with %q", err, c.want)
			}
		})
	}
}

// What strangers wrote stands in errors so that it does nothing to a terminal, and does not fill it.
func TestErrorsQuoteStrangers(t *testing.T) {
	const escape = "\x1b]0;pwned\a\r\n\u202e"
	long := escape + strings.Repeat("x", 10_000)
	s := testSnapshot(t)
	server, _ := s.Server(2)
	server.URL = escape
	foreign, other, spelt := testEvidence(), testEvidence(), testEvidence()
	foreign.Registry.Chain, other.Verifier, spelt.Manifest = long, CID(long), CID(long)
	head := b64.EncodeToString([]byte(long)) + ".e30.e30"
	introduction := Introduction{Server: 2, URL: long, Chain: testRegistry.Chain, Services: testRegistry.Services, Servers: testRegistry.Servers}
	_, token := ParseToken(TypeReceipt, head)
	_, introduced := CheckIntroduction(s, server, Sign(TypeServer, introduction.Payload(), testKey(2)), 0)
	_, notANumber := ParseEvidence([]byte(`{"v":` + strings.Repeat("9", 10_000) + `}`))
	_, noAddress := ParseEvidence([]byte(`{"services":"\u001b` + long[len(escape):] + `"}`))
	for name, err := range map[string]error{
		"registry": foreign.Check(s, 0), "verifier": other.Check(s, 0), "manifest": spelt.Check(s, 0),
		"header of a token": token, "introduction": introduced, "number": notANumber, "address": noAddress,
	} {
		switch {
		case err == nil:
			t.Errorf("%s: no error", name)
		case strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) || len(err.Error()) > 1000:
			t.Errorf("%s: the error reads %.200q", name, err)
		}
	}
}

func TestEvidenceFits(t *testing.T) {
	snapshot := testSnapshot(t)
	const one, other, third = `{"jsonrpc":"2.0","id":1,"result":1}`, `{"jsonrpc":"2.0","id":1,"result":2}`, `{"jsonrpc":"2.0","id":1,"result":3}`
	e := func(bodies ...string) Evidence {
		var answers []Answer
		for i, b := range bodies {
			r := testReceipt(ServerID(i+1), []byte(b))
			r.Block = uint64(i + 1)
			answers = append(answers, Answer{r.Server, []byte(b), r.Sign(testKey(byte(i + 1)))})
		}
		return NewEvidence(testRegistry, 3, testRevision, testRequest, answers)
	}
	four := e(one, one, other, third)
	without := four
	without.Answers = nil
	room := func(answers int) int { // the answers are of one length
		return len(without.Encode()) + digits + answers*encodedSize(four.Answers[0])
	}
	for _, c := range []struct {
		name   string
		size   int
		count  int
		wanted []int
		want   []ServerID
	}{
		{"all", room(4), MaxAnswers, nil, []ServerID{1, 2, 3, 4}},
		{"first of each response", room(3), MaxAnswers, nil, []ServerID{1, 3, 4}},
		{"two that differ", room(2), MaxAnswers, nil, []ServerID{1, 3}},
		{"the winner and the struck", room(2), MaxAnswers, []int{1, 3}, []ServerID{2, 4}},
		{"the winner first", room(1), MaxAnswers, []int{3, 0, 1}, []ServerID{4}},
		{"the struck, then another response", room(3), MaxAnswers, []int{3, 1}, []ServerID{2, 3, 4}},
		{"wanted twice", room(4), MaxAnswers, []int{2, 2}, []ServerID{1, 2, 3, 4}},
		{"no more than may stand in it", room(4), 3, nil, []ServerID{1, 3, 4}},
		{"a byte too short", room(3) - 1, MaxAnswers, nil, []ServerID{1, 3}},
		{"no room", 10, MaxAnswers, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := four.fit(c.size, c.count, c.wanted)
			var servers []ServerID
			for _, a := range got.Answers {
				servers = append(servers, a.Server)
			}
			if !slices.Equal(servers, c.want) {
				t.Errorf("kept %v, want %v", servers, c.want)
			}
			if len(got.Answers) == 0 {
				return
			}
			if n := len(got.Encode()); n > c.size {
				t.Errorf("%d bytes, room for %d", n, c.size)
			}
			if err := got.Check(snapshot, 0); err != nil {
				t.Error(err)
			}
		})
	}
}

// The longest answers that Fit keeps can be read back.
func TestEvidenceFitsWhatIsRead(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 3<<20)
	var answers []Answer
	for i := range 30 {
		answers = append(answers, Answer{ServerID(i + 1), slices.Concat(body, []byte{byte(i)}), testReceipt(1, testResponse).Sign(testKey(1))})
	}
	e := NewEvidence(testRegistry, 3, testRevision, body, answers).Fit(29)
	b := e.Encode()
	if len(b) > MaxEvidence || len(b) < MaxEvidence-5<<20 {
		t.Errorf("%d bytes of %d", len(b), MaxEvidence)
	}
	if _, err := ParseEvidence(b); err != nil {
		t.Error(err)
	}
	if last := e.Answers[len(e.Answers)-1].Server; last != 30 {
		t.Errorf("the last is of server %d, and that of 30 was wanted", last)
	}
}

func TestProtocol4_2KeysOfTheirTime(t *testing.T) {
	const replaced, week = int64(1_800_000_000), int64(7 * 24 * 3600)
	old, current := public(t, testKey(1)), public(t, testKey(2))
	server := Server{ID: 1, Keys: []Key{{Key: old, From: 1, To: 20, ReplacedAt: replaced}, {Key: current, From: 20}}}
	at := func(block uint64) *Snapshot {
		return NewSnapshot(testRegistry, block, [32]byte{}, 5, nil, []Server{server})
	}
	for _, c := range []struct {
		block uint64
		key   PublicKey
		want  error
	}{{25, old, nil}, {26, old, ErrKeyReplaced}, {26, current, nil}, {26, public(t, testKey(3)), ErrKeyUnknown}, {19, old, nil}} {
		if _, err := at(c.block).Key(1, c.key.ID()); !errors.Is(err, c.want) {
			t.Errorf("fresh answer at block %d under %s: %v, want %v", c.block, c.key.ID(), err, c.want)
		}
	}
	for _, c := range []struct {
		now  int64
		key  PublicKey
		want error
	}{{replaced + week, old, nil}, {replaced + week + 1, old, ErrKeyLapsed}, {replaced + 2*week, current, nil}, {replaced, public(t, testKey(3)), ErrKeyUnknown}} {
		if _, err := at(1000).EvidenceKey(1, c.key.ID(), c.now); !errors.Is(err, c.want) {
			t.Errorf("evidence at %d under %s: %v, want %v", c.now, c.key.ID(), err, c.want)
		}
	}
}

func FuzzParseEvidence(f *testing.F) {
	f.Add(testEvidence().Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEvidence(b)
		if err != nil {
			return
		}
		again, err := ParseEvidence(e.Encode())
		if err != nil || !bytes.Equal(again.Encode(), e.Encode()) {
			t.Errorf("%q does not survive writing and reading: %v", b, err)
		}
	})
}
