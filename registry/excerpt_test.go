package registry

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"barnraise"
)

// TestExcerptKeeps: an excerpt comes back from its file as it was, whatever has become of the state meanwhile.
func TestExcerptKeeps(t *testing.T) {
	s := wholeState(t)
	for _, v := range []at{
		{30, ServerRegistered{3, alice, wei(9)}}, {30, URLSet{3, "https://c.example"}}, {30, KeyRotated{3, [32]byte{3, 3}}},
		{30, ListsSet{3, ids(3), nil, 1}},
	} {
		if err := s.Servers.Apply(Block{Number: v.block}, v.event); err != nil {
			t.Fatal(err)
		}
	}
	e, ok := s.Excerpt(3, 9)
	if !ok {
		t.Fatal("no excerpt")
	}
	e.Proof = &Backing{Header: []byte{1}, Nodes: []byte{2}}
	text := func() string {
		var b bytes.Buffer
		if err := WriteExcerpt(&b, e); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	before := text()
	for i, event := range []Event{
		KeyRotated{3, [32]byte{1}}, KeyRotated{3, [32]byte{4, 4}}, ListsSet{3, ids(1), nil, 2}, URLSet{3, "https://d.example"},
	} {
		if err := s.Servers.Apply(Block{Number: uint64(40 + i)}, event); err != nil {
			t.Fatal(err)
		}
	}
	for _, event := range []Event{RevisionRevoked{3, 2, "late"}, published(3, 4, 60)} {
		if err := s.Services.Apply(Block{Number: 41}, event); err != nil {
			t.Fatal(err)
		}
	}
	if after := text(); after != before {
		t.Errorf("it was\n%s, it is\n%s", before, after)
	}
	back, err := ReadExcerpt(strings.NewReader(before))
	if err != nil {
		t.Fatal(err)
	}
	services, servers := e.Commitments()
	gotServices, gotServers := back.Commitments()
	if !reflect.DeepEqual(gotServices, services) || !reflect.DeepEqual(gotServers, servers) || len(services) != 1 || len(servers) != 2 { // and the home
		t.Errorf("commitments are %v, %v, want %v, %v", gotServices, gotServers, services, servers)
	}
	if got, want := fmt.Sprint(back.Snapshot()), fmt.Sprint(e.Snapshot()); got != want || !reflect.DeepEqual(back.Proof, e.Proof) {
		t.Errorf("it is %s, want %s", got, want)
	}
	if _, ok := s.Excerpt(77, 9); ok {
		t.Error("of a service that is not there")
	}
}

func TestUnion(t *testing.T) {
	s := wholeState(t)
	for i, offers := range [][]barnraise.ServiceID{ids(3), ids(3), ids(1, 3)} {
		id := uint32(3 + i)
		for _, e := range []Event{
			ServerRegistered{id, alice, wei(9)}, URLSet{id, "https://c.example"}, KeyRotated{id, [32]byte{9}}, ListsSet{id, offers, nil, 1},
		} {
			if err := s.Servers.Apply(Block{Number: 30}, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	few, _ := s.Excerpt(3, 1)
	all, _ := s.Excerpt(3, 9)
	for _, pair := range [][2]Excerpt{{few, all}, {all, few}, {all, all}} {
		got, err := pair[0].Union(pair[1])
		if err != nil || fmt.Sprint(got.Snapshot().Hosts(3)) != "[3 4 5]" {
			t.Errorf("hosts are %v, %v", got.Snapshot().Hosts(3), err)
		}
	}
	if len(few.Snapshot().Servers()) != 2 { // and the home
		t.Errorf("%v", few.Snapshot().Servers())
	}
	other := all
	other.Hash[0]++
	if _, err := all.Union(other); !errors.Is(err, ErrSnapshot) {
		t.Errorf("of two blocks: %v", err)
	}
}

// FuzzReadExcerpt: no bytes make it panic, and what it reads it writes again.
func FuzzReadExcerpt(f *testing.F) {
	e, _ := wholeState(f).Excerpt(3, 9)
	e.Proof = &Backing{Header: []byte{1}, Nodes: []byte{2}}
	var b bytes.Buffer
	if err := WriteExcerpt(&b, e); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ReadExcerpt(bytes.NewReader(b))
		if err != nil {
			return
		}
		var once, twice bytes.Buffer
		if err := WriteExcerpt(&once, e); err != nil {
			t.Fatal(err)
		}
		again, err := ReadExcerpt(bytes.NewReader(once.Bytes()))
		if err != nil {
			t.Fatalf("%v\n%s", err, once.Bytes())
		}
		if err := WriteExcerpt(&twice, again); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Errorf("%v: it was\n%s, it is\n%s", err, once.Bytes(), twice.Bytes())
		}
	})
}
