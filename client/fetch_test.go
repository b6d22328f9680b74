package client

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"barnraise"
	"barnraise/content"
	"barnraise/manifest"
	"barnraise/verifiers"
)

// padded is a standard verifier with a custom section of so many bytes.
func padded(name string, size int) []byte {
	module, _ := verifiers.Module(name)
	section := append([]byte{3, 'p', 'a', 'd'}, make([]byte, size)...)
	for i := range section[4:] {
		section[4+i] = byte(i >> 12) // no two chunks alike
	}
	return append(binary.AppendUvarint(append(module, 0), uint64(len(section))), section...)
}

// A verifier of more than one block is fetched from a server and judges, where the manifest allows for one.
func TestLongVerifier(t *testing.T) {
	n := newNetworkJudgedBy(t, 3, padded("compare", 2<<20))
	if c := n.services[0].Revisions[0].Verifier; !strings.HasPrefix(string(c), "bafybei") {
		t.Fatalf("%s is no file of several blocks", c)
	}
	_, err := newClient(n).Call(t.Context(), "oracle", "ask", nil)
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, content.ErrTooLarge) {
		t.Errorf("longer than the manifest allows: %v", err)
	}
	n.publish(manifest.Manifest{VerifierLimits: manifest.VerifierLimits{Module: 4 << 20}})
	a := call(t, newClient(n))
	if string(a.Result) != `{"answer":42}` || a.Requests < 2 {
		t.Errorf("answer is %+v", a)
	}
}

// What is longer than a manifest may be is not taken for one, and the verifier is not asked for.
func TestLongManifest(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	r := &n.services[0].Revisions[0]
	var err error
	if r.Manifest, err = n.store.Put(bytes.Repeat([]byte(" "), manifest.MaxSize+1)); err != nil {
		t.Fatal(err)
	}
	_, err = newClient(n).Call(t.Context(), "oracle", "ask", nil)
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, content.ErrTooLarge) {
		t.Errorf("error is %v", err)
	}
	for _, m := range n.members {
		if n.seen(m.id, "/ipfs/"+string(r.Verifier)) > 0 {
			t.Errorf("server %d was asked for the verifier", m.id)
		}
	}
}

// Whoever sends other bytes is named, also where another has the right ones.
func TestReport(t *testing.T) {
	for seed := range byte(20) {
		n := newNetwork(t, 3, "compare")
		n.members[0].serve = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, "/ipfs/") {
				io.WriteString(w, "other bytes")
			}
			return strings.HasPrefix(r.URL.Path, "/ipfs/")
		}
		var mu sync.Mutex
		named := make(map[string]error)
		c, _ := n.client(seed, WithReport(func(source string, err error) {
			mu.Lock()
			defer mu.Unlock()
			named[source] = err
		}))
		call(t, c)
		if len(named) == 0 && n.seen(barnraise.ServerID(1), "/ipfs/") == 0 {
			continue // it was not asked
		}
		if len(named) != 1 || !errors.Is(named["http://s1.test"], content.ErrMismatch) {
			t.Errorf("named are %v", named)
		}
		return
	}
	t.Error("with no seed the corrupting server was asked")
}
