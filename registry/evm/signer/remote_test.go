package signer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

var testChain = big.NewInt(31337)

// answers are what a signer does with what it is asked.
type answers func(method string, q request) (result any, code int)

// reply makes the JSON-RPC of it.
func (a answers) reply(body []byte) []byte {
	var call struct {
		Method string    `json:"method"`
		Params []request `json:"params"`
	}
	if err := json.Unmarshal(body, &call); err != nil || len(call.Params) != 1 {
		return []byte("what?")
	}
	result, code := a(call.Method, call.Params[0])
	reply := map[string]any{"jsonrpc": "2.0", "id": 1, "result": result}
	if code != 0 {
		delete(reply, "result")
		reply["error"] = map[string]any{"code": code, "message": result}
	}
	b, err := json.Marshal(reply)
	if err != nil {
		return nil
	}
	return b
}

// signed signs as asked.
func signed(t *testing.T, q request) hexutil.Bytes {
	t.Helper()
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("owner")))
	if err != nil {
		t.Fatal(err)
	}
	var data types.TxData = &types.DynamicFeeTx{
		ChainID: q.Chain.ToInt(), Nonce: uint64(q.Nonce), GasTipCap: (*big.Int)(q.Tip), GasFeeCap: (*big.Int)(q.MaxFee), Gas: uint64(q.Gas),
		To: q.To, Value: q.Value.ToInt(), Data: q.Data,
	}
	if q.GasPrice != nil {
		data = &types.LegacyTx{
			Nonce: uint64(q.Nonce), GasPrice: q.GasPrice.ToInt(), Gas: uint64(q.Gas), To: q.To, Value: q.Value.ToInt(), Data: q.Data,
		}
	}
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(q.Chain.ToInt()), data)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// overHTTP and overSocket start a signer and name it.
func overHTTP(t *testing.T, a answers) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = w.Write(a.reply(body))
	}))
	t.Cleanup(s.Close)
	return s.URL + "#" + vectorAddress
}

func overSocket(t *testing.T, a answers) string {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			var body json.RawMessage
			if json.NewDecoder(conn).Decode(&body) == nil {
				_, _ = conn.Write(a.reply(body))
			}
			conn.Close()
		}
	}()
	return "unix:" + path + "#" + vectorAddress
}

func transactions() map[string]*types.Transaction {
	to := common.Address{7}
	return map[string]*types.Transaction{
		"dynamic": types.NewTx(&types.DynamicFeeTx{
			ChainID: testChain, Nonce: 3, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(9), Gas: 21000, To: &to, Value: big.NewInt(5), Data: []byte{1, 2},
		}),
		"creates": types.NewTx(&types.DynamicFeeTx{
			ChainID: testChain, GasTipCap: big.NewInt(0), GasFeeCap: big.NewInt(9), Gas: 21000, Value: new(big.Int), Data: []byte{1},
		}),
		"legacy": types.NewTx(&types.LegacyTx{Nonce: 1, GasPrice: big.NewInt(4), Gas: 50000, To: &to, Value: new(big.Int)}),
	}
}

// A signer is asked as web3signer and nodes are, and where it does not know that, as clef is.
func TestRemoteSigners(t *testing.T) {
	web3signer := func(method string, q request) (any, int) {
		if method != "eth_signTransaction" {
			return "unknown", codeNoMethod
		}
		return signed(t, q), 0
	}
	node := func(method string, q request) (any, int) {
		return map[string]any{"raw": signed(t, q), "tx": map[string]any{"hash": "0x"}}, 0
	}
	clef := func(method string, q request) (any, int) {
		if method != "account_signTransaction" {
			return "the method " + method + " does not exist/is not available", codeNoMethod
		}
		return map[string]any{"raw": signed(t, q)}, 0
	}
	for name, a := range map[string]answers{"web3signer": web3signer, "node": node, "clef": clef} {
		for way, start := range map[string]func(*testing.T, answers) string{"http": overHTTP, "socket": overSocket} {
			for kind, tx := range transactions() {
				t.Run(fmt.Sprint(name, " ", way, " ", kind), func(t *testing.T) {
					r, err := parseRemote(start(t, a))
					if err != nil {
						t.Fatal(err)
					}
					got, err := r.SignTransaction(t.Context(), tx, testChain)
					if err != nil {
						t.Fatal(err)
					}
					s := types.LatestSignerForChainID(testChain)
					if s.Hash(got) != s.Hash(tx) {
						t.Errorf("it signed %+v", got)
					}
				})
			}
		}
	}
}

func TestHostileSigners(t *testing.T) {
	tx := transactions()["dynamic"]
	for name, c := range map[string]struct {
		result any
		code   int
		want   string
	}{
		"refuses":       {"denied\x1b[31m" + strings.Repeat("x", 1000), -32000, "it refuses: denied\uFFFD[31mx"},
		"no method":     {"no", codeNoMethod, "does not know how"},
		"nothing":       {nil, 0, "no transaction"},
		"a number":      {7, 0, "no transaction"},
		"no hex":        {"garbage", 0, "no transaction"},
		"no tx":         {"0x0102", 0, "is no transaction"},
		"empty":         {"0x", 0, "is no transaction"},
		"object":        {map[string]any{"tx": 1}, 0, "no transaction"},
		"endless":       {"0x" + strings.Repeat("00", maxReply), 0, "longer than"},
		"another thing": {[]int{1}, 0, "no transaction"},
	} {
		for way, start := range map[string]func(*testing.T, answers) string{"http": overHTTP, "socket": overSocket} {
			r, err := parseRemote(start(t, func(string, request) (any, int) { return c.result, c.code }))
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.SignTransaction(t.Context(), tx, testChain)
			if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 600 {
				t.Errorf("%s by %s: error is %.700v, want one with %q", name, way, err, c.want)
			}
		}
	}
}

// What is secret in a signer's URL, or where it redirects to, is nobody else's.
func TestSignerURLStaysSecret(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect is followed") }))
	defer elsewhere.Close()
	s := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	named := strings.Replace(s.URL, "//", "//user:hidden@", 1) + "/hidden#" + vectorAddress
	for range 2 {
		r, err := parseRemote(named)
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.SignTransaction(t.Context(), transactions()["legacy"], testChain)
		if err == nil || strings.Contains(err.Error(), "hidden") || !strings.Contains(err.Error(), "ask signer http://127.0.0.1") {
			t.Errorf("error is %v", err)
		}
		s.Close() // and once more, where nobody listens
	}
}

// Who gives up is not kept by a signer that never answers.
func TestSignerThatNeverAnswers(t *testing.T) {
	for way, start := range map[string]func(*testing.T, answers) string{"http": overHTTP, "socket": overSocket} {
		ctx, cancel := context.WithCancelCause(t.Context())
		over := make(chan struct{})
		r, err := parseRemote(start(t, func(string, request) (any, int) {
			cancel(errors.New("had enough"))
			<-over
			return nil, 0
		}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.SignTransaction(ctx, transactions()["dynamic"], testChain); err == nil || !strings.Contains(err.Error(), "had enough") {
			t.Errorf("%s: error is %v", way, err)
		}
		close(over)
	}
}

func FuzzParseReply(f *testing.F) {
	for _, s := range []string{
		`{"result":"0x02f8"}`, `{"result":{"raw":"0x"}}`, `{"error":{"code":-32601,"message":"no"}}`, `{"error":null,"result":null}`, `[]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tx, err := parseReply(b)
		if (tx == nil) == (err == nil) {
			t.Errorf("%v, %v", tx, err)
		}
	})
}
