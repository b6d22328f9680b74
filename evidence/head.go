package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"barnraise"
	"barnraise/endpoint"
	"barnraise/manifest"
)

// evidenceHead is what the beginning of an offer says, before its request and answers.
type evidenceHead struct {
	registry barnraise.Registry
	service  barnraise.ServiceID
	revision barnraise.Revision // number, verifier and manifest
}

// parseHead reads the beginning of a file of evidence. It is the file's whole head or none.
func parseHead(b []byte) (h evidenceHead, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	malformed := errors.New("the beginning is not that of evidence")
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return evidenceHead{}, malformed
	}
	var version int
	var block uint64
	for _, m := range []struct {
		name string
		into any
	}{
		{"v", &version}, {"chain", &h.registry.Chain}, {"services", &h.registry.Services}, {"servers", &h.registry.Servers}, {"block", &block},
		{"service", &h.service}, {"revision", &h.revision.Number}, {"verifier", &h.revision.Verifier}, {"manifest", &h.revision.Manifest},
	} {
		if t, err := d.Token(); err != nil || t != m.name {
			return evidenceHead{}, malformed
		}
		if err := d.Decode(m.into); err != nil {
			return evidenceHead{}, malformed
		}
	}
	if version != 1 {
		return evidenceHead{}, malformed
	}
	return h, nil
}

// concerns says why evidence with such a head is not looked at here; empty where it is.
func (x *Exchange) concerns(h evidenceHead, s *barnraise.Snapshot) string {
	service, _ := s.Service(h.service)
	r, ok := service.Revision(h.revision.Number)
	switch {
	case h.registry != s.Registry:
		return "it is of another registry"
	case !ok || r.Verifier != h.revision.Verifier || r.Manifest != h.revision.Manifest:
		return "its revision, verifier or manifest is not registered so, at the confirmed block"
	case !x.Serves(h.service):
		return "this server has nothing to do with that service"
	case x.policy(h.service, h.revision.Number) == manifest.EvidenceLocal:
		return "evidence about that service is nobody else's business"
	}
	return ""
}

// beginning reads the head of a body and puts it back.
func beginning(w http.ResponseWriter, r *http.Request) []byte {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(endpoint.Patience))
	b := make([]byte, headSize)
	n, _ := io.ReadFull(r.Body, b)
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(b[:n]), r.Body), r.Body}
	return b[:n]
}

// checkOffer reads and checks a whole file as cheaply as it can be: what passes is signed by whom it accuses.
func (x *Exchange) checkOffer(ctx context.Context, body []byte, s *barnraise.Snapshot) (barnraise.Evidence, error) {
	select {
	case x.cheap <- struct{}{}:
		defer func() { <-x.cheap }()
	case <-ctx.Done():
		return barnraise.Evidence{}, ctx.Err()
	}
	e, err := barnraise.ParseEvidence(body)
	if err == nil && e.Block > s.Block {
		return e, errUnconfirmed
	}
	if err == nil {
		err = e.Check(s, x.Now().Unix())
	}
	return e, err
}

// errUnconfirmed is the error for evidence that comes too early (protocol 1.9).
var errUnconfirmed = errors.New("its newest block is not confirmed here yet")
