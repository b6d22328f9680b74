package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestDocuments(t *testing.T) {
	s := opened(t, Memory, Options{})
	ctx := t.Context()
	for i := range 600 {
		must(t, s.Put(ctx, "a", fmt.Sprintf("%04d", i), i))
	}
	must(t, s.Put(ctx, "a", "", -1))
	must(t, s.Put(ctx, "b", "x", "other"))
	must(t, s.Put(ctx, "a", "0005", 55))
	must(t, s.Delete(ctx, "a", "0006"))
	must(t, s.Delete(ctx, "a", "0006"))
	var keys []string
	sum := 0
	must(t, s.Each(ctx, "a", func(d Document) error {
		var v int
		must(t, s.Get(ctx, "a", d.Key, &v)) // the store may be used meanwhile
		keys, sum = append(keys, d.Key), sum+v
		return d.Decode(&v)
	}))
	if want := 600*599/2 - 1 + 50 - 6; len(keys) != 600 || keys[0] != "" || keys[600-1] != "0599" || sum != want {
		t.Errorf("%d documents, sum %d; want 600, %d", len(keys), sum, want)
	}
	enough := errors.New("enough")
	if err := s.Each(ctx, "a", func(Document) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("it ended with %v", err)
	}
	var v string
	if err := s.Get(ctx, "a", "none", &v); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing there: %v", err)
	}
	if err := s.Get(ctx, "a", "0001", &v); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("a number as a string: %v", err)
	}
}

func TestDocumentsAreBounded(t *testing.T) {
	s := opened(t, Memory, Options{})
	long := strings.Repeat("x", MaxName+1)
	for _, err := range []error{
		s.Put(t.Context(), long, "k", 1), s.Put(t.Context(), "a", long, 1),
		s.Put(t.Context(), "a", "k", strings.Repeat("x", MaxDocument)),
	} {
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v, want ErrTooLarge", err)
		}
	}
	must(t, s.Put(t.Context(), long[1:], long[1:], strings.Repeat("x", MaxDocument-2)))
}
