package content

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"barnraise"
)

// missing skips a test for want of a tool, but not where everything has to be there.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// interop installs the other implementation and returns how it is called. A call ends after two minutes: a Helia node that
// gets no sound block asks for ever.
func interop(t *testing.T) func(args ...string) *exec.Cmd {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, "%s is not installed: nothing is compared with Helia and ipfs-unixfs-importer", tool)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "interop"))); err != nil {
		t.Fatal(err)
	}
	install := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		missing(t, "npm ci cannot fetch Helia and ipfs-unixfs-importer: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "node", append([]string{"interop.mjs"}, args...)...)
		cmd.Dir, cmd.WaitDelay = dir, time.Second
		return cmd
	}
}

// lines runs a command and decodes the lines of JSON that it prints.
func lines[T any](t *testing.T, cmd *exec.Cmd) (list []T) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, stderr.Bytes())
	}
	d := json.NewDecoder(bytes.NewReader(out))
	for d.More() {
		var one T
		if err := d.Decode(&one); err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
		}
		list = append(list, one)
	}
	return list
}

// Another implementation gives the same names, takes what we serve, and serves what we take.
func TestInterop(t *testing.T) {
	call := interop(t)
	t.Run("names", func(t *testing.T) { interopNames(t, call) })
	t.Run("car", func(t *testing.T) { interopCAR(t, call) })
	t.Run("helia fetches from us", func(t *testing.T) { heliaFetches(t, call) })
	t.Run("we fetch from helia", func(t *testing.T) { fetchFromHelia(t, call) })
}

// ipfs-unixfs-importer, in chunks of 1 MiB and with at most 1024 links, gives our CIDs.
func interopNames(t *testing.T, call func(...string) *exec.Cmd) {
	got := lines[struct {
		Size int
		CID  barnraise.CID
	}](t, call("cids", "0", "1", "1048576", "1048577", "2097152", "20000000"))
	if len(got) != 6 {
		t.Fatalf("%d names", len(got))
	}
	for _, one := range got {
		if ours := Sum(sample(one.Size)); one.CID != ours || one.CID != samples[one.Size] {
			t.Errorf("%d bytes are %s there, %s here, %s in the table", one.Size, one.CID, ours, samples[one.Size])
		}
	}
}

// @ipld/car reads the CAR that we write.
func interopCAR(t *testing.T, call func(...string) *exec.Cmd) {
	s := openStore(t)
	c := add(t, s, 20_000_000)
	_, f := rootOf(t, s, c)
	path := filepath.Join(t.TempDir(), "file.car")
	if err := os.WriteFile(path, carOf(t, s, c), 0o644); err != nil {
		t.Fatal(err)
	}
	got := lines[struct {
		Version int
		Roots   []barnraise.CID
		Blocks  []struct {
			CID  barnraise.CID
			Size int
			OK   bool
		}
	}](t, call("car", path))[0]
	if got.Version != 1 || !slices.Equal(got.Roots, []barnraise.CID{c}) || len(got.Blocks) != 18 || got.Blocks[0].CID != c {
		t.Fatalf("%+v", got)
	}
	for i, b := range got.Blocks {
		if !b.OK || i > 0 && b.CID != f.leaves[[]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19}[i-1]] {
			t.Errorf("block %d: %+v", i, b)
		}
	}
}

// A Helia node gets a block, a file and a small verifier from our gateway.
func heliaFetches(t *testing.T, call func(...string) *exec.Cmd) {
	s := openStore(t)
	server := httptest.NewServer(Handler(s))
	defer server.Close()
	args := []string{"fetch", server.URL}
	sizes := []int{5_000, MaxBlock, 3 * MaxBlock, 20_000_000}
	for _, size := range sizes {
		args = append(args, string(add(t, s, size)))
	}
	got := lines[struct {
		Size   int
		SHA256 string
	}](t, call(args...))
	for i, size := range sizes {
		want := sha256.Sum256(sample(size))
		if len(got) != len(sizes) || got[i].Size != size || got[i].SHA256 != hex.EncodeToString(want[:]) {
			t.Fatalf("%+v, want %d bytes of %x", got, size, want)
		}
	}
}

// We get what a Helia node added, in blocks and in one CAR; a gateway that corrupts it is named, and skipped.
func fetchFromHelia(t *testing.T, call func(...string) *exec.Cmd) {
	const size = 5_000_000
	cmd := call("serve", "5000000")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	var helia struct {
		CID               barnraise.CID
		Raw, CAR, Corrupt string
	}
	if err := json.Unmarshal(line, &helia); err != nil {
		t.Fatal(err)
	}
	if want := Sum(sample(size)); helia.CID != want {
		t.Errorf("a Helia node calls it %s, we %s", helia.CID, want)
	}
	for name, one := range map[string]struct {
		sources []string
		cars    int // CARs that are sent
		raws    int // blocks, sound or not
	}{
		"blocks":                 {[]string{helia.Raw}, 0, 6},
		"CAR":                    {[]string{helia.CAR}, 1, 0},
		"after a corrupting one": {[]string{helia.Corrupt, helia.CAR}, 1, 1},
	} {
		count := &counter{}
		var reported []string
		f := &Fetcher{Client: &http.Client{Transport: count}, Store: openStore(t), Report: func(source string, err error) {
			if !errors.Is(err, ErrMismatch) {
				t.Errorf("%s: %v", source, err)
			}
			reported = append(reported, source)
		}}
		b, err := f.Fetch(t.Context(), helia.CID, one.sources)
		if err != nil || !bytes.Equal(b, sample(size)) || count.cars != one.cars || count.raws != one.raws {
			t.Errorf("%s: %d bytes, %v, %d CARs, %d blocks", name, len(b), err, count.cars, count.raws)
		}
		if !slices.Equal(reported, one.sources[:len(one.sources)-1]) {
			t.Errorf("%s: %v are named", name, reported)
		}
	}
	f := &Fetcher{Client: http.DefaultClient, Store: openStore(t)}
	if b, err := f.Fetch(t.Context(), helia.CID, []string{helia.Corrupt}); !errors.Is(err, ErrMismatch) || b != nil || !strings.Contains(err.Error(), helia.Corrupt) {
		t.Errorf("a corrupting gateway alone: %d bytes, %v", len(b), err)
	}
}

// counter counts what is sent.
type counter struct{ cars, raws int }

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusOK {
		if r.URL.Query().Get("format") == "car" {
			c.cars++
		} else {
			c.raws++
		}
	}
	return resp, err
}
