package client

import (
	"context"

	"barnraise"
	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json"
)

// maxReport is the longest conformance report that is read, in bytes.
const maxReport = 1 << 20

// covered lists the methods that a conformance report covers (protocol 7.3 c): it is about this image, which passed, and these were
// answered. What is no such report covers nothing.
func covered(report []byte, image barnraise.Digest) map[string]bool {
	var r struct {
		Version int              `json:"v"`
		Image   barnraise.Digest `json:"image"`
		Passed  bool             `json:"passed"`
		Methods []struct {
			Name     string `json:"name"`
			Requests int    `json:"requests"`
		} `json:"methods"`
	}
	if jsonrpc.Strict(report) != nil || json.Unmarshal(report, &r) != nil || r.Version != 1 || r.Image != image || !r.Passed {
		return nil
	}
	methods := make(map[string]bool)
	for _, m := range r.Methods {
		methods[m.Name] = m.Requests > 0
	}
	return methods
}

// covers reports whether the request's method is covered by the revision's conformance report. It is fetched where this client has
// not got it: once there is a dispute, since nothing else depends on it, and once in a call.
func (r *round) covers(ctx context.Context) bool {
	id := r.manifest.Report
	if id == "" || r.disputed == 0 {
		return false
	}
	r.c.mu.Lock()
	methods, known := r.c.reports[id]
	r.c.mu.Unlock()
	if !known {
		if r.reportTried {
			return false
		}
		r.reportTried = true
		find := search{c: r.c, target: r.target}
		report, err := find.fetch(ctx, id, maxReport)
		if err != nil {
			return false // without it less is known, and no call fails for that
		}
		methods = covered(report, r.revision.Image)
		r.c.mu.Lock()
		r.c.reports[id] = methods
		r.c.mu.Unlock()
	}
	request, err := jsonrpc.ParseRequest(r.request)
	return err == nil && methods[request.Method]
}
