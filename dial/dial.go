// Package dial reaches out to addresses that strangers have chosen, and keeps them from choosing ours (protocol 10.2).
//
// A server's URL, a gateway, a registry of images are whatever somebody wrote into a registry; behind a harmless name may
// stand this machine's own admin port. So outside private networks only public unicast addresses are dialled, and that is
// looked at where it counts: on the address itself, after the name is resolved, on every connection. Redirects are not
// followed, proxies of the environment are not asked, and a client sends no header that tells what it is (protocol 3.1).
package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Bounds of every connection. The wait for a response's header exceeds the longest call that a manifest may allow.
const (
	ConnectTimeout = 10 * time.Second
	HeaderTimeout  = 75 * time.Second
	MaxHeader      = 128 << 10 // bytes of a response's header; the longest receipt has half of it
	MaxURL         = 1024      // bytes of a URL that [CheckURL] takes
	MaxError       = 500       // bytes of what an error of a round trip says
)

// ErrAddress is the error for a connection to an address that is not public, outside a private network. Nothing was sent
// there.
var ErrAddress = errors.New("address is not public")

// ErrURL is the error for a URL that nobody may register or configure.
var ErrURL = errors.New("bad URL")

// Client is an [http.Client] over [Transport] that follows no redirect: the caller gets the 3xx response itself. The timeout
// bounds a whole exchange, body included; zero leaves that to the request's context.
func Client(private bool, timeout time.Duration) *http.Client {
	return &http.Client{
		Transport:     Transport(private),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       timeout,
	}
}

// Transport dials public addresses only, or any address in a private network (protocol 10.3 says who may call it so). A
// refused address fails the round trip with [ErrAddress]. It speaks HTTP/1.1, so that one call's trouble is not another's;
// it asks for no compression and names no User-Agent unless the request sets one. Its errors are no longer than [MaxError],
// whatever they quote. It keeps idle connections: make one and share it, and end with [http.Client.CloseIdleConnections].
func Transport(private bool) http.RoundTripper { return plain{transport(private)} }

func dialer(private bool) *net.Dialer {
	d := &net.Dialer{Timeout: ConnectTimeout}
	if !private {
		d.ControlContext = onlyPublic
	}
	return d
}

func transport(private bool) *http.Transport {
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &http.Transport{
		DialContext:            dialer(private).DialContext,
		TLSHandshakeTimeout:    ConnectTimeout,
		ResponseHeaderTimeout:  HeaderTimeout,
		MaxResponseHeaderBytes: MaxHeader,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    16,
		DisableCompression:     true,
		Protocols:              http1,
	}
}

// plain leaves out the User-Agent that net/http would add, and most of what a server wrote in place of HTTP.
type plain struct{ *http.Transport }

func (t plain) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, set := r.Header["User-Agent"]; !set {
		r = r.Clone(r.Context())
		r.Header["User-Agent"] = nil
	}
	resp, err := t.Transport.RoundTrip(r)
	return resp, clipped(err)
}

// onlyPublic is called by the dialer with each address it is about to connect to.
func onlyPublic(_ context.Context, _, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	if !Public(a.Addr()) {
		return fmt.Errorf("dial %s: %w", address, ErrAddress)
	}
	return nil
}

// CheckURL reports whether a URL may stand in a registry or a configuration as the base of a server, gateway or registry of
// images: https, or http as well where plain is set (a private network, or a caller who allows it); a host and perhaps a
// port and a path; no credentials, query or fragment; at most [MaxURL] bytes. It fails with [ErrURL] and resolves nothing:
// whether the address behind the name is public shows when it is dialled.
func CheckURL(raw string, plain bool) error {
	if len(raw) > MaxURL {
		return fmt.Errorf("check URL %.60q...: %d bytes, at most %d: %w", raw, len(raw), MaxURL, ErrURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("check URL %.200q: %w", raw, ErrURL)
	}
	switch {
	case u.Scheme == "http" && !plain:
		err = errors.New("want https")
	case u.Scheme != "https" && u.Scheme != "http":
		err = errors.New("want https://HOST")
	case u.User != nil:
		err = errors.New("it has credentials")
	case strings.ContainsAny(raw, "?#"):
		err = errors.New("it has a query or a fragment")
	case !validHost(u):
		err = errors.New("host or port is missing or malformed")
	}
	if err != nil {
		return fmt.Errorf("check URL %.200q: %w: %w", raw, err, ErrURL)
	}
	return nil
}

// validHost wants a host that can only be read as one thing: a name of letters, digits, dots, hyphens and underscores, or
// an address without a zone.
func validHost(u *url.URL) bool {
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return false
	}
	host := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		a, err := netip.ParseAddr(host)
		return err == nil && a.Is6() && a.Zone() == ""
	}
	for _, c := range []byte(host) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return host != "" && len(host) <= 253
}
