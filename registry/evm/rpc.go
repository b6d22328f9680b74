package evm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// What one call to an endpoint may cost.
const (
	maxBody     = 64 << 20 // bytes of one response
	callTimeout = 30 * time.Second
	maxMessage  = 400 // bytes of an endpoint's own error message
)

type bytesHex = hexutil.Bytes

// message is a call or a transaction as eth_call and eth_estimateGas take it.
type message struct {
	From  *common.Address `json:"from,omitempty"`
	To    *common.Address `json:"to,omitempty"`
	Value *hexutil.Big    `json:"value,omitempty"`
	Input hexutil.Bytes   `json:"input"`
}

// block is what matters of a block. The hash is as the endpoint says: other chains hash other headers.
type block struct {
	Number  hexutil.Uint64 `json:"number"`
	Hash    common.Hash    `json:"hash"`
	Parent  common.Hash    `json:"parentHash"`
	Time    hexutil.Uint64 `json:"timestamp"`
	BaseFee *hexutil.Big   `json:"baseFeePerGas"`
}

// latest is the head of the chain.
func latest(ctx context.Context, c *rpc.Client) (block, error) { return blockAt(ctx, c, "latest") }

// errNoBlock is the error for a block that the endpoint does not have.
var errNoBlock = errors.New("it has no such block")

// blockAt fetches a block by its number or by a tag such as "latest". It fails with [errNoBlock].
func blockAt(ctx context.Context, c *rpc.Client, at string) (block, error) {
	b, err := ask[*block](ctx, c, "eth_getBlockByNumber", at, false)
	if err != nil {
		return block{}, err
	}
	if b == nil || b.Hash == (common.Hash{}) {
		return block{}, fmt.Errorf("fetch block %s: %w", at, errNoBlock)
	}
	return *b, nil
}

// number is a block number as JSON-RPC wants it.
func number(n uint64) string { return hexutil.EncodeUint64(n) }

func chainID(ctx context.Context, c *rpc.Client) (uint64, error) {
	id, err := ask[hexutil.Uint64](ctx, c, "eth_chainId")
	return uint64(id), err
}

// ask makes one call. Its error says which, and keeps what a contract said ([rpc.DataError]); it shows neither the URL, which
// may contain a key, nor more than a little of what the endpoint wrote.
func ask[T any](ctx context.Context, c *rpc.Client, method string, args ...any) (T, error) {
	var result T
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := c.CallContext(ctx, &result, method, args...); err != nil {
		return result, &callError{method, err}
	}
	return result, nil
}

type callError struct {
	method string
	err    error
}

func (e *callError) Error() string {
	text := e.err.Error()
	var withURL *url.Error
	if errors.As(e.err, &withURL) {
		text = withURL.Err.Error()
	}
	if len(text) > maxMessage {
		text = text[:start(text, maxMessage)] + "..."
	}
	return fmt.Sprintf("%s: %s", e.method, registry.Printable(strings.Join(strings.Fields(text), " ")))
}

// start is where the character begins that the byte belongs to.
func start(text string, i int) int {
	for i > 0 && !utf8.RuneStart(text[i]) {
		i--
	}
	return i
}

func (e *callError) Unwrap() error { return e.err }

// dial opens a client whose responses are bounded. Over HTTP nothing is sent yet.
func dial(ctx context.Context, endpoint string) (*rpc.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client, err := rpc.DialOptions(ctx, endpoint, rpc.WithHTTPClient(newHTTPClient()), rpc.WithWebsocketMessageSizeLimit(maxBody))
	if err != nil {
		return nil, &callError{"connect", err}
	}
	return client, nil
}

func newHTTPClient() *http.Client {
	return &http.Client{
		Transport:     limited{http.DefaultTransport},
		Timeout:       2 * callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// limited cuts response bodies off at [maxBody].
type limited struct{ http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = &limitedBody{ReadCloser: response.Body, left: maxBody}
	return response, nil
}

type limitedBody struct {
	io.ReadCloser
	left int
}

var errTooLong = fmt.Errorf("the response is longer than %d MiB", maxBody>>20)

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// origin is an endpoint without what may be secret in its URL.
func origin(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return registry.Printable(endpoint)
	}
	return registry.Printable(u.Scheme + "://" + u.Host)
}

// ether writes an amount of wei as ether, all its digits and no zeros behind.
func ether(wei *big.Int) string {
	if wei == nil {
		return "0"
	}
	text := new(big.Rat).SetFrac(wei, big.NewInt(1e18)).FloatString(18)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
