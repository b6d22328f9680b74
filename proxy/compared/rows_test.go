package compared

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"barnraise"
)

// reverse is Go's own reverse proxy, before the first stub.
func reverse(s setup) (http.Handler, error) {
	u, err := url.Parse(s.Upstreams[0])
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 128
	p := httputil.NewSingleHostReverseProxy(u)
	p.Transport = t
	p.ErrorLog = log.New(io.Discard, "", 0)
	return p, nil
}

// twice is what somebody writes by hand: two servers are asked at once, the answers compared, and the receipts checked if they
// are signed.
type twice struct {
	setup
	client http.Client
}

func newTwice(s setup) *twice {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 128
	return &twice{s, http.Client{Transport: t}}
}

func (c *twice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var both sync.WaitGroup
	var answers [2][]byte
	var errs [2]error
	for i := range answers {
		both.Go(func() { answers[i], errs[i] = c.ask(r.Context(), i, r.URL.Path, request) })
	}
	both.Wait()
	err = errors.Join(errs[:]...)
	if err == nil && !bytes.Equal(answers[0], answers[1]) {
		err = errors.New("they differ")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = w.Write(answers[0])
}

func (c *twice) ask(ctx context.Context, i int, path string, request []byte) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Upstreams[i]+path, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	resp, err := c.client.Do(q)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !c.Signed {
		return body, err
	}
	receipt, token, err := barnraise.ParseReceipt(resp.Header.Get("Barnraise-Receipt"))
	if err != nil {
		return nil, err
	}
	if err := receipt.Covers(here, barnraise.ServerID(i+1), 1, barnraise.Revision{Number: 1, Image: image}, request, body); err != nil {
		return nil, err
	}
	return body, token.Verify(publicOf(i + 1))
}

// nginx starts one with a single worker before an upstream, or returns nil where there is none.
func nginx(t testing.TB, upstream string) *process {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("nginx is not installed; on Debian: apt-get install nginx-light")
		}
		t.Log("nginx is not installed, its row is left out; on Debian: apt-get install nginx-light")
		return nil
	}
	dir := t.TempDir()
	address := free(t)
	config := fmt.Sprintf(`daemon off; master_process off; worker_processes 1; pid %[1]s/pid; error_log stderr crit;
events { worker_connections 1024; }
http {
	access_log off; keepalive_requests 1000000000; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	upstream stub { server %[3]s; keepalive 128; keepalive_requests 1000000000; }
	server { listen %[2]s; location / { proxy_pass http://stub; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffers 8 32k; } }
}`, dir, address, upstream)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &process{address: address, command: exec.Command(program, "-p", dir, "-c", file)}
	p.command.Stderr = os.Stderr
	if p.in, err = p.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	p.pid = p.command.Process.Pid
	answering(t, address)
	return p
}

// free is an address that nobody listens on.
func free(t testing.TB) string {
	t.Helper()
	l, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
