package compared

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"barnraise"
)

// The registry of all that is compared, and what its revisions run.
var (
	here     = barnraise.Registry{Chain: "eip155:31337", Services: barnraise.Address{1}, Servers: barnraise.Address{2}}
	image    = barnraise.Sum([]byte("image"))
	platform = barnraise.Sum([]byte("platform"))
)

// sizes of results, by method.
var sizes = map[string]int{"small": 2 << 10, "large": 64 << 10}

// results are the truth, and lies the other thing, by method.
var results, lies = resultsOf('a'), resultsOf('b')

func resultsOf(digit byte) map[string][]byte {
	r := make(map[string][]byte)
	for method, size := range sizes {
		r[method] = fmt.Appendf(nil, `"0x%s"`, bytes.Repeat([]byte{digit}, size))
	}
	return r
}

func keyOf(stub int) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = byte(stub)
	return ed25519.NewKeyFromSeed(seed)
}

// behaviour of a stub, which may be changed while it runs.
type behaviour struct {
	Lie   bool
	Delay time.Duration
	Fail  bool
}

// seen is what a stub tells of itself: times are Unix, in nanoseconds, 0 for never.
type seen struct {
	Requests  int
	FirstLie  int64
	LastAsked int64
}

// stub is a server: it introduces itself and answers below /signed and below /plain, there without a signature.
type stub struct {
	number int
	key    ed25519.PrivateKey
	url    string
	now    atomic.Pointer[behaviour]

	mu   sync.Mutex
	seen seen
}

func newStub(s setup) *stub {
	h := &stub{number: s.Stub, key: keyOf(s.Stub)}
	h.now.Store(&behaviour{})
	return h
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	base, rest, _ := strings.Cut(r.URL.Path[1:], "/")
	switch {
	case base == "behave":
		var b behaviour
		_ = json.NewDecoder(r.Body).Decode(&b)
		s.now.Store(&b)
	case base == "seen":
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(s.seen)
	case rest == ".well-known/barnraise":
		i := barnraise.Introduction{
			Server: barnraise.ServerID(s.number), URL: s.url + "/" + base, Chain: here.Chain, Services: here.Services,
			Servers: here.Servers, IssuedAt: time.Now().Unix(),
		}
		_, _ = io.WriteString(w, barnraise.Sign(barnraise.TypeServer, i.Payload(), s.key))
	default:
		s.answer(w, r, base == "signed", rest)
	}
}

func (s *stub) answer(w http.ResponseWriter, r *http.Request, signed bool, path string) {
	b := s.now.Load()
	request, _ := io.ReadAll(r.Body)
	time.Sleep(b.Delay)
	if b.Fail {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.note(b.Lie)
	response := respond(request, b.Lie)
	receipt := "-"
	if signed {
		var service barnraise.ServiceID
		_, _ = fmt.Sscanf(path, "v1/services/%d/", &service)
		receipt = barnraise.Receipt{
			Registry: here, Service: service, Revision: 1, Image: image, Platform: platform, Request: barnraise.Sum(request),
			Response: barnraise.Sum(response), Server: barnraise.ServerID(s.number), Block: 10, IssuedAt: time.Now().Unix(),
		}.Sign(s.key)
	}
	w.Header()["Barnraise-Receipt"] = []string{receipt}
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(response))}
	_, _ = w.Write(response)
}

func (s *stub) note(lie bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen.Requests++
	s.seen.LastAsked = time.Now().UnixNano()
	if lie && s.seen.FirstLie == 0 {
		s.seen.FirstLie = s.seen.LastAsked
	}
}

// respond is the answer to a request in wire form, whatever its id.
func respond(request []byte, lie bool) []byte {
	_, rest, _ := bytes.Cut(request, []byte(`"id":`))
	id, rest, _ := bytes.Cut(rest, []byte(`,"method":"`))
	method, _, _ := bytes.Cut(rest, []byte(`"`))
	result := results[string(method)]
	if lie {
		result = lies[string(method)]
	}
	out := make([]byte, 0, len(result)+64)
	out = append(out, `{"jsonrpc":"2.0","id":`...)
	out = append(out, id...)
	out = append(out, `,"result":`...)
	out = append(out, result...)
	return append(out, '}')
}
