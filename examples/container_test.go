package examples

import (
	"context"
	"os"
	"path/filepath"
	goruntime "runtime"
	"testing"
	"time"

	"barnraise"
	"barnraise/conformance"
	"barnraise/image"
	"barnraise/jsonrpc"
	"barnraise/manifest"
	"barnraise/runtime"
	containers "barnraise/runtime/docker"
)

// elaborate is the example as images of the real world often are: many layers, some of which take away what others brought,
// variables, an entrypoint with arguments, and much that a host passes over.
const elaborate = `FROM node:22-slim AS first
COPY server.mjs /opt/app/old/server.mjs
FROM node:22-slim
LABEL org.opencontainers.image.title="echo" org.opencontainers.image.version="1"
ENV NODE_ENV=production NODE_OPTIONS="--max-old-space-size=64" APP_HOME=/opt/app PORT=9999 HOME=/home/app
WORKDIR $APP_HOME/lib
COPY openrpc.json service.yaml ./
COPY . /opt/app/old/
RUN ["node", "-e", "fs.rmSync('/opt/app/old', {recursive: true}); fs.rmSync('service.yaml')"]
COPY --from=first /opt/app/old/ /opt/app/old/
RUN ["node", "-e", "fs.symlinkSync('../old/server.mjs', 'main.mjs'); fs.chmodSync('.', 0o555)"]
RUN ["node", "-e", "fs.linkSync('/opt/app/old/server.mjs', '/opt/app/lib.mjs')"]
EXPOSE 3000/tcp
HEALTHCHECK --interval=1s CMD ["node", "-e", "process.exit(1)"]
STOPSIGNAL SIGKILL
USER root
ENTRYPOINT ["node", "--preserve-symlinks-main"]
CMD ["main.mjs"]
`

// Protocol 2.2, in another language, as strangers run it: in a container without network, user and files to write to, it answers
// its examples as its document says, and passes the gate, which the elaborate one is spared for the time that it takes.
func TestEchoNodeInContainer(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("echo-node")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(elaborate), 0o600); err != nil {
		t.Fatal(err)
	}
	source, err := manifest.ReadSource("echo-node/service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"plain": "echo-node", "elaborate": dir} {
		t.Run(name, func(t *testing.T) {
			r, s := inContainer(t, dir, source.Manifest)
			answersExamples(t, r, s, runtime.Surroundings{})
			if name == "elaborate" {
				answersExamples(t, r, s, runtime.Surroundings{Env: "PATH=/x\nNODE_OPTIONS=--bad\nLANG=ja_JP.EUC-JP", First: true, Hostname: "h"})
				return
			}
			report, err := conformance.Check(t.Context(), r, s, conformance.Options{Requests: 3, Now: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			if !report.Passed || len(report.Platforms) != 1 || len(report.Perturbations) < 5 {
				t.Errorf("%v, tried as %v: %+v, %+v", report.Err(), report.Perturbations, report.Differences, report.Failures)
			}
			t.Logf("tried %d ways, skipped %+v, hints %q", len(report.Perturbations), report.Skipped, report.Hints)
		})
	}
}

// inContainer builds a directory and returns what runs it in containers.
func inContainer(t *testing.T, dir string, m manifest.Manifest) (*containers.Runtime, conformance.Subject) {
	t.Helper()
	_, saved := built(t, dir)
	store, built := load(t, saved)
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		t.Fatal(err)
	}
	platform := "linux/" + goruntime.GOARCH
	v, err := store.Variant(index, platform)
	if err != nil {
		t.Fatal(err)
	}
	place, err := os.MkdirTemp("", "be") // short enough for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(place) })
	r, err := containers.New(containers.Config{Images: store, Dir: place})
	if err != nil {
		t.Fatal(err)
	}
	return r, conformance.Subject{Image: index, Variants: map[string]barnraise.Digest{platform: v.Manifest}, Manifest: m}
}

func answersExamples(t *testing.T, r runtime.Runtime, s conformance.Subject, around runtime.Surroundings) {
	t.Helper()
	examples, err := s.Manifest.Examples()
	if err != nil {
		t.Fatal(err)
	}
	spec := runtime.Spec{Image: s.Image, Limits: s.Manifest.Limits, Around: around}
	for _, spec.Platform = range s.Variants {
	}
	i, err := r.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := i.Stop(ctx); err != nil {
			t.Error(err)
		}
	}()
	for n, want := range results(t, s.Manifest.OpenRPC) {
		for range 3 {
			got, err := i.Call(t.Context(), examples[n])
			if err != nil {
				t.Fatalf("%s: %v", examples[n], err)
			}
			if a, err := jsonrpc.ParseResponse(got, jsonrpc.WireID); err != nil || string(a.Result) != want {
				t.Errorf("%s is answered %s, %v, want %s", examples[n], got, err, want)
			}
		}
	}
}
