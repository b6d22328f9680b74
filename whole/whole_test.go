package whole

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// read is what a file holds, with its permissions.
func read(t *testing.T, path string) (string, fs.FileMode) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), info.Mode().Perm()
}

func put(t *testing.T, path, text string, perm fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(text), perm), os.Chmod(path, perm)); err != nil {
		t.Fatal(err)
	}
}

// alone checks that a directory holds so many names: no draft is left.
func alone(t *testing.T, dir string, names int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != names {
		t.Errorf("%s holds %v, want %d names; %v", dir, entries, names, err)
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name      string
		before    fs.FileMode // permissions of what was there; zero for nothing
		perm, got fs.FileMode
	}{
		{"new, for its owner", 0, 0o600, 0o600},
		{"new, for everybody, whatever the umask is", 0, 0o666, 0o666},
		{"kept closer", 0o600, 0o644, 0o600},
		{"kept wider", 0o664, 0o600, 0o664},
		{"kept read-only", 0o444, 0o600, 0o444},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, "file")
			if c.before != 0 {
				put(t, path, "what was there before, and longer", c.before)
			}
			err := Write(path, []byte("new"), c.perm)
			if text, perm := read(t, path); err != nil || text != "new" || perm != c.got && runtime.GOOS != "windows" {
				t.Errorf("%q with %o, want %o; %v", text, perm, c.got, err)
			}
			alone(t, dir, 1)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Who cannot go on writing changes nothing, and where there is no place for the file is not called.
func TestWriteFrom(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	put(t, path, "what was there before", 0o600)
	broken := errors.New("broken")
	half := func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, broken)
	}
	if err := WriteFrom(path, 0o600, half); !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
	if text, _ := read(t, path); text != "what was there before" {
		t.Errorf("%q is there", text)
	}
	alone(t, dir, 1)
	called := false
	err := WriteFrom(filepath.Join(dir, "missing", "file"), 0o600, func(io.Writer) error { called = true; return nil })
	if !errors.Is(err, fs.ErrNotExist) || called {
		t.Errorf("%v, called: %t", err, called)
	}
}

// A link stays one: what it leads to is written, where that is.
func TestLinksStay(t *testing.T) {
	for _, c := range []struct {
		name, link, to string // below the directory
		there          bool
	}{
		{"to a file beside it", "link", "file", true},
		{"to what is not there yet", "link", "file", false},
		{"upwards", "below/link", "../file", true},
		{"to another link", "link", "other", true},
		{"through a directory that is a link", "linked/link", "../far/file", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, d := range []string{"below", "deep/below", "deep/far"} {
				if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for from, to := range map[string]string{"linked": "deep/below", "other": "file", c.link: c.to} {
				if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
					t.Skip(err)
				}
			}
			file := filepath.Join(dir, "file")
			if c.link == "linked/link" {
				file = filepath.Join(dir, "deep/far/file")
			}
			if c.there {
				put(t, file, "before", 0o640)
			}
			link := filepath.Join(dir, c.link)
			if err := Write(link, []byte("new"), 0o600); err != nil {
				t.Fatal(err)
			}
			text, perm := read(t, file)
			if info, err := os.Lstat(link); text != "new" || c.there && perm != 0o640 || err != nil || info.Mode()&fs.ModeSymlink == 0 {
				t.Errorf("%q with %o; the link is %v, %v", text, perm, info, err)
			}
		})
	}
}

// What is no file is not replaced by one, and where writing fails what was there is as it was.
func TestNothingIsReplacedThatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("round", filepath.Join(dir, "round")); err != nil {
		t.Skip(err)
	}
	for name, want := range map[string]error{"directory": ErrNoFile, "round": ErrNoFile, "nowhere/file": fs.ErrNotExist} {
		if err := Write(filepath.Join(dir, name), []byte("new"), 0o600); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	alone(t, dir, 2)
	if runtime.GOOS != "windows" {
		if err := Write(os.DevNull, []byte("new"), 0o600); !errors.Is(err, ErrNoFile) {
			t.Errorf("a device: %v", err)
		}
	}
}
