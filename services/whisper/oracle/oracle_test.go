// Package oracle holds the whisper service to geth 1.9.15, which was the network's most used program: what one seals the
// other takes, and they measure it alike.
//
//	cd services/whisper/oracle && go test -count=1 .
package oracle

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/rlp"
	"github.com/ethereum/go-ethereum/whisper/whisperv6"
)

// many is how many envelopes go in each direction.
const many = 1000

// start builds the service and runs it until the test ends.
func start(t *testing.T) (url string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "whisper")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = ".."
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the service: %v\n%s", err, said)
	}
	command := exec.Command(program)
	command.Env = []string{"PORT=0"}
	talk, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	line, err := bufio.NewReader(talk).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, url, _ = strings.Cut(strings.TrimSpace(line), "listening on ")
	return url
}

// call asks the service, which must answer with a result.
func call(t *testing.T, url, method string, params, result any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct{ Result, Error json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Error != nil {
		t.Fatalf("%s %.200s: %s, %v", method, body, answer.Error, err)
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		t.Fatal(err)
	}
}

type report struct {
	Hash    string
	OK      bool
	Reasons []string
	Bits    int
	Size    int
	TTL     uint32
	Topic   string
}

// pow is the formula, in the order in which geth computes it.
func pow(bits, size int, ttl uint32) float64 {
	return math.Pow(2, float64(bits)) / float64(size) / float64(ttl)
}

func encode(t *testing.T, e *whisperv6.Envelope) string {
	t.Helper()
	b, err := rlp.EncodeToBytes(e)
	if err != nil {
		t.Fatal(err)
	}
	return "0x" + hex.EncodeToString(b)
}

func noise(random *rand.Rand, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// sealedByGeth is an envelope with a message of any size.
func sealedByGeth(t *testing.T, random *rand.Rand) *whisperv6.Envelope {
	t.Helper()
	p := &whisperv6.MessageParams{
		TTL: 50 + random.Uint32N(100), Topic: whisperv6.BytesToTopic(noise(random, 4)), KeySym: noise(random, 32),
		PoW: 0.01 + 0.2*random.Float64(), WorkTime: 60, Payload: noise(random, 1+random.IntN(500)), Padding: noise(random, 1+random.IntN(40)),
	}
	message, err := whisperv6.NewSentMessage(p)
	if err != nil {
		t.Fatal(err)
	}
	e, err := message.Wrap(p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// What geth seals, the service takes, and finds the same hash, the same work and the same topic in it.
func TestGethSeals(t *testing.T) {
	url, random := start(t), rand.New(rand.NewPCG(1, 2))
	var envelopes []*whisperv6.Envelope
	var batch []string
	for range many {
		e := sealedByGeth(t, random)
		envelopes, batch = append(envelopes, e), append(batch, encode(t, e))
	}
	var reports []report
	params := map[string]any{"profile": "geth6", "envelopes": batch, "now": time.Now().Unix(), "minPow": "0.01", "syncAllowance": 100}
	call(t, url, "whisper_validate", params, &reports)
	for i, r := range reports {
		e := envelopes[i]
		if r.Hash != e.Hash().Hex() || !r.OK || r.TTL != e.TTL || r.Topic != e.Topic.String() || pow(r.Bits, r.Size, r.TTL) != e.PoW() {
			t.Fatalf("%s: %+v, geth has hash %s, PoW %v", batch[i], r, e.Hash().Hex(), e.PoW())
		}
	}
	if len(reports) != many {
		t.Errorf("%d reports", len(reports))
	}
}

// What the service seals, geth takes, and finds the same hash and the same work in it.
func TestServiceSeals(t *testing.T) {
	url, random := start(t), rand.New(rand.NewPCG(3, 4))
	geth := whisperv6.New(&whisperv6.Config{MaxMessageSize: 1 << 20, MinimumAcceptedPOW: 0.01})
	if err := geth.Start(nil); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = geth.Stop() }()
	for range many {
		ttl := 50 + random.Uint32N(100)
		profile := []string{"eip627", "geth6"}[random.IntN(2)]
		var sealed struct {
			Envelope, Hash string
			Nonce          uint64
			Bits           int
		}
		call(t, url, "whisper_seal", map[string]any{
			"profile": profile, "expiry": time.Now().Unix() + int64(ttl), "ttl": ttl, "topic": "0x" + hex.EncodeToString(noise(random, 4)),
			"data": "0x" + hex.EncodeToString(noise(random, random.IntN(600))), "minPow": fmt.Sprintf("0.%02d", 2+random.IntN(20)),
			"nonceFrom": random.Uint64() >> (1 + random.IntN(63)),
		}, &sealed)
		b, err := hex.DecodeString(sealed.Envelope[2:])
		if err != nil {
			t.Fatal(err)
		}
		var e whisperv6.Envelope
		if err := rlp.DecodeBytes(b, &e); err != nil {
			t.Fatalf("%s: %v", sealed.Envelope, err)
		}
		var reports []report
		call(t, url, "whisper_validate", []any{"geth6", []string{sealed.Envelope}, time.Now().Unix()}, &reports)
		r := reports[0]
		if e.Hash().Hex() != sealed.Hash || e.Nonce != sealed.Nonce || r.Bits != sealed.Bits || pow(r.Bits, r.Size, e.TTL) != e.PoW() {
			t.Fatalf("%+v: geth has hash %s, nonce %d, PoW %v, the service %+v", sealed, e.Hash().Hex(), e.Nonce, e.PoW(), r)
		}
		if err := geth.Send(&e); err != nil {
			t.Fatalf("%s: %v", sealed.Envelope, err)
		}
	}
}

// The service finds something wrong with an envelope where geth refuses it, and nothing where geth takes it: old ones and
// ones from the future, large ones, and ones with little work.
func TestRefusalsAgree(t *testing.T) {
	url, random := start(t), rand.New(rand.NewPCG(5, 6))
	const minPoW, maxSize = "0.05", 300
	geth := whisperv6.New(&whisperv6.Config{MaxMessageSize: maxSize, MinimumAcceptedPOW: 0.05})
	if err := geth.Start(nil); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = geth.Stop() }()
	taken := 0
	for i := 0; i < many; {
		now := time.Now().Unix()
		ttl := 1 + random.Int64N(60)
		e := whisperv6.Envelope{
			TTL: uint32(ttl), Expiry: uint32(now + ttl + random.Int64N(100) - 60), Topic: whisperv6.BytesToTopic(noise(random, 4)),
			Data: noise(random, 100+random.IntN(200)), Nonce: random.Uint64() >> random.IntN(64),
		}
		if err := e.Seal(&whisperv6.MessageParams{PoW: 0.02 + 0.1*random.Float64(), WorkTime: 60}); err != nil {
			t.Fatal(err)
		}
		var reports []report
		call(t, url, "whisper_validate", map[string]any{
			"profile": "geth6", "envelopes": []string{encode(t, &e)}, "now": now, "minPow": minPoW, "maxSize": maxSize,
		}, &reports)
		refused := geth.Send(&e)
		if time.Now().Unix() != now {
			continue // they saw other clocks
		}
		i++
		if reports[0].OK {
			taken++
		}
		if reports[0].OK != (refused == nil) {
			t.Fatalf("%s at %d: the service says %+v, geth %v", encode(t, &e), now, reports[0], refused)
		}
	}
	if taken < many/10 || taken > many*9/10 {
		t.Errorf("%d of %d were taken", taken, many)
	}
}

// blooms is a test of the service's library, which is put among its own for the while. FILE has lines of a topic and its
// bloom.
const blooms = `package envelope

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

func TestBloomsOfGeth(t *testing.T) {
	file, err := os.ReadFile("FILE")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		topic, bloom, _ := strings.Cut(strings.TrimSpace(line), " ")
		if got := Geth6.Bloom(Topic(unhex(t, topic))); hex.EncodeToString(got[:]) != bloom {
			t.Fatalf("%s: %x, geth says %s", topic, got, bloom)
		}
	}
}
`

// The service's library has the same blooms, of a hundred thousand random topics.
func TestBlooms(t *testing.T) {
	random, dir := rand.New(rand.NewPCG(7, 8)), t.TempDir()
	var lines strings.Builder
	for range 100 * many {
		topic := whisperv6.BytesToTopic(noise(random, 4))
		fmt.Fprintf(&lines, "%x %x\n", topic[:], whisperv6.TopicToBloom(topic))
	}
	service, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(dir, "blooms_test.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(service, "envelope", "blooms_test.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"blooms": lines.String(), "blooms_test.go": strings.Replace(blooms, "FILE", filepath.Join(dir, "blooms"), 1), "overlay.json": string(overlay),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	test := exec.Command("go", "test", "-count=1", "-overlay="+filepath.Join(dir, "overlay.json"), "-run=^TestBloomsOfGeth$", "-v", "./envelope")
	test.Dir = service
	if said, err := test.CombinedOutput(); err != nil || !bytes.Contains(said, []byte("--- PASS: TestBloomsOfGeth")) {
		t.Errorf("%v\n%s", err, said)
	}
}
