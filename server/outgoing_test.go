package server

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise"
	"barnraise/conformance"
	"barnraise/runtime"
)

// heard collects what a server tells.
type heard struct {
	mu    sync.Mutex
	steps []Step
}

func (l *heard) tell(s Step) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = append(l.steps, s)
}

func (l *heard) of(v Step) (reasons []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.steps {
		if s.Verb == v.Verb && s.Service == v.Service {
			reasons = append(reasons, s.Reason)
		}
	}
	return reasons
}

// Protocol 1.4: a host that is not to run the next revision serves the one before through the grace, no longer, and offers the service
// no more; its operator is told when the next one is published, once, and what would let it run.
func TestProtocol1_4RevisionThatIsNotToRun(t *testing.T) {
	service, one := barnraise.ServiceID(2), uint32(1)
	for name, c := range map[string]struct {
		prepare func(*running, *Config, *Dependencies)
		why     string // what the operator is told
	}{
		"waits for a word": {func(_ *running, c *Config, _ *Dependencies) {
			c.Hosting, c.Allow = HostingAsk, []Rule{{Service: &service, Revision: &one}}
		}, "waits for you: barnraise plan approve 2"},
		"not on the list": {func(_ *running, c *Config, _ *Dependencies) {
			c.Hosting, c.Allow = HostingAllowlist, []Rule{{Service: &service, Revision: &one}}
		}, "no rule of allow means it"},
		"denied by itself": {func(_ *running, c *Config, _ *Dependencies) {
			two := uint32(2)
			c.Hosting, c.Deny = HostingAuto, []Rule{{Service: &service, Revision: &two}}
		}, "denied by"},
		"does not pass the gate": {func(r *running, c *Config, d *Dependencies) {
			c.Hosting = HostingAuto
			d.Gate = func(_ context.Context, _ runtime.Runtime, s conformance.Subject, _ []conformance.Answered) (conformance.Report, error) {
				passed := s.Image == r.chain.services[0].Revisions[0].Image || s.Image == r.chain.services[1].Revisions[0].Image
				report := conformance.Report{Passed: passed}
				if !passed {
					return report, conformance.ErrFailed
				}
				return report, nil
			}
		}, "did not pass the gate"},
	} {
		t.Run(name, func(t *testing.T) {
			var log heard
			inBubble(t, func(r *running, config *Config, d *Dependencies) {
				r.ofOthers(t)
				d.Memory, d.Tell = &notebook{}, log.tell
				c.prepare(r, config, d)
			}, func(t *testing.T, r *running) {
				pass(30 * time.Second)
				r.update(t, 2, 30, "")
				for _, step := range []struct {
					block   uint64
					runs    string
					offered bool
				}{{21, "1@1 2@1", true}, {29, "1@1 2@1", true}, {30, "1@1 2@1", false}, {34, "1@1 2@1", false}, {35, "1@1", false}} {
					r.at(step.block)
					pass(10 * time.Second)
					if got := r.hosts(); got != step.runs || slices.Contains(r.chain.offers(), service) != step.offered {
						t.Errorf("block %d: %q runs, %d is offered; want %q, %t", step.block, got, r.chain.offers(), step.runs, step.offered)
					}
				}
				got := log.of(Step{Verb: Upcoming, Service: 2})
				if len(got) != 1 || !strings.Contains(got[0], c.why) || !strings.Contains(got[0], "revision 2 comes into force at block 30") {
					t.Errorf("the operator was told %q, want once, and %q", got, c.why)
				}
			})
		})
	}
}

// A server that is started again within the grace goes on with the revision that ran here, whether it saw the next one come into
// force or was away; one that never ran it begins nothing that is over.
func TestProtocol1_4OldRevisionAfterARestart(t *testing.T) {
	service, one := barnraise.ServiceID(2), uint32(1)
	for name, c := range map[string]struct {
		until uint64 // the block in which it is stopped; zero where it never ran
		offer []barnraise.ServiceID
		want  string
	}{
		"within the grace":    {31, nil, "1@1 2@1"},
		"before it":           {29, []barnraise.ServiceID{2}, "1@1 2@1"},
		"it did not run here": {0, nil, "1@1"},
	} {
		t.Run(name, func(t *testing.T) {
			memory := &notebook{}
			prepare := func(r *running, c *Config, d *Dependencies) {
				r.ofOthers(t)
				c.Hosting, c.Allow, d.Memory = HostingAsk, []Rule{{Service: &service, Revision: &one}}, memory
				r.update(t, 2, 30, "")
			}
			if c.until != 0 {
				inBubble(t, prepare, func(t *testing.T, r *running) {
					pass(30 * time.Second)
					r.at(c.until)
					pass(10 * time.Second)
				})
			}
			inBubble(t, func(r *running, config *Config, d *Dependencies) {
				prepare(r, config, d)
				r.chain.block, r.chain.servers[0].Offers = 32, c.offer
			}, func(t *testing.T, r *running) {
				for _, step := range []struct {
					block uint64
					runs  string
				}{{32, c.want}, {34, c.want}, {35, "1@1"}} {
					r.at(step.block)
					pass(10 * time.Second)
					if got := r.hosts(); got != step.runs || slices.Contains(r.chain.offers(), service) {
						t.Errorf("block %d: %q runs, want %q; %d is offered", step.block, got, step.runs, r.chain.offers())
					}
				}
			})
		})
	}
}

// A revision that answers otherwise the second time is dropped within its grace, too, and not begun again.
func TestWhatFailsTheGateHasNoGrace(t *testing.T) {
	service, one := barnraise.ServiceID(2), uint32(1)
	inBubble(t, func(r *running, c *Config, d *Dependencies) {
		r.ofOthers(t)
		c.Hosting, c.Allow, d.Memory = HostingAsk, []Rule{{Service: &service, Revision: &one}}, &notebook{}
		r.update(t, 2, 30, "")
	}, func(t *testing.T, r *running) {
		pass(30 * time.Second)
		r.at(30)
		if got := r.hosts(); got != "1@1 2@1" {
			t.Fatalf("%q runs", got)
		}
		r.mu.RLock()
		h := r.hosted[2][1]
		r.mu.RUnlock()
		r.rechecked(t.Context(), h, conformance.ErrFailed)
		pass(10 * time.Minute)
		if got := r.hosts(); got != "1@1" {
			t.Errorf("%q runs", got)
		}
	})
}

// What is denied altogether, or revoked, stops in the grace as at any other time.
func TestWhatIsDeniedHasNoGrace(t *testing.T) {
	memory := &notebook{}
	service, one := barnraise.ServiceID(2), uint32(1)
	for name, end := range map[string]func(*running){
		"denied": func(*running) {
			if err := WriteWords(memory, Words{Denied: map[barnraise.ServiceID]string{2: "illegal"}}); err != nil {
				t.Fatal(err)
			}
		},
		"revoked": func(r *running) {
			r.chain.change(func() { r.chain.services[1].Revisions[0].Revoked = true })
		},
	} {
		memory = &notebook{}
		inBubble(t, func(r *running, c *Config, d *Dependencies) {
			r.ofOthers(t)
			c.Hosting, c.Allow, d.Memory = HostingAsk, []Rule{{Service: &service, Revision: &one}}, memory
		}, func(t *testing.T, r *running) {
			pass(30 * time.Second)
			r.update(t, 2, 30, "")
			r.at(30)
			if got := r.hosts(); got != "1@1 2@1" {
				t.Fatalf("%s: %q runs", name, got)
			}
			end(r)
			pass(time.Minute)
			if got := r.hosts(); got != "1@1" {
				t.Errorf("%s: %q runs", name, got)
			}
		})
	}
}

// A server leaves the registry: the others' plans have nothing to do with it any more, and what they run goes on.
func TestOthersPlanWithoutWhoHasLeft(t *testing.T) {
	play(t, 4, 3, founding, func(u *universe) {
		u.after(8, nil)
		named := func(n *node) (services []barnraise.ServiceID) {
			b := n.life.server.broker
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, e := range b.book.Ledger.Entries {
				if slices.Contains(e.For, 2) {
					services = append(services, e.Service)
				}
			}
			return services
		}
		if len(named(u.nodes[0]))+len(named(u.nodes[2])) == 0 {
			u.failed("nobody hosts anything for server 2")
		}
		u.ledger.change(func() {
			v := &u.ledger.servers[1]
			v.Status = barnraise.StatusLeaving
			u.ledger.block++
		})
		u.nodes[1].end()
		u.nodes[1].life = nil
		u.after(14, nil)
		for _, n := range []*node{u.nodes[0], u.nodes[2]} {
			if got := named(n); len(got) > 0 {
				u.failed("server %d still hosts %d for server 2", n.id, got)
			}
		}
		if got := u.hosts(matrix); !slices.Contains(got, 1) {
			u.failed("matrix runs at %d", got)
		}
		u.settled()
	})
}
