package outbox

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
)

var noon = time.UnixMilli(1_800_000_000_000)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func letters(t testing.TB, b Box) []Letter {
	t.Helper()
	list, err := b.Letters(noon)
	must(t, err)
	return list
}

func TestLetterGoesItsWay(t *testing.T) {
	b := Box(t.TempDir() + "/below")
	if len(letters(t, b)) > 0 {
		t.Error("a letter before the first")
	}
	later := noon.Add(time.Hour)
	must(t, b.Put([]byte("second"), later, noon.Add(48*time.Hour)))
	must(t, b.Put([]byte("first"), noon, noon.Add(48*time.Hour)))
	must(t, b.Put([]byte("first"), later, later))
	list := letters(t, b)
	if len(list) != 2 || !list[0].Due.Equal(noon) || !list[1].Due.Equal(later) || len(list[0].Done) > 0 {
		t.Fatalf("%+v", list)
	}
	mine, ok := b.Claim(list[0], noon.Add(time.Minute))
	if _, again := b.Claim(list[0], noon.Add(2*time.Minute)); !ok || again {
		t.Errorf("claimed %v, and again %v", ok, again)
	}
	if body, err := b.Read(mine); err != nil || string(body) != "first" {
		t.Errorf("%q, %v", body, err)
	}
	must(t, b.Defer(mine, noon.Add(2*time.Hour), 7, 3))
	if err := b.Defer(mine, noon, 4); err == nil {
		t.Error("it is deferred by who has not got it any more")
	}
	list = letters(t, b)
	if got := list[1]; !got.Due.Equal(noon.Add(2*time.Hour)) || !slices.Equal(got.Done, []barnraise.ServerID{7, 3}) || !got.Until.Equal(noon.Add(48*time.Hour)) {
		t.Errorf("%+v", got)
	}
	must(t, b.Drop(list[1]))
	must(t, b.Forget(digitsOf([]byte("second"))+"and more"))
	if list := letters(t, b); len(list) > 0 {
		t.Errorf("%d are left", len(list))
	}
}

// Without a digest nothing is forgotten.
func TestNothingInParticularIsNotForgotten(t *testing.T) {
	b := Box(t.TempDir())
	must(t, b.Put([]byte("x"), noon, noon.Add(time.Hour)))
	for _, digest := range []string{"", "ab", "../../../../../../../../../../../x"} {
		if err := b.Forget(digest); err == nil || len(letters(t, b)) != 1 {
			t.Errorf("forgotten: %v", err)
		}
	}
	must(t, Box(t.TempDir()+"/none").Forget(digitsOf(nil)))
}

// Whoever forgets a letter in the moment in which it gets another name may see it under neither. It is gone with that.
func TestForgottenWhileItIsTurned(t *testing.T) {
	b, later := Box(t.TempDir()), noon.Add(time.Hour)
	x := digitsOf([]byte("x"))
	must(t, b.Forget(x)) // as by who does not see it
	must(t, b.Put([]byte("x"), noon, later))
	mine, ok := b.Claim(letters(t, b)[0], noon.Add(time.Minute))
	if !ok {
		t.Fatal("what is found again is forgotten")
	}
	must(t, os.WriteFile(b.mark(x), nil, 0o600))
	if err := b.Defer(mine, later); !errors.Is(err, errForgotten) || len(letters(t, b)) > 0 {
		t.Errorf("%v, and there are %v", err, letters(t, b))
	}
	for range 20 {
		must(t, b.Put([]byte("x"), noon, later))
		var over atomic.Bool
		var group sync.WaitGroup
		for i := range 2 {
			group.Go(func() {
				for k := 1; !over.Load(); k++ {
					list, err := b.Letters(time.Now()) // marks are as old as files are
					must(t, err)
					for _, l := range list {
						b.Claim(l, noon.Add(time.Duration(2*k+i)*time.Second))
					}
				}
			})
		}
		err := b.Forget(x) // that it is turned again and again may be said
		over.Store(true)
		group.Wait()
		if list := letters(t, b); err == nil && len(list) > 0 {
			t.Fatalf("forgotten, and there are %v", list)
		}
	}
}

// Of many who want a letter one gets it.
func TestOneClaims(t *testing.T) {
	b := Box(t.TempDir())
	must(t, b.Put([]byte("x"), noon, noon.Add(time.Hour)))
	l := letters(t, b)[0]
	var won atomic.Int32
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if _, ok := b.Claim(l, noon.Add(time.Duration(i+1)*time.Minute)); ok {
				won.Add(1)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 || len(letters(t, b)) != 1 {
		t.Errorf("%d have claimed it, %d letters", won.Load(), len(letters(t, b)))
	}
}

func TestOutboxIsBounded(t *testing.T) {
	b := Box(t.TempDir())
	if err := b.Put(make([]byte, MaxLetter+1), noon, noon); !errors.Is(err, ErrFull) {
		t.Errorf("one that is too long: %v", err)
	}
	for i := range MaxLetters {
		must(t, b.Put([]byte{byte(i)}, noon, noon.Add(time.Hour)))
	}
	if err := b.Put([]byte("one more"), noon, noon); !errors.Is(err, ErrFull) {
		t.Errorf("one too many: %v", err)
	}
}

// What is damaged is found out, what is no letter is let be, and what was half written is cleared away in time.
func TestStrangeFiles(t *testing.T) {
	b := Box(t.TempDir())
	must(t, b.Put([]byte("whole"), noon, noon.Add(time.Hour)))
	l := letters(t, b)[0]
	must(t, os.WriteFile(b.path(l), []byte("torn"), 0o600))
	if _, err := b.Read(l); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v, want ErrDamaged", err)
	}
	for _, name := range []string{"README", ".new-1", ".new-2"} {
		must(t, os.WriteFile(filepath.Join(string(b), name), nil, 0o600))
	}
	must(t, os.Chtimes(filepath.Join(string(b), ".new-1"), noon, noon.Add(-2*time.Hour)))
	must(t, os.Chtimes(filepath.Join(string(b), ".new-2"), noon, noon.Add(-time.Minute)))
	if len(letters(t, b)) != 1 {
		t.Error("a stray file is a letter")
	}
	entries, err := os.ReadDir(string(b))
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) != 3 || !slices.Contains(names, ".new-2") || !slices.Contains(names, "README") {
		t.Errorf("there are %q", names)
	}
	if _, err := Box(filepath.Join(string(b), "README")).Letters(noon); err == nil {
		t.Error("a file is an outbox")
	}
}

// A name means what it says or nothing.
func FuzzParse(f *testing.F) {
	whole := Letter{Due: noon, Until: noon, Done: []barnraise.ServerID{1, 2}, digits: digitsOf(nil)}.name()
	for _, name := range []string{whole, strings.Replace(whole, "1.2", "", 1), "", "---", strings.Replace(whole, "1.2", "1..2", 1), "+" + whole} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if l, ok := parse(name); ok && (l.name() != name || len(l.Done) > maxDone) {
			t.Errorf("%q is %+v", name, l)
		}
	})
}
