package image

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"barnraise"
)

// age makes everything in a store look as if it had been put so long ago.
func age(t *testing.T, s *Store, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	for _, pattern := range []string{"blobs/sha256/*", temporary + "*"} {
		files, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := os.Chtimes(f, then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// pulled is a store that has pulled the image of another one, and lists nothing.
func pulled(t *testing.T) (s, from *Store, index barnraise.Digest) {
	t.Helper()
	from, index = packed(t)
	s = openStore(t)
	if err := s.Adopt(from, index); err != nil {
		t.Fatal(err)
	}
	return s, from, index
}

func TestGC(t *testing.T) {
	for name, c := range map[string]struct {
		age, grace time.Duration
		keep       bool
		removes    bool
	}{
		"unwanted and old":                     {25 * time.Hour, 24 * time.Hour, false, true},
		"unwanted and fresh":                   {23 * time.Hour, 24 * time.Hour, false, false},
		"kept":                                 {25 * time.Hour, 24 * time.Hour, true, false},
		"no grace, older than the least":       {2 * MinGrace, 0, false, true},
		"no grace, not older than the least":   {MinGrace / 2, 0, false, false},
		"kept, and no grace":                   {2 * MinGrace, 0, true, false},
		"negative grace, within what is least": {MinGrace / 2, -time.Hour, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, index := pulled(t)
			all, err := s.Blobs(index)
			if err != nil {
				t.Fatal(err)
			}
			size, err := s.Size(index)
			if err != nil || size == 0 {
				t.Fatalf("size %d, %v", size, err)
			}
			if err := os.WriteFile(filepath.Join(s.dir, temporary+"crashed"), []byte("abc"), 0o600); err != nil {
				t.Fatal(err)
			}
			age(t, s, c.age)
			var keep []barnraise.Digest
			if c.keep {
				keep = append(keep, index)
			}
			removed, err := s.GC(time.Now(), c.grace, keep)
			if err != nil {
				t.Fatal(err)
			}
			if old := c.age > max(c.grace, MinGrace); (removed.Temporary == 1) != old {
				t.Errorf("removed %d temporary files", removed.Temporary)
			}
			if gone := s.Check(index) != nil; gone != c.removes {
				t.Errorf("the index is gone: %t, want %t", gone, c.removes)
			}
			if c.removes && (removed.Bytes != size+3 || len(removed.Blobs) != len(slices.Compact(slices.SortedFunc(slices.Values(all), func(a, b barnraise.Digest) int {
				return slices.Compare(a[:], b[:])
			})))) {
				t.Errorf("removed %d bytes in %d blobs, want %d in %d", removed.Bytes, len(removed.Blobs), size+3, len(all))
			}
		})
	}
}

func TestGCKeepsWhatIsListed(t *testing.T) {
	s, index := packed(t)
	age(t, s, 48*time.Hour)
	removed, err := s.GC(time.Now(), 0, nil)
	if err != nil || len(removed.Blobs) != 0 {
		t.Errorf("removed %d blobs, %v", len(removed.Blobs), err)
	}
	if _, err := s.Blobs(index); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, indexFile)); err != nil {
		t.Error(err)
	}
}

// A document that cannot be read hides what belongs to it; an image that is none has nothing.
func TestGCOfDamagedImages(t *testing.T) {
	s, _, index := pulled(t)
	none, err := s.Put([]byte("no index"))
	if err != nil {
		t.Fatal(err)
	}
	age(t, s, 48*time.Hour)
	if removed, err := s.GC(time.Now(), 0, []barnraise.Digest{index, none}); err != nil || len(removed.Blobs) != 0 {
		t.Errorf("with an image that is none: removed %d, %v", len(removed.Blobs), err)
	}
	if err := os.WriteFile(s.path(index), []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	age(t, s, 48*time.Hour)
	removed, err := s.GC(time.Now(), 0, []barnraise.Digest{index})
	if !errors.Is(err, ErrCorrupt) || len(removed.Blobs) != 0 {
		t.Errorf("with a damaged one: removed %d, %v", len(removed.Blobs), err)
	}
}

// What a pull has found stays, however often somebody collects meanwhile and though nobody keeps the image.
func TestGCBesidePulls(t *testing.T) {
	s, from, index := pulled(t)
	server := serve(t, Handler(from, nil))
	p := &Puller{Client: http.DefaultClient, Store: s}
	for range 20 {
		age(t, s, 48*time.Hour)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if _, err := s.GC(time.Now(), 0, nil); err != nil {
					t.Error(err)
				}
			})
		}
		group.Go(func() {
			if _, err := p.Pull(t.Context(), index, []string{server}); err != nil {
				t.Error(err)
			}
		})
		group.Wait()
		all, err := from.Blobs(index)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range all {
			if err := s.Check(d); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestLacks(t *testing.T) {
	s, from, index := pulled(t)
	if n, err := s.Lacks(from, index); n != 0 || err != nil {
		t.Errorf("lacks %d, %v of what it has", n, err)
	}
	all, err := from.Size(index)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := openStore(t).Lacks(from, index); n != all || err != nil {
		t.Errorf("an empty store lacks %d of %d, %v", n, all, err)
	}
	if _, err := s.Lacks(openStore(t), index); !errors.Is(err, ErrNotFound) {
		t.Errorf("error is %v", err)
	}
}

// Room is asked once, for what is missing, before any layer is.
func TestPullAsksForRoom(t *testing.T) {
	from, index := packed(t)
	asked := 0
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if filepath.Base(filepath.Dir(r.URL.Path)) == "blobs" {
			asked++
		}
		Handler(from, nil).ServeHTTP(w, r)
	}))
	s := openStore(t)
	full := errors.New("no room")
	p := &Puller{Client: http.DefaultClient, Store: s, Room: func(int64) (func(), error) { return nil, full }}
	if _, err := p.Pull(t.Context(), index, []string{server}); !errors.Is(err, full) || asked != 0 {
		t.Errorf("%d blobs were asked for, error is %v", asked, err)
	}
	var bytes, released int64
	p.Room = func(n int64) (func(), error) { bytes += n; return func() { released++ }, nil }
	before, err := s.Size(index)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Pull(t.Context(), index, []string{server}); err != nil || released != 1 {
		t.Fatalf("released %d times, %v", released, err)
	}
	if after, err := s.Size(index); err != nil || bytes != after-before {
		t.Errorf("asked for %d, and %d arrived, %v", bytes, after-before, err)
	}
	p.Room = func(int64) (func(), error) { return nil, full }
	if _, err := p.Pull(context.Background(), index, nil); err != nil {
		t.Errorf("what is there needs no room: %v", err)
	}
}

func TestRegistryHost(t *testing.T) {
	const digest = "@sha256:0000000000000000000000000000000000000000000000000000000000000000"
	for reference, want := range map[string]string{
		"ghcr.io/a/b" + digest: "ghcr.io", "localhost:5000/a" + digest: "localhost:5000", "a/b" + digest: "docker.io",
		"docker.io/a/b" + digest: "docker.io", "a" + digest: "", "": "", "ghcr.io/A/B" + digest: "",
	} {
		if got := RegistryHost(reference); got != want {
			t.Errorf("%s: %q, want %q", reference, got, want)
		}
	}
}
