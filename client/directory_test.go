package client

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/registry"
)

// keep keeps a lie of server 2 about a request of that name, and returns its file's name.
func (n *network) keep(t *testing.T, d Directory, method string, at time.Time) (stem string) {
	t.Helper()
	path, err := d.Keep(n.evidenceFor(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":[]}`, n.members...))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(filepath.Base(path), ".json")
}

func TestDirectoryListsReadsAndForgets(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.clock()
	n.members[1].answer = func([]byte) []byte { return lie }
	d := Directory(t.TempDir() + "/below")
	if list, err := d.List(); err != nil || len(list) > 0 {
		t.Errorf("before anything is kept: %v, %v", list, err)
	}
	young := n.keep(t, d, "b", time.Unix(2000, 0))
	old := n.keep(t, d, "a", time.Unix(1000, 0))
	other := filepath.Join(string(d), "notes.json")
	if err := errors.Join(os.WriteFile(other, []byte("{}"), 0o600), os.Mkdir(filepath.Join(string(d), strings.Repeat("a", 32)+".json"), 0o700)); err != nil {
		t.Fatal(err)
	}
	list, err := d.List()
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	v := list[0]
	if v.Digest.Hex()[:32] != old || list[1].Digest.Hex()[:32] != young || v.Service != 1 || v.Revision != 1 || v.Registry != n.config.Registry() ||
		!slices.Equal(v.Accused, []barnraise.ServerID{1, 2}) || v.Problem != nil || !v.At.Equal(time.Unix(1000, 0)) {
		t.Errorf("listed as %+v", v)
	}
	for _, name := range []string{old, old[:8], v.Digest.String(), v.Digest.Hex()} {
		if b, err := d.Read(name); err != nil || barnraise.Sum(b) != v.Digest {
			t.Errorf("%s: %v", name, err)
		}
	}
	if digits, err := d.Forget(old[:6]); err != nil || digits != old {
		t.Fatalf("forgot %s, %v", digits, err)
	}
	for _, name := range []string{old, "0000", v.Digest.String()} {
		if _, err := d.Read(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("read %s: %v", name, err)
		}
		if _, err := d.Forget(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("forget %s: %v", name, err)
		}
	}
	if list, err := d.List(); err != nil || len(list) != 1 {
		t.Errorf("%d are left, %v", len(list), err)
	}
}

func TestDirectoryNamesWithCare(t *testing.T) {
	d := Directory(t.TempDir())
	for _, name := range []string{strings.Repeat("ab", 16), "abab" + strings.Repeat("cd", 14)} {
		if err := os.WriteFile(filepath.Join(string(d), name+".json"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"", "abc", "../../etc/passwd", "ABABAB", strings.Repeat("a", 65), "abab", "sha256:"} {
		if _, err := d.Forget(name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q means something: %v", name, err)
		}
	}
	if list, err := d.List(); err != nil || len(list) != 2 {
		t.Errorf("%d are left, %v", len(list), err)
	}
}

// A file that is damaged stands in the way of no other, and can be forgotten, or kept anew.
func TestDirectoryWithDamagedFiles(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.clock()
	n.members[1].answer = func([]byte) []byte { return lie }
	d := Directory(t.TempDir())
	stem := n.keep(t, d, "ask", time.Unix(1000, 0))
	whole, err := d.Read(stem)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"cut short": whole[:100], "empty": nil, "altered": append(slices.Clone(whole), ' ')} {
		if err := os.WriteFile(d.path(stem), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Read(stem); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if list, err := d.List(); err != nil || len(list) != 1 || !errors.Is(list[0].Problem, ErrDamaged) || list[0].Size != int64(len(b)) {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
	}
	n.keep(t, d, "ask", time.Unix(1000, 0))
	if b, err := d.Read(stem); err != nil || len(b) != len(whole) {
		t.Errorf("kept anew: %v", err)
	}
	if err := os.WriteFile(d.path(stem), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Forget(stem); err != nil {
		t.Error(err)
	}
}

// What is learnt in one network says nothing of another; another name or endpoint makes none.
func TestNetworkDirectory(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	public := registry.Network{Chain: "eip155:1", RPC: []string{"https://a.example"}, Services: barnraise.Address{1}, Servers: barnraise.Address{2}}
	elsewhere := public
	elsewhere.RPC, elsewhere.Names = []string{"https://b.example"}, map[string]barnraise.ServiceID{"x": 1}
	other := public
	other.Servers = barnraise.Address{3}
	dev := public
	dev.Chain, dev.RPC = "eip155:31337", []string{"http://127.0.0.1:1"}
	again := dev
	again.RPC = []string{"http://127.0.0.1:2"}
	seen := make(map[string]string)
	for name, n := range map[string]registry.Network{"public": public, "other": other, "dev": dev, "again": again} {
		dir, err := NetworkDirectory(n)
		if err != nil || seen[dir] != "" {
			t.Errorf("%s and %s are one, %v", name, seen[dir], err)
		}
		seen[dir] = name
	}
	a, _ := NetworkDirectory(public)
	if b, _ := NetworkDirectory(elsewhere); a != b {
		t.Error("another endpoint makes another network")
	}
}

// Whoever makes others contradict each other fills no disk.
func TestDirectoryIsBounded(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.clock()
	n.members[1].answer = func([]byte) []byte { return lie }
	d := Directory(t.TempDir())
	var stems []string
	for i, method := range []string{"a", "b", "c"} {
		stems = append(stems, n.keep(t, d, method, time.Unix(int64(1000+i), 0)))
	}
	list, err := d.List()
	if err != nil || len(list) != 3 {
		t.Fatalf("%d, %v", len(list), err)
	}
	size := list[0].Size
	for _, c := range []struct {
		keep  int
		limit int64
		most  int
		left  []int
	}{
		{2, 3 * size, 3, []int{0, 1, 2}}, {2, 3*size - 1, 3, []int{1, 2}}, {2, 3 * size, 2, []int{1, 2}}, {0, 2 * size, 3, []int{0, 2}},
		{0, 3 * size, 1, []int{0}}, {2, 1, 3, []int{2}}, {2, 1 << 20, 0, []int{2}},
	} {
		for i, method := range []string{"a", "b", "c"} {
			n.keep(t, d, method, time.Unix(int64(1000+i), 0))
		}
		if err := d.trim(stems[c.keep], c.limit, c.most); err != nil {
			t.Fatal(err)
		}
		list, err := d.List()
		left := []int{}
		for _, v := range list {
			left = append(left, slices.Index(stems, v.Digest.Hex()[:32]))
		}
		if err != nil || !slices.Equal(left, c.left) {
			t.Errorf("%+v: left are %v, %v", c, left, err)
		}
	}
}
