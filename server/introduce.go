package server

import (
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

// introduction keeps the last one signed for each URL.
type introduction struct {
	mu     sync.Mutex
	tokens map[string]signed
}

type signed struct {
	token string
	at    time.Time
}

func (i *introduction) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.tokens)
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
	w.Write([]byte(s.introduction(id, s.named(r))))
}

// introduction is this server's at one of its URLs.
func (s *Server) introduction(id barnraise.ServerID, url string) string {
	hosts := s.Hosts()
	s.intro.mu.Lock()
	defer s.intro.mu.Unlock()
	now := time.Now()
	if last := s.intro.tokens[url]; last.token != "" && now.Sub(last.at) < freshFor {
		return last.token
	}
	i := barnraise.Introduction{
		Server: id, URL: url, Chain: s.network.Chain, Services: s.network.Services, Servers: s.network.Servers,
		Block: s.block.Load(), Software: Software, Hosts: hosts, Contact: s.config.Contact, IssuedAt: now.Unix(),
	}
	if s.intro.tokens == nil || len(s.intro.tokens) > mostURLs {
		s.intro.tokens = make(map[string]signed)
	}
	token := barnraise.Sign(barnraise.TypeServer, i.Payload(), s.signing())
	s.intro.tokens[url] = signed{token, now}
	return token
}

// mostURLs is for how many URLs introductions are remembered; a configuration that is changed again and again has more.
const mostURLs = 8

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
