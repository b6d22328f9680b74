package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"barnraise"
)

// DefaultTimeout is how long one request may take where [Puller.Timeout] is zero, and MinRate what a source must deliver, in
// bytes a second, to be given more time than that. [Handler] gives whoever asks it the same time.
const (
	DefaultTimeout = 15 * time.Second
	MinRate        = 128 << 10
)

// Puller copies images from servers that nobody has to believe into a store. It is safe for concurrent use.
type Puller struct {
	Client  *http.Client  // such as dial.Client makes, without a timeout of its own: it decides which addresses are reached
	Store   *Store        // what it holds is not asked for; what arrives is kept
	Timeout time.Duration // for one request, and what a blob has delivered at MinRate added; zero means DefaultTimeout
	// Room is asked once, before layers are, whether there is room for so many bytes; it is released when the pull ends. What it
	// fails with the pull fails with. Nil for as much as it takes.
	Room func(bytes int64) (release func(), err error)
}

// Pull completes an image in the store: its index, and of each wanted platform that the index has the manifest, the
// configuration and the layers; no platforms mean all that services run on. It returns the variants that are now there.
//
// A source is the base URL of a server that serves /v2/ as [Handler] does, or HOST/REPOSITORY in a registry, perhaps with a
// tag or digest behind, which do not matter: the index does. A registry is asked over https, or http where its host is this
// machine by name; it may want tokens that it gives to everybody, and redirect to other places. A blob that one does not
// deliver is asked of the next, so a pull that broke off goes on where it was, also from elsewhere.
//
// Where a blob comes from nobody, the error has a line for each source with its reason, [ErrMismatch] where it sent other
// bytes. Pull fails with [ErrNoVariant] where the image has none of the platforms, with [ErrImage] where it is malformed or
// beyond the bounds, or where the manifest of its wasm variant shows that [Store.Module] would not read it: then no layer is
// asked for.
func (p *Puller) Pull(ctx context.Context, index barnraise.Digest, sources []string, platforms ...string) ([]Variant, error) {
	t := &transfer{Puller: p, client: p.oneHop()}
	for _, s := range sources {
		t.sources = append(t.sources, newSource(s))
	}
	variants, err := t.pull(ctx, index, platforms)
	if err != nil {
		return nil, fmt.Errorf("pull image %s: %w", index, err)
	}
	return variants, nil
}

// transfer is one pull: the sources in the order in which they are asked, which failures change.
type transfer struct {
	*Puller
	client  *http.Client
	sources []*source
}

// oneHop is the client without redirects and cookies: where a registry sends it is looked at first.
func (p *Puller) oneHop() *http.Client {
	if p.Client == nil {
		return nil
	}
	c := *p.Client
	c.Jar, c.CheckRedirect = nil, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

func (t *transfer) pull(ctx context.Context, index barnraise.Digest, platforms []string) ([]Variant, error) {
	if err := t.get(ctx, "manifests", index, MaxDocument); err != nil {
		return nil, err
	}
	variants, err := t.wanted(index, platforms)
	if err != nil {
		return nil, err
	}
	if len(variants) < len(platforms) || len(platforms) == 0 {
		err = t.undeclared(ctx, index)
		variants, _ = t.wanted(index, platforms)
	}
	if len(variants) == 0 {
		if len(platforms) == 0 {
			platforms = []string{"that services run on"}
		}
		return nil, errors.Join(fmt.Errorf("%w %s", ErrNoVariant, strings.Join(platforms, ", ")), err)
	}
	return variants, t.complete(ctx, variants)
}

// complete gets what belongs to the variants, once their manifests say how much it is.
func (t *transfer) complete(ctx context.Context, variants []Variant) error {
	parts := make([][]descriptor, len(variants))
	for i, v := range variants {
		var err error
		if parts[i], err = t.parts(ctx, v); err != nil {
			return fmt.Errorf("%s: %w", v.Platform, err)
		}
	}
	if need := t.missing(slices.Concat(parts...)); t.Room != nil && need > 0 {
		release, err := t.Room(need)
		if err != nil {
			return err
		}
		defer release()
	}
	for i, v := range variants {
		for _, blob := range parts[i] {
			if err := t.get(ctx, "blobs", blob.Digest, blob.Size); err != nil {
				return fmt.Errorf("%s: %w", v.Platform, err)
			}
		}
	}
	return nil
}

// missing is how many bytes the blobs have that are not held.
func (t *transfer) missing(blobs []descriptor) (bytes int64) {
	counted := make(map[barnraise.Digest]bool)
	for _, b := range blobs {
		if _, err := t.Store.size(b.Digest); err != nil && !counted[b.Digest] {
			counted[b.Digest] = true
			bytes += b.Size
		}
	}
	return bytes
}

// wanted lists the variants among those platforms, as far as the store can tell.
func (t *transfer) wanted(index barnraise.Digest, platforms []string) ([]Variant, error) {
	all, err := t.Store.Variants(index)
	if len(platforms) == 0 {
		return all, err
	}
	return slices.DeleteFunc(all, func(v Variant) bool { return !slices.Contains(platforms, v.Platform) }), err
}

// undeclared gets the configurations of what the index gives no platform for: they may say that it is a wasm artifact.
func (t *transfer) undeclared(ctx context.Context, index barnraise.Digest) error {
	x, err := t.Store.index(index)
	for _, d := range x.Manifests {
		if d.Platform != nil {
			continue
		}
		m, err2 := t.manifest(ctx, d.Digest, d.Size)
		if err2 == nil {
			err2 = t.get(ctx, "blobs", m.Config.Digest, m.Config.Size)
		}
		err = errors.Join(err, err2)
	}
	return err
}

func (t *transfer) manifest(ctx context.Context, d barnraise.Digest, most int64) (manifest, error) {
	if err := t.get(ctx, "manifests", d, most); err != nil {
		return manifest{}, err
	}
	return t.Store.manifest(d)
}

// parts lists what belongs to a variant, unless its manifest shows that it can never run.
func (t *transfer) parts(ctx context.Context, v Variant) ([]descriptor, error) {
	m, err := t.manifest(ctx, v.Manifest, MaxDocument)
	if err == nil && v.Platform == Wasm {
		_, err = m.moduleLayer()
	}
	return append(m.Layers, m.Config), err
}

// get completes one blob of at most that many bytes. A source that fails is asked last from then on.
func (t *transfer) get(ctx context.Context, kind string, d barnraise.Digest, most int64) error {
	if t.Store.use(d) == nil {
		return nil
	}
	if len(t.sources) == 0 {
		return fmt.Errorf("get %s: no source to ask: %w", d, ErrNotFound)
	}
	var failures []error
	for range len(t.sources) {
		source := t.sources[0]
		err := t.ask(ctx, source, kind, d, most)
		if err == nil {
			return nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", source.name, err))
		if ctx.Err() != nil {
			break
		}
		t.sources = append(t.sources[1:], source)
	}
	return fmt.Errorf("get %s: %w", d, errors.Join(failures...))
}

// ask gets one blob from one source into the store. A source that has not begun after the timeout is given up, and so is one
// that falls behind the rate that it must deliver.
func (t *transfer) ask(ctx context.Context, from *source, kind string, d barnraise.Digest, most int64) error {
	timeout := t.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	end := time.AfterFunc(timeout, func() { cancel(context.DeadlineExceeded) })
	defer end.Stop()
	err := t.receive(ctx, from, kind, d, most, paced{time.Now().Add(timeout), end})
	if err != nil && context.Cause(ctx) == context.DeadlineExceeded {
		return fmt.Errorf("too slow: %w", context.DeadlineExceeded)
	}
	return err
}

func (t *transfer) receive(ctx context.Context, from *source, kind string, d barnraise.Digest, most int64, p paced) error {
	resp, err := from.get(ctx, t.client, kind, d.String())
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return fmt.Errorf("answers %.80q: %w", resp.Status, ErrNotFound)
	case resp.StatusCode == http.StatusUnauthorized && from.path != "":
		return errCredentials
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("answers %.80q", resp.Status)
	case resp.ContentLength > most:
		return fmt.Errorf("sends %d bytes, at most %d: %w", resp.ContentLength, most, ErrImage)
	}
	if kind != "blobs" {
		return t.Store.Import(d, resp.Body, most)
	}
	return t.Store.Import(d, io.TeeReader(resp.Body, &p), most)
}

// paced puts off the end of a request by what has arrived.
type paced struct {
	until time.Time
	end   *time.Timer
}

// Write counts what has arrived.
func (p *paced) Write(b []byte) (int, error) {
	p.until = p.until.Add(atMinRate(int64(len(b))))
	if p.end.Stop() { // else it is over
		p.end.Reset(time.Until(p.until))
	}
	return len(b), nil
}

// atMinRate is how long so many bytes take at the rate that is asked for.
func atMinRate(bytes int64) time.Duration { return time.Duration(bytes) * time.Second / MinRate }
