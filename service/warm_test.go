//go:build !wasip1

package service

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// What Warm was given is called in its order, once, and before the program listens.
func TestWarm(t *testing.T) {
	var talk strings.Builder
	var called []string
	note := func(what string) func(*Service) {
		return func(s *Service) { called = append(called, what+talk.String()) }
	}
	s := sampleService().Warm(note("first")).Warm(note("second"))
	if got := string(s.Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"none"}`))); !strings.Contains(got, "result") || called != nil {
		t.Errorf("Handle answers %s, and calls %q", got, called)
	}
	leave, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.serve(leave, "0", &talk); err != nil {
		t.Error(err)
	}
	if want := []string{"first", "second"}; !slices.Equal(called, want) || !strings.Contains(talk.String(), "listening") {
		t.Errorf("called %q, want %q, before %q", called, want, talk.String())
	}
}
