package server

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/endpoint"
	"barnraise/image"
	"barnraise/jsonrpc"
	"barnraise/runtime"
)

// Handler is the public endpoint.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/services/{service}/{revision}", s.call)
	mux.HandleFunc("GET /.well-known/barnraise", s.introduce)
	mux.Handle("GET /v1/snapshot", s.given(http.HandlerFunc(s.excerpt)))
	mux.Handle("/ipfs/", s.given(content.Handler(s.content)))
	mux.Handle("/v2/", s.given(image.Handler(s.images, s.serves)))
	if s.exchange != nil {
		mux.Handle("/v1/evidence", s.exchange.Handler())
		mux.Handle("/v1/evidence/", s.exchange.Handler())
	}
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	return mux
}

// serve answers on the public listener until it is closed.
func (s *Server) serve(public *http.Server) (err error) {
	if s.config.TLS != nil {
		err = public.ServeTLS(s.public, s.config.TLS.Certificate, s.config.TLS.Key)
	} else {
		err = public.Serve(s.public)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *Server) serves(d barnraise.Digest) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.served[d]
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	s.mu.RLock()
	draining, looked := s.draining, s.looked
	s.mu.RUnlock()
	switch {
	case draining:
		endpoint.Fail(w, http.StatusServiceUnavailable, "", "draining")
	case s.id.Load() == 0:
		endpoint.Fail(w, http.StatusServiceUnavailable, "", "this server has not found itself in the registry yet")
	case !looked:
		endpoint.Fail(w, http.StatusServiceUnavailable, "", "starting")
	default:
		io.WriteString(w, "ok\n")
	}
}

// call answers one JSON-RPC request with the service's own answer and a receipt for it.
func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Barnraise-Receipt, Barnraise-Registry-Block, Retry-After")
	h.Set("Barnraise-Registry-Block", strconv.FormatUint(s.block.Load(), 10))
	switch r.Method {
	case http.MethodPost:
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "POST")
		h.Set("Access-Control-Allow-Headers", "Content-Type, Accept")
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		h.Set("Allow", "POST, OPTIONS")
		endpoint.Fail(w, http.StatusMethodNotAllowed, "", "send one JSON-RPC 2.0 request by POST")
		return
	}
	hosted, refusal := s.enter(r.PathValue("service"), r.PathValue("revision"))
	if hosted == nil {
		endpoint.Fail(w, refusal.Status, refusal.Type, refusal.Detail)
		return
	}
	defer s.calls.Done()
	if over := s.meter.Admit(hosted.service, hosted.own); over != nil {
		tooMuch(w, over)
		return
	}
	s.answer(w, r, hosted)
}

// The problems that callers tell apart by their type; the rest has the type of its status.
const (
	unknownService  = "unknown-service"
	unknownRevision = "unknown-revision"
)

// enter lets a call in, which s.calls counts from then on, or says why not.
func (s *Server) enter(service, revision string) (*hosted, endpoint.Problem) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.draining {
		return nil, endpoint.Problem{Status: http.StatusServiceUnavailable, Detail: "draining"}
	}
	h, refusal := s.find(service, revision)
	if h != nil {
		s.calls.Add(1)
	}
	return h, refusal
}

// find returns what is to be called, or why it cannot be. The lock is held.
func (s *Server) find(service, revision string) (*hosted, endpoint.Problem) {
	id, err := strconv.ParseUint(service, 10, 32)
	if err != nil {
		return nil, endpoint.Problem{Status: http.StatusNotFound, Type: unknownService}
	}
	number, err := strconv.ParseUint(revision, 10, 32)
	k := hostKey{barnraise.ServiceID(id), uint32(number)}
	if h := s.hosted[k.service][k.revision]; h != nil && err == nil {
		return h, endpoint.Problem{}
	}
	switch {
	case !s.looked, err == nil && slices.Contains(s.wanted, k) && len(s.hosted[k.service]) == 0: // else another one may do
		return nil, endpoint.Problem{Status: http.StatusServiceUnavailable, Detail: "starting"}
	case len(s.hosted[k.service]) > 0, slices.ContainsFunc(s.wanted, func(w hostKey) bool { return w.service == k.service }):
		return nil, endpoint.Problem{Status: http.StatusNotFound, Type: unknownRevision}
	}
	return nil, endpoint.Problem{Status: http.StatusNotFound, Type: unknownService}
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, h *hosted) {
	limit := int64(h.spec.Limits.Request)
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close")
		endpoint.Fail(w, http.StatusRequestEntityTooLarge, "", "the service takes "+h.spec.Limits.Request.String())
		return
	}
	request, err := s.transit.Read(w, r, limit)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		endpoint.Fail(w, http.StatusRequestEntityTooLarge, "", "the service takes "+h.spec.Limits.Request.String())
		return
	case errors.Is(err, endpoint.ErrGaveWay):
		w.Header().Set("Connection", "close")
		endpoint.Fail(w, http.StatusTooManyRequests, "", endpoint.ErrGaveWay.Error())
		return
	case err != nil:
		w.Header().Set("Connection", "close")
		endpoint.Fail(w, http.StatusBadRequest, "", "the request did not arrive whole, or not in time")
		return
	}
	response, err := h.call(r.Context(), request)
	if err != nil {
		status, detail := class(err)
		s.log.Debug("call", "service", h.service, "revision", h.revision, "status", status, "err", err)
		endpoint.Fail(w, status, "", detail)
		return
	}
	h.asked.offer(request, response, rand.Uint64N)
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(response)))
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Barnraise-Receipt", s.receipt(h, request, response))
	s.meter.Sent(h.service, h.own, len(response))
	s.transit.Write(w, response)
}

// transitRoom is how many bytes all bodies on their way take.
const transitRoom = 256 << 20

// maxCalls is how many calls of one revision may be under way at once.
const maxCalls = 64

// errBusy is the error for a call that would be one too many.
var errBusy = errors.New("too many calls of this service are under way")

// call has the service answer. It takes a place while the service works on it, not while a caller sends or receives.
func (h *hosted) call(ctx context.Context, request []byte) ([]byte, error) {
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		return nil, errBusy
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(h.spec.Limits.Timeout))
	defer cancel()
	return h.instance.Call(ctx, request)
}

// receipt signs the answer.
func (s *Server) receipt(h *hosted, request, response []byte) string {
	return barnraise.Receipt{
		Registry: s.network.Registry(), Service: h.service, Revision: h.revision, Image: h.spec.Image, Platform: h.spec.Platform,
		Request: barnraise.Sum(request), Response: barnraise.Sum(response), Server: barnraise.ServerID(s.id.Load()),
		Block: s.block.Load(), IssuedAt: time.Now().Unix(),
	}.Sign(s.signing())
}

// class maps a failure to its status (docs/protocol.md, 3.4). The detail is for callers and says nothing of this machine.
func class(err error) (status int, detail string) {
	switch {
	case errors.Is(err, errBusy):
		return http.StatusTooManyRequests, errBusy.Error()
	case errors.Is(err, jsonrpc.ErrBatch):
		return http.StatusBadRequest, jsonrpc.ErrBatch.Error()
	case errors.Is(err, jsonrpc.ErrNotification):
		return http.StatusBadRequest, jsonrpc.ErrNotification.Error()
	case errors.Is(err, runtime.ErrRequest):
		return http.StatusRequestEntityTooLarge, runtime.ErrRequest.Error()
	case errors.Is(err, runtime.ErrTimeout):
		return http.StatusGatewayTimeout, runtime.ErrTimeout.Error()
	case errors.Is(err, runtime.ErrFuel):
		return http.StatusGatewayTimeout, runtime.ErrFuel.Error()
	case errors.Is(err, runtime.ErrNotReady):
		return http.StatusServiceUnavailable, runtime.ErrNotReady.Error()
	case errors.Is(err, runtime.ErrBroke):
		return http.StatusBadGateway, runtime.ErrBroke.Error()
	case errors.Is(err, jsonrpc.ErrSyntax):
		return http.StatusBadRequest, "the body is not strict JSON"
	case errors.Is(err, jsonrpc.ErrInvalid):
		return http.StatusBadRequest, "the body is not one JSON-RPC 2.0 request"
	}
	return http.StatusBadGateway, "the service cannot be called"
}
