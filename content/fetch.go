package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"barnraise"
)

// DefaultTimeout is how long one source may take where [Fetcher.Timeout] is zero.
const DefaultTimeout = 10 * time.Second

// Fetcher gets blocks from trustless gateways that nobody has to believe: other servers, or any of IPFS. It is safe for
// concurrent use.
type Fetcher struct {
	Client  *http.Client  // such as dial.Client makes: it decides which addresses are reached
	Store   *Store        // looked into first; what was fetched is kept there
	MaxSize int64         // bytes; zero and everything above it mean MaxBlock
	Timeout time.Duration // for one source, everything included; zero means DefaultTimeout
}

// Fetch returns the block of that CID from the store or from the first source that has it; sources are the origins of
// gateways, such as https://example.org, asked in turn. What a source sends is limited while it arrives and hashed before it
// counts. Where none delivers, the error has a line for each with its reason: [ErrNotFound] is among them where one does not
// hold the block, [ErrMismatch] where one sent other bytes, [ErrTooLarge] where one sent too many. A block that could not be
// kept is an error too. Without sources the error is the store's. Fetch fails with [ErrCID] before it asks anybody.
func (f *Fetcher) Fetch(ctx context.Context, c barnraise.CID, sources []string) ([]byte, error) {
	b, err := f.Store.Get(c)
	if err == nil || errors.Is(err, ErrCID) {
		return b, err
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("fetch %s: no source to ask: %w", c, err)
	}
	var failures []error
	if !errors.Is(err, ErrNotFound) {
		failures = append(failures, err)
	}
	for _, source := range sources {
		b, err := f.ask(ctx, c, source)
		if err == nil {
			err = f.Store.put(c, b)
		}
		if err == nil {
			return b, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", source, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("fetch %s: %w", c, errors.Join(failures...))
}

// ask gets the block from one gateway.
func (f *Fetcher) ask(ctx context.Context, c barnraise.CID, source string) ([]byte, error) {
	timeout := f.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	url := strings.TrimSuffix(source, "/") + "/ipfs/" + string(c) + "?format=raw"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", rawBlock)
	resp, err := f.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("answers %s: %w", resp.Status, ErrNotFound)
	default:
		return nil, fmt.Errorf("answers %s", resp.Status)
	}
	b, err := readAtMost(resp.Body, f.maxSize())
	if err != nil {
		return nil, err
	}
	return b, Check(c, b)
}

func (f *Fetcher) maxSize() int64 {
	if f.MaxSize <= 0 || f.MaxSize > MaxBlock {
		return MaxBlock
	}
	return f.MaxSize
}

func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read block: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("read block: more than %d bytes: %w", limit, ErrTooLarge)
	}
	return b, nil
}
