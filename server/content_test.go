package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/manifest"
	"barnraise/verifiers"
)

// reasons lists why content is pinned, in order.
func (r *running) reasons(t *testing.T) (list []string) {
	t.Helper()
	pins, err := r.content.Pins()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pins {
		list = append(list, p.Reason)
	}
	slices.Sort(list)
	return list
}

func (r *running) holds(c barnraise.CID) bool {
	_, err := r.content.File(c, content.MaxFile)
	return err == nil
}

// long is a verifier of several blocks.
func long() []byte {
	module, _ := verifiers.Module("compare")
	section := append([]byte{3, 'p', 'a', 'd'}, make([]byte, 2<<20)...)
	return append(binary.AppendUvarint(append(module, 0), uint64(len(section))), section...)
}

// judged gives service 1 a verifier of several blocks, before the server is opened.
func (r *running) judged(t *testing.T, limit manifest.Bytes) {
	t.Helper()
	r.publish(t, manifest.Manifest{Name: "oracle", VerifierLimits: manifest.VerifierLimits{Module: limit}})
	var err error
	if r.chain.services[0].Revisions[0].Verifier, _, err = r.local.content.Add(bytes.NewReader(long()), content.MaxFile); err != nil {
		t.Fatal(err)
	}
}

// A verifier of several blocks comes from this machine's own builds, under the CID that is registered, and others get it here.
func TestLongVerifier(t *testing.T) {
	r := run(t, func(r *running, _ *Config, _ *Dependencies) { r.judged(t, 4<<20) })
	r.awaitHosting(t, 1)
	revision := r.chain.services[0].Revisions[0]
	store, err := content.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &content.Fetcher{Client: r.client, Store: store}
	b, err := f.FetchUpTo(t.Context(), revision.Verifier, 4<<20, []string{r.url})
	if err != nil || !bytes.Equal(b, long()) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if got := r.reasons(t); !slices.Equal(got, []string{"#1@1 manifest", "#1@1 verifier"}) {
		t.Errorf("pinned for %q", got)
	}
}

// A verifier longer than its manifest says is not kept, and the revision does not start.
func TestTooLongVerifier(t *testing.T) {
	inBubble(t, func(r *running, _ *Config, _ *Dependencies) { r.judged(t, 1<<20) }, func(t *testing.T, r *running) {
		pass(time.Minute)
		if _, failures := r.pending(hostKey{1, 1}); failures == 0 || r.hosts() != "" {
			t.Errorf("%d failures, runs %s", failures, r.hosts())
		}
		if r.holds(r.chain.services[0].Revisions[0].Verifier) {
			t.Error("it is kept")
		}
	})
}

// What runs here is pinned as long as it is to run, be the server stopped meanwhile. Then it goes, a day later or two; what
// somebody else has pinned stays, and so do the standard verifiers.
func TestPins(t *testing.T) {
	var revision barnraise.Revision
	inBubble(t, func(r *running, _ *Config, _ *Dependencies) {
		r.judged(t, 4<<20)
		revision = r.chain.services[0].Revisions[0]
	}, func(t *testing.T, r *running) {
		pass(time.Minute)
		junk, err := r.content.Put([]byte("junk"))
		kept, err2 := r.content.Put([]byte("kept"))
		if err := errors.Join(err, err2, r.content.Pin(kept, "#1@1 something of the operator's")); err != nil {
			t.Fatal(err)
		}
		pass(5 * 24 * time.Hour)
		if !r.holds(revision.Verifier) || !r.holds(revision.Manifest) || r.holds(junk) {
			t.Errorf("verifier %v, manifest %v, junk %v", r.holds(revision.Verifier), r.holds(revision.Manifest), r.holds(junk))
		}
		r.chain.change(func() { r.chain.services[0].Revisions[0].Revoked = true })
		pass(time.Minute)
		if got := r.reasons(t); r.hosts() != "" || !slices.Equal(got, []string{"#1@1 something of the operator's"}) {
			t.Errorf("revoked: runs %s, pinned for %q", r.hosts(), got)
		}
		pass(3 * 24 * time.Hour)
		standard, _ := verifiers.Module("json")
		if r.holds(revision.Verifier) || r.holds(revision.Manifest) || !r.holds(kept) || !r.holds(content.Sum(standard)) {
			t.Errorf("verifier %v, manifest %v, another's %v, standard %v", r.holds(revision.Verifier), r.holds(revision.Manifest), r.holds(kept), r.holds(content.Sum(standard)))
		}
	})
}

// Whoever stops the server, to start it again, finds everything pinned.
func TestPinsOutlastTheServer(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if got := r.reasons(t); !slices.Equal(got, []string{"#1@1 manifest", "#1@1 verifier"}) {
		t.Errorf("pinned for %q", got)
	}
}

func TestPinnedFor(t *testing.T) {
	for text, want := range map[string]bool{
		"#3@1 verifier": true, "#3@12 manifest": true, "#3@1": false, "#3@1 verifier ": false, "#03@1 verifier": false, "#3@1 image": false,
		"#-3@1 verifier": false, "#3@99999999999 verifier": false, strings.Repeat("#", 200): false, "": false,
	} {
		if k, ok := pinnedFor(text); ok != want {
			t.Errorf("%q: %v %v, want %v", text, k, ok, want)
		}
	}
}
