package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"barnraise/proxy"
)

// The flags of the proxy, its defaults and its codes stand in its document.
func TestProxyIsDescribed(t *testing.T) {
	b, err := os.ReadFile("../../docs/proxy.md")
	if err != nil {
		t.Fatal(err)
	}
	flags := section(t, string(b), "Flags")
	c := (&app{}).proxy()
	for _, name := range regexp.MustCompile(`(?m)^ +--([a-z-]+)`).FindAllStringSubmatch(c.Flags().FlagUsages(), -1) {
		f := c.Flags().Lookup(name[1])
		row := regexp.MustCompile("(?m)^\\| `--" + f.Name + "` \\| .* \\| .*\\|$").FindString(flags)
		plain := f.DefValue == "" || f.DefValue == "[]" || f.DefValue == "false" || f.DefValue == "0"
		if row == "" || !plain && !strings.HasSuffix(row, " `"+f.DefValue+"` |") {
			t.Errorf("docs/proxy.md says of --%s %q, its default is %s", f.Name, row, f.DefValue)
		}
	}
	errors := strings.ReplaceAll(section(t, string(b), "Errors of the proxy"), "−", "-")
	for code, status := range map[int64]string{
		proxy.CodeUndecided: proxy.StatusUndecided, proxy.CodeTooFew: proxy.StatusTooFew, proxy.CodeOutOfTime: proxy.StatusOutOfTime,
		proxy.CodeNotFound: proxy.StatusNotFound, proxy.CodeUnavailable: proxy.StatusUnavailable, proxy.CodeLimit: proxy.StatusLimit,
	} {
		if !strings.Contains(errors, "\n| "+strconv.FormatInt(code, 10)+" | `"+status+"` |") {
			t.Errorf("docs/proxy.md does not describe %d, %s", code, status)
		}
	}
}

func TestAddressesThatOnlyThisMachineReaches(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:8645": true, "127.9.9.9:0": true, "[::1]:1": true, "localhost:1": true,
		":8645": false, "0.0.0.0:1": false, "[::]:1": false, "192.0.2.1:1": false, "a.example:1": false, "127.0.0.1": false,
	} {
		if got := onLoopback(address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	for listen, want := range map[string]string{"0.0.0.0:1": "", ":1": "", "[::]:1": "", "192.0.2.1:1": "192.0.2.1", "proxy.lan:1": "proxy.lan"} {
		if got := strings.Join(ownName(listen), " "); got != want {
			t.Errorf("%s: goes by %q, want %q", listen, got, want)
		}
	}
}
