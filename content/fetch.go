package content

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"barnraise"
)

// DefaultTimeout is how long a source may take where [Fetcher.Timeout] is zero.
const DefaultTimeout = 10 * time.Second

// DefaultMaxSize is the longest content that is fetched where [Fetcher.MaxSize] is zero, in bytes: the longest verifier.
const DefaultMaxSize = 8 << 20

// Fetcher gets content from trustless gateways that nobody has to believe: other servers, or any of IPFS. It is safe for
// concurrent use. A source that fails otherwise than by not holding the content is asked after all the others for half a
// minute: the blocks of a file do not each wait for a gateway that is gone.
type Fetcher struct {
	Client  *http.Client                   // such as dial.Client makes: it decides which addresses are reached
	Store   *Store                         // looked into first; what was fetched is kept there
	MaxSize int64                          // bytes; zero means DefaultMaxSize, everything above MaxFile means MaxFile
	Timeout time.Duration                  // for one block of one source, everything included; zero means DefaultTimeout
	Now     func() time.Time               // the clock of the half minute; nil means time.Now
	Report  func(source string, err error) // called for every source that fails, also where another delivers, from any goroutine; may be nil

	mu      sync.Mutex
	resting map[string]time.Time // until when a source is asked last
}

// Fetch returns the content of that CID, a raw block or a file, from the store or from the first source that has it; sources
// are the origins of gateways, such as https://example.org, asked in turn: other hosts, then the home, then the gateways of
// the network. A file is fetched in one request where a source serves CARs; what is missing afterwards, block by block. What
// a source sends is limited while it arrives, by what the file's root declares, and hashed before it counts. Where none
// delivers, the error has a line for each with its reason: [ErrNotFound] is among them where one does not hold a block,
// [ErrMismatch] where one sent other bytes, [ErrTooLarge] where one sent too many. Blocks that came stay for the next time.
// [ErrTooLarge] and [ErrFile] are also how a root fails that declares too much, or is none. A block that could not be kept is
// an error too. Without sources the error is the store's. Fetch fails with [ErrCID] before it asks anybody.
func (f *Fetcher) Fetch(ctx context.Context, c barnraise.CID, sources []string) ([]byte, error) {
	limit := f.MaxSize
	if limit <= 0 {
		limit = DefaultMaxSize
	}
	return f.FetchUpTo(ctx, c, limit, sources)
}

// FetchUpTo is Fetch for content of at most limit bytes, whatever [Fetcher.MaxSize] says.
func (f *Fetcher) FetchUpTo(ctx context.Context, c barnraise.CID, limit int64, sources []string) (b []byte, err error) {
	if _, err := Parse(string(c)); err != nil {
		return nil, fmt.Errorf("fetch content: %w", err)
	}
	if isFile(c) {
		b, err = f.file(ctx, c, limit, sources)
	} else {
		b, err = f.block(ctx, c, min(limit, MaxBlock), sources)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", c, err)
	}
	return b, nil
}

// block gets one block of at most limit bytes.
func (f *Fetcher) block(ctx context.Context, c barnraise.CID, limit int64, sources []string) ([]byte, error) {
	b, err := f.Store.use(c)
	if err == nil && int64(len(b)) > limit {
		return nil, fmt.Errorf("%d bytes, at most %d: %w", len(b), limit, ErrTooLarge)
	}
	if err == nil {
		return b, nil
	}
	b, err = f.each(ctx, sources, err, func(source string) ([]byte, error) { return f.ask(ctx, c, limit, source) })
	if err != nil {
		return nil, err
	}
	return b, f.Store.put(c, b)
}

// file gets a file: its root, the chunks that came with it or are held, then those that are missing.
func (f *Fetcher) file(ctx context.Context, c barnraise.CID, limit int64, sources []string) ([]byte, error) {
	root, missing := f.Store.use(c)
	if missing != nil {
		var err error
		root, err = f.each(ctx, sources, missing, func(source string) ([]byte, error) { return f.root(ctx, c, limit, source) })
		if err != nil {
			return nil, err
		}
	}
	parts, err := bounded(root, limit)
	if err != nil {
		return nil, err
	}
	b, err := parts.join(func(leaf barnraise.CID) ([]byte, error) { return f.block(ctx, leaf, MaxBlock, sources) })
	if err == nil && missing != nil {
		err = f.Store.seal(c, root, parts)
	}
	return b, err
}

// root gets the root of a file and, where the source serves CARs, keeps as many of the chunks as come. A source that fails
// after the root has only failed the chunks: the root is returned beside the error. For what the root declares no source is
// to blame.
func (f *Fetcher) root(ctx context.Context, c barnraise.CID, limit int64, source string) ([]byte, error) {
	root, err := f.car(ctx, c, limit, source)
	if root == nil && (errors.Is(err, ErrCAR) || errors.Is(err, ErrTooLarge)) {
		return f.ask(ctx, c, maxRoot, source)
	}
	if root == nil || errors.Is(err, errKeep) {
		return nil, err
	}
	if _, unread := bounded(root, limit); unread != nil || errors.Is(err, ErrFile) {
		return root, nil
	}
	return root, err
}
