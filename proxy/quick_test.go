package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"barnraise"
	"barnraise/client"
)

// got is what a caller on a wire gets.
type got struct {
	code   int
	header http.Header
	body   string
	dated  bool // the date comes first, as from Quick alone
}

func (g got) String() string { return fmt.Sprintf("%d %v %.200q", g.code, g.header, g.body) }

// wired sends a request to a proxy that listens, with the Host of that address unless another is given.
func wired(t *testing.T, address, path, host, fields, body string) (g got) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if host == "" {
		host = address
	}
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %d\r\n\r\n%s", path, host, fields, len(body), body)
	var said strings.Builder
	resp, err := http.ReadResponse(bufio.NewReader(io.TeeReader(c, &said)), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("Date") == "" {
		t.Error("no date")
	}
	resp.Header.Del("Date")
	_, rest, _ := strings.Cut(said.String(), "\r\n")
	return got{resp.StatusCode, resp.Header, string(b), strings.HasPrefix(rest, "Date: ")}
}

// Whether a request is answered quickly or by net/http's server makes no difference to its caller.
func TestQuickAnswersAreTheSame(t *testing.T) {
	const ours, page = "Content-Type: application/json\r\n", "Origin: https://page.example\r\n"
	failure := serviceError(t, `{"code": 7,"message":"m"}`)
	p, _ := newProxy(t, func(_ context.Context, service, method string, params []byte) (*client.Answer, error) {
		a := accepted(`{"of":"` + method + string(params) + `"}`)
		a.Requests, a.Struck, a.Evidence, a.Unverified = 2, []barnraise.ServerID{7}, "sha256:aa", []string{"/result/ä"}
		a.Asked = []client.Asked{{Server: 3, Role: client.RolePrimary, Outcome: client.OutcomeAgreed}}
		switch method {
		case "long":
			a.Result = []byte(`"` + strings.Repeat("a", 2*keptBytes) + `"`)
		case "wrong":
			a.Result, a.Error = nil, failure
		case "fails":
			return nil, errors.New("it fails")
		case "few":
			return nil, &client.TooFewError{Service: 3, Revision: 1, Need: 2, Have: 1}
		}
		return a, nil
	}, Config{Hosts: []string{"proxy.example"}, Limits: Limits{Body: 1000}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- p.Run(ctx, l, nil) }()
	call := func(method string) string { return strings.Replace(ping, `"m"`, `"`+method+`"`, 1) }
	for _, c := range []struct {
		path, host, fields, body string
		quick                    bool
	}{
		{"/3", "", ours, ping, true}, {"/3", "localhost:1", ours, ping, true}, {"/oracle@2", "proxy.example", ours, call("long"), true},
		{"/3", "", ours, call("wrong"), true}, {"/3", "", ours, call("fails"), true}, {"/3", "", ours, call("few"), true},
		{"/3", "", "content-type: application/json; charset=utf-8\r\n", ping, true}, {"/3", "", ours, " {", true}, {"/3", "", ours, `{"id":1}`, true},
		{"/3", "", ours, `{"jsonrpc":"2.0","method":"m"}`, true}, {"/3", "", ours, "x", true}, {"/3", "", ours, `{} {}`, true},
		{"/3", "", ours, `{"jsonrpc":"2.0","id":1,"method":"m","params":["\n"]}`, true},
		{"/3", "", ours, "[" + ping + "," + ping + "]", false}, {"/3", "", ours, "", false}, {"/3", "", ours, " [", false},
		{"/3", "", ours, `{"jsonrpc":"2.0","id":1,"method":"m","params":["` + strings.Repeat("a", 1000) + `"]}`, false},
		{"/3/4", "", ours, ping, false}, {"/", "", ours, ping, false}, {"/livez", "", "", "", false}, {"/3", "rebound.example", ours, ping, false},
		{"/3", "", ours + page, ping, false}, {"/3", "", "", ping, false}, {"/3", "", "Content-Type: text/plain\r\n", ping, false},
		{"/3", "", ours + ours, ping, false}, {"/3", "", ours + "Barnraise-Policy: paranoid\r\n", ping, false},
		{"/3", "", ours + "Barnraise-Policy: none\r\n", ping, false},
	} {
		got := wired(t, l.Addr().String(), c.path, c.host, c.fields, c.body)
		if got.dated != c.quick {
			t.Errorf("%s %s%.80s: answered quickly: %t", c.path, c.fields, c.body, got.dated)
		}
		want := wired(t, l.Addr().String(), c.path, c.host, "TE: trailers\r\n"+c.fields, c.body)
		if want.dated {
			t.Error("what is not plain was answered quickly")
		}
		if got.dated = false; !reflect.DeepEqual(got, want) {
			t.Errorf("%s %s%.80s:\n%v, want\n%v", c.path, c.fields, c.body, got, want)
		}
	}
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

// Who calls too often is told so on either way, and is let in again.
func TestQuickLimits(t *testing.T) {
	p, _ := newProxy(t, answers(accepted(`1`), nil), Config{Limits: Limits{Rate: 1e-9, Burst: 3, Batch: 1}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- p.Run(ctx, l, nil) }()
	for i, want := range []int{200, 200, 200, 429, 429} {
		if got := wired(t, l.Addr().String(), "/3", "", "Content-Type: application/json\r\n", ping); got.code != want {
			t.Errorf("call %d: %v, want %d", i+1, got, want)
		}
	}
	stop()
	if err := <-ran; err != nil || p.gate.busy() != 0 || p.held.Load() != 0 {
		t.Errorf("%v, %d are under way, %d bytes held", err, p.gate.busy(), p.held.Load())
	}
}
