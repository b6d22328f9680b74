package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"barnraise"
)

const (
	rest       = 30 * time.Second // for which a source that failed is asked last
	maxResting = 1000             // sources that are remembered
)

// errKeep is among the errors of a block that came and could not be kept: no other source would change that.
var errKeep = errors.New("cannot be kept")

// each asks the sources one after the other until one delivers; bytes beside an error count, and the source has failed
// afterwards all the same. The error has a line for each, and one for the store where it had more to say than that the block
// is not held.
func (f *Fetcher) each(ctx context.Context, sources []string, held error, ask func(source string) ([]byte, error)) ([]byte, error) {
	if len(sources) == 0 {
		return nil, fmt.Errorf("no source to ask: %w", held)
	}
	var failures []error
	if !errors.Is(held, ErrNotFound) {
		failures = append(failures, held)
	}
	for _, source := range f.inTurn(sources) {
		b, err := ask(source)
		switch {
		case errors.Is(err, errKeep):
			return nil, err
		case err == nil:
			f.delivered(source)
		case ctx.Err() == nil:
			f.failed(source, err)
		}
		if b != nil {
			return b, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", source, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(failures...)
}

// inTurn is the order in which sources are asked: as given, each once, those that rest after the others.
func (f *Fetcher) inTurn(sources []string) []string {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	var first, last []string
	for _, source := range sources {
		switch {
		case slices.Contains(first, source) || slices.Contains(last, source):
		case now.Before(f.resting[source]):
			last = append(last, source)
		default:
			first = append(first, source)
		}
	}
	return append(first, last...)
}

// failed reports a source, and lets it rest unless all it said is that it does not hold the block.
func (f *Fetcher) failed(source string, err error) {
	if f.Report != nil {
		f.Report(source, err)
	}
	if errors.Is(err, ErrNotFound) {
		return
	}
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.resting, func(_ string, until time.Time) bool { return !now.Before(until) })
	if f.resting == nil || len(f.resting) >= maxResting {
		f.resting = make(map[string]time.Time)
	}
	f.resting[source] = now.Add(rest)
}

func (f *Fetcher) delivered(source string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.resting, source)
}

func (f *Fetcher) now() time.Time {
	if f.Now == nil {
		return time.Now()
	}
	return f.Now()
}

func (f *Fetcher) timeout() time.Duration {
	if f.Timeout <= 0 {
		return DefaultTimeout
	}
	return f.Timeout
}

// ask gets one block from one gateway.
func (f *Fetcher) ask(ctx context.Context, c barnraise.CID, limit int64, source string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout())
	defer cancel()
	resp, err := f.open(ctx, source, c, "format=raw", rawBlock)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answers %.80q", resp.Status)
	}
	b, err := readAtMost(resp.Body, limit)
	if err != nil {
		return nil, err
	}
	if err := Check(c, b); err != nil {
		return nil, err
	}
	return b, nil
}

// car asks one gateway for a file with all its blocks, keeps the chunks and returns the root, which it does beside an error
// too. It fails with [ErrCAR] where the gateway serves none, or not this one. The gateway has its time for every block anew.
func (f *Fetcher) car(ctx context.Context, c barnraise.CID, limit int64, source string) (root []byte, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(f.timeout(), func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	defer func() {
		if err != nil && ctx.Err() != nil && !errors.Is(err, errKeep) {
			err = fmt.Errorf("read CAR: %w", context.Cause(ctx))
		}
	}()
	resp, err := f.open(ctx, source, c, "format=car&dag-scope=all", carType+"; version=1; order=dfs; dups=n")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	kind, params, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode >= http.StatusBadGateway { // it will not have the blocks either
		return nil, fmt.Errorf("answers %.80q", resp.Status)
	}
	if resp.StatusCode != http.StatusOK || kind != carType || params["version"] != "" && params["version"] != "1" {
		return nil, fmt.Errorf("answers %.80q, %.80q: %w", resp.Status, kind, ErrCAR)
	}
	in, _, err := openCAR(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read CAR: %w", err)
	}
	in.came = func() { timer.Reset(f.timeout()) }
	root, err = in.content(c, limit, func(leaf barnraise.CID, b []byte) error {
		if err := f.Store.put(leaf, b); err != nil {
			return fmt.Errorf("%w: %w", err, errKeep)
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("read CAR: %w", err)
	}
	return root, err
}

// open asks one gateway for what there is under a CID. The answer may have any status but that it is not there.
func (f *Fetcher) open(ctx context.Context, source string, c barnraise.CID, query, accept string) (*http.Response, error) {
	url := strings.TrimSuffix(source, "/") + "/ipfs/" + string(c) + "?" + query
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	resp, err := f.Client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone {
		resp.Body.Close()
		return nil, fmt.Errorf("answers %.80q: %w", resp.Status, ErrNotFound)
	}
	return resp, nil
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
