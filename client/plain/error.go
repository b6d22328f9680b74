package plain

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"barnraise"
	"barnraise/client"
	"barnraise/jsonrpc"
)

// The codes of calls that came to nothing, the same as those of barnraise proxy (docs/proxy.md). A service may use them, too: data
// with a "status" is this package's.
const (
	CodeNotFound    = -32001 // no such service or revision: [client.ErrNotFound], [client.ErrConflict]
	CodeUnavailable = -32002 // nobody delivers manifest or verifier: [client.ErrUnavailable]; or the call was called off
	CodeLimit       = -32005 // more than [MaxBatch] calls
	CodeUndecided   = -32090 // the answers contradict each other, or the verifier cannot tell: [client.ErrUndecided]
	CodeTooFew      = -32091 // fewer operators answered than the verifier wants: [client.ErrTooFew]
	CodeOutOfTime   = -32092 // the call was not decided in time
)

// What became of a call that failed, [Tried.Status].
const (
	StatusUndecided   = "undecided"
	StatusTooFew      = "too-few"
	StatusNotFound    = "not-found"
	StatusUnavailable = "unavailable"
	StatusOutOfTime   = "out-of-time"
	StatusCutOff      = "cut-off" // the call was called off
	StatusLimit       = "limit"
	StatusInvalid     = "invalid" // no request, or one that no service can be asked
	StatusInternal    = "internal"
)

// Bounds of what an error tells.
const (
	MaxWhy        = 200  // bytes of each reason and each URL
	MaxDetail     = 1000 // bytes
	MaxCandidates = 32
)

// Tried is the data of an error: what was tried before the call failed.
type Tried struct {
	Status     string               `json:"status"`
	Service    barnraise.ServiceID  `json:"service,omitempty"`
	Revision   uint32               `json:"revision,omitempty"`
	Policy     string               `json:"policy,omitempty"` // where barnraise proxy made the call
	Need       int                  `json:"need,omitempty"`   // operators
	Have       int                  `json:"have,omitempty"`
	Requests   int                  `json:"requests"` // that were sent
	Asked      []Asked              `json:"asked"`
	Candidates []Candidate          `json:"candidates,omitempty"`
	LeftOut    int                  `json:"candidatesLeftOut,omitempty"`
	Struck     []barnraise.ServerID `json:"struck,omitempty"`   // who lied
	Evidence   string               `json:"evidence,omitempty"` // the name under which it is kept
	Detail     string               `json:"detail,omitempty"`   // for people
}

// Asked is a server that was asked.
type Asked struct {
	Server  barnraise.ServerID `json:"server"`
	URL     string             `json:"url"`
	Role    string             `json:"role"`
	Outcome string             `json:"outcome"`
	Why     string             `json:"why,omitempty"`
	MS      float64            `json:"ms"`
}

// Candidate is a server that might have been asked.
type Candidate struct {
	Server barnraise.ServerID `json:"server"`
	URL    string             `json:"url"`
	Why    string             `json:"why"`
}

// failures says of errors what they are called. Who runs out of time while servers are asked is told so, whatever else is missing.
var failures = []struct {
	is     error
	code   int64
	status string
}{
	{client.ErrUnavailable, CodeUnavailable, StatusUnavailable}, // of which each holder may have had a time of its own
	{context.DeadlineExceeded, CodeOutOfTime, StatusOutOfTime},
	{context.Canceled, CodeUnavailable, StatusCutOff},
	{client.ErrUndecided, CodeUndecided, StatusUndecided},
	{client.ErrTooFew, CodeTooFew, StatusTooFew},
	{client.ErrNotFound, CodeNotFound, StatusNotFound},
	{client.ErrConflict, CodeNotFound, StatusNotFound},
	{jsonrpc.ErrTooMany, CodeLimit, StatusLimit},
	{jsonrpc.ErrTooDeep, jsonrpc.CodeInvalidParams, StatusInvalid}, // what is deep is JSON all the same, and its message is known
	{jsonrpc.ErrSyntax, jsonrpc.CodeParse, StatusInvalid},
	{jsonrpc.ErrInvalid, jsonrpc.CodeInvalidRequest, StatusInvalid},
}

// Error is the JSON-RPC error for an error of a client's Call, or of reading the request. Its data is a [Tried].
func Error(err error) *jsonrpc.Error {
	code, t := Explain(err)
	data, _ := json.Marshal(t) // strings and numbers always can be
	return &jsonrpc.Error{Code: code, Message: err.Error(), Data: data}
}

// Explain is what Error says of an error, as code and data. An error that it does not know is an internal one.
func Explain(err error) (code int64, t Tried) {
	t = tried(err)
	for _, f := range failures {
		if errors.Is(err, f.is) {
			t.Status = f.status
			return f.code, t
		}
	}
	t.Status = StatusInternal
	return jsonrpc.CodeInternal, t
}

// tried collects what an error carries.
func tried(err error) Tried {
	t := Tried{Asked: []Asked{}}
	var undecided *client.UndecidedError
	var tooFew *client.TooFewError
	switch {
	case errors.As(err, &undecided):
		t.Service, t.Revision, t.Requests = undecided.Service, undecided.Revision, undecided.Requests
		t.Struck, t.Evidence, t.Detail = undecided.Struck, undecided.Evidence, Cut(undecided.Reason, MaxDetail)
		t.ask(undecided.Asked)
	case errors.As(err, &tooFew):
		t.Service, t.Revision, t.Requests = tooFew.Service, tooFew.Revision, tooFew.Requests
		t.Need, t.Have, t.Struck, t.Evidence = tooFew.Need, tooFew.Have, tooFew.Struck, tooFew.Evidence
		t.ask(tooFew.Asked)
		most := min(len(tooFew.Candidates), MaxCandidates)
		for _, c := range tooFew.Candidates[:most] {
			t.Candidates = append(t.Candidates, Candidate{c.Server, Cut(c.URL, MaxWhy), Cut(c.Why, MaxWhy)})
		}
		t.LeftOut = len(tooFew.Candidates) - most
	}
	return t
}

func (t *Tried) ask(list []client.Asked) {
	for _, a := range list {
		ms := float64(a.Took.Microseconds()) / 1000
		t.Asked = append(t.Asked, Asked{a.Server, Cut(a.URL, MaxWhy), a.Role, a.Outcome, Cut(a.Why, MaxWhy), ms})
	}
}

// Cut is the beginning of a text, of at most that many bytes, in UTF-8.
func Cut(s string, most int) string {
	if len(s) > most {
		s = s[:most-len("…")] + "…"
	}
	return strings.ToValidUTF8(s, "")
}
