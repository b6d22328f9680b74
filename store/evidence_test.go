package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"barnraise"
)

// evidence is a piece of about so many bytes that two servers have signed.
func evidence(n, size int) barnraise.Evidence {
	return barnraise.Evidence{
		Service: 3, Revision: 1, Request: fmt.Appendf(nil, "request %d", n),
		Answers: []barnraise.Answer{
			{Server: 9, Response: make([]byte, size*3/4)}, {Server: 7}, {Server: 9, Response: []byte("b")},
		},
	}
}

func add(t *testing.T, s *Store, n, size int, from barnraise.ServerID) Item {
	t.Helper()
	item, _, err := s.Add(t.Context(), evidence(n, size), from)
	must(t, err)
	return item
}

func TestEvidenceIsKeptWithWhatIsKnownOfIt(t *testing.T) {
	s := opened(t, Memory, Options{})
	e := evidence(1, 100)
	first, added, err := s.Add(t.Context(), e, 5)
	accused := slices.Equal(first.Accused, []barnraise.ServerID{7, 9})
	if err != nil || !added || first.From != 5 || first.State != New || !accused {
		t.Fatalf("%+v, %v, %v", first, added, err)
	}
	if again, added, err := s.Add(t.Context(), e, 6); err != nil || added || again.From != 5 {
		t.Errorf("a second time: %+v, %v, %v", again, added, err)
	}
	name, err := s.Keep(e)
	if err != nil || name != first.Digest.String() {
		t.Errorf("its name is %q, %v", name, err)
	}
	must(t, s.Judge(t.Context(), first.Digest, Held, []barnraise.ServerID{9}))
	item, body, err := s.Evidence(t.Context(), first.Digest)
	proves := slices.Equal(item.Proves, []barnraise.ServerID{9})
	if err != nil || !bytes.Equal(body, e.Encode()) || item.From != 0 || item.State != Held || !proves {
		t.Errorf("%+v, %d bytes, %v", item, len(body), err)
	}
	if _, _, err := s.Evidence(t.Context(), barnraise.Digest{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing there: %v", err)
	}
	if err := s.Judge(t.Context(), barnraise.Digest{}, Held, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing to judge: %v", err)
	}
	_, err = s.db.Exec("UPDATE evidence SET body = 'x'")
	must(t, err)
	if _, _, err := s.Evidence(t.Context(), first.Digest); !errors.Is(err, ErrDamaged) {
		t.Errorf("other bytes: %v", err)
	}
}

func TestEvidenceIsListed(t *testing.T) {
	s := opened(t, Memory, Options{})
	for n := range 10 {
		item := add(t, s, n, 100, 5)
		if n%2 == 0 {
			must(t, s.Judge(t.Context(), item.Digest, Held, nil))
		}
	}
	for _, c := range []struct {
		filter EvidenceFilter
		want   int
	}{
		{EvidenceFilter{}, 10}, {EvidenceFilter{After: 4}, 6}, {EvidenceFilter{State: Held}, 5},
		{EvidenceFilter{Service: 4}, 0}, {EvidenceFilter{Service: 3, State: New, After: 4}, 3},
		{EvidenceFilter{Server: 7, Limit: 3}, 3}, {EvidenceFilter{Server: 8}, 0},
	} {
		if list, err := s.List(t.Context(), c.filter); err != nil || len(list) != c.want {
			t.Errorf("%+v: %d, %v; want %d", c.filter, len(list), err, c.want)
		}
	}
}

func TestEvidenceIsDroppedAfterThirtyDays(t *testing.T) {
	now := noon
	s := opened(t, Memory, Options{Now: func() time.Time { return now }})
	add(t, s, 1, 100, 0)
	for _, c := range []struct {
		days, left int
	}{{29, 1}, {30, 0}} {
		now = noon.AddDate(0, 0, c.days)
		must(t, s.Prune(t.Context()))
		if list, err := s.List(t.Context(), EvidenceFilter{}); err != nil || len(list) != c.left {
			t.Errorf("after %d days: %d, %v; want %d", c.days, len(list), err, c.left)
		}
	}
}

// A flood displaces neither one's own nor what was found to hold nor what others sent.
func TestFloodOfEvidence(t *testing.T) {
	s := opened(t, Memory, Options{EvidenceBytes: 256 << 10})
	keep := make(map[barnraise.Digest]string)
	for n := range 10 {
		keep[add(t, s, n, 4000, 0).Digest] = "own"
		held := add(t, s, 100+n, 4000, 5)
		must(t, s.Judge(t.Context(), held.Digest, Held, nil))
		keep[held.Digest] = "held"
		keep[add(t, s, 200+n, 1000, 6).Digest] = "another's"
	}
	refuted := add(t, s, 300, 1000, 6)
	must(t, s.Judge(t.Context(), refuted.Digest, Refuted, nil))
	for n := range rounds(1000, 10_000) {
		add(t, s, 1000+n, 1000, 66)
	}
	for digest, what := range keep {
		if _, _, err := s.Evidence(t.Context(), digest); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, _, err := s.Evidence(t.Context(), refuted.Digest); !errors.Is(err, ErrNotFound) {
		t.Errorf("what does not hold is still there: %v", err)
	}
	used := int64(0)
	list, err := s.List(t.Context(), EvidenceFilter{})
	must(t, err)
	for _, item := range list {
		used += item.Size + rowBytes
	}
	own, others, err := s.EvidenceBytes(t.Context())
	if err != nil || used > 256<<10 || used != own+others || own < 40_000 || own > 60_000 {
		t.Errorf("%d bytes of 262144, counted as %d and %d: %v", used, own, others, err)
	}
}

func TestOneOwnGoesLastAndForOneOwnOnly(t *testing.T) {
	s := opened(t, Memory, Options{EvidenceBytes: 10_000})
	oldest := add(t, s, 1, 4000, 0)
	add(t, s, 2, 4000, 0)
	if _, _, err := s.Add(t.Context(), evidence(3, 4000), 5); !errors.Is(err, ErrFull) {
		t.Errorf("others' for one's own: %v, want ErrFull", err)
	}
	if _, err := s.Keep(evidence(4, 20_000)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more than there is room for: %v", err)
	}
	add(t, s, 5, 4000, 0)
	if _, _, err := s.Evidence(t.Context(), oldest.Digest); !errors.Is(err, ErrNotFound) {
		t.Errorf("the oldest is still there: %v", err)
	}
}

func TestNewEvidenceGetsItsQuarter(t *testing.T) {
	s := opened(t, Memory, Options{EvidenceBytes: 100_000})
	for n := range 40 {
		must(t, s.Judge(t.Context(), add(t, s, n, 2000, 5).Digest, Held, nil))
	}
	for n := range 100 {
		add(t, s, 1000+n, 2000, 6)
	}
	fresh, err := s.List(t.Context(), EvidenceFilter{State: New})
	must(t, err)
	held, err := s.List(t.Context(), EvidenceFilter{State: Held})
	must(t, err)
	if len(fresh) < 5 || len(held) < 25 {
		t.Errorf("%d new and %d held pieces; want a quarter and three", len(fresh), len(held))
	}
}

func FuzzDecodeIDs(f *testing.F) {
	f.Add([]byte("[1,2]"))
	f.Add([]byte("null"))
	f.Add([]byte("[-1]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ids, err := decodeIDs(b)
		if err != nil {
			return
		}
		if again, err := decodeIDs(encodeIDs(ids)); err != nil || !slices.Equal(ids, again) {
			t.Fatalf("%v, %v, %v", ids, again, err)
		}
	})
}

func TestForgottenEvidenceIsGone(t *testing.T) {
	s := opened(t, Memory, Options{})
	e := evidence(1, 100)
	_, err := s.Keep(e)
	must(t, err)
	digest := barnraise.Sum(e.Encode())
	must(t, s.Forget(t.Context(), digest))
	if err := s.Forget(t.Context(), digest); !errors.Is(err, ErrNotFound) {
		t.Errorf("forgotten twice: %v", err)
	}
	if own, _, err := s.EvidenceBytes(t.Context()); err != nil || own > 0 {
		t.Errorf("%d bytes are used, %v", own, err)
	}
	_, err = s.Keep(e)
	must(t, err)
}
