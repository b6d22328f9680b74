package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const ping = `{"jsonrpc":"2.0","id":1,"method":"m","params":[]}`

func TestHosts(t *testing.T) {
	p, caller := newProxy(t, echo, Config{Hosts: []string{"proxy.example", "10.0.0.7", "fd00::7", "[FD00:0::8]"}})
	for host, want := range map[string]int{
		"127.0.0.1:8645": 200, "127.0.0.1": 200, "localhost": 200, "LocalHost:1": 200, "localhost.:8645": 200, "[::1]:8645": 200, "[::1]": 200,
		"proxy.example:8645": 200, "10.0.0.7:8645": 200, "[fd00::7]:80": 200, "[fd00::8]:8645": 200,
		"evil.example": 421, "evil.example:8645": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "10.0.0.8": 421, "": 421,
		"[::1": 421, "[::1]x": 421, "127.0.0.1@evil.example": 421, "127.1": 421, "*": 421,
	} {
		for _, method := range []string{"POST", "OPTIONS", "GET"} {
			path := map[string]string{"POST": "/3", "OPTIONS": "/3", "GET": "/metrics"}[method]
			w := send(p, method, path, ping, "Host", host, "Content-Type", "application/json")
			if (w.Code == 421) != (want == 421) {
				t.Errorf("%s at %q: %d, want %d", method, host, w.Code, want)
			}
		}
	}
	if len(caller.calls) != 11 {
		t.Errorf("%d calls are made, want 11", len(caller.calls))
	}
}

// Where it listens on all addresses, it answers at each of them, and still under no stranger's name.
func TestHostIsTheAddressThatTheRequestCameInAt(t *testing.T) {
	p, _ := newProxy(t, echo, Config{})
	for host, want := range map[string]int{"192.0.2.9:8645": 200, "192.0.2.8:8645": 421, "a.example": 421} {
		r := httptest.NewRequest("POST", "/3", strings.NewReader(ping))
		r.Host = host
		r.Header.Set("Content-Type", "application/json")
		at := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 8645}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(at))))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", host, w.Code, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	const app = "https://app.example"
	for _, c := range []struct {
		allowed []string
		origin  string
		want    int
		allow   string
	}{
		{nil, "", 200, ""},
		{nil, app, 403, ""},
		{nil, "null", 403, ""},
		{[]string{app}, "", 200, ""},
		{[]string{app}, app, 200, app},
		{[]string{app, "http://localhost:3000"}, "http://localhost:3000", 200, "http://localhost:3000"},
		{[]string{app}, "https://app.example.evil", 403, ""},
		{[]string{app}, "http://app.example", 403, ""},
		{[]string{app}, "null", 403, ""},
		{[]string{"*"}, "https://any.example", 200, "*"},
		{[]string{"*"}, "null", 200, "*"},
	} {
		p, caller := newProxy(t, echo, Config{Origins: c.allowed})
		w := post(p, "/3", ping, "Origin", c.origin)
		h := w.Header()
		if w.Code != c.want || h.Get("Access-Control-Allow-Origin") != c.allow || (h.Get("Access-Control-Expose-Headers") != "") != (c.allow != "") {
			t.Errorf("%v, Origin %q: %d, allowed %q, want %d and %q", c.allowed, c.origin, w.Code, h.Get("Access-Control-Allow-Origin"), c.want, c.allow)
		}
		if (len(caller.calls) > 0) != (c.want == 200) {
			t.Errorf("%v, Origin %q: %d calls", c.allowed, c.origin, len(caller.calls))
		}
		pre := send(p, "OPTIONS", "/3", "", "Origin", c.origin, "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "content-type,barnraise-policy", "Access-Control-Request-Private-Network", "true")
		want := map[int]int{200: 204, 403: 403}[c.want]
		if h := pre.Header(); pre.Code != want || h.Get("Access-Control-Allow-Origin") != c.allow ||
			(h.Get("Access-Control-Allow-Headers") == "Content-Type, Accept, Barnraise-Policy") != (c.allow != "") ||
			(h.Get("Access-Control-Allow-Private-Network") != "") != (c.allow != "") {
			t.Errorf("%v, preflight of %q: %d %v", c.allowed, c.origin, pre.Code, h)
		}
		if w := send(p, "GET", "/metrics", "", "Origin", c.origin); w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%v: pages of %q can read the metrics", c.allowed, c.origin)
		}
	}
	p, _ := newProxy(t, echo, Config{Origins: []string{app}})
	if w := post(p, "/3", ping, "Origin", app, "Origin", "https://evil.example"); w.Code != 403 {
		t.Errorf("two origins: %d", w.Code)
	}
	if w := post(p, "/3", ping); w.Header().Get("Vary") != "Origin" {
		t.Errorf("an answer that a cache may give to another origin: %v", w.Header())
	}
	// A page that may call is told why it was refused, too.
	if w := post(p, "/3", ping, "Origin", app, "Barnraise-Policy", "lax"); w.Code != 400 || w.Header().Get("Access-Control-Allow-Origin") != app {
		t.Errorf("refusal: %d %v", w.Code, w.Header())
	}
}

// What a page can send to another origin without asking first is not taken.
func TestOnlyJSON(t *testing.T) {
	p, caller := newProxy(t, echo, Config{})
	for contentType, want := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON;charset=UTF-8": 200, `application/json; charset="utf-8"`: 200,
		"": 415, "text/plain": 415, "text/plain; application/json": 415, "application/x-www-form-urlencoded": 415, "multipart/form-data": 415,
		"application/json, text/plain": 415, "application/jsonx": 415, "application/json; charset=latin1": 415,
	} {
		before := len(caller.calls)
		w := send(p, "POST", "/3", ping, "Content-Type", contentType)
		if w.Code != want || (len(caller.calls) > before) != (want == 200) {
			t.Errorf("%q: %d, want %d", contentType, w.Code, want)
		}
	}
}

// The listener for those who run it is no way around.
func TestAdminIsClosedToPages(t *testing.T) {
	p, _ := newProxy(t, echo, Config{Admin: true})
	for _, c := range []struct {
		method, path, host, origin string
		want                       int
	}{
		{"GET", "/metrics", "localhost:1", "", 200}, {"HEAD", "/metrics", "localhost:1", "", 200}, {"GET", "/livez", "127.0.0.1", "", 200},
		{"GET", "/metrics", "evil.example", "", 421}, {"GET", "/metrics", "localhost", "https://evil.example", 403}, {"GET", "/readyz", "evil.example", "", 421},
		{"POST", "/metrics", "localhost", "", 405}, {"POST", "/3", "localhost", "", 405}, {"GET", "/3", "localhost", "", 405},
	} {
		if w := send(p.Admin(), c.method, c.path, "", "Host", c.host, "Origin", c.origin); w.Code != c.want {
			t.Errorf("%s %s of %s at %s: %d, want %d", c.method, c.path, c.origin, c.host, w.Code, c.want)
		}
	}
}

func TestOtherMethods(t *testing.T) {
	p, _ := newProxy(t, echo, Config{})
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"} {
		w := send(p, method, "/3", "")
		if w.Code != 405 || w.Header().Get("Allow") != "POST, OPTIONS" || !strings.Contains(w.Header().Get("Content-Type"), "problem+json") {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
	if w := send(p, "OPTIONS", "/3", ""); w.Code != 204 || w.Header().Get("Allow") != "POST, OPTIONS" {
		t.Errorf("OPTIONS: %d %v", w.Code, w.Header())
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []Config{
		{Hosts: []string{""}}, {Hosts: []string{"*"}}, {Hosts: []string{"*.example"}}, {Hosts: []string{"http://a.example"}},
		{Origins: []string{"app.example"}}, {Origins: []string{"https://app.example/"}}, {Origins: []string{"null"}}, {Origins: []string{"https://App.example"}},
		{Limits: Limits{Rate: -1}}, {Limits: Limits{Each: -1}}, {Limits: Limits{Body: -1}}, {Limits: Limits{Timeout: -1}}, {Limits: Limits{Total: 5000}},
		{Limits: Limits{Burst: 50}},
	} {
		if _, err := New(nil, c); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if l, err := (Limits{Rate: 10}).complete(); err != nil || l.Burst != 100 {
		t.Errorf("a batch finds no room: %+v, %v", l, err)
	}
}
