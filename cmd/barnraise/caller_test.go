package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/outbox"
	"barnraise/store"
)

// What is forgotten is not delivered to anybody either; what else waits is.
func TestForgottenEvidenceIsNotDelivered(t *testing.T) {
	data := t.TempDir()
	t.Setenv("XDG_DATA_HOME", data)
	dir, err := client.EvidenceDirectory()
	if err != nil {
		t.Fatal(err)
	}
	var digests []string
	box := outbox.Box(filepath.Join(data, "barnraise", "networks", "0123", outboxDir))
	for _, request := range []string{"a", "b"} {
		e := barnraise.Evidence{Registry: barnraise.Registry{Chain: "eip155:1"}, Service: 1, Revision: 1, Request: []byte(request)}
		_, err := dir.Keep(e)
		if err := errors.Join(err, box.Put(e.Encode(), time.Now(), time.Now().Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		digests = append(digests, barnraise.Sum(e.Encode()).String())
	}
	var out, talk bytes.Buffer
	if code := run(t.Context(), []string{"evidence", "forget", digests[0][:len("sha256:")+10]}, &out, &talk); code != 0 {
		t.Fatalf("exit code %d: %s", code, talk.String())
	}
	left, err := box.Letters(time.Now())
	if err != nil || len(left) != 1 {
		t.Fatalf("%d wait to be delivered, %v", len(left), err)
	}
	if body, err := box.Read(left[0]); err != nil || barnraise.Sum(body).String() != digests[1] {
		t.Errorf("the wrong one is left: %s, %v", body, err)
	}
	if code := run(t.Context(), []string{"evidence", "list"}, &out, &talk); code != 0 || strings.Contains(out.String(), digests[0]) {
		t.Errorf("exit code %d, listed are %s", code, out.String())
	}
}

// A file that is damaged is listed with what is wrong, and can be forgotten; it makes nothing else fail.
func TestDamagedEvidenceIsListed(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	dir := t.TempDir()
	name := strings.Repeat("ab", 16)
	if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"list"}, 0, "sha256:" + name + ": " + filepath.Join(dir, name+".json") + ": the file is damaged"},
		{[]string{"list", "--json"}, 0, `"digest":"sha256:` + name + `","size":4,"accused":[],`},
		{[]string{"show", name}, 1, "the file is damaged"},
		{[]string{"forget", name, "cdcdcd"}, 1, "cdcdcd is not kept here"},
		{[]string{"list"}, 0, "there is none"},
	} {
		var text bytes.Buffer
		args := append([]string{"evidence"}, append(c.args, "--evidence", dir)...)
		if code := run(t.Context(), args, &text, &text); code != c.code || !strings.Contains(text.String(), c.want) {
			t.Errorf("%v: exit code %d, says %q, want %q", c.args, code, text.String(), c.want)
		}
	}
}

// Scores that are damaged are left as they are for somebody to look at, and nobody relies on them.
func TestDamagedScoresAreNotUsed(t *testing.T) {
	dir := t.TempDir()
	torn := bytes.Repeat([]byte("torn "), 500)
	if err := os.WriteFile(filepath.Join(dir, scoresFile), torn, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openScores(t.Context(), dir); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("error is %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, scoresFile)); err != nil || !bytes.Equal(b, torn) {
		t.Errorf("the file is changed: %v", err)
	}
	if s, err := openScores(t.Context(), filepath.Join(dir, "below", "that")); err != nil {
		t.Error(err)
	} else if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A proxy that has done its work ends well though somebody else writes to the scores just then.
func TestScoresOfOthersWhoWriteAreClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), scoresFile)
	open := func() *store.Store {
		s, err := store.Open(t.Context(), path, store.Options{Busy: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	c, other := caller{scores: open()}, open()
	defer other.Close()
	err := other.Update(t.Context(), func(*store.Tx) error {
		if err := c.scores.Prune(t.Context()); err == nil {
			t.Error("two write at the same time")
		}
		return c.closeScores()
	})
	if err != nil {
		t.Errorf("closed with %v", err)
	}
}

// What is past its time goes also from a caller that goes on for months.
func TestCallersThatGoOnDropWhatIsPastItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), scoresFile), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Append(t.Context(), store.Event{At: time.Now(), Kind: "strike", Server: 1}); err != nil {
			t.Fatal(err)
		}
		stop := goOn(t.Context(), caller{scores: s}.prune)
		for _, want := range []int{1, 0} {
			time.Sleep(pruneEvery + time.Minute)
			synctest.Wait()
			if list, err := s.Events(t.Context(), store.EventFilter{}); err != nil || len(list) != want {
				t.Errorf("%d events are kept, want %d: %v", len(list), want, err)
			}
			time.Sleep(91 * 24 * time.Hour)
		}
		stop()
	})
}
