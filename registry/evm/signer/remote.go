package signer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// What a signer may cost who asks it.
const (
	maxReply   = 512 << 10       // bytes
	signerTime = 5 * time.Minute // a person may have to say yes
	maxMessage = 200             // bytes of its own words
)

// remote asks a signer elsewhere, over HTTP or a socket: eth_signTransaction as web3signer and nodes have it, or else
// account_signTransaction as clef calls it. What it answers is not believed: whoever gets it compares.
type remote struct {
	address barnraise.Address
	url     *url.URL // nil for a socket
	socket  string
}

// parseRemote reads http://…#0xADDRESS, https://…#0xADDRESS or unix:/SOCKET#0xADDRESS.
func parseRemote(named string) (*remote, error) {
	at, hash, ok := strings.Cut(named, "#")
	if !ok {
		return nil, errors.New("open account: a remote signer needs the address that it is to sign for: URL#0xADDRESS")
	}
	address, err := barnraise.ParseAddress(hash)
	if err != nil || address.IsZero() {
		return nil, fmt.Errorf("open account: %.80q is no address: want URL#0xADDRESS", hash)
	}
	if socket, ok := strings.CutPrefix(at, "unix:"); ok {
		if socket == "" {
			return nil, errors.New("open account: want unix:/SOCKET#0xADDRESS")
		}
		return &remote{address: address, socket: socket}, nil
	}
	u, err := url.Parse(at)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("open account: want https://HOST:PORT#0xADDRESS of a remote signer") // its URL may hold a password
	}
	return &remote{address: address, url: u}, nil
}

// Address is the one that it was named with.
func (r *remote) Address() barnraise.Address { return r.address }

// String names the signer without what may be secret in its URL.
func (r *remote) String() string {
	if r.url == nil {
		return "unix:" + registry.Printable(r.socket)
	}
	return registry.Printable(r.url.Scheme + "://" + r.url.Host)
}

// request is a transaction as signers take it.
type request struct {
	From     common.Address  `json:"from"`
	To       *common.Address `json:"to,omitempty"`
	Gas      hexutil.Uint64  `json:"gas"`
	GasPrice *hexutil.Big    `json:"gasPrice,omitempty"`
	MaxFee   *hexutil.Big    `json:"maxFeePerGas,omitempty"`
	Tip      *hexutil.Big    `json:"maxPriorityFeePerGas,omitempty"`
	Value    *hexutil.Big    `json:"value"`
	Nonce    hexutil.Uint64  `json:"nonce"`
	Data     hexutil.Bytes   `json:"data"`
	Chain    *hexutil.Big    `json:"chainId"`
}

func (r *remote) request(tx *types.Transaction, chain *big.Int) request {
	q := request{
		From: common.Address(r.address), To: tx.To(), Gas: hexutil.Uint64(tx.Gas()), Value: (*hexutil.Big)(tx.Value()),
		Nonce: hexutil.Uint64(tx.Nonce()), Data: tx.Data(), Chain: (*hexutil.Big)(chain),
	}
	if tx.Type() == types.LegacyTxType {
		q.GasPrice = (*hexutil.Big)(tx.GasPrice())
	} else {
		q.MaxFee, q.Tip = (*hexutil.Big)(tx.GasFeeCap()), (*hexutil.Big)(tx.GasTipCap())
	}
	return q
}

// SignTransaction asks the signer, and waits five minutes at most.
func (r *remote) SignTransaction(ctx context.Context, tx *types.Transaction, chain *big.Int) (*types.Transaction, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, signerTime, errors.New("it did not answer in time"))
	defer cancel()
	q := r.request(tx, chain)
	signed, err := r.ask(ctx, "eth_signTransaction", q)
	if errors.Is(err, errNoMethod) {
		signed, err = r.ask(ctx, "account_signTransaction", q)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("ask signer %s: %w", r, err)
	}
	return signed, nil
}

func (r *remote) ask(ctx context.Context, method string, q request) (*types.Transaction, error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": []any{q}})
	if err != nil {
		return nil, err
	}
	exchange := r.post
	if r.url == nil {
		exchange = r.write
	}
	reply, err := exchange(ctx, body)
	if err != nil {
		return nil, err
	}
	return parseReply(reply)
}

// post sends the request over HTTP. A redirect is no answer.
func (r *remote) post(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("its URL is malformed")
	}
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(req)
	if err != nil {
		if wrapped := new(url.Error); errors.As(err, &wrapped) {
			err = wrapped.Err // the rest is the URL
		}
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers with status %d", response.StatusCode)
	}
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	if err == nil && len(reply) > maxReply {
		err = errTooLong
	}
	return reply, err
}

var errTooLong = fmt.Errorf("its answer is longer than %d KiB", maxReply>>10)

// write sends the request through a socket, where one JSON value answers another.
func (r *remote) write(ctx context.Context, body []byte) ([]byte, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", r.socket)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := conn.Write(append(body, '\n')); err != nil {
		return nil, err
	}
	var reply json.RawMessage
	limited := &io.LimitedReader{R: conn, N: maxReply + 1}
	if err = json.NewDecoder(limited).Decode(&reply); err != nil && limited.N <= 0 {
		err = errTooLong
	}
	return reply, err
}

// errNoMethod is the error of a signer that does not know the method.
var errNoMethod = errors.New("it does not know how to sign a transaction")

// codeNoMethod is what JSON-RPC says of a method that is not there.
const codeNoMethod = -32601

// parseReply reads what a signer answers: the transaction in hexadecimal digits, or an object whose "raw" they are.
func parseReply(b []byte) (*types.Transaction, error) {
	var reply struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(b, &reply); err != nil {
		return nil, errors.New("its answer is no JSON-RPC")
	}
	if reply.Error != nil && reply.Error.Code == codeNoMethod {
		return nil, errNoMethod
	}
	if reply.Error != nil {
		return nil, fmt.Errorf("it refuses: %s", registry.Printable(fmt.Sprintf("%.*s", maxMessage, reply.Error.Message)))
	}
	var raw hexutil.Bytes
	if json.Unmarshal(reply.Result, &raw) != nil {
		var whole struct {
			Raw hexutil.Bytes `json:"raw"`
		}
		if json.Unmarshal(reply.Result, &whole) != nil || whole.Raw == nil {
			return nil, errors.New("its answer has no transaction")
		}
		raw = whole.Raw
	}
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(raw); err != nil {
		return nil, errors.New("what it answers is no transaction")
	}
	return tx, nil
}
