package lock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/registry"
)

var (
	here         = barnraise.Registry{Chain: "eip155:31337", Services: barnraise.Address{1}, Servers: barnraise.Address{2}}
	alice, mally = barnraise.Address{0xa1}, barnraise.Address{0x3a}
)

// state is a registry in which services 1, 2, … are called so and belong to alice, but for those that belong to mally.
func state(names string, mallys ...barnraise.ServiceID) *barnraise.Snapshot {
	var services []barnraise.Service
	for i, name := range strings.Fields(names) {
		s := barnraise.Service{ID: barnraise.ServiceID(i + 1), Name: name, Owner: alice, Revisions: []barnraise.Revision{{Number: 1}}}
		if slices.Contains(mallys, s.ID) {
			s.Owner = mally
		}
		services = append(services, s)
	}
	return barnraise.NewSnapshot(here, 1, [32]byte{}, 0, services, nil)
}

func at(s *barnraise.Snapshot) func(context.Context) (*barnraise.Snapshot, error) {
	return func(context.Context) (*barnraise.Snapshot, error) { return s, nil }
}

const pinnedSearch = "chain: eip155:31337\nservices: 0x0100000000000000000000000000000000000000\n" +
	"servers: 0x0200000000000000000000000000000000000000\nnames:\n  search: {id: 1, owner: 0xa100000000000000000000000000000000000000}\n"

func TestResolve(t *testing.T) {
	head := state("search oracle")
	for name, c := range map[string]struct {
		file            string // before; none where empty
		ref             string
		names           map[string]barnraise.ServiceID
		head, confirmed *barnraise.Snapshot
		id              barnraise.ServiceID
		revision        uint32
		is              error
		says            string
		pinned          string // line of the file afterwards
	}{
		"first use":               {"", "search", map[string]barnraise.ServiceID{"search": 1}, head, head, 1, 0, nil, "", `"search": {id: 1, owner: "0xA1`},
		"first use of a revision": {"", "search@1", map[string]barnraise.ServiceID{"search": 1}, head, head, 1, 1, nil, "", `"search": {id: 1, owner: "0xA1`},
		"an id":                   {"", "#1", map[string]barnraise.ServiceID{"search": 1}, head, head, 1, 0, nil, "", ""},
		"digits":                  {"", "1@1", nil, head, head, 1, 1, nil, "", ""},
		"no reference":            {"", "S", nil, head, head, 0, 0, registry.ErrReference, "want an id", ""},
		"known here alone":        {pinnedSearch, "search@1", nil, head, head, 1, 1, nil, "", "search: {id: 1"},
		"another is added": {
			pinnedSearch, "oracle", map[string]barnraise.ServiceID{"oracle": 2}, head, head, 2, 0, nil, "", `"oracle": {id: 2, owner: "0xA1`},
		"by hand, the id alone": {
			"names: {search: {id: 1}}\nanchors: [7, 3]", "search", nil, head, head, 1, 0, nil, "", `"search": {id: 1, owner: "0xA1`},
		"by hand, anchors stay": {
			"names: {search: {id: 1}}\nanchors: [7, 3]", "search", nil, head, head, 1, 0, nil, "", `anchors: [7, 3]`},
		"another owner": {pinnedSearch, "search", map[string]barnraise.ServiceID{"search": 1}, state("search", 1), head, 0, 0, ErrConflict,
			`"search" meant #1 of owner 0xA100000000000000000000000000000000000000, and now #1 belongs to 0x3a00000000000000000000000000000000000000: ` +
				`if that is right remove the name from FILE, else write the id`, "search: {id: 1"},
		"another id": {pinnedSearch, "search", map[string]barnraise.ServiceID{"search": 2}, head, head, 0, 0, ErrConflict,
			`"search" meant #1 of owner 0xA100000000000000000000000000000000000000, and the network file says #2: if that is right remove the name`, "search: {id: 1"},
		"another revision than there is": {pinnedSearch, "search@2", nil, head, head, 0, 0, registry.ErrReference, "no revision 2", "search: {id: 1"},
		"gone from the registry":         {pinnedSearch, "search", nil, state(""), state(""), 0, 0, registry.ErrReference, "no service #1", "search: {id: 1"},
		"not confirmed yet":              {"", "search", map[string]barnraise.ServiceID{"search": 1}, head, state(""), 1, 0, nil, "", ""},
		"of another owner until confirmed": {
			"", "search", map[string]barnraise.ServiceID{"search": 1}, head, state("search", 1), 1, 0, nil, "", ""},
		"nobody said so": {"", "search", nil, head, head, 0, 0, registry.ErrReference,
			`or in FILE, as in: names: {search: {id: 1, owner: "0xA100000000000000000000000000000000000000"}}`, ""},
		"there is none":     {"", "nothing", nil, head, head, 0, 0, registry.ErrReference, `no service is called "nothing"`, ""},
		"network file lies": {"", "search", map[string]barnraise.ServiceID{"search": 9}, head, head, 0, 0, registry.ErrReference, "no service #9", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), Name)
			if c.file != "" {
				if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			f, err := Open(path, here)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time from memory
				id, revision, err := f.Resolve(t.Context(), c.head, at(c.confirmed), c.names, c.ref)
				if !errors.Is(err, c.is) || c.is == nil && (err != nil || id != c.id || revision != c.revision) {
					t.Errorf("%s@%d, %v; want %s@%d, %v", id, revision, err, c.id, c.revision, c.is)
				}
				if says := strings.ReplaceAll(c.says, "FILE", path); err != nil && !strings.Contains(err.Error(), says) {
					t.Errorf("%v, want %q", err, says)
				}
			}
			b, err := os.ReadFile(path)
			if c.pinned == "" && !errors.Is(err, fs.ErrNotExist) || !strings.Contains(string(b), c.pinned) {
				t.Errorf("the file is %q, %v; want %q", b, err, c.pinned)
			}
			if again, err := Open(path, here); err != nil || !slices.Equal(again.Anchors(), f.Anchors()) {
				t.Errorf("what was written cannot be read: %v", err)
			}
		})
	}
}

// What is pinned stays so for the next process, and nobody reads the confirmed registry for what is pinned.
func TestItLasts(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	names := map[string]barnraise.ServiceID{"search": 1}
	for i, c := range []struct {
		head *barnraise.Snapshot
		err  error
	}{{state("search"), nil}, {state("search"), nil}, {state("search", 1), ErrConflict}, {state("search"), nil}} {
		f, err := Open(path, here)
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		confirmed := func(context.Context) (*barnraise.Snapshot, error) { read++; return c.head, nil }
		for range 3 {
			if _, _, err := f.Resolve(t.Context(), c.head, confirmed, names, "search"); !errors.Is(err, c.err) {
				t.Errorf("process %d: %v, want %v", i, err, c.err)
			}
		}
		if want := map[bool]int{true: 1}[i == 0]; read != want {
			t.Errorf("process %d read the confirmed registry %d times", i, read)
		}
	}
}

// A file that is linked to from elsewhere, and kept to its owner, stays so.
func TestItStaysWhereItIs(t *testing.T) {
	path, kept := filepath.Join(t.TempDir(), Name), filepath.Join(t.TempDir(), "kept")
	if err := errors.Join(os.WriteFile(kept, []byte(pinnedSearch), 0o600), os.Symlink(kept, path)); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path, here)
	if err != nil {
		t.Fatal(err)
	}
	head, names := state("search oracle"), map[string]barnraise.ServiceID{"oracle": 2}
	if _, _, err := f.Resolve(t.Context(), head, at(head), names, "oracle"); err != nil {
		t.Fatal(err)
	}
	link, err := os.Lstat(path)
	if err != nil || link.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", link, err)
	}
	b, err := os.ReadFile(kept)
	if info, lost := os.Stat(kept); err != nil || lost != nil || info.Mode().Perm() != 0o600 || !strings.Contains(string(b), "oracle") {
		t.Errorf("%v, %v, %v: %s", info, err, lost, b)
	}
}

// What cannot be used is an error that says what to do.
func TestDamage(t *testing.T) {
	for name, c := range map[string]struct{ file, says string }{
		"cut off":             {pinnedSearch[:len(pinnedSearch)-9], "repair it, or remove it"},
		"binary":              {"\x00\x01\x02", "repair it, or remove it"},
		"unknown key":         {"name: {search: {id: 1}}", `did you mean "names"?`},
		"no id":               {"names: {search: {}}", `"search": want the name of a service and its id`},
		"no name":             {"names: {Search: {id: 1}}", `"Search": want the name`},
		"digits":              {"names: {\"123\": {id: 1}}", `"123": want the name`},
		"negative":            {"names: {search: {id: -1}}", "names/search/id"},
		"owner":               {"names: {search: {id: 1, owner: alice}}", "0x and 40"},
		"half a registry":     {"chain: eip155:31337", "want all three, or none"},
		"chain with a quote":  {strings.Replace(pinnedSearch, "eip155:31337", `"a\"b"`, 1), "CAIP-2"},
		"anchor 0":            {"anchors: [0]", "anchors: want ids"},
		"too many anchors":    {"anchors: [" + strings.Repeat("1,", 64) + "1]", "at most"},
		"too large":           {strings.Repeat("# \n", 100_000), "at most"},
		"of another network":  {strings.Replace(pinnedSearch, "31337", "1", 1), "use another file for this network"},
		"a directory instead": {"", "is a directory"},
	} {
		path := filepath.Join(t.TempDir(), Name)
		if c.file == "" {
			path = filepath.Dir(path)
		} else if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, here); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want ErrFile with %q and the path", name, err, c.says)
		}
	}
}

// Where a name cannot be written it is not used: next time it might mean something else, unnoticed.
func TestWhatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	names := map[string]barnraise.ServiceID{"search": 1}
	f, err := Open(filepath.Join(dir, "away", Name), here)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Resolve(t.Context(), state("search"), at(state("search")), names, "search"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want that there is no such directory", err)
	}
	path := filepath.Join(dir, Name)
	if f, err = Open(path, here); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("names: {"), 0o600); err != nil { // by somebody else meanwhile
		t.Fatal(err)
	}
	if _, _, err := f.Resolve(t.Context(), state("search"), at(state("search")), names, "search"); !errors.Is(err, ErrFile) {
		t.Errorf("%v, want ErrFile", err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(pinnedSearch, "id: 1", "id: 2", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Resolve(t.Context(), state("search"), at(state("search")), names, "search"); !errors.Is(err, ErrConflict) {
		t.Errorf("%v, want ErrConflict: another process has written that it is #2", err)
	}
	unreadable := func(context.Context) (*barnraise.Snapshot, error) { return nil, errors.ErrUnsupported }
	if f, err = Open(filepath.Join(t.TempDir(), Name), here); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Resolve(t.Context(), state("search"), unreadable, names, "search"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v, want the registry's error", err)
	}
}

// Many writers at once, in one process and in several, lose nothing.
func TestWritersAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	var all []string
	names := make(map[string]barnraise.ServiceID)
	for i := range 24 {
		all = append(all, fmt.Sprintf("service-%d", i))
		names[all[i]] = barnraise.ServiceID(i + 1)
	}
	s := state(strings.Join(all, " "))
	var group sync.WaitGroup
	for i := range 6 {
		f, err := Open(path, here)
		if err != nil {
			t.Fatal(err)
		}
		for j := range 8 {
			group.Go(func() {
				if _, _, err := f.Resolve(t.Context(), s, at(s), names, all[(i*4+j)%24]); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	f, err := Open(path, here)
	if err != nil || len(f.names) != 24 {
		t.Errorf("%d names are kept, %v", len(f.names), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// Who waits for another process waits no longer than his call has time.
func TestWaitingEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	release, err := exclude(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := exclude(ctx, path); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errBusy) {
			t.Errorf("%v, want that the time is over", err)
		}
	})
	release()
	again, err := exclude(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

// What is read is written so that it is read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(pinnedSearch + "anchors: [3, 5]\n"))
	f.Add([]byte("names: {search: {id: 1}}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parse("file", b)
		if err != nil {
			return
		}
		if c.Chain == "" {
			c.Chain, c.Services, c.Servers = here.Chain, here.Services, here.Servers
		}
		again, err := parse("file", c.encode())
		if err != nil || fmt.Sprint(again) != fmt.Sprint(c) {
			t.Errorf("%q was read as %v and is again %v, %v", b, c, again, err)
		}
	})
}
