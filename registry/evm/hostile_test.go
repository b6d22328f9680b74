package evm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// change sees the result of a call to an endpoint and returns what is passed on.
type change func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error)

// answer is an error that tells a tampering endpoint what to answer: a status of HTTP, or below zero a code of JSON-RPC.
type answer struct {
	message string
	status  int
}

func (a answer) Error() string { return a.message }

// tamper stands between a registry and its chain.
func tamper(t testing.TB, endpoint string, change change) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		response, err := http.Post(endpoint, "application/json", bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		var question struct {
			Method string
			Params []json.RawMessage
		}
		var told map[string]json.RawMessage
		if json.Unmarshal(body, &question) != nil || json.NewDecoder(response.Body).Decode(&told) != nil {
			http.Error(w, "no JSON", http.StatusBadGateway)
			return
		}
		code, want := -32000, answer{}
		if told["result"], err = change(question.Method, question.Params, told["result"]); errors.As(err, &want) {
			if want.status > 200 {
				http.Error(w, "", want.status)
				return
			}
			code = min(want.status, code)
		}
		if err != nil {
			delete(told, "result")
			told["error"], _ = json.Marshal(map[string]any{"code": code, "message": err.Error()})
		} else if told["result"] != nil {
			delete(told, "error")
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(told)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// tamperLogs changes the logs of every answer that has some.
func tamperLogs(change func([]types.Log) []types.Log) change {
	return func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		var logs []types.Log
		if method != "eth_getLogs" || json.Unmarshal(result, &logs) != nil || len(logs) == 0 {
			return result, nil
		}
		return json.Marshal(change(logs))
	}
}

// withoutTimes makes logs what older nodes give.
func withoutTimes(l []types.Log) []types.Log {
	for i := range l {
		l[i].BlockTimestamp = 0
	}
	return l
}

// history is a registry with a little of everything in it.
func history(t *testing.T) *Registry {
	t.Helper()
	return historyOn(t, newChain(t))
}

func historyOn(t *testing.T, chain world) *Registry {
	t.Helper()
	p := testParams
	p.RewardsEvery = 0
	r := newRegistry(t, chain, p)
	register(t, r)
	return r
}

// register writes two services and two servers, and changes a few things.
func register(t *testing.T, r *Registry) {
	t.Helper()
	for i, name := range []string{"search", "resolve"} {
		if _, _, err := r.RegisterService(t.Context(), alice, name, revision(t, name), nil); err != nil {
			t.Fatal(err)
		}
		p := Profile{URL: fmt.Sprint("http://127.0.0.1:", 8001+i), Key: publicKey(name), Offers: []barnraise.ServiceID{1}}
		if _, _, err := r.RegisterServer(t.Context(), bob, p, milli(60)); err != nil {
			t.Fatal(err)
		}
	}
	c := r.contracts
	play(t, r, []step{
		{who: bob, what: "rotate", contract: c.servers, call: c.server.PackRotateKey(1, publicKey("new"))},
		{who: bob, what: "rotate to a weak key", contract: c.servers, call: c.server.PackRotateKey(2, [32]byte{1})},
		{who: alice, what: "publish", contract: c.services, call: c.service.PackPublish(1, packed(t, "2"), 0)},
		{who: alice, what: "revoke", contract: c.services, call: c.service.PackRevoke(1, 2, "wrong")},
		{who: alice, what: "top up", contract: c.services, call: c.service.PackTopUp(2), value: milli(3)},
		{who: bob, what: "delegate", contract: c.servers, call: c.server.PackSetDelegate(2, carol.address)},
	})
}

// through opens the registry behind an endpoint that tampers.
func through(t *testing.T, r *Registry, change change) *Registry {
	t.Helper()
	n := r.Network()
	n.RPC = []string{tamper(t, n.RPC[0], change)}
	behind, err := Dial(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(behind.Close)
	return behind
}

// testLyingEndpoint: events with a hole, or that no registry would have written, are an error and not a snapshot.
func testLyingEndpoint(t *testing.T, chain world) {
	r := historyOn(t, chain)
	at := func(i int, change func(*types.Log)) func([]types.Log) []types.Log {
		return func(logs []types.Log) []types.Log { change(&logs[min(i, len(logs)-1)]); return logs }
	}
	var total int
	count := func(l []types.Log) []types.Log { total = len(l); return l }
	if _, err := through(t, r, tamperLogs(count)).Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	adjacent := func(logs []types.Log) []types.Log { // moves one into the block before, where another has its place
		for i := len(logs) - 1; i > 0; i-- {
			if logs[i].BlockNumber == logs[i-1].BlockNumber+1 {
				logs[i].BlockNumber--
				return logs
			}
		}
		t.Error("no two events are in blocks that follow each other")
		return logs
	}
	cases := map[string]func([]types.Log) []types.Log{
		"two swapped":     func(l []types.Log) []types.Log { l[0], l[1] = l[1], l[0]; return l },
		"removed":         at(3, func(l *types.Log) { l.Removed = true }),
		"later block":     at(1000, func(l *types.Log) { l.BlockNumber += 1 << 40 }),
		"another block":   adjacent,
		"foreign":         at(0, func(l *types.Log) { l.Address[0]++ }),
		"no topics":       at(0, func(l *types.Log) { l.Topics = []common.Hash{} }),
		"unknown topic":   at(0, func(l *types.Log) { l.Topics[0][0]++ }),
		"topic missing":   at(0, func(l *types.Log) { l.Topics = l.Topics[:1] }),
		"topic more":      at(0, func(l *types.Log) { l.Topics = append(l.Topics, common.Hash{}) }),
		"id of 8 bytes":   at(0, func(l *types.Log) { l.Topics[1][26] = 1 }),
		"unknown id":      at(1, func(l *types.Log) { l.Topics[1][31] = 77 }),
		"no data":         at(0, func(l *types.Log) { l.Data = []byte{} }),
		"data cut off":    at(0, func(l *types.Log) { l.Data = l.Data[:len(l.Data)-32] }),
		"absurd data":     at(0, func(l *types.Log) { l.Data = make([]byte, maxLogData+1) }),
		"absurd length":   at(0, func(l *types.Log) { copy(l.Data[64:96], bytes.Repeat([]byte{0xff}, 32)) }),
		"absurd offset":   at(0, func(l *types.Log) { copy(l.Data[0:32], bytes.Repeat([]byte{0xff}, 32)) }),
		"another deposit": at(0, func(l *types.Log) { l.Data[63]++ }),
		"absurd deposit":  at(0, func(l *types.Log) { l.Data[33] = 1 }),
		"another owner":   at(0, func(l *types.Log) { l.Topics[2][31]++ }),
	}
	for i := range total {
		cases[fmt.Sprintf("without %d", i)] = func(l []types.Log) []types.Log { return slices.Delete(l, i, i+1) }
		cases[fmt.Sprintf("twice %d", i)] = func(l []types.Log) []types.Log { return slices.Insert(l, i, l[i]) }
		cases[fmt.Sprintf("twice %d, numbered on", i)] = func(l []types.Log) []types.Log {
			l = slices.Insert(l, i, l[i])
			for j := i + 1; j < len(l) && l[j].BlockNumber == l[i].BlockNumber; j++ {
				l[j].Index++
			}
			return l
		}
	}
	for name, change := range cases {
		s, err := through(t, r, tamperLogs(change)).Snapshot(t.Context())
		if !errors.Is(err, registry.ErrEvents) || s != nil {
			t.Errorf("%s: error is %v, want ErrEvents", name, err)
		} else if len(err.Error()) > 1000 {
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
	}
}

// testLyingState: a hash or a count that the events do not lead to is an error that names both and what to do.
func testLyingState(t *testing.T, chain world) {
	r := historyOn(t, chain)
	for name, selector := range map[string][]byte{"log": r.contracts.service.PackLog(), "count": r.contracts.service.PackCount()} {
		lying := through(t, r, func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
			if method != "eth_call" || !bytes.Contains(params[0], []byte(hexutil.Encode(selector))) {
				return result, nil
			}
			if last := len(result) - len(`0"`); result[last] == '0' {
				result[last] = '1'
			} else {
				result[last] = '0'
			}
			return result, nil
		})
		_, err := lying.Snapshot(t.Context())
		if !errors.Is(err, registry.ErrEvents) || !strings.Contains(err.Error(), "put another endpoint first under rpc") {
			t.Errorf("%s: error is %v, want ErrEvents with a hint", name, err)
		}
	}
}

// TestHostileMessage: what an endpoint says steers no terminal, and is cut between characters.
func TestHostileMessage(t *testing.T) {
	for said, want := range map[string]string{
		"a\x1b[31m\u202e b\n\tc":         "eth_chainId: a\uFFFD[31m\uFFFD b c",
		strings.Repeat("ä", 201):         "eth_chainId: " + strings.Repeat("ä", 200) + "...",
		"a" + strings.Repeat("ä", 201):   "eth_chainId: a" + strings.Repeat("ä", 199) + "...",
		"ab" + strings.Repeat("😀", 1000): "eth_chainId: ab" + strings.Repeat("😀", 99) + "...",
		strings.Repeat("\x80", 500):      "eth_chainId: ...",
	} {
		if got := (&callError{"eth_chainId", errors.New(said)}).Error(); got != want {
			t.Errorf("%.20q is shown as %q, want %q", said, got, want)
		}
	}
}

// TestRecovery: once the endpoint is honest again, so is the snapshot.
func TestRecovery(t *testing.T) {
	r := history(t)
	var lies atomic.Bool
	lies.Store(true)
	behind := through(t, r, tamperLogs(func(l []types.Log) []types.Log {
		if lies.Load() {
			return l[1:]
		}
		return l
	}))
	if _, err := behind.Snapshot(t.Context()); !errors.Is(err, registry.ErrEvents) {
		t.Fatalf("error is %v, want ErrEvents", err)
	}
	lies.Store(false)
	s, err := behind.Snapshot(t.Context())
	if err != nil || len(s.Services()) != 2 {
		t.Fatalf("snapshot %v, %v; want two services", s, err)
	}
}

// TestReplacedAt: the time of a rotation is that of its block, also where the endpoint does not give it with the log
// (protocol 4.2); a weak key is not listed and leaves the server without a current one (protocol 1.6).
func TestReplacedAt(t *testing.T) {
	r := history(t)
	without := through(t, r, tamperLogs(withoutTimes))
	s, err := without.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id, usable := range map[barnraise.ServerID]bool{1: true, 2: false} {
		server, _ := s.Server(id)
		old := server.Keys[0]
		b, err := blockAt(t.Context(), r.client, number(old.To))
		if err != nil || old.ReplacedAt != int64(b.Time) || old.To == 0 {
			t.Errorf("server %d: the old key is %+v, its block has time %d, %v", id, old, b.Time, err)
		}
		if _, ok := server.Key(); ok != usable {
			t.Errorf("server %d has a current key: %t, want %t", id, ok, usable)
		}
	}
}

// TestHugeResponse: a response is read up to its limit and no further.
func TestHugeResponse(t *testing.T) {
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte("a"), 1<<20)
		fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":"`)
		for range 4 * maxBody >> 20 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
			sent.Add(1)
		}
	}))
	defer server.Close()
	client, err := dial(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := chainID(t.Context(), client); !errors.Is(err, errTooLong) {
		t.Errorf("error is %v, want one about the length", err)
	}
	if got := sent.Load(); got > 2*maxBody>>20 {
		t.Errorf("the endpoint could send %d MiB", got)
	}
}

// TestSilentEndpoint: who waits for an endpoint that never answers can give up, also in the queue behind somebody else.
func TestSilentEndpoint(t *testing.T) {
	r := history(t)
	var silent atomic.Bool
	behind := through(t, r, func(_ string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		for silent.Load() {
			time.Sleep(time.Millisecond) // the endpoint's, not the test's
		}
		return result, nil
	})
	silent.Store(true)
	defer silent.Store(false)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	failed := make(chan error)
	for range 3 {
		go func() {
			_, err := behind.Snapshot(ctx)
			failed <- err
		}()
	}
	for range 3 {
		if err := <-failed; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v, want the deadline", err)
		}
	}
}

// FuzzDecode: no log makes decoding or folding panic.
func FuzzDecode(f *testing.F) {
	c := newContracts(registry.Network{Services: barnraise.Address{1}, Servers: barnraise.Address{2}})
	for _, contract := range []byte{1, 2} {
		events := c.servicesABI.Events
		if contract == 2 {
			events = c.serversABI.Events
		}
		for _, e := range events {
			topics := append(e.ID.Bytes(), common.BigToHash(common.Big1).Bytes()...)
			f.Add(contract, append(topics, make([]byte, 64)...), make([]byte, 320))
			f.Add(contract, topics, bytes.Repeat(append(make([]byte, 31), 0x40), 12))
			f.Add(contract, topics, []byte{})
		}
	}
	f.Fuzz(func(t *testing.T, contract byte, topics, data []byte) {
		l := &types.Log{Address: common.Address{contract}, Data: data, BlockNumber: 5}
		for len(topics) >= 32 {
			l.Topics, topics = append(l.Topics, common.Hash(topics[:32])), topics[32:]
		}
		event, err := c.decode(l)
		if err != nil {
			if !errors.Is(err, registry.ErrEvents) {
				t.Fatalf("error is %v, want ErrEvents", err)
			}
			return
		}
		services, servers := started(t)
		_ = services.Apply(registry.Block{Number: 5}, event)
		_ = servers.Apply(registry.Block{Number: 5}, event)
		services.List()
		servers.List()
	})
}

// started is a registry with one record each.
func started(t *testing.T) (*registry.Services, *registry.Servers) {
	services, servers := new(registry.Services), new(registry.Servers)
	at := registry.Block{Number: 4, Time: 9}
	owner := alice.Address()
	err := errors.Join(
		services.Apply(at, registry.ServiceRegistered{ID: 1, Owner: owner, Name: "search", Deposit: common.Big1}),
		services.Apply(at, registry.RevisionPublished{
			ID: 1, Number: 1, Image: barnraise.Digest{1}, Reference: "r", Verifier: []byte{1}, Manifest: []byte{1}, Home: 1, ActiveFrom: 4,
		}),
		servers.Apply(at, registry.ServerRegistered{ID: 1, Owner: owner, Deposit: common.Big1}),
		servers.Apply(at, registry.KeyRotated{ID: 1, Key: publicKey("a")}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return services, servers
}
