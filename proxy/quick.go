package proxy

import (
	"bytes"
	"net"
	"net/http"
	"strconv"

	"barnraise/quick"
)

// Quick answers what nearly all requests are: one call, of no page and by the proxy's own policy. [Proxy.ServeHTTP] has all others, and
// those that are refused.
func (p *Proxy) Quick(r *quick.Request) (answered bool) {
	name, ok := service(r.Path)
	if !ok || !p.ordinary(r) {
		return false
	}
	v, refused := p.gate.enter(r.Remote)
	if refused != nil {
		return false // for the same reason again
	}
	defer p.gate.leave(v)
	s := p.scratch.Get().(*scratch)
	defer p.release(s)
	s.body = append(s.body[:0], r.Body...)
	c := &calls{proxy: p, ctx: r.Context(p.limits.Timeout), service: name, policy: p.config.Policy.Name}
	defer c.release()
	var one [1]reply
	if _, err := s.split(p.limits.Batch); err != nil {
		one[0] = c.failed(nil, whole(err, p.limits.Batch))
	} else {
		one[0] = c.one(&s.requests[0])
	}
	c.reply(r, s, one[:])
	if a := one[0].answer; a != nil {
		a.Release()
	}
	return true
}

// ordinary reports whether a request is one for Quick.
func (p *Proxy) ordinary(r *quick.Request) bool {
	if p.guard.any || len(p.guard.origins) > 0 || int64(len(r.Body)) > p.limits.Body {
		return false
	}
	media, types := r.Fields.Get("Content-Type")
	if _, n := r.Fields.Get("Origin"); n > 0 || types != 1 || !isJSON(media) {
		return false
	}
	if _, n := r.Fields.Get("Barnraise-Policy"); n > 0 {
		return false
	}
	host := hostname(r.Host)
	if !p.guard.hosts[host] {
		local, ok := r.Local().(*net.TCPAddr)
		if !ok || !isAddress(host, local) {
			return false
		}
	}
	body := bytes.TrimLeft(r.Body, " \t\r\n")
	return len(body) > 0 && body[0] != '['
}

// reply sends the one reply there is.
func (c *calls) reply(r *quick.Request, s *scratch, replies []reply) {
	one := &replies[0]
	status := http.StatusOK
	if one.silent {
		status = http.StatusNoContent
	}
	f := fields{plain: r.Begin(s.out, status)}
	c.describe(&f, replies, false)
	f.set("Cache-Control", "no-store")
	f.set("X-Content-Type-Options", "nosniff")
	if one.silent {
		s.out = append(f.plain, "\r\n"...)
		r.Send(s.out)
		return
	}
	f.set("Content-Type", "application/json")
	f.set("Content-Length", strconv.Itoa(one.size()))
	s.out = one.begin(append(f.plain, "\r\n"...))
	if one.size() <= joined {
		s.out = append(append(s.out, one.payload...), '}')
		r.Send(s.out)
		return
	}
	r.Send(s.out, one.payload, closing[:1])
}
