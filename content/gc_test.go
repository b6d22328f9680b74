package content

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise"
)

// age makes everything in a store as old as that.
func age(t testing.TB, s *Store, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, then, then)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// held says which of the blocks a store has.
func held(s *Store, blocks ...barnraise.CID) (got string) {
	for _, c := range blocks {
		_, err := s.Get(c)
		got += map[bool]string{true: "x", false: "-"}[err == nil]
	}
	return got
}

func put(t testing.TB, s *Store, text string) barnraise.CID {
	t.Helper()
	c, err := s.Put([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPins(t *testing.T) {
	s := openStore(t)
	if list, err := s.Pins(); err != nil || len(list) != 0 {
		t.Errorf("Pins of an empty store: %v, %v", list, err)
	}
	if err := s.Pin(cidOfHello, "me"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Pin of what is not held: %v", err)
	}
	block, file := put(t, s, "hello world"), add(t, s, MaxBlock+1)
	for range 2 {
		for _, p := range []Pin{{block, "#3@1 verifier"}, {block, "#5@2 verifier, like #3"}, {file, "#3@1 verifier"}} {
			if err := s.Pin(p.CID, p.Reason); err != nil {
				t.Error(err)
			}
		}
	}
	again, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := again.Pins()
	if err != nil || len(list) != 3 || !slices.Contains(list, Pin{block, "#5@2 verifier, like #3"}) || !slices.Contains(list, Pin{file, "#3@1 verifier"}) {
		t.Errorf("Pins: %v, %v", list, err)
	}
	if err := s.Unpin(block, "another"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Unpin of none: %v", err)
	}
	if err := s.Unpin("../../x", "me"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Unpin of no CID: %v", err)
	}
	if err := s.Unpin(block, "#3@1 verifier"); err != nil {
		t.Error(err)
	}
	if list, err := s.Pins(); err != nil || len(list) != 2 {
		t.Errorf("Pins: %v, %v", list, err)
	}
	for _, reason := range []string{"", "two\nlines", "\xff", strings.Repeat("x", maxReason+1), "bell\a"} {
		if err := s.Pin(block, reason); err == nil {
			t.Errorf("pinned for %q", reason)
		}
	}
	if err := s.Pin("Qm", "me"); !errors.Is(err, ErrCID) {
		t.Errorf("Pin of no CID: %v", err)
	}
	_, f := rootOf(t, s, file)
	if err := os.Remove(s.path(f.leaves[1])); err != nil {
		t.Fatal(err)
	}
	if err := s.Pin(file, "without its last chunk"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Pin of half a file: %v", err)
	}
}

// GC removes what belongs to no pin and is old, and tells what.
func TestGC(t *testing.T) {
	s := openStore(t)
	pinned, loose := put(t, s, "pinned"), put(t, s, "loose")
	file, other := add(t, s, 2*MaxBlock+1), add(t, s, 3*MaxBlock+1) // they have two chunks in common
	root, f := rootOf(t, s, file)
	otherRoot, o := rootOf(t, s, other)
	for _, c := range []barnraise.CID{pinned, file} {
		if err := s.Pin(c, "test"); err != nil {
			t.Fatal(err)
		}
	}
	stranger := filepath.Join(s.dir, "ab", "README")
	for _, path := range []string{stranger, filepath.Join(s.dir, pins, temporary+"1"), filepath.Join(filepath.Dir(s.path(loose)), temporary+"2")} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("12345"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	for grace, after := range map[time.Duration]time.Duration{0: MinGrace - time.Second, time.Hour: time.Hour - time.Second} {
		if got, err := s.GC(now.Add(after), grace); err != nil || len(got.Blocks) != 0 || got.Temporary != 0 || got.Bytes != 0 {
			t.Errorf("within the grace of %s: %+v, %v", grace, got, err)
		}
	}
	got, err := s.GC(now.Add(2*time.Hour), time.Hour)
	slices.Sort(got.Blocks)
	want := []barnraise.CID{loose, other, o.leaves[2], o.leaves[3]}
	slices.Sort(want)
	bytesWant := int64(len("loose")+len(otherRoot)) + MaxBlock + 1 + 2*5
	if err != nil || !slices.Equal(got.Blocks, want) || got.Temporary != 2 || got.Bytes != bytesWant {
		t.Errorf("GC: %+v, %v, want %v, %d bytes", got, err, want, bytesWant)
	}
	if h := held(s, append([]barnraise.CID{pinned, file, loose, other}, f.leaves...)...); h != "xx--xxx" {
		t.Errorf("held: %s", h)
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Errorf("a file that is none of ours: %v", err)
	}
	if err := s.Unpin(file, "test"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.GC(now.Add(2*time.Hour), 0); err != nil || len(got.Blocks) != 4 || got.Bytes != 2*MaxBlock+1+int64(len(root)) {
		t.Errorf("GC after Unpin: %+v, %v", got, err)
	}
}

// Whatever confirms a block makes it fresh.
func TestGCSparesWhatIsUsed(t *testing.T) {
	s := openStore(t)
	file := add(t, s, MaxBlock+1)
	_, f := rootOf(t, s, file)
	block := put(t, s, "block")
	car := carOf(t, s, file)
	use := func(name string, wanted barnraise.CID, use func() error) {
		age(t, s, 2*time.Hour)
		if err := use(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.GC(time.Now(), time.Hour); err != nil {
			t.Error(err)
		}
		if _, err := s.File(wanted, MaxFile); err != nil {
			t.Errorf("%s, and then it is gone: %v", name, err)
		}
		add(t, s, MaxBlock+1)
		put(t, s, "block")
	}
	fetcher := &Fetcher{Store: s}
	use("Put", block, func() error { _, err := s.Put([]byte("block")); return err })
	use("Add", file, func() error { _, _, err := s.Add(bytes.NewReader(sample(MaxBlock+1)), MaxFile); return err })
	use("Import", file, func() error { _, err := s.Import(bytes.NewReader(car), MaxFile); return err })
	use("Fetch of a block", block, func() error { _, err := fetcher.Fetch(t.Context(), block, nil); return err })
	use("Fetch of a file", file, func() error { _, err := fetcher.Fetch(t.Context(), file, nil); return err })
	use("Pin and Unpin", file, func() error { return errors.Join(s.Pin(file, "x"), s.Unpin(file, "x")) })
	age(t, s, 2*time.Hour)
	if _, err := s.GC(time.Now(), time.Hour); err != nil {
		t.Error(err)
	}
	if h := held(s, file, block, f.leaves[0], f.leaves[1]); h != "----" {
		t.Errorf("held: %s", h)
	}
}

// Who takes longer than the grace to add a file is told that it is not whole.
func TestAddSlowerThanTheGrace(t *testing.T) {
	s := openStore(t)
	slow := io.MultiReader(bytes.NewReader(sample(2*MaxBlock)), readFunc(func(b []byte) (int, error) {
		age(t, s, 2*time.Hour)
		if got, err := s.GC(time.Now(), time.Hour); err != nil || len(got.Blocks) == 0 {
			t.Errorf("GC: %+v, %v", got, err)
		}
		return 0, io.EOF
	}))
	_, _, err := s.Add(slow, MaxFile)
	if _, held := s.Get(samples[2*MaxBlock]); !errors.Is(err, ErrNotFound) || !errors.Is(held, ErrNotFound) {
		t.Errorf("Add: %v, its root: %v", err, held)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(b []byte) (int, error) { return f(b) }

// What cannot be read cannot be ruled out: nothing is removed.
func TestGCFailsClosed(t *testing.T) {
	for name, harm := range map[string]func(s *Store, c barnraise.CID) error{
		"pin damaged": func(s *Store, c barnraise.CID) error {
			return os.WriteFile(s.pinPath(Pin{c, "test"}), []byte("{"), 0o644)
		},
		"pin of others": func(s *Store, c barnraise.CID) error {
			return os.WriteFile(s.pinPath(Pin{c, "other"}), []byte(`{"cid":"`+string(c)+`","reason":"test"}`), 0o644)
		},
		"unknown pin": func(s *Store, c barnraise.CID) error {
			return os.WriteFile(filepath.Join(s.dir, pins, "x"), nil, 0o644)
		},
		"endless pin": func(s *Store, c barnraise.CID) error {
			return os.WriteFile(s.pinPath(Pin{c, "test"}), make([]byte, 1<<20), 0o644)
		},
		"newer pin": func(s *Store, c barnraise.CID) error {
			return os.WriteFile(s.pinPath(Pin{c, "test"}), []byte(`{"cid":"`+string(c)+`","reason":"test","depth":1}`), 0o644)
		},
		"root missing": func(s *Store, c barnraise.CID) error { return os.Remove(s.path(c)) },
		"root damaged": func(s *Store, c barnraise.CID) error { return os.WriteFile(s.path(c), []byte("x"), 0o644) },
	} {
		s := openStore(t)
		c := add(t, s, MaxBlock+1)
		loose := put(t, s, "loose")
		if err := errors.Join(s.Pin(c, "test"), harm(s, c)); err != nil {
			t.Fatal(err)
		}
		got, err := s.GC(time.Now().Add(time.Hour), 0)
		if err == nil || len(got.Blocks) != 0 || held(s, loose) != "x" {
			t.Errorf("%s: %+v, %v, held %s", name, got, err, held(s, loose))
		}
	}
}

// Whoever was told that a block is kept finds it, while two other processes collect all the time. Each writer makes its own
// blocks old and puts them again; a collector that looked before and removes after would take one that was just confirmed.
func TestGCWhileOthersPut(t *testing.T) {
	if dir := os.Getenv("BARNRAISE_TEST_COLLECT"); dir != "" {
		collect(t, dir)
		return
	}
	dir := t.TempDir()
	var collectors [2]*exec.Cmd
	var out [2]bytes.Buffer
	for i := range collectors {
		cmd := exec.Command(os.Args[0], "-test.run=^TestGCWhileOthersPut$", "-test.v")
		cmd.Env = append(os.Environ(), "BARNRAISE_TEST_COLLECT="+dir)
		cmd.Stdout, cmd.Stderr = &out[i], &out[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		collectors[i] = cmd
	}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() { putAgain(t, dir, w) })
	}
	writers.Wait()
	if err := os.WriteFile(filepath.Join(dir, "done"), nil, 0o644); err != nil {
		t.Error(err)
	}
	removed := 0
	for i, cmd := range collectors {
		err := cmd.Wait()
		_, count, ok := strings.Cut(out[i].String(), "removed ")
		n := 0
		_, scan := fmt.Sscan(count, &n)
		if err != nil || !ok || scan != nil {
			t.Errorf("a collector: %v\n%s", err, out[i].String())
		}
		removed += n
	}
	if t.Logf("%d blocks were removed meanwhile", removed); removed < 10 {
		t.Error("too few to show anything")
	}
}

// collect removes what it can until the file "done" is there.
func collect(t *testing.T, dir string) {
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	removed := 0
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		got, err := s.GC(time.Now(), 0)
		if err != nil {
			t.Fatal(err)
		}
		removed += len(got.Blocks)
		if _, err := os.Stat(filepath.Join(dir, "done")); err == nil {
			break
		}
	}
	fmt.Println("removed", removed)
}

// putAgain puts blocks that are old, and looks for them.
func putAgain(t *testing.T, dir string, writer int) {
	s, err := Open(dir)
	if err != nil {
		t.Error(err)
		return
	}
	for i := range 600 {
		b := fmt.Append(nil, "writer ", writer, ", block ", i%5)
		if i%10 == 0 { // a damaged file is replaced, a sound one is only touched
			_ = os.WriteFile(s.path(Sum(b)), []byte("damage"), 0o644)
		}
		old := time.Now().Add(-time.Hour)
		_ = os.Chtimes(s.path(Sum(b)), old, old)
		c, err := s.Put(b)
		if err != nil {
			t.Error(err)
			return
		}
		for range 3 {
			if _, err := s.Get(c); err != nil {
				t.Errorf("round %d: put, and then gone: %v", i, err)
				return
			}
		}
	}
}
