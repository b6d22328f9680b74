package worker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"barnraise/runtime"
)

// The two processes speak HTTP over a socket in a directory that only this user can enter:
//
//	GET    /platforms             what can be run, a JSON array
//	PUT    /services/{id}         starts what the runtime.Spec in the body says
//	POST   /services/{id}/call    one request in, one answer out, exact bytes
//	GET    /services/{id}/health  204 where it is well
//	GET    /services/{id}/stats   runtime.Stats
//	POST   /services/{id}/crash   ends what runs of it as a crash would
//	DELETE /services/{id}         stops it, and 204 once nothing of it is left; what starts under that id later is stopped as well
//
// Ids are numbers of the parent's. A failure has status 500, its class in a header, and its words as the body.
const (
	failureHeader = "Failure"
	maxMessage    = 64 << 10 // of all that is no answer
	maxSpec       = 64 << 10
)

// classes are the failures that mean something to whoever calls, by the words that stand for them between the processes. Where
// an error is several, the first counts.
var classes = []struct {
	word string
	err  error
}{
	{"request", runtime.ErrRequest}, {"platform", runtime.ErrPlatform}, {"cannot", runtime.ErrCannot}, {"fuel", runtime.ErrFuel}, {"timeout", runtime.ErrTimeout},
	{"broke", runtime.ErrBroke}, {"not-ready", runtime.ErrNotReady}, {"unsupported", errors.ErrUnsupported},
}

// remote is a failure in the other process: its class, and its words.
type remote struct {
	class error
	words string
}

func (r remote) Error() string { return r.words }
func (r remote) Unwrap() error { return r.class }

// fail writes a failure.
func fail(w http.ResponseWriter, err error) {
	for _, c := range classes {
		if errors.Is(err, c.err) {
			w.Header().Set(failureHeader, c.word)
			break
		}
	}
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(w, err.Error()[:min(len(err.Error()), maxMessage)])
}

// read returns the body of a response of at most that many bytes, or the failure it is.
func read(resp *http.Response, most int64) ([]byte, error) {
	defer resp.Body.Close()
	ok := resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent
	switch {
	case !ok && resp.StatusCode != http.StatusInternalServerError: // no context ends the body of some
		return nil, fmt.Errorf("it answers with status %d", resp.StatusCode)
	case !ok:
		most = maxMessage
	}
	var body bytes.Buffer
	n, err := body.ReadFrom(io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return nil, err
	case n > most:
		return nil, remote{runtime.ErrBroke, fmt.Sprintf("%v: more than %d bytes", runtime.ErrBroke, most)}
	case ok:
		return body.Bytes(), nil
	}
	words := strings.ToValidUTF8(body.String(), "\uFFFD")
	for _, c := range classes {
		if resp.Header.Get(failureHeader) == c.word {
			return nil, remote{c.err, words}
		}
	}
	return nil, remote{nil, words}
}
