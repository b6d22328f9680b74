package dial

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestClientByAnAddressOfThisMachine(t *testing.T) {
	var from string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { from, _, _ = net.SplitHostPort(r.RemoteAddr) }))
	defer s.Close()
	c, err := ClientBy(true, "127.0.0.2")
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	if resp, err := c.Get(s.URL); err != nil {
		t.Skipf("this machine has no 127.0.0.2: %v", err)
	} else {
		resp.Body.Close()
	}
	if from != "127.0.0.2" {
		t.Errorf("it came from %s", from)
	}
	public, err := ClientBy(false, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := public.Get(s.URL); !errors.Is(err, ErrAddress) {
		t.Errorf("outside a private network: %v, want ErrAddress (protocol 10.2)", err)
	}
}

func TestClientByAProxy(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		if len(r.Header) > 0 {
			t.Errorf("sent %v, want no header that names the program", r.Header)
		}
		io.WriteString(w, "through")
	}))
	defer proxy.Close()
	c, err := ClientBy(false, proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	resp, err := c.Get("http://server.example/x")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if len(asked) != 1 || asked[0] != "http://server.example/x" || string(body) != "through" {
		t.Errorf("asked %q, got %q", asked, body)
	}
	for _, host := range []string{"127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "localhost", "a.localhost.", "router", "nas.local", "127.1", "0x7f000001", "1.0x1"} {
		if _, err := c.Get("http://" + host + "/"); !errors.Is(err, ErrAddress) {
			t.Errorf("GET from %s: %v, want ErrAddress", host, err)
		}
	}
	if len(asked) != 1 {
		t.Errorf("the proxy was asked for %q", asked)
	}
	inside, err := ClientBy(true, proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inside.Get("http://127.0.0.1:9/"); err != nil || len(asked) != 2 {
		t.Errorf("in a private network: %v, asked %q", err, asked)
	}
}

func TestClientByNothingThatIsAWay(t *testing.T) {
	for _, way := range []string{"eth0", "ftp://a.example", "socks4://a.example:1", "http://", "http://a.example/path", "fe80::1%eth0", "://", "http://a\nb"} {
		if _, err := ClientBy(true, way); !errors.Is(err, ErrEgress) {
			t.Errorf("%q: %v, want ErrEgress", way, err)
		}
	}
	if _, err := ClientBy(true, "gopher://me:secret@a.example"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells the password: %v", err)
	}
	for _, way := range []string{"", "socks5://127.0.0.1:9050", "https://me:secret@a.example:3128/", "::1"} {
		if _, err := ClientBy(false, way); err != nil {
			t.Errorf("%q: %v", way, err)
		}
	}
}
