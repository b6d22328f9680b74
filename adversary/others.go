package adversary

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"barnraise"
	"barnraise/manifest"
)

// copies has the server before it answer, and signs that. So it never copies itself, whoever copies whom.
func copies(g Given) act {
	return func(c *call) {
		v, ok := before(g)
		if !ok {
			c.honest().send(c.w)
			return
		}
		said, err := ask(c.r.Context(), g, v, c)
		if err != nil {
			http.Error(c.w, "nobody answers", http.StatusBadGateway)
			return
		}
		if r, ok := said.receipt(); ok {
			r.Server = g.Self
			said.become(said.body, r, g.Key)
		}
		said.send(c.w)
	}
}

// before is the server of the next lower id.
func before(g Given) (v Other, ok bool) {
	for _, o := range g.Others {
		if o.ID < g.Self && o.ID > v.ID {
			v, ok = o, true
		}
	}
	return v, ok
}

// ask puts a call to another server, in the same bytes.
func ask(ctx context.Context, g Given, v Other, c *call) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(v.URL, "/")+c.r.URL.Path, bytes.NewReader(c.request))
	if err != nil {
		return nil, err
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	return do(g, req)
}

func do(g Given, req *http.Request) (*answer, error) {
	resp, err := g.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(manifest.MaxLimits.Response)))
	return &answer{resp.StatusCode, resp.Header, body}, err
}

// How often somebody is slandered at most, and how long that may take.
const (
	slanderEvery = 50 * time.Millisecond
	slanderTakes = 5 * time.Second
)

// slanders answers honestly, and then asks others the same in order to dress what they signed as a lie.
func slanders(g Given) act {
	var pause often
	var turn turns
	return func(c *call) {
		c.honest().send(c.w)
		if len(g.Others) == 0 || pause.than(slanderEvery, g.Now()) {
			return
		}
		_ = http.NewResponseController(c.w).Flush()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.r.Context()), slanderTakes)
		defer cancel()
		n := turn.take(2 * len(g.Others)) // first each of them by what is altered, then each by the truth
		victim := g.Others[n%len(g.Others)]
		if e, ok := accuse(ctx, g, victim, c, n < len(g.Others)); ok {
			for _, o := range g.Others {
				handOver(ctx, g, o, e)
			}
		}
	}
}

// accuse makes evidence against an honest answer: as it is, or altered under the receipt of the true one.
func accuse(ctx context.Context, g Given, victim Other, c *call, altered bool) (e barnraise.Evidence, ok bool) {
	said, err := ask(ctx, g, victim, c)
	if err != nil {
		return e, false
	}
	receipt, ok := said.receipt()
	s, err := g.Snapshot(ctx)
	if !ok || err != nil {
		return e, false
	}
	service, _ := s.Service(receipt.Service)
	revision, ok := service.Revision(receipt.Revision)
	if altered {
		said.body = Falsify(said.body)
	}
	answers := []barnraise.Answer{{Server: victim.ID, Response: said.body, Receipt: said.header.Get(receiptHeader)}}
	return barnraise.NewEvidence(s.Registry, receipt.Service, revision, c.request, answers), ok
}

// handOver offers evidence to a server, under the slanderer's own name.
func handOver(ctx context.Context, g Given, v Other, e barnraise.Evidence) {
	body := e.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(v.URL, "/")+"/v1/evidence", bytes.NewReader(body))
	if err != nil {
		return
	}
	pass := barnraise.Pass{Registry: e.Registry, Server: g.Self, URL: v.URL, Evidence: barnraise.Sum(body), IssuedAt: g.Now().Unix()}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Barnraise-Pass": {pass.Sign(barnraise.TypeOffer, g.Key)}}
	_, _ = do(g, req) // who does not take it is told no more
}
