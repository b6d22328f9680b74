// Package examples holds what the documents show; its tests run it.
package examples

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"barnraise"
	"barnraise/image"
	"barnraise/jsonrpc"
	"barnraise/manifest"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const base = "node:22-slim"

// missing skips a test for want of a tool; in CI it fails.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// start runs the server and returns its URL and what ends it.
func start(t *testing.T) (url string, leave func() error) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed: cannot run the example in Node; see https://nodejs.org")
	}
	c := exec.Command(node, "echo-node/server.mjs")
	c.Env = []string{"PORT=0"}
	talk, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	line, err := bufio.NewReader(talk).ReadString('\n')
	if err != nil {
		t.Fatalf("it said %q: %v", line, err)
	}
	port := strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:])
	return "http://127.0.0.1:" + port, func() error {
		return errors.Join(c.Process.Signal(syscall.SIGTERM), c.Wait())
	}
}

func post(t *testing.T, url, request string) []byte {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(request))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%.100s: %s %s, %v", request, resp.Status, b, err)
	}
	return b
}

// results are those that the OpenRPC document shows, in the order of the manifest's examples.
func results(t *testing.T, openrpc jsontext.Value) (all []string) {
	t.Helper()
	var d struct {
		Methods []struct {
			Examples []struct {
				Result struct {
					Value jsontext.Value `json:"value"`
				} `json:"result"`
			} `json:"examples"`
		} `json:"methods"`
	}
	if err := json.Unmarshal(openrpc, &d); err != nil {
		t.Fatal(err)
	}
	for _, m := range d.Methods {
		for _, e := range m.Examples {
			all = append(all, string(e.Result.Value))
		}
	}
	return all
}

// Protocol 2.2, in another language: the server is ready, answers its examples as its document says, and leaves on SIGTERM.
func TestEchoNode(t *testing.T) {
	url, leave := start(t)
	source, err := manifest.ReadSource("echo-node/service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := source.Examples()
	if err != nil || len(examples) != 2 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	if resp, err := http.Get(url + "/readyz"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("/readyz: %v, %v", resp, err)
	}
	for i, want := range results(t, source.OpenRPC) {
		for range 3 {
			r, err := jsonrpc.ParseResponse(post(t, url, string(examples[i])), jsonrpc.WireID)
			if err != nil || r.Error != nil || string(r.Result) != want {
				t.Errorf("%s is answered %s, %v, want %s", examples[i], r.Result, err, want)
			}
		}
	}
	for request, want := range map[string]string{
		`{"jsonrpc":"2.0","id":7,"method":"text_echo","params":["a"]}`:                 `{"jsonrpc":"2.0","id":7,"result":"a"}`,
		`{"jsonrpc":"2.0","id":1,"method":"text_words","params":{"text":"__proto__"}}`: `{"jsonrpc":"2.0","id":1,"result":[{"word":"proto","count":1}]}`,
		`{"jsonrpc":"2.0","id":1,"method":"toString","params":[]}`:                     `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method not found"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"text_echo","params":[1]}`:                   `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"param text: want a string"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"text_echo","params":{"other":"a"}}`:         `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"param text: want a string"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"text_echo"}`:                                `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"params: want text"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"text_echo","params":null}`:                  `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"not a request"}}`,
		`null`: `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not a request"}}`,
		`{`:    `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"not JSON"}}`,
	} {
		if got := string(post(t, url, request)); got != want {
			t.Errorf("%s is answered\n%s, want\n%s", request, got, want)
		}
	}
	if err := leave(); err != nil {
		t.Errorf("left with %v", err)
	}
}

// docker runs the command of a real engine.
func docker(t *testing.T, in io.Reader, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "docker", args...)
	c.Stdin = in
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("docker %s: %w\n%s", args[0], err, &said)
	}
	return strings.TrimSpace(string(out)), err
}

// needBase sees to it that there is an image to build on. Where the registry cannot be reached it makes one of this machine's
// node and the libraries that it loads.
func needBase(t *testing.T) {
	t.Helper()
	if _, err := docker(t, nil, "image", "inspect", base); err == nil {
		return
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed: there is nothing to build "+base+" of")
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(standIn(w, node)) }()
	if _, err := docker(t, r, "import", "-", base); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { clean(base) })
}

// clean removes an image; the test is over then, and its context with it.
func clean(tag string) { _ = exec.Command("docker", "rmi", tag).Run() }

func standIn(to io.Writer, node string) error {
	listed, err := exec.Command("ldd", node).Output()
	if err != nil {
		return err
	}
	w := tar.NewWriter(to)
	err = add(w, node, "usr/local/bin/node")
	for _, library := range regexp.MustCompile(`/\S+`).FindAllString(string(listed), -1) {
		err = errors.Join(err, add(w, library, strings.TrimPrefix(library, "/")))
	}
	return errors.Join(err, w.Close())
}

func add(w *tar.Writer, from, name string) error {
	b, err := os.ReadFile(from)
	if err == nil {
		err = w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(b)), Typeflag: tar.TypeReg})
	}
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

// built has the engine build a directory, and returns the image's tag there and what docker save writes of it.
func built(t *testing.T, dir string) (tag, saved string) {
	t.Helper()
	if _, err := docker(t, nil, "version"); err != nil {
		missing(t, "no Docker engine answers: cannot build the example in Node: "+err.Error())
	}
	needBase(t)
	tag = fmt.Sprintf("echo-node:test-%d", os.Getpid())
	if _, err := docker(t, nil, "build", "-q", "--network", "none", "-t", tag, dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { clean(tag) })
	saved = filepath.Join(t.TempDir(), "saved.tar")
	if _, err := docker(t, nil, "save", "-o", saved, tag); err != nil {
		t.Fatal(err)
	}
	return tag, saved
}

// What docker build makes of a plain Dockerfile, and docker save writes, becomes an image; the same file always the same one.
func TestEchoNodeImage(t *testing.T) {
	tag, saved := built(t, "echo-node")
	store, built := load(t, saved)
	if _, again := load(t, saved); again.Image != built.Image || !strings.HasPrefix(built.Image, "echo-node@sha256:") {
		t.Errorf("the same file became %s and %s", built.Image, again.Image)
	}
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		t.Fatal(err)
	}
	v, err := store.Variant(index, "linux/"+runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	id, err := docker(t, nil, "image", "inspect", "-f", "{{.Id}}", tag)
	if err != nil {
		t.Fatal(err)
	}
	if config := configOf(t, store, v.Manifest); id != config && id != v.Manifest.String() { // engines since 29 name the manifest
		t.Errorf("the engine calls it %s, and its configuration is %s here", id, config)
	}
	if _, err := (&image.Puller{Store: store}).Pull(t.Context(), index, nil); err != nil {
		t.Error(err)
	}
}

func load(t *testing.T, file string) (*image.Store, image.Built) {
	t.Helper()
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	built, err := image.Load(store, "", f)
	if err != nil {
		t.Fatal(err)
	}
	return store, built
}

func configOf(t *testing.T, s *image.Store, d barnraise.Digest) string {
	t.Helper()
	b, err := s.Get(d, image.MaxDocument)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Config struct {
			Digest string `json:"digest"`
		} `json:"config"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m.Config.Digest
}
