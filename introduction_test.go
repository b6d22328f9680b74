package barnraise

import (
	"errors"
	"strings"
	"testing"
)

func TestProtocol10_1Introduction(t *testing.T) {
	const now = int64(1_800_000_000)
	s := testSnapshot(t)
	server, _ := s.Server(2)
	server.URL = "https://b.example"
	good := Introduction{Server: 2, URL: server.URL, Chain: testRegistry.Chain, Services: testRegistry.Services, Servers: testRegistry.Servers, IssuedAt: now}
	for _, c := range []struct {
		name   string
		change func(*Introduction)
		key    byte
		now    int64
		want   string // in the error; empty where it holds
	}{
		{"good", func(*Introduction) {}, 2, now, ""},
		{"almost an hour old", func(*Introduction) {}, 2, now + 3600, ""},
		{"over an hour old", func(*Introduction) {}, 2, now + 3601, "hour"},
		{"from the future", func(*Introduction) {}, 2, now - 3601, "hour"},
		{"other server", func(i *Introduction) { i.Server = 1 }, 2, now, "of server 1"},
		{"other URL", func(i *Introduction) { i.URL = "https://c.example" }, 2, now, "registered is"},
		{"other registry", func(i *Introduction) { i.Chain = "eip155:1" }, 2, now, "another registry"},
		{"foreign key", func(*Introduction) {}, 3, now, "none of this server's"},
	} {
		i := good
		c.change(&i)
		_, err := CheckIntroduction(s, server, Sign(TypeServer, i.Payload(), testKey(c.key)), c.now)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrIntroduction) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error is %v, want %q", c.name, err, c.want)
		}
	}
	receipt := Sign(TypeReceipt, good.Payload(), testKey(2))
	if _, err := CheckIntroduction(s, server, receipt, now); !errors.Is(err, ErrToken) {
		t.Errorf("a receipt passes for an introduction: %v", err)
	}
}
