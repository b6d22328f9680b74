package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	"barnraise"
	"barnraise/endpoint"
	"barnraise/manifest"
	"barnraise/store"
)

// PassHeader carries a pass (protocol 8.5).
const PassHeader = "Barnraise-Pass"

// Bounds of what is exchanged.
const (
	evidenceRoom = 160 << 20 // bytes that bodies on their way take: two of the longest, and many short ones
	shortOffer   = 1 << 20   // what is longer is read one at a time
	headSize     = 2 << 10   // what has to tell what an offer is about
	mostListed   = 100
	mostScanned  = 1000
	maxList      = 64 << 10 // bytes of a list that is read
	fromOne      = 16       // pieces that are kept about one server and service (as score counts them)
)

// Handler answers /v1/evidence and what is below it.
func (x *Exchange) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/evidence", x.list)
	mux.HandleFunc("GET /v1/evidence/{name}", x.give)
	mux.HandleFunc("POST /v1/evidence", x.receive)
	return mux
}

// listedEvidence is one entry of a list.
type listedEvidence struct {
	Evidence barnraise.Digest    `json:"evidence"`
	Service  barnraise.ServiceID `json:"service"`
	Revision uint32              `json:"revision"`
	Size     int64               `json:"size"`
	At       int64               `json:"at"` // Unix seconds
}

// evidenceList is what GET /v1/evidence answers.
type evidenceList struct {
	Evidence []listedEvidence `json:"evidence"`
	After    string           `json:"after"` // what the next request gives as after
}

// parseEvidenceQuery reads after and limit. It fails for anything else.
func parseEvidenceQuery(raw string) (after int64, limit int, err error) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return 0, 0, errors.New("the query is malformed")
	}
	limit = mostListed
	for name, values := range q {
		n, err := strconv.ParseInt(values[0], 10, 64)
		switch {
		case len(values) != 1 || err != nil || n < 0:
			return 0, 0, fmt.Errorf("want one number as %.40q", name)
		case name == "after":
			after = n
		case name == "limit" && n > 0:
			limit = int(min(n, mostListed))
		default:
			return 0, 0, fmt.Errorf("%.40q: want after and limit", name)
		}
	}
	return after, limit, nil
}

// parseEvidenceList reads a list of another server. It fails where it is not one.
func parseEvidenceList(b []byte) (l evidenceList, err error) {
	if err := json.Unmarshal(b, &l); err != nil {
		return evidenceList{}, fmt.Errorf("read list of evidence: %w", err)
	}
	if n, err := strconv.ParseUint(l.After, 10, 63); err != nil || strconv.FormatUint(n, 10) != l.After || len(l.Evidence) > mostListed {
		return evidenceList{}, errors.New("read list of evidence: it goes on nowhere, or is too long")
	}
	for _, v := range l.Evidence {
		if v.Size <= 0 || v.Size > barnraise.MaxEvidence {
			return evidenceList{}, fmt.Errorf("read list of evidence: %d bytes", v.Size)
		}
	}
	return l, nil
}

// evidenceReader is who wants to see evidence.
type evidenceReader struct {
	snapshot *barnraise.Snapshot
	server   barnraise.ServerID // 0 for anybody
}

// sees reports whether the reader may see evidence about a revision: anybody what is public, where it is listed, every server its
// bytes; the registered hosts of the service what is for them (protocol 8.3, 8.6).
func (x *Exchange) sees(r evidenceReader, service barnraise.ServiceID, revision uint32, bytes bool) bool {
	switch x.policy(service, revision) {
	case manifest.EvidencePublic:
		return r.server != 0 || !bytes
	case manifest.EvidenceHosts:
		return slices.Contains(r.snapshot.Hosts(service), r.server)
	}
	return false
}

// reader reads the pass, where there is one.
func (x *Exchange) reader(r *http.Request, evidence barnraise.Digest) (evidenceReader, error) {
	s, err := x.Registry.Confirmed(r.Context())
	if err != nil {
		return evidenceReader{}, errNoRegistry
	}
	token := r.Header.Get(PassHeader)
	if token == "" {
		return evidenceReader{snapshot: s}, nil
	}
	p, err := barnraise.CheckPass(s, barnraise.TypePull, token, x.URL(), evidence, x.Now().Unix())
	if err != nil {
		return evidenceReader{}, err
	}
	return evidenceReader{s, p.Server}, nil
}

// errNoRegistry is the error for what cannot be answered now.
var errNoRegistry = errors.New("the registry cannot be read at the moment")

// refuse answers one who showed a pass that is not good, or whose pass could not be read.
func refuse(w http.ResponseWriter, err error) {
	if errors.Is(err, errNoRegistry) {
		endpoint.Fail(w, http.StatusServiceUnavailable, "", err.Error())
		return
	}
	endpoint.Fail(w, http.StatusForbidden, "", err.Error())
}

// admit lets a reader in, or answers why not.
func (x *Exchange) admit(w http.ResponseWriter, r *http.Request, evidence barnraise.Digest) (who evidenceReader, ok bool) {
	who, err := x.reader(r, evidence)
	if err != nil {
		refuse(w, err)
		return who, false
	}
	if !x.allowed(who.sender(r)) {
		endpoint.Fail(w, http.StatusTooManyRequests, "", "too many requests")
		return who, false
	}
	return who, true
}

func (x *Exchange) list(w http.ResponseWriter, r *http.Request) {
	after, limit, err := parseEvidenceQuery(r.URL.RawQuery)
	if err != nil {
		endpoint.Fail(w, http.StatusBadRequest, "", err.Error())
		return
	}
	who, ok := x.admit(w, r, barnraise.Digest{})
	if !ok {
		return
	}
	items, err := x.Store.List(r.Context(), store.EvidenceFilter{After: after, State: store.Held, Limit: mostScanned})
	if err != nil {
		x.Log.Warn("list evidence", "err", err)
		endpoint.Fail(w, http.StatusServiceUnavailable, "", "evidence cannot be read at the moment")
		return
	}
	l := evidenceList{Evidence: []listedEvidence{}}
	for _, i := range items {
		if len(l.Evidence) == limit {
			break
		}
		after = i.Seq
		if x.current(i) && x.sees(who, i.Service, i.Revision, false) {
			l.Evidence = append(l.Evidence, listedEvidence{i.Digest, i.Service, i.Revision, i.Size, i.At.Unix()})
		}
	}
	l.After = strconv.FormatInt(after, 10)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(l)
}

// current reports whether evidence is of the last thirty days (protocol 8.3).
func (x *Exchange) current(i store.Item) bool { return x.Now().Before(i.Expires) }

// sender is whom a request counts for.
func (r evidenceReader) sender(q *http.Request) sender {
	if v, ok := r.snapshot.Server(r.server); ok {
		return sender{r.server, v.Operator.String()}
	}
	return sender{name: neighbourhood(q.RemoteAddr)}
}

// neighbourhood is the network that an address stands for: many addresses of one make no many senders.
func neighbourhood(remote string) string {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return "unknown"
	}
	bits := 48
	if a.Addr().Unmap().Is4() {
		bits = 24
	}
	p, err := a.Addr().Unmap().Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return p.String()
}

func (x *Exchange) allowed(s sender) bool {
	used := x.used(s.server)
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.allowances.take(s, used, x.Now())
}

// used reports whether this server relies on another.
func (x *Exchange) used(id barnraise.ServerID) bool { return id != 0 && x.Uses(id) }

// give hands a file to whoever may have it. Who may not learns nothing of its being here.
func (x *Exchange) give(w http.ResponseWriter, r *http.Request) {
	var name barnraise.Digest
	if name.UnmarshalText([]byte(r.PathValue("name"))) != nil || r.URL.RawQuery != "" {
		endpoint.Fail(w, http.StatusBadRequest, "", "want sha256:… and no query")
		return
	}
	who, ok := x.admit(w, r, name)
	if !ok {
		return
	}
	item, body, err := x.Store.Evidence(r.Context(), name)
	if err != nil || item.State != store.Held || !x.current(item) || !x.sees(who, item.Service, item.Revision, true) {
		endpoint.Fail(w, http.StatusNotFound, "", "there is no such evidence here for who asks")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Content-Type-Options", "nosniff")
	x.transit.Write(w, body)
}
