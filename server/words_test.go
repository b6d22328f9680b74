package server

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/manifest"
)

// ofOthers registers service 2 of somebody else, and offers it on chain.
func (r *running) ofOthers(t *testing.T) {
	t.Helper()
	r.addService(t, 2, 9)
	v := &r.chain.services[1]
	v.Owner, v.Revisions[0].Home = barnraise.Address{5}, 8
	r.chain.servers[0].Offers = []barnraise.ServiceID{2}
}

// update publishes a revision of service 2 that is active from a block on. Before the server is opened it may have a licence.
func (r *running) update(t *testing.T, number uint32, from uint64, licence string) {
	t.Helper()
	revision := r.local.revision(t, 10+number, from)
	revision.Number, revision.Home = number, 8
	if licence != "" {
		revision.Manifest = r.local.licensed(t, licence)
	}
	r.chain.change(func() { r.chain.services[1].Revisions = append(r.chain.services[1].Revisions, revision) })
}

// licensed is the manifest of a licence.
func (b builds) licensed(t *testing.T, licence string) barnraise.CID {
	t.Helper()
	m := manifest.Manifest{
		Name: "oracle", Licence: licence, Limits: manifest.Limits{Request: 1 << 10, Timeout: manifest.Duration(time.Minute)},
		OpenRPC: []byte(`{"methods":[{"name":"ask","examples":[{"params":[]}]}]}`),
	}
	document, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.content.Put(document)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A word on one revision is none on the next: that is neither prepared nor run before the operator has said yes to it.
func TestConsentIsToOneRevision(t *testing.T) {
	memory := &notebook{}
	inBubble(t, func(r *running, c *Config, d *Dependencies) {
		r.ofOthers(t)
		one, service := uint32(1), barnraise.ServiceID(2)
		c.Hosting, c.Allow, d.Memory = HostingAsk, []Rule{{Service: &service, Revision: &one}}, memory
	}, func(t *testing.T, r *running) {
		expect := func(what, want string) {
			t.Helper()
			pass(5 * time.Second)
			if got := r.hosts(); got != want {
				t.Errorf("%s: %q runs, want %q", what, got, want)
			}
		}
		expect("allowed", "1@1 2@1")
		r.update(t, 2, 30, "")
		expect("the next is published", "1@1 2@1")
		r.chain.change(func() { r.chain.block = 30 })
		expect("it is active", "1@1 2@1") // through the grace (protocol 1.4)
		if offers := r.chain.offers(); len(offers) != 1 {
			t.Errorf("offered is %d", offers)
		}
		if err := WriteWords(memory, Words{Approved: map[barnraise.ServiceID]uint32{2: 2}}); err != nil {
			t.Fatal(err)
		}
		r.chain.change(func() { r.chain.servers[0].Offers = []barnraise.ServiceID{1, 2} })
		expect("approved, and offered by hand", "1@1 2@1 2@2")
	})
}

// What an operator has put on chain himself runs without another word, also where the server comes back; the next revision waits.
func TestOfferedByHand(t *testing.T) {
	memory := &notebook{}
	for range 2 {
		inBubble(t, func(r *running, c *Config, d *Dependencies) {
			r.ofOthers(t)
			r.update(t, 2, 30, "")
			c.Hosting, d.Memory = HostingAsk, memory
		}, func(t *testing.T, r *running) {
			pass(5 * time.Second)
			if got := r.hosts(); got != "1@1 2@1" {
				t.Errorf("%q runs", got)
			}
		})
	}
}

// Rules by licence go by the manifest of the very revision.
func TestLicenceOfARevision(t *testing.T) {
	for _, c := range []struct {
		name, hosting, first string
		allow, deny          []Rule
		want                 string
	}{
		{"allowed", HostingAllowlist, "MIT", []Rule{{Licence: new("MIT")}}, nil, "1@1 2@1"},
		{"denied", HostingAuto, "MIT", nil, []Rule{{Licence: new("GPL-3.0")}}, "1@1 2@1"},
		{"denied from the beginning", HostingAuto, "GPL-3.0", nil, []Rule{{Licence: new("GPL-3.0")}}, "1@1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *running, config *Config, d *Dependencies) {
				r.ofOthers(t)
				r.chain.services[1].Revisions[0].Manifest = r.local.licensed(t, c.first)
				r.update(t, 2, 30, "GPL-3.0")
				config.Hosting, config.Allow, config.Deny = c.hosting, c.allow, c.deny
				if c.allow != nil { // it was looked up before it was planned
					memory := &notebook{}
					known := map[string]any{"Dossiers": map[barnraise.ServiceID]dossier{2: {Revision: 1, Licence: c.first}}}
					if err := memory.Save(bookKey, known); err != nil {
						t.Fatal(err)
					}
					d.Memory = memory
				}
			}, func(t *testing.T, r *running) {
				pass(time.Minute)
				if got := r.hosts(); got != c.want {
					t.Errorf("%q runs, want %q", got, c.want)
				}
			})
		})
	}
}

// What an operator denies stops within a minute, also where the registry cannot be read or does not answer, and where nothing can
// be kept.
func TestDeniedInTrouble(t *testing.T) {
	for name, trouble := range map[string]func(*silentChain, *notebook){
		"none":                   func(*silentChain, *notebook) {},
		"nothing is confirmed":   func(c *silentChain, _ *notebook) { c.change(func() { c.broken = errors.New("no finalized block") }) },
		"the registry is silent": func(c *silentChain, _ *notebook) { c.silent.Store(true) },
		"the disk is full":       func(_ *silentChain, n *notebook) { n.fill(errors.New("the disk is full")) },
	} {
		t.Run(name, func(t *testing.T) {
			memory := &notebook{}
			var chain *silentChain
			inBubble(t, func(r *running, c *Config, d *Dependencies) {
				r.ofOthers(t)
				chain = &silentChain{chainOf: r.chain}
				c.Hosting, d.Memory, d.Registry = HostingAuto, memory, chain
			}, func(t *testing.T, r *running) {
				pass(5 * time.Second)
				if got := r.hosts(); got != "1@1 2@1" {
					t.Fatalf("%q runs", got)
				}
				if err := WriteWords(memory, Words{Denied: map[barnraise.ServiceID]string{2: "illegal"}}); err != nil {
					t.Fatal(err)
				}
				trouble(chain, memory)
				r.chain.change(func() { r.chain.block++ })
				pass(time.Minute)
				if got := r.hosts(); got != "1@1" {
					t.Errorf("%q runs a minute after it was denied", got)
				}
				pins, err := r.content.Pins()
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range pins {
					if k, ours := pinnedFor(p.Reason); ours && k.service == 2 {
						t.Errorf("pinned is %s", p.Reason)
					}
				}
			})
		})
	}
}

// silentChain is a registry that may not answer.
type silentChain struct {
	*chainOf
	silent atomic.Bool
}

func (c *silentChain) Snapshot(ctx context.Context) (*barnraise.Snapshot, error) {
	if c.silent.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return c.chainOf.Snapshot(ctx)
}

// What belongs to a denied service is not given to anybody any more within a minute.
func TestDeniedIsNotServed(t *testing.T) {
	memory := &notebook{}
	var data string
	inBubble(t, func(r *running, c *Config, d *Dependencies) {
		r.ofOthers(t)
		r.chain.services[1].Revisions[0].Manifest = r.local.licensed(t, "GPL-3.0")
		c.Hosting, d.Memory, data = HostingAuto, memory, c.Data
	}, func(t *testing.T, r *running) {
		pass(5 * time.Second)
		own, other := r.chain.services[0].Revisions[0].Manifest, r.chain.services[1].Revisions[0].Manifest
		expect := func(what string, c barnraise.CID, want int) {
			t.Helper()
			if status, _ := r.get(t, "/ipfs/"+string(c)+"?format=raw"); status != want {
				t.Errorf("%s: %d, want %d", what, status, want)
			}
		}
		expect("the manifest of what runs", other, http.StatusOK)
		old := time.Now().Add(-time.Hour) // the disk's clock is not that of the bubble
		err := filepath.WalkDir(filepath.Join(data, "content"), func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Chtimes(path, old, old))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteWords(memory, Words{Denied: map[barnraise.ServiceID]string{2: "illegal"}}); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		expect("that of what is denied", other, http.StatusNotFound)
		expect("that of the other", own, http.StatusOK)
	})
}
