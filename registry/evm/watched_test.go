package evm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"

	"barnraise/registry"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// watched is a world of which it is noted what passes between it and its clients.
type watched struct {
	world
	t    *testing.T
	seen *record
}

// RPC talks HTTP, so that it can be listened to.
func (w *watched) RPC() *rpc.Client {
	listening := rpc.WithHTTPClient(&http.Client{Transport: listener{w.seen}})
	client, err := rpc.DialOptions(w.t.Context(), w.URL(), listening)
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

// record is what was seen of both contracts: functions that were taken, errors, events.
type record struct {
	mu        sync.Mutex
	contracts map[common.Address]*abi.ABI
	sent      map[common.Hash]message      // transactions
	seen      map[*abi.ABI]map[string]bool // of a contract, what it is and its name
	services  *abi.ABI
	servers   *abi.ABI
}

func newRecord() *record {
	c := newContracts(registry.Network{})
	return &record{
		contracts: make(map[common.Address]*abi.ABI), sent: make(map[common.Hash]message), services: c.servicesABI, servers: c.serversABI,
		seen: map[*abi.ABI]map[string]bool{c.servicesABI: {}, c.serversABI: {}},
	}
}

// deployed says where a registry is.
func (r *record) deployed(n registry.Network) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.contracts[common.Address(n.Services)], r.contracts[common.Address(n.Servers)] = r.services, r.servers
}

// check wants everything that the contracts have.
func (r *record) check(t *testing.T) {
	for name, contract := range map[string]*abi.ABI{"services": r.services, "servers": r.servers} {
		var want []string
		for _, m := range contract.Methods {
			want = append(want, "function "+m.Name)
		}
		for _, e := range contract.Events {
			want = append(want, "event "+e.Name)
		}
		for _, e := range contract.Errors {
			want = append(want, "error "+e.Name)
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(r.seen[contract])); !slices.Equal(got, want) {
			t.Errorf("of %s was seen\n%q, want\n%q", name, got, want)
		}
	}
}

// listener reads along.
type listener struct{ record *record }

func (l listener) RoundTrip(q *http.Request) (*http.Response, error) {
	asked, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, err
	}
	q.Body = io.NopCloser(bytes.NewReader(asked))
	response, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(said))
	if err := l.record.note(asked, said); err != nil {
		return nil, fmt.Errorf("read along: %w", err)
	}
	return response, nil
}

// note understands one request and its response, or several.
func (r *record) note(asked, said []byte) error {
	type request struct {
		ID     json.RawMessage
		Method string
		Params []json.RawMessage
	}
	type response struct {
		ID     json.RawMessage
		Result json.RawMessage
		Error  *struct{ Data any }
	}
	var requests []request
	var responses []response
	if err := unmarshalMany(asked, &requests); err != nil {
		return err
	}
	if err := unmarshalMany(said, &responses); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range requests {
		for _, a := range responses {
			if !bytes.Equal(a.ID, q.ID) {
				continue
			}
			var data string
			if a.Error != nil {
				data, _ = a.Error.Data.(string)
			}
			if err := r.noteCall(q.Method, q.Params, a.Result, data, a.Error != nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// unmarshalMany takes one value for a list of one.
func unmarshalMany[T any](b []byte, list *[]T) error {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		return json.Unmarshal(b, list)
	}
	*list = make([]T, 1)
	return json.Unmarshal(b, &(*list)[0])
}

func (r *record) noteCall(method string, params []json.RawMessage, result json.RawMessage, data string, failed bool) error {
	switch method {
	case "eth_call", "eth_estimateGas":
		var m struct {
			To    *common.Address
			Input hexutil.Bytes
		}
		if err := json.Unmarshal(params[0], &m); err != nil {
			return err
		}
		if failed {
			r.noteError(m.To, data)
		} else if method == "eth_call" {
			r.noteFunction(m.To, m.Input)
		}
	case "eth_sendRawTransaction":
		return r.noteSent(params[0])
	case "eth_getTransactionReceipt":
		var got *receiptSeen
		if err := json.Unmarshal(result, &got); err != nil || got == nil || got.Status == 0 {
			return err
		}
		sent := r.sent[got.Hash]
		r.noteFunction(sent.To, sent.Input)
		for _, l := range got.Logs {
			r.noteEvent(l)
		}
	}
	return nil
}

type receiptSeen struct {
	Hash   common.Hash `json:"transactionHash"`
	Status hexutil.Uint64
	Logs   []types.Log
}

func (r *record) noteSent(raw json.RawMessage) error {
	var b hexutil.Bytes
	var tx types.Transaction
	if err := json.Unmarshal(raw, &b); err != nil {
		return err
	}
	if err := tx.UnmarshalBinary(b); err != nil {
		return err
	}
	r.sent[tx.Hash()] = message{To: tx.To(), Input: tx.Data()}
	return nil
}

func (r *record) noteFunction(to *common.Address, input []byte) {
	contract := r.contractAt(to)
	if contract == nil || len(input) < 4 {
		return
	}
	if m, err := contract.MethodById(input[:4]); err == nil {
		r.seen[contract]["function "+m.Name] = true
	}
}

func (r *record) noteError(to *common.Address, data string) {
	contract := r.contractAt(to)
	raw, err := hexutil.Decode(data)
	if contract == nil || err != nil || len(raw) < 4 {
		return
	}
	if e, err := contract.ErrorByID([4]byte(raw)); err == nil {
		r.seen[contract]["error "+e.Name] = true
	}
}

func (r *record) noteEvent(l types.Log) {
	if contract := r.contracts[l.Address]; contract != nil {
		if e, err := contract.EventByID(l.Topics[0]); err == nil {
			r.seen[contract]["event "+e.Name] = true
		}
	}
}

func (r *record) contractAt(a *common.Address) *abi.ABI {
	if a == nil {
		return nil
	}
	return r.contracts[*a]
}
