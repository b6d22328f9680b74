package evidence

import (
	"errors"
	"net/http"

	"barnraise"
	"barnraise/endpoint"
)

// offerReply is a status with what there is to say.
type offerReply struct {
	status int
	detail string
}

var (
	willLook = offerReply{status: http.StatusAccepted}
	isKnown  = offerReply{status: http.StatusOK}
	noRoom   = offerReply{http.StatusTooManyRequests, "too much evidence; come again"}
	tooLong  = offerReply{http.StatusRequestEntityTooLarge, "longer than is read here"}
	useless  = offerReply{http.StatusConflict, "it was looked at before and is of no use here"}
)

// receive takes an offer. That it is taken says nothing of its being believed.
func (x *Exchange) receive(w http.ResponseWriter, r *http.Request) {
	a := x.offered(w, r)
	if a.status < http.StatusBadRequest {
		w.WriteHeader(a.status)
		return
	}
	w.Header().Set("Connection", "close") // what was not read is not waited for
	endpoint.Fail(w, a.status, "", a.detail)
}

func (x *Exchange) offered(w http.ResponseWriter, r *http.Request) offerReply {
	s, err := x.Registry.Confirmed(r.Context())
	if err != nil {
		return offerReply{http.StatusServiceUnavailable, errNoRegistry.Error()}
	}
	from, claimed, err := x.from(r, s)
	switch {
	case err != nil:
		return offerReply{http.StatusForbidden, err.Error()}
	case r.ContentLength > barnraise.MaxEvidence:
		return tooLong
	case !x.allowed(from):
		return noRoom
	case from.server != 0:
		if a, seen := x.seen(claimed); seen {
			return a
		}
	}
	h, err := parseHead(beginning(w, r))
	if err != nil {
		return offerReply{http.StatusBadRequest, err.Error()}
	}
	if why := x.concerns(h, s); why != "" {
		return offerReply{http.StatusConflict, why}
	}
	body, a := x.body(w, r)
	if body == nil {
		return a
	}
	return x.consider(r, s, from, claimed, body)
}

// from says who sent an offer, and for what evidence he signed.
func (x *Exchange) from(r *http.Request, s *barnraise.Snapshot) (sender, barnraise.Digest, error) {
	who := evidenceReader{snapshot: s}
	token := r.Header.Get(PassHeader)
	if token == "" {
		return who.sender(r), barnraise.Digest{}, nil
	}
	p, _, err := barnraise.ParsePass(barnraise.TypeOffer, token)
	if err == nil {
		p, err = barnraise.CheckPass(s, barnraise.TypeOffer, token, x.URL(), p.Evidence, x.Now().Unix())
	}
	who.server = p.Server
	return who.sender(r), p.Evidence, err
}

// body reads an offer: a long one only where no other is being read.
func (x *Exchange) body(w http.ResponseWriter, r *http.Request) ([]byte, offerReply) {
	most := int64(shortOffer)
	if r.ContentLength < 0 || r.ContentLength > most {
		select {
		case x.large <- struct{}{}:
			defer func() { <-x.large }()
			most = barnraise.MaxEvidence
		default:
			return nil, noRoom
		}
	}
	body, err := x.transit.Read(w, r, most)
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, tooLong
	case errors.Is(err, endpoint.ErrGaveWay):
		return nil, noRoom
	case err != nil:
		return nil, offerReply{http.StatusBadRequest, "the offer did not arrive whole, or not in time"}
	}
	return body, offerReply{}
}

// seen answers for evidence that is known here by its name.
func (x *Exchange) seen(name barnraise.Digest) (offerReply, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch now := x.Now(); {
	case x.refused.has(name, now):
		return useless, true
	case x.held.has(name, now):
		return isKnown, true
	}
	return willLook, x.waiting.has(name)
}

// consider checks an offer that has arrived, and has it wait. What is forged costs its sender.
func (x *Exchange) consider(r *http.Request, s *barnraise.Snapshot, from sender, claimed barnraise.Digest, body []byte) offerReply {
	e, err := x.checkOffer(r.Context(), body, s)
	switch {
	case errors.Is(err, errUnconfirmed):
		return offerReply{http.StatusTooManyRequests, err.Error()}
	case errors.Is(err, barnraise.ErrEvidence):
		x.forged(from, err)
		return offerReply{http.StatusConflict, err.Error()}
	case err != nil:
		return noRoom
	}
	return x.accept(e, from, claimed)
}

// accept has evidence wait that is signed by whom it accuses.
func (x *Exchange) accept(e barnraise.Evidence, from sender, claimed barnraise.Digest) offerReply {
	encoded := e.Encode()
	name := barnraise.Sum(encoded)
	if from.server != 0 && name != claimed {
		return offerReply{http.StatusConflict, "the pass is for other evidence"}
	}
	if a, seen := x.seen(name); seen {
		return a
	}
	if !x.enqueue(&offer{evidence: e, name: name, size: int64(len(encoded)), sender: from}) {
		return noRoom
	}
	return willLook
}
