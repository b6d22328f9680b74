package proxy

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"barnraise/client"
	"barnraise/jsonrpc"
	"barnraise/score"
	"barnraise/until"
)

// serve answers a body that is sent to a service.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	name, ok := service(r.URL.Path)
	if !ok {
		p.refuse(w, errNoService)
		return
	}
	if !isJSON(r.Header.Get("Content-Type")) {
		p.refuse(w, errMediaType)
		return
	}
	policy, asks, refused := p.policy(r)
	if refused != nil {
		p.refuse(w, refused)
		return
	}
	v, refused := p.gate.enter(r.RemoteAddr)
	if refused != nil {
		p.refuse(w, refused)
		return
	}
	defer p.gate.leave(v)
	s := p.scratch.Get().(*scratch)
	defer p.release(s)
	if err := s.read(r, p.limits.Body); err != nil {
		w.Header().Set("Connection", "close")
		p.refuse(w, unread(err, p.limits.Body))
		return
	}
	ctx := until.New(r.Context(), time.Now().Add(p.limits.Timeout))
	defer ctx.End()
	c := &calls{proxy: p, ctx: ctx, service: name, policy: policy.Name}
	if asks {
		c.options = []client.CallOption{client.Under(policy)}
	}
	c.answer(w, v, s)
}

// policy is what a request is to be answered by, and whether that is another policy than the proxy's own. A request may ask for
// more than the proxy does, and gets no less than it does.
func (p *Proxy) policy(r *http.Request) (policy score.Policy, asks bool, refused *refusal) {
	names := r.Header["Barnraise-Policy"]
	if len(names) == 0 {
		return p.config.Policy, false, nil
	}
	if len(names) > 1 {
		return policy, false, badPolicy("one Barnraise-Policy at a time")
	}
	policy, err := score.ParsePolicy(names[0])
	if err != nil {
		return policy, false, badPolicy("Barnraise-Policy " + err.Error())
	}
	policy = p.config.Policy.Stronger(policy)
	return policy, policy != p.config.Policy, nil
}

// calls are what one request asks of one service.
type calls struct {
	proxy   *Proxy
	ctx     context.Context
	service string
	policy  string // its name
	options []client.CallOption
	size    atomic.Int64 // bytes of the answers so far
}

// answer makes the calls and writes what came of them.
func (c *calls) answer(w http.ResponseWriter, v *visitor, s *scratch) {
	p := c.proxy
	defer c.release()
	batch, err := s.split(p.limits.Batch)
	if err != nil {
		c.write(w, s, []reply{c.failed(nil, whole(err, p.limits.Batch))}, false)
		return
	}
	if more := len(s.requests) - 1; more > 0 {
		if refused := p.gate.more(v, more); refused != nil {
			p.refuse(w, refused)
			return
		}
	}
	if !batch {
		one := [1]reply{c.one(&s.requests[0])}
		c.send(w, s, one[:], false)
		return
	}
	c.send(w, s, c.all(s.requests), true)
}

// send writes replies and gives back their memory.
func (c *calls) send(w http.ResponseWriter, s *scratch, replies []reply, batch bool) {
	c.write(w, s, replies, batch)
	for i := range replies {
		if a := replies[i].answer; a != nil {
			a.Release()
		}
	}
}

// all makes the calls of a batch, some of them at the same time. The replies come in the order of the requests.
func (c *calls) all(requests []request) []reply {
	replies := make([]reply, len(requests))
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(c.proxy.limits.Together, len(requests)) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(requests)); i = next.Add(1) - 1 {
				replies[i] = c.one(&requests[i])
			}
		})
	}
	group.Wait()
	return replies
}

// one makes one call.
func (c *calls) one(r *request) reply {
	switch {
	case r.Wrong != "":
		return c.failed(r, invalid(jsonrpc.CodeInvalidRequest, r.Wrong))
	case r.Notification(): // nobody waits, and nothing changes by asking (protocol 3.2)
		reply := reply{silent: true, status: statusNotification}
		c.proxy.meters.count(&reply)
		return reply
	}
	if c.size.Load() > c.proxy.limits.Answers {
		return c.failed(r, errAnswers)
	}
	var params any
	if r.Params != nil {
		params = r.Params
	}
	began := time.Now()
	answer, err := c.proxy.caller.Call(c.ctx, c.service, r.Method, params, c.options...)
	c.proxy.meters.took(time.Since(began))
	if err != nil {
		return c.failed(r, c.proxy.explain(c.ctx, err))
	}
	reply := answered(r, answer)
	c.bound(&reply)
	c.proxy.meters.count(&reply)
	return reply
}

// bound keeps answers within what those of one batch, and all that are held, may have together. The first of a batch always has
// room beside the others: the manifest bounds it.
func (c *calls) bound(r *reply) {
	if r.silent {
		return
	}
	size := int64(len(r.payload))
	held, sum := c.proxy.held.Add(size), c.size.Add(size)
	switch {
	case sum > size && sum > c.proxy.limits.Answers:
		c.replace(r, errAnswers)
	case held > c.proxy.limits.Held:
		c.replace(r, errHeld)
	}
}

// replace drops an answer for which there is no room.
func (c *calls) replace(r *reply, f failure) {
	f.tried.Policy = c.policy
	r.payload, r.failed, r.status, r.unverified = f.payload(), true, StatusLimit, nil
}

// release gives back the room of the answers, once they have been sent.
func (c *calls) release() { c.proxy.held.Add(-c.size.Load()) }

// failed is the reply where the proxy has no answer.
func (c *calls) failed(r *request, f failure) reply {
	f.tried.Policy = c.policy
	reply := f.reply(r)
	c.proxy.meters.count(&reply)
	return reply
}

// statusNotification is what becomes of a notification: nobody is asked, and nobody hears of it.
const statusNotification = "notification"

// whole is why a body is answered as a whole.
func whole(err error, most int) failure {
	switch {
	case errors.Is(err, jsonrpc.ErrSyntax):
		return invalid(jsonrpc.CodeParse, err.Error())
	case errors.Is(err, jsonrpc.ErrTooMany):
		return limited("a batch has at most %d requests", most)
	}
	return invalid(jsonrpc.CodeInvalidRequest, err.Error())
}
