package registry

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"barnraise"
)

const (
	zeroAddress = "0x0000000000000000000000000000000000000001"
	someKey     = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
	someDigest  = "sha256:0000000000000000000000000000000000000000000000000000000000000001"
)

var snapshotText = `{"v":1,"chain":"eip155:31337","services":"` + zeroAddress + `","servers":"` + zeroAddress + `","block":9,
 "hash":"0x00000000000000000000000000000000000000000000000000000000000000ab",
 "service":[{"id":2,"owner":"` + zeroAddress + `","name":"search","revision":3,"image":"search@` + someDigest + `","verifier":"bafv",
   "manifest":"bafm","home":7,"activeFrom":5,"revoked":false},
  {"id":1,"name":"old","status":"gone","home":7,"revisions":[{"revision":1,"home":6},{"revision":2,"home":7,"revoked":true,"reason":"x"}]}],
 "server":[{"id":7,"owner":"` + zeroAddress + `","url":"https://a.example","key":"` + someKey + `","offers":[2,1],"rewards":[2],
   "capacity":4,"status":"leaving","since":3,"delegate":"` + zeroAddress + `","deposit":"1","edits":{}},
  {"id":8,"keys":[{"key":"` + someKey + `","from":1,"to":2},{"key":"` + someKey + `","from":2}]}],
 "later":[{}]}`

func TestReadSnapshot(t *testing.T) {
	s, err := ReadSnapshot(strings.NewReader(snapshotText))
	if err != nil {
		t.Fatal(err)
	}
	one := barnraise.Address{19: 1}
	key, err := barnraise.ParsePublicKey(someKey)
	if err != nil {
		t.Fatal(err)
	}
	if s.Registry != (barnraise.Registry{Chain: "eip155:31337", Services: one, Servers: one}) || s.Block != 9 || s.Hash != [32]byte{31: 0xab} {
		t.Errorf("it is of %s at %d, %x", s.Registry, s.Block, s.Hash)
	}
	services := []barnraise.Service{
		{ID: 1, Name: "old", Status: barnraise.StatusGone, Revisions: []barnraise.Revision{
			{Number: 1, Home: 6}, {Number: 2, Home: 7, Revoked: true, Reason: "x"},
		}},
		{ID: 2, Owner: one, Name: "search", Status: barnraise.StatusActive, Revisions: []barnraise.Revision{{
			Number: 3, Image: barnraise.Digest{31: 1}, Reference: "search@" + someDigest, Verifier: "bafv", Manifest: "bafm", Home: 7, ActiveFrom: 5,
		}}},
	}
	if got := s.Services(); !reflect.DeepEqual(got, services) {
		t.Errorf("services are %+v, want %+v", got, services)
	}
	servers := []barnraise.Server{
		{ID: 7, Operator: one, Delegate: one, URL: "https://a.example", Keys: []barnraise.Key{{Key: key, From: 3}}, Capacity: 4, Since: 3,
			Offers: []barnraise.ServiceID{1, 2}, Rewards: []barnraise.ServiceID{2}, Status: barnraise.StatusLeaving},
		{ID: 8, Status: barnraise.StatusActive, Keys: []barnraise.Key{{Key: key, From: 1, To: 2}, {Key: key, From: 2}}},
	}
	if got := s.Servers(); !reflect.DeepEqual(got, servers) {
		t.Errorf("servers are %+v, want %+v", got, servers)
	}
}

func TestReadSnapshotRefuses(t *testing.T) {
	in := func(old, by string) string {
		if !strings.Contains(snapshotText, old) {
			t.Fatalf("no %s in the sample", old)
		}
		return strings.Replace(snapshotText, old, by, 1)
	}
	for name, text := range map[string]string{
		"nothing":           "",
		"a list":            "[]",
		"half":              snapshotText[:300],
		"no version":        in(`"v":1,`, ""),
		"another version":   in(`"v":1`, `"v":2`),
		"a member twice":    in(`"block":9`, `"block":9,"block":9`),
		"more after it":     snapshotText + "{}",
		"garbage after it":  snapshotText + "]",
		"id 0":              in(`"id":7`, `"id":0`),
		"an id twice":       in(`"id":8`, `"id":7`),
		"an id too large":   in(`"id":8`, `"id":4294967296`),
		"a negative id":     in(`"id":8`, `"id":-1`),
		"an offer twice":    in(`[2,1]`, `[2,2]`),
		"offer 0":           in(`[2,1]`, `[0]`),
		"too many rewards":  in(`"rewards":[2]`, `"rewards":[`+strings.Repeat("1,", 64)+"1]"),
		"a bad key":         in(`"key":"11`, `"key":"!!`),
		"a bad image":       in(`search@sha256:`, `search@sha1:`),
		"a bad status":      in(`"leaving"`, `"leavin"`),
		"a bad address":     in(`"owner":"0x`, `"owner":"0y`),
		"a bad hash":        in(`"hash":"0x`, `"hash":"`),
		"revision 0":        in(`{"revision":1,`, `{"revision":0,`),
		"revisions reverse": in(`{"revision":2,`, `{"revision":1,`),
		"too many servers":  `{"v":1,"server":[` + manyServers(maxRecords+1) + `]}`,
		"services an array": in(`"service":[`, `"service":7,"x":[`),
	} {
		if _, err := ReadSnapshot(strings.NewReader(text)); err == nil {
			t.Errorf("%s: it is read", name)
		} else if !errors.Is(err, ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := errors.New("broken disk")
	if _, err := ReadSnapshot(iotest.ErrReader(broken)); !errors.Is(err, broken) || errors.Is(err, ErrSnapshot) {
		t.Errorf("of a reader that fails: %v", err)
	}
	endless := io.MultiReader(strings.NewReader(`{"v":1,"x":"`), forever{})
	if _, err := ReadSnapshot(endless); !errors.Is(err, ErrSnapshot) {
		t.Errorf("of a file without end: %v", err)
	}
}

func manyServers(n int) string {
	var b strings.Builder
	for id := 1; id <= n; id++ {
		fmt.Fprintf(&b, `{"id":%d},`, id)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// forever is a file without end.
type forever struct{}

func (forever) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	return len(b), nil
}

// FuzzReadSnapshot: no bytes make it panic, and what it reads is a registry's.
func FuzzReadSnapshot(f *testing.F) {
	f.Add([]byte(snapshotText))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadSnapshot(strings.NewReader(string(b)))
		if err != nil {
			return
		}
		for _, v := range s.Servers() {
			if v.ID == 0 || !barnraise.ValidList(v.Offers, barnraise.MaxOffers) || !barnraise.ValidList(v.Rewards, barnraise.MaxRewards) {
				t.Errorf("server %+v", v)
			}
		}
		for _, v := range s.Services() {
			if v.ID == 0 || len(v.Revisions) == 0 {
				t.Errorf("service %+v", v)
			}
		}
	})
}
