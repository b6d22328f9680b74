package server

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"barnraise"
	"barnraise/budget"
	"barnraise/manifest"
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
	elsewhere := "unix:/run/clef.ipc#0x00000000000000000000000000000000000000de"
	c, err = read(good + "account: " + elsewhere + "\naccount_password: secret\n")
	if err != nil || c.Account != elsewhere || c.Password != filepath.Join(dir, "secret") {
		t.Errorf("read as %+v, %v", c, err)
	}
	if c, err = read(good + "account: delegate.key\n"); err != nil || c.Account != filepath.Join(dir, "delegate.key") {
		t.Errorf("read as %+v, %v", c, err)
	}
	c, err = read(good + "budgets: {memory: 8GiB, requests: 7, kept: 0, each: {egress: 20GB}}\npolicy: {epoch: 1h, hysteresis: 0}\n")
	if err != nil || c.Budgets.Requests != 7 || c.Budgets.Kept != 0 || c.Budgets.Burst != budget.Default().Burst || c.Budgets.Each.Egress != 20e9 ||
		c.Budgets.Each.Burst != budget.Default().Each.Burst || c.Policy.Hysteresis != 0 || c.Policy.Replicas != 4 || c.Hosting != HostingAsk {
		t.Errorf("read as %+v, %v", c, err)
	}
	for name, v := range map[string]struct{ text, want string }{
		"no requests":     {good + "budgets: {requests: 0}\n", "budgets: requests: 0, want 0.001 to"},
		"no bytes of one": {good + "budgets: {each: {egress: 0}}\n", "budgets: each: egress: 0 B, want"},
		"little memory":   {good + "budgets: {memory: 1MiB}\n", "budgets: memory: 1 MiB, want at least 512 MiB"},
		"odd size":        {good + "budgets: {images: many}\n", "budgets/images"},
		"short epoch":     {good + "policy: {epoch: 5ms}\n", "policy: epoch: 5ms, want 1s"},
		"unknown knob":    {good + "policy: {seedshare: 1}\n", `did you mean "seed_share"?`},
		"unknown key":     {good + "rewrads: [1]\n", `did you mean "rewards"?`},
		"no url":          {strings.Replace(good, "url", "contact", 1), "url is missing"},
		"no data":         {strings.Replace(good, "data: data", "", 1), "data is missing"},
		"service 0":       {good + "rewards: [0]\n", "rewards"},
		"half of TLS":     {good + "tls: {key: k}\n", "both certificate and key"},
		"id as text":      {strings.Replace(good, "[3, 1]", "[search]", 1), "own"},
	} {
		if _, err := read(v.text); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: error is %v, want one with %q", name, err, v.want)
		}
	}
	if _, err := Open(Config{URL: "ftp://x", Listen: "127.0.0.1:0", Data: dir}, Dependencies{Network: testNetwork}); err == nil {
		t.Error("a URL that nobody can call is taken")
	}
}

// docs/files.md says what the program does without a key.
func TestDefaultsAreDescribed(t *testing.T) {
	b, err := os.ReadFile("../docs/files.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]string) // by key: what stands behind what it is
	_, text, _ := strings.Cut(string(b), "### budgets")
	text, _, _ = strings.Cut(text, "## Account files")
	for line := range strings.Lines(text) {
		cells := strings.Split(line, " | ")
		for key := range strings.SplitSeq(strings.TrimPrefix(cells[0], "| "), ", ") {
			rows[strings.Trim(key, "`")] += "| " + strings.TrimRight(strings.Join(cells[min(2, len(cells)):], " | "), " |\n") + " |"
		}
	}
	budgets, policy := budget.Default(), DefaultPolicy()
	for _, v := range []any{budgets, budgets.Each, policy} {
		fields := reflect.ValueOf(v)
		for f, value := range fields.Fields() {
			key := f.Tag.Get("json")
			if skip := []string{"memory", "cpu", "epoch", "each"}; slices.Contains(skip, key) || v == any(policy) && key == "egress" {
				continue // of the machine, or in other words
			}
			want := fmt.Sprint(value.Interface())
			if size, ok := value.Interface().(manifest.Bytes); ok {
				want = inGB(size)
			}
			if !strings.Contains(rows[key], "| "+want+" |") {
				t.Errorf("docs/files.md says of %s %q, want %s", key, rows[key], want)
			}
		}
	}
}

func inGB(size manifest.Bytes) string {
	if size%(1<<30) == 0 {
		return fmt.Sprintf("%d GiB", size>>30)
	}
	return fmt.Sprintf("%d GB", size/1e9)
}
