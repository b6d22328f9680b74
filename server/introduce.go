package server

import (
	"crypto/ed25519"
	"net/http"
	"slices"
	"sync"
	"time"

	"barnraise"
	"barnraise/endpoint"
)

// Software is what servers say they run.
const Software = "barnraise/0.1"

// freshFor is how long one signed introduction is given out; callers take it for an hour.
const freshFor = 10 * time.Minute

// introduction keeps the last one signed.
type introduction struct {
	mu    sync.Mutex
	token string
	at    time.Time
}

func (i *introduction) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.token = ""
}

func (s *Server) publicKey() barnraise.PublicKey {
	return barnraise.PublicKey(s.key.Public().(ed25519.PublicKey))
}

// introduce answers /.well-known/barnraise: who this is, signed by the registered key (protocol 10.1).
func (s *Server) introduce(w http.ResponseWriter, r *http.Request) {
	id := barnraise.ServerID(s.id.Load())
	if id == 0 {
		endpoint.Fail(w, http.StatusServiceUnavailable, "", "this server has not found itself in the registry yet")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/jose")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "no-store")
	w.Write([]byte(s.introduction(id)))
}

func (s *Server) introduction(id barnraise.ServerID) string {
	hosts := s.Hosts()
	s.intro.mu.Lock()
	defer s.intro.mu.Unlock()
	now := time.Now()
	if s.intro.token != "" && now.Sub(s.intro.at) < freshFor {
		return s.intro.token
	}
	i := barnraise.Introduction{
		Server: id, URL: s.config.URL, Chain: s.network.Chain, Services: s.network.Services, Servers: s.network.Servers,
		Block: s.block.Load(), Software: Software, Hosts: hosts, Contact: s.config.Contact, IssuedAt: now.Unix(),
	}
	s.intro.token, s.intro.at = barnraise.Sign(barnraise.TypeServer, i.Payload(), s.key), now
	return s.intro.token
}

// Hosts lists what runs here, by service and revision.
func (s *Server) Hosts() (list []barnraise.Hosted) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, revisions := range s.hosted {
		for _, h := range revisions {
			list = append(list, barnraise.Hosted{Service: h.service, Revision: h.revision, Image: h.spec.Image, Since: h.since.Unix()})
		}
	}
	slices.SortFunc(list, func(a, b barnraise.Hosted) int {
		if a.Service != b.Service {
			return int(a.Service) - int(b.Service)
		}
		return int(a.Revision) - int(b.Revision)
	})
	return list
}
