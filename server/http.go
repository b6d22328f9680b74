package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/image"
	"barnraise/jsonrpc"
	"barnraise/runtime"
)

// Handler is the public endpoint.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/services/{service}/{revision}", s.call)
	mux.HandleFunc("GET /.well-known/barnraise", s.introduce)
	mux.Handle("/ipfs/", content.Handler(s.content))
	mux.Handle("/v2/", image.Handler(s.images, s.serves))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	return mux
}

func (s *Server) serves(d barnraise.Digest) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.served[d]
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	switch {
	case s.draining.Load():
		fail(w, http.StatusServiceUnavailable, "", "draining")
	case s.id.Load() == 0:
		fail(w, http.StatusServiceUnavailable, "", "this server has not found itself in the registry yet")
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
		fail(w, http.StatusMethodNotAllowed, "", "send one JSON-RPC 2.0 request by POST")
		return
	}
	if s.draining.Load() {
		fail(w, http.StatusServiceUnavailable, "", "draining")
		return
	}
	hosted, kind := s.find(r.PathValue("service"), r.PathValue("revision"))
	if hosted == nil {
		fail(w, http.StatusNotFound, kind, "")
		return
	}
	select {
	case hosted.places <- struct{}{}:
		defer func() { <-hosted.places }()
		s.answer(w, r, hosted)
	default:
		h.Set("Retry-After", "1")
		fail(w, http.StatusTooManyRequests, "", "too many calls of this service are under way")
	}
}

func (s *Server) find(service, revision string) (*hosted, string) {
	id, err := strconv.ParseUint(service, 10, 32)
	number, err2 := strconv.ParseUint(revision, 10, 32)
	if err != nil || err2 != nil {
		return nil, unknownService
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	revisions := s.hosted[barnraise.ServiceID(id)]
	if len(revisions) == 0 {
		return nil, unknownService
	}
	return revisions[uint32(number)], unknownRevision
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, h *hosted) {
	limit := int64(h.spec.Limits.Request)
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close")
		fail(w, http.StatusRequestEntityTooLarge, "", "the service takes "+h.spec.Limits.Request.String())
		return
	}
	request, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		fail(w, http.StatusRequestEntityTooLarge, "", "the service takes "+h.spec.Limits.Request.String())
		return
	case err != nil:
		fail(w, http.StatusBadRequest, "", "the request did not arrive whole")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(h.spec.Limits.Timeout))
	defer cancel()
	response, err := h.instance.Call(ctx, request)
	if err != nil {
		status, detail := class(err)
		s.log.Debug("call", "service", h.service, "revision", h.revision, "status", status, "err", err)
		fail(w, status, "", detail)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(response)))
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Barnraise-Receipt", s.receipt(h, request, response))
	w.Write(response)
}

// receipt signs the answer.
func (s *Server) receipt(h *hosted, request, response []byte) string {
	return barnraise.Receipt{
		Registry: s.network.Registry(), Service: h.service, Revision: h.revision, Image: h.spec.Image, Platform: h.spec.Platform,
		Request: barnraise.Sum(request), Response: barnraise.Sum(response), Server: barnraise.ServerID(s.id.Load()),
		Block: s.block.Load(), IssuedAt: time.Now().Unix(),
	}.Sign(s.key)
}

// class maps a failure to its status (docs/protocol.md, 3.4). The detail is for callers and says nothing of this machine.
func class(err error) (status int, detail string) {
	switch {
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
