package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/manifest"
	"barnraise/service/servicetest"
	"barnraise/services/whisper/envelope"
	"barnraise/services/whisper/mail"

	"github.com/go-json-experiment/json"
)

var update = flag.Bool("update", false, "write the sample anew: sample.txt, archive.bin, and the root in openrpc.json and service.yaml")

// real is an envelope that geth 1.9.15 sealed.
const real = "0xf840846b02441f328401020304b1895eb088d510a1f88e518db8577711b13943c70f71b4111fe1a59433c0b60e38b1b97185ac09b507c28674be19f3a8699a821841"

// sample is the mail that comes with the source: geth's envelope, and some of five topics that are sealed here.
func sample(t *testing.T) []byte {
	var out bytes.Buffer
	fmt.Fprintln(&out, real)
	topics := []string{"\x01\x02\x03\x04", "barn", "mail", "\x00\x00\x00\x00", "\xff\xff\xff\xff"}
	for i := range 60 {
		noise := sha256.Sum256(fmt.Appendf(nil, "sample %d", i))
		e := envelope.Envelope{Expiry: 1_700_000_000 + uint32(i/7)*60, TTL: 50, Topic: envelope.Topic([]byte(topics[i%len(topics)])),
			Data: bytes.Repeat(noise[:], 4)[:20+i]}
		e, _, err := envelope.Seal(e, 0, 1<<20, func(e envelope.Envelope) int { return 10 })
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "0x%x\n", e.Encode())
	}
	return out.Bytes()
}

// The archive in the repository is what mail-build makes of sample.txt, and its root stands where it should.
func TestSample(t *testing.T) {
	if *update {
		updateSample(t)
	}
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-hex", "../sample.txt", "-out", dir}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	for _, name := range []string{"archive.bin", "openrpc.json", "service.yaml"} {
		built, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if committed, err := os.ReadFile("../" + name); err != nil || !bytes.Equal(committed, built) {
			t.Errorf("services/whisper/%s is not what mail-build makes of sample.txt (%v): run go test ./services/whisper/mail-build -update", name, err)
		}
		if name != "archive.bin" && !bytes.Contains(built, []byte(sampleRoot(t))) {
			t.Errorf("%s does not name the archive's root", name)
		}
	}
	if committed, err := os.ReadFile("../sample.txt"); err != nil || !bytes.Equal(committed, sample(t)) {
		t.Errorf("sample.txt is not what the test makes (%v)", err)
	}
	if got := stdout.String(); !strings.HasPrefix(got, `{"envelopes":61,"bytes":`) || !strings.HasSuffix(got, `"root":"`+sampleRoot(t)+"\"}\n") {
		t.Errorf("prints %s", got)
	}
	overlay, err := os.ReadFile(filepath.Join(dir, "overlay.json"))
	module, _ := filepath.Abs("../../..")
	if want := fmt.Sprintf("%q: %q", filepath.Join(module, "services/whisper/archive.bin"), filepath.Join(dir, "archive.bin")); err != nil || !bytes.Contains(overlay, []byte(want)) {
		t.Errorf("overlay is %s, %v, want %s in it", overlay, err, want)
	}
}

func sampleRoot(t *testing.T) string {
	file, err := os.ReadFile("../archive.bin")
	if err != nil {
		t.Fatal(err)
	}
	a, err := mail.Open(string(file))
	if err != nil {
		t.Fatal(err)
	}
	return rootOf(a)
}

func updateSample(t *testing.T) {
	envelopes, err := parseFile(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	file, err := mail.Build(envelopes)
	if err != nil {
		t.Fatal(err)
	}
	a, err := mail.Open(string(file))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"../archive.bin": file, "../sample.txt": sample(t)}
	for _, name := range []string{"../openrpc.json", "../service.yaml"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = bytes.ReplaceAll(content, []byte(sampleRoot(t)), []byte(rootOf(a)))
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"bad.txt": real + "\n0xzz\n", "none.txt": "c0\n", "real.txt": real})
	bad := filepath.Join(dir, "bad.txt")
	fine := filepath.Join(dir, "real.txt")
	out := filepath.Join(dir, "out")
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"help", []string{"-h"}, 0, "-hex file"},
		{"nothing", nil, 2, "give either -hex FILE or -dir FOLDER"},
		{"both", []string{"-hex", fine, "-dir", dir, "-out", out}, 2, "give either -hex FILE or -dir FOLDER"},
		{"nowhere", []string{"-hex", fine}, 2, "say with -out DIR"},
		{"unknown flag", []string{"-xeh", fine}, 2, "flag provided but not defined: -xeh"},
		{"rest", []string{"-hex", fine, "-out", out, "extra"}, 2, `"extra" is no flag`},
		{"bad name", []string{"-hex", fine, "-out", out, "-name", "My mail"}, 2, `-name "My mail": want 3 to 48`},
		{"platforms alone", []string{"-hex", fine, "-out", out, "-platforms", "wasip1/wasm"}, 2, "-platforms goes with -image"},
		{"no file", []string{"-hex", filepath.Join(dir, "x"), "-out", out}, 1, "no such file"},
		{"no folder", []string{"-dir", filepath.Join(dir, "x"), "-out", out}, 1, "no such file"},
		{"no module", []string{"-hex", fine, "-out", out, "-module", dir}, 1, "say -module DIR"},
		{"bad line", []string{"-hex", bad, "-out", out}, 1, "bad.txt: line 2: want hexadecimal digits, in pairs"},
		{"no envelope", []string{"-hex", filepath.Join(dir, "none.txt"), "-out", out}, 1, "envelope 1: decode 1 bytes: no envelope"},
		{"out is a file", []string{"-hex", fine, "-out", fine}, 1, "write service"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(c.args, &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.want) || stdout.Len() > 0 {
				t.Errorf("exit %d, prints %q, says %q; want exit %d and %q", code, stdout.String(), stderr.String(), c.code, c.want)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(out, "archive.bin")); err == nil {
		t.Error("an archive was written by a command that failed")
	}
}

// carriedOut runs the program and returns the line that it prints.
func carriedOut(t *testing.T, args ...string) (s summary) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), &s); err != nil {
		t.Fatalf("%s: %v", stdout.String(), err)
	}
	return s
}

// A folder of envelopes, in RLP or in lines, makes the archive that a file of them makes; links and folders within are not
// followed.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	lines := strings.SplitAfter(string(sample(t)), "\n")
	raw, err := parseFile([]byte(lines[5]))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"z.txt": strings.Join(lines[:5], ""), "b.rlp": string(raw[0]), "a.hex": "\r\n" + strings.Join(lines[3:], "\r\n")})
	other := t.TempDir()
	write(t, other, map[string]string{"bad.txt": "no envelope"})
	if err := os.Symlink(filepath.Join(other, "bad.txt"), filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "within"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := carriedOut(t, "-dir", dir, "-out", t.TempDir()); got.Root != sampleRoot(t) || got.Envelopes != 61 {
		t.Errorf("%+v, want the sample's root %s", got, sampleRoot(t))
	}
}

// What is written is a service that can be registered from where it lies.
func TestManifest(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "real.txt")
	write(t, dir, map[string]string{"real.txt": real})
	s := carriedOut(t, "-hex", file, "-out", dir, "-name", "old-mail", "-description", `Mail of "1970"`, "-licence", "CC0-1.0")
	got, err := manifest.ReadSource(filepath.Join(dir, "service.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := manifest.ReadSource("../service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "old-mail" || got.Description != `Mail of "1970"` || got.Licence != "CC0-1.0" ||
		string(got.Config) != `{"archive": "`+s.Root+`"}` || got.Verifier != own.Verifier || got.Limits != own.Limits {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(string(got.OpenRPC), s.Root) || strings.Contains(string(got.OpenRPC), sampleRoot(t)) {
		t.Error("the example of whisper_mail asks for another archive")
	}
	if _, err := os.Stat(filepath.Join("..", "verifier.wasm")); err == nil {
		if _, err := os.Stat(filepath.Join(dir, "verifier.wasm")); err != nil {
			t.Errorf("the verifier is not copied: %v", err)
		}
	}
}

func TestMemory(t *testing.T) {
	yaml := []byte("name: x\nverifierLimits:\n  memory: 64MiB\nlimits:\n  memory: 64MiB\n  cpu: 1\n")
	for size, want := range map[int]string{0: "64", 16 << 20: "64", 16<<20 + 1: "65", 200 << 20: "248"} {
		if got, want := string(words{name: "x"}.into(yaml, size)), strings.Replace(string(yaml), "\nlimits:\n  memory: 64", "\nlimits:\n  memory: "+want, 1); got != want {
			t.Errorf("%d bytes: %s, want %s", size, got, want)
		}
	}
}

// The same envelopes make the same image, wherever it is made.
func TestImage(t *testing.T) {
	if testing.Short() {
		t.Skip("builds an image")
	}
	var made []summary
	for range 2 {
		dir := t.TempDir()
		layout := filepath.Join(dir, "layout")
		s := carriedOut(t, "-hex", "../sample.txt", "-out", dir, "-name", "mine", "-image", layout, "-platforms", "wasip1/wasm")
		at, digest, _ := strings.Cut(s.Path, "@")
		if at != layout || s.Image != "mine@"+digest {
			t.Errorf("image %s lies at %s, want it in %s", s.Image, s.Path, layout)
		}
		s.Path = ""
		made = append(made, s)
	}
	if made[0] != made[1] {
		t.Errorf("made %+v, and then %+v", made[0], made[1])
	}
}

// The program is built with the archive, and its examples ask for that.
func TestOverlay(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"real.txt": real})
	s := carriedOut(t, "-hex", filepath.Join(dir, "real.txt"), "-out", dir)
	p := servicetest.Start(t, "..", "-overlay", filepath.Join(dir, "overlay.json"))
	request, err := jsonrpc.NewRequest("whisper_mail", []byte(`["eip627","`+s.Root+`",["0x01020304"],0,4294967295,10]`))
	if err != nil {
		t.Fatal(err)
	}
	p.Agree(t, []string{string(request)})
	if got := p.Post(t, string(request)); !bytes.Contains(got, []byte(`"result":{"envelopes":["`+real+`"],"next":null,`)) {
		t.Errorf("%s", got)
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add([]byte(real + "\n\n0x00\r\n"))
	f.Add([]byte("\xc0\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		envelopes, err := parseFile(file)
		if err == nil {
			_, _ = mail.Build(envelopes) // must not panic
		}
	})
}
