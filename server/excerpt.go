package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"barnraise"
	"barnraise/endpoint"
	"barnraise/registry"
	"barnraise/registry/evm"
)

// What answers of /v1/snapshot may cost: hosts in one, how long one may take to be made, how many are made at once and kept,
// bytes of all that are kept, and for how long a caller is given one of an older block where no more can be made now.
const (
	excerptHosts   = 512
	excerptWithin  = 20 * time.Second
	excerptBurst   = 16
	excerptsPerSec = 1
	keptExcerpts   = 256
	keptBytes      = 64 << 20
	excerptStale   = 10 * time.Minute
)

// noProof is the problem of a server whose RPC endpoint proves nothing.
const noProof = "no-proof"

// prover is a registry that can prove what is in it.
type prover interface {
	Excerpt(ctx context.Context, id barnraise.ServiceID, hosts int) (registry.Excerpt, error)
}

// excerpts are the answers of /v1/snapshot: a service, its hosts and the proof for them. One of each service is made for a
// block, one after another, and not too many; so strangers cannot have this server ask its RPC endpoint for much.
type excerpts struct {
	turn chan struct{} // whoever takes what is in it may make one

	used float64   // of the burst
	at   time.Time // up to which that was counted

	mu    sync.Mutex
	kept  map[barnraise.ServiceID]keptExcerpt
	bytes int // of all that are kept
}

type keptExcerpt struct {
	block uint64 // the newest that the server had seen
	made  time.Time
	body  []byte
}

func newExcerpts() *excerpts {
	e := &excerpts{turn: make(chan struct{}, 1), kept: map[barnraise.ServiceID]keptExcerpt{}}
	e.turn <- struct{}{}
	return e
}

// errTooSoon is the error for an excerpt that would be one too many.
var errTooSoon = errors.New("too many different services were asked for; try again")

// excerpt answers GET /v1/snapshot?service=3.
func (s *Server) excerpt(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	id, err := parseExcerptQuery(r.URL.RawQuery)
	if err != nil {
		endpoint.Fail(w, http.StatusBadRequest, "", err.Error())
		return
	}
	p, ok := s.registry.(prover)
	if !ok {
		endpoint.Fail(w, http.StatusServiceUnavailable, noProof, "this server cannot prove what is in the registry")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), excerptWithin)
	defer cancel()
	body, err := s.excerpts.get(ctx, p, id, s.block.Load(), s.now)
	if err != nil {
		s.log.Debug("snapshot", "service", id, "err", err)
		failExcerpt(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	s.transit.Write(w, body)
}

// parseExcerptQuery reads service=3. It fails for anything else.
func parseExcerptQuery(raw string) (barnraise.ServiceID, error) {
	digits, ok := strings.CutPrefix(raw, "service=")
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || n == 0 {
		return 0, fmt.Errorf("%.40q: want service=3", raw)
	}
	return barnraise.ServiceID(n), nil
}

func failExcerpt(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, evm.ErrNoService):
		endpoint.Fail(w, http.StatusNotFound, unknownService, "")
	case errors.Is(err, evm.ErrNoProof):
		endpoint.Fail(w, http.StatusServiceUnavailable, noProof, "this server's RPC endpoint proves nothing of that block")
	case errors.Is(err, errTooSoon):
		w.Header().Set("Retry-After", "10")
		endpoint.Fail(w, http.StatusTooManyRequests, "", errTooSoon.Error())
	default:
		endpoint.Fail(w, http.StatusServiceUnavailable, "", "the registry cannot be read now")
	}
}

// get returns the answer of a block, or makes it.
func (e *excerpts) get(
	ctx context.Context, p prover, id barnraise.ServiceID, block uint64, now func() time.Time,
) ([]byte, error) {
	if v, ok := e.find(id); ok && v.block == block {
		return v.body, nil
	}
	select {
	case <-e.turn:
		defer func() { e.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	v, ok := e.find(id) // somebody may have had the same wish
	if ok && v.block == block {
		return v.body, nil
	}
	if allowed := e.take(now()); !allowed && ok && now().Sub(v.made) < excerptStale {
		return v.body, nil
	} else if !allowed {
		return nil, errTooSoon
	}
	excerpt, err := p.Excerpt(ctx, id, excerptHosts)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := registry.WriteExcerpt(&b, excerpt); err != nil {
		return nil, err
	}
	e.keep(id, keptExcerpt{block, now(), b.Bytes()})
	return b.Bytes(), nil
}

func (e *excerpts) find(id barnraise.ServiceID) (keptExcerpt, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	v, ok := e.kept[id]
	return v, ok
}

// keep keeps an answer in the place of an older one, and drops others where it is one too many.
func (e *excerpts) keep(id barnraise.ServiceID, v keptExcerpt) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bytes += len(v.body) - len(e.kept[id].body)
	e.kept[id] = v
	for other, o := range e.kept {
		if len(e.kept) <= keptExcerpts && e.bytes <= keptBytes {
			return
		}
		if other != id {
			e.bytes -= len(o.body)
			delete(e.kept, other)
		}
	}
}

// take reports whether one more may be made now, and counts it. The turn is the caller's.
func (e *excerpts) take(now time.Time) bool {
	e.used = max(0, e.used-now.Sub(e.at).Seconds()*excerptsPerSec)
	e.at = now
	if e.used+1 > excerptBurst {
		return false
	}
	e.used++
	return true
}
