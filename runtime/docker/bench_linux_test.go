package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"barnraise/image"
	"barnraise/runtime"
	"barnraise/runtime/suite"
)

// direct is the hostile service as a process of this machine: what containers are measured by. Without a line it is called by
// net/http, as anybody would.
type direct struct {
	line *line
	url  string
}

func newDirect(b *testing.B, spec runtime.Spec, images *image.Store) *direct {
	b.Helper()
	program := filepath.Join(b.TempDir(), "svc")
	s, err := find(images, spec.Platform)
	if err != nil {
		b.Fatal(err)
	}
	r, err := images.Unpack(s.Layers[0], 64<<20)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	archive := tar.NewReader(r)
	if _, err := archive.Next(); err != nil {
		b.Fatal(err)
	}
	binary, err := io.ReadAll(archive)
	if err == nil {
		err = os.WriteFile(program, binary, 0o700)
	}
	if err != nil {
		b.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	service := exec.Command(program)
	service.Env = []string{"PORT=" + port}
	if err := service.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = service.Process.Kill()
		_ = service.Wait()
	})
	d := &direct{url: "http://127.0.0.1:" + port + "/", line: &line{dial: func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
	}}}
	b.Cleanup(d.line.close)
	eventually(b, 5*time.Second, "ready", func() bool { return d.line.ready(b.Context()) == nil })
	return d
}

// Call does what that of an instance does, but for what has to do with containers.
func (d *direct) Call(ctx context.Context, request []byte) ([]byte, error) {
	id, err := runtime.CheckRequest(suite.Limits, request)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(suite.Limits.Timeout))
	defer cancel()
	answer, err := d.exchange(ctx, request)
	if err != nil {
		return nil, err
	}
	return answer, runtime.CheckResponse(suite.Limits, id, answer)
}

func (d *direct) exchange(ctx context.Context, request []byte) ([]byte, error) {
	if d.line != nil {
		answer, _, _, err := d.line.call(ctx, time.Now().Add(time.Minute), request, int64(suite.Limits.Response))
		return answer, err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	return io.ReadAll(a.Body)
}

type caller interface {
	Call(ctx context.Context, request []byte) ([]byte, error)
}

// BenchmarkCall compares a process of this machine, called by net/http and by what calls containers, with containers dialled
// in their namespaces, through holders, and, where BARNRAISE_RUNSC says where it is, under gVisor; one call at a time, and
// eight.
func BenchmarkCall(b *testing.B) {
	images, err := image.Open(filepath.Join(b.TempDir(), "images"))
	if err != nil {
		b.Fatal(err)
	}
	spec := hostile(b, images, oddity{})
	contestants := []struct {
		name string
		make func(b *testing.B) caller
	}{
		{"direct", func(b *testing.B) caller {
			d := newDirect(b, spec, images)
			d.line = nil
			return d
		}},
		{"direct-line", func(b *testing.B) caller { return newDirect(b, spec, images) }},
		{"namespace", func(b *testing.B) caller {
			return start(b, newRuntime(b, Config{Images: images, Dial: Namespace}), spec)
		}},
		{"holder", func(b *testing.B) caller {
			return start(b, newRuntime(b, Config{Images: images, Dial: Holder, Forwarder: forwarder(b)}), spec)
		}},
		{"runsc", func(b *testing.B) caller {
			return start(b, newRuntime(b, Config{Images: images, Host: withRunsc(b), Runtime: "runsc"}), spec)
		}},
	}
	for _, c := range contestants {
		b.Run(c.name, func(b *testing.B) {
			service := c.make(b)
			if i, ok := service.(*instance); ok {
				eventually(b, time.Minute, "two are ready", func() bool { return len(i.pool.workers()) == 2 })
			}
			b.Run("one", func(b *testing.B) { measure(b, service, 1) })
			b.Run("eight", func(b *testing.B) { measure(b, service, 8) })
		})
	}
}

// measure calls from so many places at once.
func measure(b *testing.B, service caller, at int) {
	request := []byte(`{"jsonrpc":"2.0","id":1,"method":"echo","params":["hello"]}`)
	took := make([][]time.Duration, at)
	var all sync.WaitGroup
	begun := time.Now()
	b.ResetTimer()
	for n := range at {
		all.Go(func() {
			for range b.N/at + 1 {
				t := time.Now()
				if _, err := service.Call(context.Background(), request); err != nil {
					b.Error(err)
					return
				}
				took[n] = append(took[n], time.Since(t))
			}
		})
	}
	all.Wait()
	sorted := slices.Sorted(slices.Values(slices.Concat(took...)))
	if len(sorted) == 0 {
		return
	}
	b.ReportMetric(float64(len(sorted))/time.Since(begun).Seconds(), "rps")
	b.ReportMetric(float64(sorted[len(sorted)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(sorted[len(sorted)*99/100].Microseconds()), "p99-µs")
}
