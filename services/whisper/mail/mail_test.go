package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"barnraise/services/whisper/envelope"
)

// made are envelopes of few topics and few seconds, so that much of them is the same.
func made(n int, seed uint64) (list [][]byte) {
	random := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		e := envelope.Envelope{Expiry: 1000 + random.Uint32N(20), TTL: 50, Topic: envelope.Topic{0, byte(random.IntN(8))}, Nonce: uint64(i)}
		e.Data = make([]byte, random.IntN(60))
		list = append(list, e.Encode())
	}
	return list
}

func open(t testing.TB, list [][]byte) *Archive {
	t.Helper()
	file, err := Build(list)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(string(file))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func ask(t testing.TB, a *Archive, q Query) Answer {
	t.Helper()
	found, err := a.Ask(q)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// twin is the same answer from a list.
func twin(t testing.TB, list [][]byte, q Query) (envelopes []string, next *Key) {
	type keyed struct{ key, bytes string }
	var found []keyed
	for _, b := range list {
		e, err := envelope.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if key := KeyOf(e).bytes(); asked(q, key) {
			found = append(found, keyed{key, string(b)})
		}
	}
	slices.SortFunc(found, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	size := 0
	for _, f := range found {
		if len(envelopes) == q.Limit || size >= Enough {
			key := keyFrom(f.key)
			return envelopes, &key
		}
		envelopes, size = append(envelopes, f.bytes), size+len(f.bytes)
	}
	return envelopes, nil
}

// query is one at random.
func query(random *rand.Rand, list [][]byte) Query {
	q := Query{From: 998 + random.Uint32N(24), Limit: 1 + random.IntN(1+random.IntN(60))}
	q.To = q.From + random.Uint32N(24)
	for _, t := range random.Perm(10)[:1+random.IntN(5)] {
		q.Topics = append(q.Topics, envelope.Topic{0, byte(t)})
	}
	if len(list) > 0 && random.IntN(3) == 0 {
		e, _ := envelope.Decode(list[random.IntN(len(list))])
		k := KeyOf(e)
		k.Hash[0] += byte(random.IntN(2))
		q.Start = &k
	}
	return q
}

func TestAnswersProveThemselves(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for size := range 120 {
		list := made(size, uint64(size))
		a := open(t, list)
		for range 40 {
			q := query(random, list)
			got := ask(t, a, q)
			envelopes, next := twin(t, list, q)
			if !slices.Equal(got.Envelopes, envelopes) || !reflect.DeepEqual(got.Next, next) {
				t.Fatalf("%d envelopes, %+v: %d found, next %v; want %d, next %v", size, q, len(got.Envelopes), got.Next, len(envelopes), next)
			}
			if err := check(a.Root(), q, got); err != nil {
				t.Fatalf("%d envelopes, %+v: the proof is no good", size, q)
			}
		}
	}
}

// Page after page gives all there is, each once.
func TestPages(t *testing.T) {
	list := made(200, 5)
	a := open(t, list)
	q := Query{Topics: []envelope.Topic{{0, 3}, {0, 1}, {0, 2}}, To: math.MaxUint32, Limit: 7}
	all, _ := twin(t, list, Query{Topics: q.Topics, To: q.To, Limit: 1000})
	var got []string
	for {
		page := ask(t, a, q)
		if err := check(a.Root(), q, page); err != nil {
			t.Fatal(err)
		}
		got = append(got, page.Envelopes...)
		if q.Start = page.Next; q.Start == nil {
			break
		}
	}
	if !slices.Equal(got, all) || len(all) < 50 {
		t.Errorf("%d envelopes in pages, want %d", len(got), len(all))
	}
}

// An answer ends with the envelope by which it has enough bytes.
func TestEnough(t *testing.T) {
	var list [][]byte
	for i := range 5 {
		e := envelope.Envelope{Expiry: uint32(i), TTL: 1, Data: make([]byte, Enough/2-20)}
		list = append(list, e.Encode())
	}
	greatest := envelope.Envelope{Expiry: 9, TTL: 1, Data: make([]byte, MaxData)}
	list = append(list, greatest.Encode())
	a := open(t, list)
	q := Query{Topics: []envelope.Topic{{}}, To: 100, Limit: 1000}
	for from, want := range map[uint32]struct{ envelopes, next int }{0: {3, 3}, 3: {3, -1}, 9: {1, -1}, 4: {2, -1}, 10: {0, -1}} {
		q.From = from
		got := ask(t, a, q)
		next := -1
		if got.Next != nil {
			next = int(got.Next.Expiry)
		}
		if len(got.Envelopes) != want.envelopes || next != want.next || check(a.Root(), q, got) != nil {
			t.Errorf("from %d: %d envelopes, next %d, want %v", from, len(got.Envelopes), next, want)
		}
	}
}

func TestEmptyArchive(t *testing.T) {
	a := open(t, nil)
	q := Query{Topics: []envelope.Topic{{1}}, To: 100, Limit: 1}
	if got := ask(t, a, q); len(got.Envelopes) != 0 || got.Next != nil || len(got.Proof) != 22 || check(a.Root(), q, got) != nil {
		t.Errorf("%+v", got)
	}
}

// The file's bytes, its root and a proof are pinned: whoever builds this archive, on whatever machine, gets these.
func TestBuildIsPinned(t *testing.T) {
	list := made(30, 1)
	file, err := Build(list)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(list)
	if again, err := Build(append(list, list[3])); err != nil || !bytes.Equal(again, file) {
		t.Errorf("another order, and one envelope twice, make another file (%v)", err)
	}
	a := open(t, list)
	proof := ask(t, a, Query{Topics: []envelope.Topic{{0, 2}, {0, 5}}, From: 1003, To: 1010, Limit: 3}).Proof
	sum, proofSum, root := sha256.Sum256(file), sha256.Sum256(proof), a.Root()
	got := fmt.Sprintf("%s %s %s", hex.EncodeToString(root[:]), hex.EncodeToString(sum[:8]), hex.EncodeToString(proofSum[:8]))
	if want := "97975bbe0b9c80b135ba97f98970ac36c7cc09a3 58f55efbbf3111da 631b871a530aaf5f"; got != want {
		t.Errorf("root, file and proof are %s, want %s: another layout is another version", got, want)
	}
}

func TestBuildRefuses(t *testing.T) {
	fine := envelope.Envelope{TTL: 1, Data: make([]byte, MaxData)}
	if _, err := Build([][]byte{fine.Encode()}); err != nil {
		t.Error(err)
	}
	large := envelope.Envelope{TTL: 1, Data: make([]byte, MaxData+1)}
	for name, c := range map[string]struct {
		list [][]byte
		want string
	}{
		"no envelope": {[][]byte{fine.Encode(), {1, 2, 3}}, "envelope 2: decode 3 bytes: no envelope in strict RLP"},
		"large":       {[][]byte{large.Encode()}, "envelope 1: 524289 bytes of data, at most 524288"},
		"many":        {slices.Repeat([][]byte{{0x80}}, 3), "envelope 1"},
	} {
		if _, err := Build(c.list); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Whatever byte of a file is another, there is an answer or ErrCorrupt, and never a panic; and no answer is believed that
// is another.
func TestEveryByteBroken(t *testing.T) {
	list := made(12, 2)
	file, err := Build(list)
	if err != nil {
		t.Fatal(err)
	}
	whole := open(t, list)
	q := Query{Topics: []envelope.Topic{{0, 0}, {0, 1}, {0, 2}, {0, 3}}, To: 2000, Limit: 5}
	right := ask(t, whole, q)
	for i := range file {
		for _, b := range []byte{0, 1, 0x7f, 0x80, 0xff, file[i] + 1, file[i] - 1} {
			broken := slices.Clone(file)
			broken[i] = b
			if got, ok := use(t, string(broken), q); ok && check(whole.Root(), q, got) == nil && !reflect.DeepEqual(got.Envelopes, right.Envelopes) {
				t.Fatalf("byte %d is %d: another answer is believed", i, b)
			}
		}
	}
	for size := range file {
		if _, err := Open(string(file[:size])); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut to %d bytes: error is %v, want ErrCorrupt", size, err)
		}
	}
	if _, err := Open(string(file) + "x"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte too many: error is %v, want ErrCorrupt", err)
	}
}

// use does with a file all that can be done.
func use(t *testing.T, file string, q Query) (Answer, bool) {
	a, err := Open(file)
	if err == nil {
		a.Root()
		var found Answer
		if found, err = a.Ask(q); err == nil {
			return found, true
		}
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	return Answer{}, false
}

func FuzzOpen(f *testing.F) {
	for _, n := range []int{0, 1, 9, 40} {
		file, err := Build(made(n, 3))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(file))
	}
	q := Query{Topics: []envelope.Topic{{0, 0}, {0, 1}, {0, 2}}, To: 2000, Limit: 5}
	f.Fuzz(func(t *testing.T, file string) { use(t, file, q) })
}

// FuzzBuild holds an archive of one stranger's envelope to its promise.
func FuzzBuild(f *testing.F) {
	f.Add(made(1, 1)[0])
	f.Fuzz(func(t *testing.T, rlp []byte) {
		file, err := Build([][]byte{rlp})
		if err != nil {
			return
		}
		e, err := envelope.Decode(rlp)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Open(string(file))
		if err != nil {
			t.Fatal(err)
		}
		q := Query{Topics: []envelope.Topic{e.Topic}, From: e.Expiry, To: e.Expiry, Limit: 1}
		if got := ask(t, a, q); len(got.Envelopes) != 1 || got.Envelopes[0] != string(rlp) || check(a.Root(), q, got) != nil {
			t.Fatalf("%x: %+v", rlp, got)
		}
	})
}
