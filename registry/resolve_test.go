package registry

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"barnraise"
)

// TestResolve: a service is meant by its id; a bare name means what names says, and nothing else (protocol 1.10).
func TestResolve(t *testing.T) {
	a, b := barnraise.Address{1}, barnraise.Address{2}
	services := []barnraise.Service{
		{ID: 1, Name: "search", Owner: a, Revisions: []barnraise.Revision{{Number: 1}, {Number: 2}}},
		{ID: 2, Name: "search", Owner: b, Revisions: []barnraise.Revision{{Number: 1}}},
		{ID: 3, Name: "alone", Owner: a},
		{ID: 4, Name: "gone", Owner: a, Status: barnraise.StatusGone},
		{ID: 5, Name: "123", Owner: a},
	}
	s := barnraise.NewSnapshot(barnraise.Registry{}, 1, [32]byte{}, 0, services, nil)
	names := map[string]barnraise.ServiceID{"mine": 2, "lost": 77, "123": 2}
	for _, c := range []struct {
		ref      string
		id       barnraise.ServiceID
		revision uint32
		err      string
	}{
		{"#1", 1, 0, ""}, {"1", 1, 0, ""}, {"#1@2", 1, 2, ""}, {"1@1", 1, 1, ""}, {"mine", 2, 0, ""},
		{"mine@1", 2, 1, ""}, {"#4", 4, 0, ""},
		{"search", 0, 0, "#1 of owner " + Checksum(a) + ", #2 of owner " + Checksum(b) + "; write the id"},
		{"alone", 0, 0, "#3 of owner 0x0100000000000000000000000000000000000000; write the id, or say under names:"},
		{"gone", 0, 0, `no service is called "gone"`},
		{"none", 0, 0, `no service is called "none"`},
		{"lost", 0, 0, "no service #77"},
		{"#9", 0, 0, "no service #9"},
		{"123", 0, 0, "digits alone are an id, and the registry has no service #123"},
		{"123@1", 0, 0, "digits alone are an id, and the registry has no service #123"},
		{"#1@3", 0, 0, "no revision 3"}, {"mine@2", 0, 0, "no revision 2"},
		{"#1@", 0, 0, "number of a revision"}, {"#1@0", 0, 0, "number of a revision"}, {"#1@01", 0, 0, "number of a revision"},
		{"#1@x", 0, 0, "number of a revision"}, {"#1@1@1", 0, 0, "number of a revision"},
		{"#1@4294967297", 0, 0, "number of a revision"},
		{"", 0, 0, "want an id"}, {"#", 0, 0, "want an id"}, {"#0", 0, 0, "want an id"}, {"0", 0, 0, "want an id"},
		{"0123", 0, 0, "(digits alone are an id)"},
		{"#01", 0, 0, "want an id"},
		{"#search", 0, 0, "want an id"}, {"-1", 0, 0, "want an id"}, {"#4294967297", 0, 0, "want an id"},
		{"Search", 0, 0, "want an id"},
		{"se", 0, 0, "want an id"}, {strings.Repeat("a", 49), 0, 0, "want an id"}, {strings.Repeat("9", 1000), 0, 0, "want an id"},
	} {
		id, revision, err := Resolve(s, names, c.ref)
		switch {
		case c.err == "" && (err != nil || id != c.id || revision != c.revision):
			t.Errorf("%q is %s@%d, %v; want %s@%d", c.ref, id, revision, err, c.id, c.revision)
		case c.err != "" && (!errors.Is(err, ErrReference) || !strings.Contains(err.Error(), c.err) || len(err.Error()) > 500):
			t.Errorf("%.60q: error is %v, want ErrReference with %q", c.ref, err, c.err)
		}
	}
	var unknown *UnknownNameError
	_, _, err := Resolve(s, nil, "search")
	if !errors.As(err, &unknown) || !slices.Equal(unknown.Candidates, []Candidate{{1, a}, {2, b}}) {
		t.Errorf("the candidates are %+v", unknown)
	}
}

// TestManyCandidates: a name that a thousand strangers took makes no longer an error than one that a dozen took.
func TestManyCandidates(t *testing.T) {
	e := &UnknownNameError{Name: "search", Candidates: make([]Candidate, 1000)}
	if text := e.Error(); len(text) > 1200 || !strings.Contains(text, "and 988 more;") {
		t.Errorf("the error is %s", text)
	}
}

// TestChecksum: the examples of EIP-55.
func TestChecksum(t *testing.T) {
	for _, want := range []string{
		"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
		"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		if got := Checksum(mustAddress(t, want)); got != want {
			t.Errorf("checksum is %s, want %s", got, want)
		}
	}
}
