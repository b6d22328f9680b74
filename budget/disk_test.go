package budget

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise/manifest"
)

// plenty is a file system of 100 GiB with so much free.
func plenty(free uint64) func(string) (Space, error) {
	return func(string) (Space, error) { return Space{free, 100 << 30}, nil }
}

func put(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil { // a hole takes no disk
		t.Fatal(err)
	}
}

func TestTake(t *testing.T) {
	const gib = 1 << 30
	limits := Default()
	limits.Images, limits.Each.Images, limits.Content = 10*gib, 4*gib, gib
	for name, c := range map[string]struct {
		kind       Kind
		lies       int64
		held, need uint64
		free       uint64
		want       string // nothing for no error
	}{
		"there is room":            {Images, 5 * gib, 0, 4 * gib, 50 * gib, ""},
		"to the last byte":         {Images, 6 * gib, 0, 4 * gib, 14 * gib, ""},
		"more than all":            {Images, 6*gib + 1, 0, 4 * gib, 50 * gib, "raise budgets: {images: …}"},
		"more than one":            {Images, 0, gib, 3*gib + 1, 50 * gib, "raise budgets: {each: {images: …}}"},
		"into the reserve":         {Images, 0, 0, 4 * gib, 14*gib - 1, "the last 10 GiB are not touched"},
		"nothing free":             {Images, 0, 0, 1, 0, "has 0 B free"},
		"content":                  {Content, gib, 0, 1, 50 * gib, "raise budgets: {content: …}"},
		"content of one service":   {Content, 0, gib, gib / 2, 50 * gib, ""},
		"evidence of one service":  {Evidence, 0, gib, 1, 50 * gib, "each: {evidence"},
		"sizes that are no sizes":  {Images, 0, 0, 1 << 62, 50 * gib, "no room on disk"},
		"sizes that are no sizes,": {Content, 0, 0, 1 << 62, 50 * gib, "no room on disk"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, filepath.Join(dir, string(c.kind), "below", "file"), c.lies)
			release, err := NewDisk(dir, limits, plenty(c.free), time.Now).Take(c.kind, c.held, c.need)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				release()
			} else if !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
}

// What is on its way counts, and what lies there is seen once it does.
func TestTakeIsReserved(t *testing.T) {
	limits := Default()
	limits.Images, limits.Each.Images = 10<<20, 10<<20
	dir := t.TempDir()
	d := NewDisk(dir, limits, plenty(50<<30), time.Now)
	release, err := d.Take(Images, 0, 6<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Take(Images, 0, 6<<20); !errors.Is(err, ErrDisk) {
		t.Errorf("twice as much as there is: %v", err)
	}
	if used := d.Usage()[Images]; used != (Taken{6 << 20, 10 << 20}) {
		t.Errorf("used %+v", used)
	}
	put(t, filepath.Join(dir, "images", "blob"), 5<<20)
	release()
	if used := d.Usage()[Images].Used; used != 5<<20 {
		t.Errorf("used %v", used)
	}
	if _, err := d.Take(Images, 0, 6<<20); !errors.Is(err, ErrDisk) {
		t.Errorf("beside what lies there: %v", err)
	}
	if _, err := d.Take(Images, 0, 5<<20); err != nil || !strings.Contains(d.Idle(), "images") {
		t.Errorf("the rest: %v, idle: %q", err, d.Idle())
	}
}

func TestTakeAtOnce(t *testing.T) {
	limits := Default()
	limits.Images, limits.Each.Images = 10<<20, 10<<20
	d := NewDisk(t.TempDir(), limits, plenty(50<<30), time.Now)
	var group sync.WaitGroup
	taken := make(chan func(), 100)
	for range 100 {
		group.Go(func() {
			if release, err := d.Take(Images, 0, 1<<20); err == nil {
				taken <- release
			}
		})
	}
	group.Wait()
	if len(taken) != 10 {
		t.Errorf("%d of ten got room", len(taken))
	}
}

func TestDiskLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d := NewDisk(dir, Default(), plenty(5<<30), time.Now)
		if used := d.Usage()[Evidence].Used; used != 0 {
			t.Errorf("used %v of nothing", used)
		}
		put(t, filepath.Join(dir, "evidence", "a"), 7)
		time.Sleep(lookEvery)
		if used := d.Usage()[Evidence].Used; used != 7 {
			t.Errorf("used %v, a minute later", used)
		}
		if idle := d.Idle(); !strings.Contains(idle, "not touched") {
			t.Errorf("with 5 %% free: idle %q", idle)
		}
	})
}

func TestSpaceOf(t *testing.T) {
	s, err := SpaceOf(t.TempDir())
	if err != nil || s.Free > s.Total {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := NewDisk(t.TempDir(), Default(), func(string) (Space, error) { return Space{}, nil }, time.Now).Take(Images, 0, 1); err != nil {
		t.Errorf("where nothing is known of the file system: %v", err)
	}
	broken := errors.New("broken")
	if _, err := NewDisk(t.TempDir(), Default(), func(string) (Space, error) { return Space{}, broken }, time.Now).Take(Images, 0, 1); !errors.Is(err, broken) {
		t.Errorf("where it cannot be asked: %v", err)
	}
}

func TestFile(t *testing.T) {
	f := File(filepath.Join(t.TempDir(), "budgets.json"))
	if r, err := f.Load(); err != nil || r.Day != 0 {
		t.Errorf("no file: %+v, %v", r, err)
	}
	m := NewMeter(Default(), time.Hour, time.Now)
	m.Sent(3, false, 5)
	want := m.Record()
	if err := f.Save(want); err != nil {
		t.Fatal(err)
	}
	if r, err := f.Load(); err != nil || r.Day != want.Day || r.All != 5 || r.Others != 5 || r.Out[3] != 5 {
		t.Errorf("read %+v, %v", r, err)
	}
	for _, text := range []string{"", "{", `{"day":-}`, strings.Repeat(" ", maxRecord+1)} {
		if err := os.WriteFile(string(f), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Load(); !errors.Is(err, ErrRecord) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
	if err := File(filepath.Join(t.TempDir(), "none", "f")).Save(want); err == nil {
		t.Error("a record is saved nowhere")
	}
	if all := Kinds(); len(all) != 3 || Default().of(Content) == 0 || Default().eachOf(Content) != manifest.Bytes(0) {
		t.Error(all)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"day":20000,"out":{"1":5},"all":5,"others":5,"load":{"1":0.5}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRecord(b)
		if err != nil {
			return
		}
		m := NewMeter(Default(), time.Hour, func() time.Time { return time.Unix(r.Day%100_000*86_400, 0) })
		m.Restore(r)
		m.Admit(1, false)
		if cores := m.Load(1); !(cores >= 0 && cores < mostCores) {
			t.Errorf("load %v", cores)
		}
	})
}
