package server

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barnraise"
)

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	read := func(text string) (Config, error) {
		path := filepath.Join(dir, "server.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return ReadConfig(path)
	}
	good := "listen: 127.0.0.1:0\nurl: https://a.example\nkey: key.pem\ndata: data\nown: [3, 1]\n"
	c, err := read(good)
	if err != nil || c.Key != filepath.Join(dir, "key.pem") || !slices.Equal(c.Own, []barnraise.ServiceID{1, 3}) {
		t.Errorf("read as %+v, %v", c, err)
	}
	c, err = read(good + "rewards: [5, 2, 5]\ntls: {certificate: certs/a.pem, key: /etc/a.key}\n")
	if err != nil || *c.TLS != (TLS{filepath.Join(dir, "certs", "a.pem"), "/etc/a.key"}) || !slices.Equal(c.Rewards, []barnraise.ServiceID{2, 5}) {
		t.Errorf("read as %+v with %+v, %v", c, c.TLS, err)
	}
	for name, v := range map[string]struct{ text, want string }{
		"unknown key": {good + "rewrads: [1]\n", `did you mean "rewards"?`},
		"no url":      {strings.Replace(good, "url", "contact", 1), "url is missing"},
		"no data":     {strings.Replace(good, "data: data", "", 1), "data is missing"},
		"service 0":   {good + "rewards: [0]\n", "rewards"},
		"half of TLS": {good + "tls: {key: k}\n", "both certificate and key"},
		"id as text":  {strings.Replace(good, "[3, 1]", "[search]", 1), "own"},
	} {
		if _, err := read(v.text); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: error is %v, want one with %q", name, err, v.want)
		}
	}
	if _, err := Open(Config{URL: "ftp://x", Listen: "127.0.0.1:0", Data: dir}, Dependencies{Network: testNetwork}); err == nil {
		t.Error("a URL that nobody can call is taken")
	}
}
