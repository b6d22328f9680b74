package proxy

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// guard keeps web pages out that nobody has let in. A page reaches a proxy on its reader's machine, under a name of the page's own
// that is made to mean that machine (DNS rebinding), or by its address, if browsers find the request simple. So the Host has to be
// one of the proxy's, an Origin one that may call, and a body application/json, which no page may send elsewhere without asking.
type guard struct {
	hosts   map[string]bool // in lower case, without port
	origins []string
	any     bool // every origin may call
}

// newGuard fails with [ErrConfig].
func newGuard(hosts, origins []string) (guard, error) {
	g := guard{hosts: map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}}
	for _, h := range hosts {
		name := hostname(strings.ToLower(h))
		if addr, err := netip.ParseAddr(name); err == nil { // in the one form that browsers write
			name = addr.String()
		}
		if name == "" || strings.ContainsAny(h, "*/@ ") {
			return g, fmt.Errorf("%w: %.80q is no host: want a name or an address, without wildcards", ErrConfig, h)
		}
		g.hosts[name] = true
	}
	for _, o := range origins {
		if o == "*" {
			g.any = true
			continue
		}
		u, err := url.Parse(o)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != o || strings.ToLower(o) != o {
			return g, fmt.Errorf("%w: %.80q is no origin: want one such as https://app.example, or *", ErrConfig, o)
		}
		g.origins = append(g.origins, o)
	}
	return g, nil
}

// hostname is the name in a Host header, in lower case and without port; empty where there is none.
func hostname(host string) string {
	switch {
	case strings.HasPrefix(host, "["):
		end := strings.IndexByte(host, ']')
		if rest := host[end+1:]; end < 0 || rest != "" && rest[0] != ':' {
			return ""
		}
		host = host[1:end]
	case strings.Count(host, ":") == 1:
		host = host[:strings.IndexByte(host, ':')]
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// check says why a request is refused, or nil.
func (g guard) check(r *http.Request) *refusal {
	if name := hostname(r.Host); !g.hosts[name] && !here(r, name) {
		return &refusal{reason: "host", status: http.StatusMisdirectedRequest,
			detail: "this proxy does not go by the name in Host; name it with --host if it should"}
	}
	if origins := r.Header["Origin"]; len(origins) > 0 && !g.any && (len(origins) > 1 || !slices.Contains(g.origins, origins[0])) {
		return &refusal{reason: "origin", status: http.StatusForbidden,
			detail: "pages of this origin may not call this proxy; name the origin with --cors if they should"}
	}
	return nil
}

// here reports whether a request names the very address that it came in at. No page can be at an address that is this machine's.
func here(r *http.Request, name string) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return false
	}
	return isAddress(name, at)
}

// isAddress reports whether a name is an address, in whatever form.
func isAddress(name string, at *net.TCPAddr) bool {
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Unmap() == at.AddrPort().Addr().Unmap().WithZone("")
}

// exposed are the headers that a page may read.
const exposed = "Barnraise-Verdict, Barnraise-Service, Barnraise-Policy, Barnraise-Requests, Barnraise-Memo, Barnraise-Asked, " +
	"Barnraise-Struck, Barnraise-Evidence, Barnraise-Unverified, Retry-After"

// expose lets a page that may call read the answer.
func (g guard) expose(h http.Header, r *http.Request) {
	if !g.any && len(g.origins) == 0 {
		return
	}
	if !g.any {
		h.Add("Vary", "Origin")
	}
	origin := r.Header.Get("Origin")
	switch {
	case origin == "":
		return
	case g.any:
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", exposed)
}

// preflight answers a browser that asks whether a page may call.
func (g guard) preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", "POST, OPTIONS")
	if r.Header.Get("Origin") != "" {
		g.expose(h, r)
		h.Del("Access-Control-Expose-Headers")
		h.Set("Access-Control-Allow-Methods", "POST")
		h.Set("Access-Control-Allow-Headers", "Content-Type, Accept, Barnraise-Policy")
		h.Set("Access-Control-Max-Age", "7200")
		if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
			h.Set("Access-Control-Allow-Private-Network", "true")
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// isJSON reports whether a body is said to be JSON, in UTF-8 if that is said.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	media, parameter, _ := strings.Cut(strings.ToLower(contentType), ";")
	parameter = strings.TrimSpace(parameter)
	return strings.TrimSpace(media) == "application/json" &&
		(parameter == "" || parameter == "charset=utf-8" || parameter == `charset="utf-8"`)
}
