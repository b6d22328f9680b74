package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"barnraise/client"
	"barnraise/client/plain"
	"barnraise/jsonrpc"
)

// The codes of errors that the proxy makes itself. Where EIP-1474 has a name for what happened it is that code; the others are
// of the server's range, where a service may have errors of its own: Barnraise-Verdict, and status in the error's data, say whose
// an error is.
const (
	CodeNotFound    = plain.CodeNotFound    // no such service or revision
	CodeUnavailable = plain.CodeUnavailable // what judging needs could not be had, or the proxy is ending
	CodeLimit       = plain.CodeLimit       // more than the proxy gives
	CodeUndecided   = plain.CodeUndecided   // the answers contradict each other, and nobody can tell who is right
	CodeTooFew      = plain.CodeTooFew      // fewer operators answered than the verifier wants
	CodeOutOfTime   = plain.CodeOutOfTime   // the call was not decided in time
)

// What became of a call. Beside these there are what a verifier says, "accepted", and [client.Unverified].
const (
	StatusUndecided   = plain.StatusUndecided
	StatusTooFew      = plain.StatusTooFew
	StatusNotFound    = plain.StatusNotFound
	StatusUnavailable = plain.StatusUnavailable
	StatusOutOfTime   = plain.StatusOutOfTime
	StatusCutOff      = plain.StatusCutOff // the caller went away, or the proxy ended
	StatusLimit       = plain.StatusLimit
	StatusInvalid     = plain.StatusInvalid // no request, or one that no service can be asked
	StatusInternal    = plain.StatusInternal
)

// failure is an error of the proxy's own.
type failure struct {
	code    int64
	message string
	tried   plain.Tried
}

// messages of failures, by status.
var messages = map[string]string{
	StatusUndecided:   "undecided: the answers cannot be told right from wrong",
	StatusTooFew:      "too few servers answered",
	StatusNotFound:    "no such service or revision",
	StatusUnavailable: "what judging needs could not be had",
	StatusOutOfTime:   "not decided in time",
	StatusCutOff:      "cut off",
	StatusLimit:       "limit exceeded",
	StatusInternal:    "internal error",
}

func invalid(code int64, detail string) failure {
	f := failure{code: code, message: "invalid request", tried: plain.Tried{
		Status: StatusInvalid, Detail: plain.Cut(detail, plain.MaxDetail),
	}}
	switch code {
	case jsonrpc.CodeParse:
		f.message = "parse error"
	case jsonrpc.CodeInvalidParams:
		f.message = "invalid params"
	}
	return f
}

func limited(format string, args ...any) failure {
	t := plain.Tried{Status: StatusLimit, Detail: fmt.Sprintf(format, args...)}
	return failure{CodeLimit, messages[StatusLimit], t}
}

// What stands for answers beyond [Limits.Answers] and [Limits.Held].
var (
	errAnswers = limited("the answers to this batch are too large together: send smaller ones")
	errHeld    = limited("too many answers are on their way: come again later")
)

// explain says why a call failed. Whoever runs out of time is told so, whatever else is missing by then. What only concerns whoever
// runs the proxy, such as the URL of his chain's endpoint or where his files are, goes to the log and to no caller.
func (p *Proxy) explain(ctx context.Context, err error) failure {
	code, t := plain.Explain(err)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		code, t.Status = CodeOutOfTime, StatusOutOfTime
	case ctx.Err() != nil:
		code, t.Status = CodeUnavailable, StatusCutOff
	case t.Status == StatusOutOfTime: // not the caller's time: that of whoever was to read the registry
		code, t.Status = jsonrpc.CodeInternal, StatusInternal
	}
	t.Evidence = evidenceName(t.Evidence)
	level := slog.LevelDebug
	switch {
	case t.Status == StatusInvalid:
		return invalid(jsonrpc.CodeInvalidParams, err.Error())
	case t.Status == StatusNotFound:
		t.Detail = plain.Cut(err.Error(), plain.MaxDetail)
		return failure{code, messages[t.Status], t}
	case t.Status == StatusInternal, t.Status == StatusUnavailable:
		level = slog.LevelWarn
	}
	p.config.Log.Log(ctx, level, "call", "err", err)
	return failure{code, messages[t.Status], t}
}

// evidenceName is the name under which evidence is found, without where that is on this machine.
func evidenceName(name string) string {
	if name == "" {
		return ""
	}
	return filepath.Base(name)
}

// reply is what the caller of r gets; r is nil where nobody can tell.
func (f failure) reply(r *request) reply {
	t := f.tried
	out := reply{
		id: null, failed: true, status: t.Status, service: t.Service, revision: t.Revision, requests: t.Requests, struck: t.Struck,
		evidence: t.Evidence,
	}
	for _, a := range t.Asked {
		out.asked = append(out.asked, client.Asked{Server: a.Server, Role: a.Role, Outcome: a.Outcome})
	}
	if r != nil && r.ID != nil {
		out.id = r.ID
	}
	out.payload = f.payload()
	return out
}

// payload is the error as the caller reads it.
func (f failure) payload() []byte {
	if f.tried.Asked == nil {
		f.tried.Asked = []plain.Asked{}
	}
	b, _ := json.Marshal(struct { // of strings and numbers
		Code    int64       `json:"code"`
		Message string      `json:"message"`
		Data    plain.Tried `json:"data"`
	}{f.code, f.message, f.tried})
	return b
}

var null = []byte("null")
