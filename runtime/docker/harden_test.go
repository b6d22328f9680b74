package docker

import (
	"testing"

	"barnraise/image"
	"barnraise/runtime"
)

// What the image says of variables is part of its digest, and no surroundings change it; nor where the engine looks for programs.
func TestBeside(t *testing.T) {
	for _, c := range []struct{ document, env, want string }{
		{`{}`, "", ""},
		{`{}`, "A=1\nB=2\n", "A=1\nB=2"},
		{`{}`, "PATH=/x\nA=1", "A=1"},
		{`{"config":{"Env":["B=0","TZ=UTC","C"]}}`, "A=1\nB=2\nTZ=Asia/Tokyo\nC=3\nb=4", "A=1\nb=4"},
		{`{"Config":{"env":["B=x=y"]}}`, "B=1", ""},
		{`{"config":{"Env":7}}`, "A=1", "A=1"},
	} {
		s := source{Linux: image.Linux{Document: []byte(c.document)}}
		if got := s.beside(runtime.Surroundings{Env: c.env}); got != c.want {
			t.Errorf("%s beside %s: %q, want %q", c.env, c.document, got, c.want)
		}
	}
}
