package dial

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a name server on this machine. It answers the next questions for a name with the next of its addresses, the last one again
// and again: whoever owns a name can do that.
type names struct {
	mu    sync.Mutex
	zone  map[string][][]string
	asked int
}

// resolver starts it until the test ends.
func (n *names) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			size, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if reply := n.reply(b[:size]); reply != nil {
				c.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", c.LocalAddr().String())
	}}
}

func (n *names) reply(question []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	n.mu.Lock()
	defer n.mu.Unlock()
	rounds := n.zone[q.Name.String()]
	m.Response, m.Additionals = true, nil
	if len(rounds) == 0 {
		m.RCode = dnsmessage.RCodeNameError
	} else {
		for _, text := range rounds[0] {
			switch a := netip.MustParseAddr(text); {
			case a.Is4() && q.Type == dnsmessage.TypeA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.AResource{A: a.As4()}})
			case a.Is6() && q.Type == dnsmessage.TypeAAAA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
			}
		}
		if n.asked++; n.asked%2 == 0 && len(rounds) > 1 { // both kinds were asked for
			n.zone[q.Name.String()] = rounds[1:]
		}
	}
	b, err := m.Pack()
	if err != nil {
		return nil
	}
	return b
}

// Protocol 10.2: after DNS. A name whose addresses are not public is refused whatever it is, and by whoever dials.
func TestProtocol10_2NamesOfPrivateAddresses(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	zone := &names{zone: make(map[string][][]string)}
	for i, address := range []string{
		"127.0.0.1", "0.0.0.0", "10.1.2.3", "100.64.0.1", "169.254.169.254", "192.168.1.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "fe80::1", "fd00::1",
	} {
		zone.zone["n"+strconv.Itoa(i)+".example."] = [][]string{{address}}
	}
	resolver := zone.resolver(t)
	for way, make := range map[string]func(*net.Dialer) http.RoundTripper{
		"transport": func(d *net.Dialer) http.RoundTripper {
			tr := transport(false)
			tr.DialContext = d.DialContext
			return plain{tr}
		},
		"lean": func(d *net.Dialer) http.RoundTripper { return newLean(d) },
	} {
		d := dialer(false)
		d.Resolver = resolver
		client := &http.Client{Transport: make(d)}
		for i := range len(zone.zone) {
			if resp, err := client.Get("http://n" + strconv.Itoa(i) + ".example:" + port); !errors.Is(err, ErrAddress) {
				t.Errorf("%s: %v: %v, %v, want ErrAddress", way, zone.zone["n"+strconv.Itoa(i)+".example."], resp, err)
			}
		}
		client.CloseIdleConnections()
	}
	if asked > 0 {
		t.Errorf("%d requests arrived on loopback", asked)
	}
}

// Protocol 10.2: on every connection. A name that was public at first, and is this machine's later, is not dialled then.
func TestProtocol10_2NameThatTurnsPrivate(t *testing.T) {
	const name = "turns.example."
	zone := &names{zone: map[string][][]string{name: {{"192.0.2.1"}, {"127.0.0.1"}}}}
	d := dialer(false)
	d.Resolver = zone.resolver(t)
	checked := 0
	check := d.ControlContext
	var seen []string
	d.ControlContext = func(ctx context.Context, network, address string, c syscall.RawConn) error {
		checked++
		seen = append(seen, address)
		if address == "192.0.2.1:9" { // what stands for a public address here
			return errors.New("enough")
		}
		return check(ctx, network, address, c)
	}
	if _, err := d.Dial("tcp", "turns.example:9"); err == nil || errors.Is(err, ErrAddress) {
		t.Errorf("at first: %v", err)
	}
	if _, err := d.Dial("tcp", "turns.example:9"); !errors.Is(err, ErrAddress) {
		t.Errorf("once it is this machine's: %v, want ErrAddress", err)
	}
	if checked != 2 {
		t.Errorf("checked %d times, of %v, want twice", checked, seen)
	}
}
