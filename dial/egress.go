package dial

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// ErrEgress is the error for a way out that is none.
var ErrEgress = errors.New("want an address of this machine, or a proxy as http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT")

// ClientBy is [Client] without a timeout whose requests leave this machine by the way given, so that those who are asked need not
// know who asks: an address of this machine to dial from, or the URL of a proxy, perhaps with user and password. The empty way is
// the usual one. It fails with [ErrEgress].
//
// From an address of this machine everything is checked as always. Through a proxy this machine dials nothing but the proxy, which
// is the operator's own choice and may stand at any address; the names of servers are resolved by the proxy, and what it dials
// then is not seen here. So of the rule of protocol 10.2 only this is left: an address that is written in a URL, and the names of
// this machine, are refused with [ErrAddress]. A proxy should stand where no address but public ones can be reached from it.
func ClientBy(private bool, way string) (*http.Client, error) {
	c := Client(private, 0)
	if way == "" {
		c.Transport = Lean(private)
		return c, nil
	}
	if local, err := netip.ParseAddr(way); err == nil && local.Zone() == "" {
		dialer := dialer(private)
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
		c.Transport = newLean(dialer)
		return c, nil
	}
	proxy, err := url.Parse(way)
	if err != nil || !slices.Contains([]string{"http", "https", "socks5"}, proxy.Scheme) || !validHost(proxy) || strings.Trim(proxy.Path, "/") != "" {
		return nil, fmt.Errorf("leave by %.200q: %w", redacted(way, proxy), ErrEgress)
	}
	t := transport(private)
	t.DialContext = dialer(true).DialContext
	t.Proxy = http.ProxyURL(proxy)
	c.Transport = proxied{plain{t}, private}
	return c, nil
}

// redacted leaves out a password.
func redacted(way string, u *url.URL) string {
	if u == nil {
		return "something that is no URL"
	}
	if u.User == nil {
		return way
	}
	return u.Redacted()
}

// proxied refuses what can be seen not to be public without resolving anything.
type proxied struct {
	plain
	private bool
}

func (t proxied) RoundTrip(r *http.Request) (*http.Response, error) {
	if host := r.URL.Hostname(); !t.private && !perhapsPublic(host) {
		return nil, fmt.Errorf("ask %.200s through a proxy: %w", host, ErrAddress)
	}
	return t.plain.RoundTrip(r)
}

// perhapsPublic is false for addresses that are not public, however they are written, and for names of whatever machine resolves
// them.
func perhapsPublic(host string) bool {
	host = strings.TrimRight(strings.ToLower(host), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		return Public(a)
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	numeric := strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") // 127.1 and 0x7f000001 are addresses to some
	return strings.Contains(host, ".") && !numeric && !slices.Contains([]string{"localhost", "local", "internal"}, last)
}
