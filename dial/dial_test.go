package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Protocol 10.2: outside private networks only public addresses.
func TestPublic(t *testing.T) {
	for _, c := range []struct {
		want  bool
		addrs string
	}{
		{true, "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255 " +
			"172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 " +
			"2600:: 2001:200::1 2606:4700:4700::1111 2a00:1450::1 2003::1"},
		{false, "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1 " +
			"172.31.255.255 192.0.0.8 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 " +
			"203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255"},
		{false, ":: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::8.8.8.8 64:ff9b::8.8.8.8 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 " +
			"2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 3fff::1 5f00::1 " +
			"fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1 4000::1"},
		{false, "2600::1%eth0 fe80::1%1"},
	} {
		for a := range strings.FieldsSeq(c.addrs) {
			if got := Public(netip.MustParseAddr(a)); got != c.want {
				t.Errorf("Public(%s) = %t", a, got)
			}
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address at all is called public")
	}
}

// Protocol 10.2: checked on the address dialled, after DNS.
func TestProtocol10_2DialsPublicAddressesOnly(t *testing.T) {
	asked := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	client := Client(false, 5*time.Second)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "[::1]", "169.254.169.254"} {
		_, err := client.Get("http://" + host + ":" + port)
		if !errors.Is(err, ErrAddress) {
			t.Errorf("GET from %s: %v, want ErrAddress", host, err)
		}
	}
	if asked {
		t.Error("a request arrived on loopback")
	}
	if _, err := Client(true, 5*time.Second).Get(s.URL); err != nil || !asked {
		t.Errorf("private network: %v, asked %t", err, asked)
	}
}

// Protocol 10.2: no redirects. Protocol 3.1: no User-Agent, no Accept-Encoding. No proxy of the environment.
func TestProtocol10_2NoRedirectsNoNamesNoProxies(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	var header http.Header
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		if r.URL.Path == "/elsewhere" {
			t.Error("the redirect was followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer s.Close()
	client := Client(true, 5*time.Second)
	defer client.CloseIdleConnections()
	resp, err := client.Get(s.URL)
	if err != nil || resp.StatusCode != http.StatusFound {
		t.Fatalf("got %v, %v, want the redirect itself", resp, err)
	}
	if len(header) != 0 {
		t.Errorf("sent %v, want no header that names the program", header)
	}
	req, _ := http.NewRequest("GET", s.URL, nil)
	req.Header.Set("User-Agent", "mine")
	if _, err := client.Do(req); err != nil || header.Get("User-Agent") != "mine" {
		t.Errorf("own User-Agent arrived as %q, %v", header.Get("User-Agent"), err)
	}
}

func TestBounds(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"endless header": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", MaxHeader+1))
		},
		"slow body": func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		s := httptest.NewServer(handler)
		resp, err := Client(true, 200*time.Millisecond).Get(s.URL)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		s.Close()
	}
}

// What a server writes in place of HTTP is quoted, and not at its full length.
func TestErrorsAreShort(t *testing.T) {
	for name, header := range map[string]string{
		"status line": strings.Repeat("ä", MaxHeader/4), "header line": "HTTP/1.1 200 OK\r\n" + strings.Repeat("ä", MaxHeader/4),
		"two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: " + strings.Repeat("2", MaxHeader/2),
		"coding":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + strings.Repeat("x", MaxHeader/2),
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			io.WriteString(c, header+"\r\n\r\n")
			c.Close()
		}))
		_, err := Client(true, 5*time.Second).Get(s.URL)
		if err == nil || len(err.Error()) > MaxError+len(s.URL)+10 || !utf8.ValidString(err.Error()) {
			t.Errorf("%s: error of %d bytes: %.80v", name, len(fmt.Sprint(err)), err)
		}
		s.Close()
	}
}

func TestControlWithoutAddress(t *testing.T) {
	if err := onlyPublic(context.Background(), "tcp", "name:80", nil); err == nil {
		t.Error("dialled what is no address")
	}
}

func TestProtocol10_2CheckURL(t *testing.T) {
	for _, c := range []struct {
		url   string
		https bool // taken where only https is
		http  bool // taken where http is too
	}{
		{"https://a.example", true, true},
		{"https://a.example:8443/", true, true},
		{"https://a.example/base/path", true, true},
		{"https://[2600::1]:443", true, true},
		{"https://1.1.1.1", true, true},
		{"http://127.0.0.1:8080", false, true},
		{"HTTP://a.example", false, true},
		{"", false, false},
		{"a.example", false, false},
		{"ftp://a.example", false, false},
		{"file:///etc/passwd", false, false},
		{"https:a.example", false, false},
		{"https://", false, false},
		{"https:///path", false, false},
		{"https://:443", false, false},
		{"https://user@a.example", false, false},
		{"https://user:pw@a.example", false, false},
		{"https://@a.example", false, false},
		{"https://a.example?x=1", false, false},
		{"https://a.example/?", false, false},
		{"https://a.example/#", false, false},
		{"https://a.example/#top", false, false},
		{"https://a.example:", false, false},
		{"https://a.example:0", false, false},
		{"https://a.example:65536", false, false},
		{"https://[fe80::1%25eth0]", false, false},
		{"https://[::1", false, false},
		{"https://a b", false, false},
		{"https://a\nb", false, false},
		{"https://a%2fb", false, false},
		{"https://exämple", false, false},
		{"https://" + strings.Repeat("a", 254), false, false},
		{"https://a.example/" + strings.Repeat("a", MaxURL), false, false},
	} {
		for plain, want := range map[bool]bool{false: c.https, true: c.http} {
			err := CheckURL(c.url, plain)
			if (err == nil) != want || err != nil && !errors.Is(err, ErrURL) {
				t.Errorf("CheckURL(%.60q, %t): %v", c.url, plain, err)
			}
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	f.Add("https://a.example:1/x")
	f.Fuzz(func(t *testing.T, raw string) {
		if CheckURL(raw, true) != nil {
			return
		}
		r, err := http.NewRequest("GET", strings.TrimSuffix(raw, "/")+"/ipfs/x?format=raw", nil)
		if err != nil || r.URL.User != nil || r.URL.RawQuery != "format=raw" || r.URL.Fragment != "" || r.URL.Hostname() == "" {
			t.Errorf("%q was taken and makes %v, %v", raw, r, err)
		}
	})
}
