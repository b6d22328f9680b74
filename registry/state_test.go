package registry

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"barnraise"
)

// oddServices is what a list cannot show of services: foreign CIDs, texts that nobody should see, revocations in disorder.
var oddServices = []at{
	{21, ServiceRegistered{3, alice, "odd", wei(1)}},
	{21, RevisionPublished{3, 1, barnraise.Digest{9}, "a\x1b[2Jb@c", []byte{1, 2}, rawCID(2), 7, 21}},
	{22, RevisionPublished{3, 2, barnraise.Digest{8}, "\xff\xfe", rawCID(1), []byte("Qm"), 7, 22}},
	{22, published(3, 3, 30)}, {23, RevisionRevoked{3, 3, "bell\a"}}, {23, RevisionRevoked{3, 1, "plain"}},
	{24, OwnershipOffered{3, bob}},
}

// oddServers is the same of servers: a URL with a bell, keys of small order, and one that never had a good one.
var oddServers = []at{
	{12, ServerRegistered{2, bob, wei(70)}}, {12, URLSet{2, "https://b\a.example"}}, {12, KeyRotated{2, [32]byte{1}}},
	{12, ListsSet{2, nil, nil, 0}}, {13, KeyRotated{2, [32]byte{5, 5}}}, {13, KeyRotated{2, [32]byte{1}}},
	{13, KeyRotated{2, [32]byte{6, 6}}}, {14, Unregistered{2, 99}}, {15, Withdrawn{2, bob, wei(70)}},
}

func someState(t testing.TB, services, servers int) State {
	t.Helper()
	s := State{
		Registry: barnraise.Registry{Chain: "eip155:31337", Services: alice, Servers: bob}, Block: 50, Hash: BlockHash{31: 7},
		Time: 1_700_000_000, Grace: 3, Services: new(Services), Servers: new(Servers),
	}
	for _, e := range append(serviceStory[:len(serviceStory):len(serviceStory)], oddServices...)[:services] {
		if err := s.Services.Apply(Block{Number: e.block}, e.event); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range append(serverStory[:len(serverStory):len(serverStory)], oddServers...)[:servers] {
		if err := s.Servers.Apply(Block{Number: e.block, Time: int64(e.block) * 12}, e.event); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func wholeState(t testing.TB) State {
	return someState(t, len(serviceStory)+len(oddServices), len(serverStory)+len(oddServers))
}

func written(t testing.TB, s State) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteState(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestStateKeeps: after every event the state comes back from its file as it was, and goes on from there.
func TestStateKeeps(t *testing.T) {
	for i := range len(serviceStory) + len(oddServices) + 1 {
		for _, j := range []int{0, min(i, len(serverStory)+len(oddServers)), len(serverStory) + len(oddServers)} {
			want := someState(t, i, j)
			text := written(t, want)
			got, err := ReadState(bytes.NewReader(text))
			if err != nil {
				t.Fatalf("%d, %d: %v\n%s", i, j, err, text)
			}
			same(t, got, want)
			if again := written(t, got); !bytes.Equal(again, text) {
				t.Errorf("%d, %d: written again it is\n%s\nit was\n%s", i, j, again, text)
			}
		}
	}
}

// TestStateGoesOn: events that follow have the same effect on a state that was read.
func TestStateGoesOn(t *testing.T) {
	all := append(serviceStory[:len(serviceStory):len(serviceStory)], oddServices...)
	for i := range all {
		want, kept := someState(t, len(all), 0), someState(t, i, 0)
		got, err := ReadState(bytes.NewReader(written(t, kept)))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all[i:] {
			if err := got.Services.Apply(Block{Number: e.block}, e.event); err != nil {
				t.Fatal(err)
			}
		}
		same(t, got, want)
	}
	all = append(serverStory[:len(serverStory):len(serverStory)], oddServers...)
	for i := range all {
		want, kept := someState(t, 0, len(all)), someState(t, 0, i)
		got, err := ReadState(bytes.NewReader(written(t, kept)))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all[i:] {
			if err := got.Servers.Apply(Block{Number: e.block, Time: int64(e.block) * 12}, e.event); err != nil {
				t.Fatal(err)
			}
		}
		same(t, got, want)
	}
}

func same(t *testing.T, got, want State) {
	t.Helper()
	if got.Registry != want.Registry || got.Block != want.Block || got.Hash != want.Hash || got.Time != want.Time || got.Grace != want.Grace {
		t.Errorf("it is of %v, want %v", got, want)
	}
	for _, side := range []struct{ got, want *ledger }{
		{&got.Services.ledger, &want.Services.ledger}, {&got.Servers.ledger, &want.Servers.ledger},
	} {
		if side.got.log != side.want.log || side.got.block != side.want.block || side.got.history != side.want.history ||
			!reflect.DeepEqual(append([][32]byte{}, side.got.commitments...), append([][32]byte{}, side.want.commitments...)) ||
			!reflect.DeepEqual(append([]Head{}, side.got.heads...), append([]Head{}, side.want.heads...)) {
			t.Errorf("ledger is %+v, want %+v", side.got, side.want)
		}
	}
	names := func(s *Services) string { return fmt.Sprint(s.names) }
	if got, want := names(got.Services), names(want.Services); got != want {
		t.Errorf("names are %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(got.Services.List(), got.Servers.List()), fmt.Sprint(want.Services.List(), want.Servers.List()); got != want {
		t.Errorf("it lists %s, want %s", got, want)
	}
}

// TestStateIsSnapshot: who reads it as any snapshot file sees the same.
func TestStateIsSnapshot(t *testing.T) {
	s := wholeState(t)
	got, err := ReadSnapshot(bytes.NewReader(written(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	if want := s.Snapshot(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it is %v, want %v", got, want)
	}
}

func TestReadStateRefuses(t *testing.T) {
	text := string(written(t, wholeState(t)))
	for name, change := range map[string][2]string{
		"no state":                  {`"state":`, `"stat":`},
		"another count":             {`"count":3`, `"count":4`},
		"events after the block":    {`"block":50`, `"block":23`},
		"records after the events":  {`"block":24`, `"block":20`},
		"a record left out":         {`{"id":2,"owner"`, `{"id":4,"owner"`},
		"id 0":                      {`{"id":1,"owner"`, `{"id":0,"owner"`},
		"a negative deposit":        {`"deposit":"60"`, `"deposit":"-60"`},
		"a deposit in hexadecimal":  {`"deposit":"60"`, `"deposit":"0x60"`},
		"a deposit that is long":    {`"deposit":"60"`, `"deposit":"` + strings.Repeat("9", 30) + `"`},
		"a deposit over 96 bits":    {`"deposit":"60"`, `"deposit":"` + new(big.Int).Lsh(wei(1), 96).String() + `"`},
		"no deposit":                {`"deposit":"60"`, `"x":"60"`},
		"no owner":                  {`"owner":"0x0200`, `"owner":"0x0000`},
		"no since":                  {`"since":21`, `"since":0`},
		"a name of another kind":    {`"name":"odd"`, `"name":"Odd"`},
		"another active revision":   {`"revision":2,"image"`, `"revision":1,"image"`},
		"a revision left out":       {`"revisions":[{"revision":1`, `"revisions":[{"revision":2`},
		"a revocation twice":        {`"revocations":[3,1]`, `"revocations":[3,1,1]`},
		"a revocation left out":     {`"revocations":[3,1]`, `"revocations":[3]`},
		"a revocation of nothing":   {`"revocations":[3,1]`, `"revocations":[3,9]`},
		"a weak key that is good":   {`"weakKeys":[{"at":0,"key":"AQ`, `"weakKeys":[{"at":0,"key":"CQ`},
		"a weak key of zeros":       {`"weakKeys":[{"at":0,"key":"AQ`, `"weakKeys":[{"at":0,"key":"AA`},
		"a weak key elsewhere":      {`"weakKeys":[{"at":0`, `"weakKeys":[{"at":1`},
		"a key replaced at another": {`"to":13`, `"to":14`},
		"a URL that is another":     {`"url":"https://b`, `"url":"https://c`},
		"a short URL":               {`"url":"https://a.example"`, `"url":"a"`},
		"lists that were never set": {`"rewardsAt":10`, `"rewardsAt":0`},
		"rewards after the events":  {`"rewardsAt":10`, `"rewardsAt":49`},
		"a status of none":          {`"status":"gone"`, `"status":"none"`},
	} {
		if !strings.Contains(text, change[0]) {
			t.Errorf("%s: no %s in\n%s", name, change[0], text)
			continue
		}
		if _, err := ReadState(strings.NewReader(strings.Replace(text, change[0], change[1], 1))); !errors.Is(err, ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	sameName := strings.Replace(text, `"name":"odd"`, `"name":"search"`, 1)
	sameName = strings.Replace(sameName, `"owner":"0x0100`, `"owner":"0x0200`, 1)
	if _, err := ReadState(strings.NewReader(sameName)); !errors.Is(err, ErrSnapshot) {
		t.Errorf("a name twice: %v", err)
	}
}

// TestStateShowsChanges: whatever is changed in a record changes its commitment, or is said to be unproven.
func TestStateShowsChanges(t *testing.T) {
	want := wholeState(t)
	text := string(written(t, want))
	for _, change := range [][2]string{
		{`"offers":[]`, `"offers":[3]`}, {`"capacity":5`, `"capacity":6`}, {`"rewardsAt":10`, `"rewardsAt":11`},
		{`"edits":8`, `"edits":9`}, {`"deposit":"60"`, `"deposit":"61"`}, {`"reason":"wrong"`, `"reason":"right"`},
		{`"url":"https://a.example"`, `"url":"https://e.example"`}, {`"revocations":[3,1]`, `"revocations":[1,3]`},
		{`"pendingOwner":"0x02`, `"pendingOwner":"0x03`}, {`"unlockAt":99`, `"unlockAt":98`}, {`"status":"gone"`, `"status":"leaving"`},
		{`"home":7`, `"home":8`},
	} {
		changed := strings.ReplaceAll(text, change[0], change[1])
		got, err := ReadState(strings.NewReader(changed))
		if err != nil {
			t.Errorf("%s: %v", change[0], err)
			continue
		}
		if changed == text || reflect.DeepEqual(got.Services.commitments, want.Services.commitments) &&
			reflect.DeepEqual(got.Servers.commitments, want.Servers.commitments) {
			t.Errorf("%s is changed and every commitment is the same", change[0])
		}
	}
}

// FuzzReadState: no bytes make it panic, and what it reads is the same in every reading.
func FuzzReadState(f *testing.F) {
	f.Add(written(f, wholeState(f)))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadState(bytes.NewReader(b))
		if err != nil {
			return
		}
		text := written(t, s)
		again, err := ReadState(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		same(t, again, s)
		listed, err := ReadSnapshot(bytes.NewReader(text))
		if err != nil || len(listed.Servers()) != int(s.Servers.Count()) {
			t.Errorf("%v, %v", listed, err)
		}
	})
}
