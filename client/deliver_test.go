package client

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/manifest"
)

// post is evidence as a server gets it.
type post struct {
	at     time.Time
	header http.Header
	body   []byte
}

// inbox has the members of a network take evidence, with the status given.
func (n *network) inbox(status func(to barnraise.ServerID, tried int) int) (posts func() map[barnraise.ServerID][]post) {
	var mu sync.Mutex
	got := make(map[barnraise.ServerID][]post)
	for _, m := range n.members {
		m.serve = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v1/evidence" {
				return false
			}
			mu.Lock()
			defer mu.Unlock()
			b, _ := io.ReadAll(r.Body)
			got[m.id] = append(got[m.id], post{time.Now(), r.Header, b})
			w.WriteHeader(status(m.id, len(got[m.id])))
			return true
		}
	}
	return func() map[barnraise.ServerID][]post { mu.Lock(); defer mu.Unlock(); return maps.Clone(got) }
}

func accepted(barnraise.ServerID, int) int { return http.StatusAccepted }

// Protocol 8.4: to the home and two hosts, each after a random delay, and unsigned.
func TestProtocol8_4Delivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 8, "compare")
		n.members[1].answer = func([]byte) []byte { return lie }
		posts := n.inbox(accepted)
		c, kept := n.client(1, WithRerunner(honestMachine), WithDelivery(time.Hour))
		began := time.Now()
		probe(t, c, 2)
		synctest.Wait()
		if len(kept.kept) != 1 || len(posts()) != 0 {
			t.Fatalf("%d kept, delivered at once to %d", len(kept.kept), len(posts()))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		to := slices.Sorted(maps.Keys(posts()))
		if len(to) != 3 || to[0] != 1 || slices.Contains(to, 2) {
			t.Errorf("delivered to %v, want the home, 1, and two others than the liar, 2", to)
		}
		var delays []time.Duration
		for _, list := range posts() {
			p := list[0]
			if len(list) != 1 || !bytes.Equal(p.body, kept.kept[0].Encode()) || p.header.Get("Barnraise-Pass") != "" || len(p.header) != 1 {
				t.Errorf("delivered %d times, with %v", len(list), p.header)
			}
			delays = append(delays, p.at.Sub(began))
		}
		slices.Sort(delays)
		if len(slices.Compact(delays)) != 3 {
			t.Errorf("delays are %v", delays)
		}
		c.Close()
	})
}

func TestDeliveryOfWhatIsNobodysBusinessOrNotWanted(t *testing.T) {
	for name, within := range map[string]time.Duration{"local": time.Hour, "not wanted": 0} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, 8, "compare")
			if within > 0 {
				n.publish(manifest.Manifest{Evidence: manifest.EvidenceLocal})
			}
			n.members[1].answer = func([]byte) []byte { return lie }
			posts := n.inbox(accepted)
			c, kept := n.client(1, WithRerunner(honestMachine), WithDelivery(within))
			probe(t, c, 2)
			time.Sleep(2 * time.Hour)
			if len(kept.kept) != 1 || len(posts()) != 0 {
				t.Errorf("%s: %d kept, delivered to %d", name, len(kept.kept), len(posts()))
			}
			c.Close()
		})
	}
}

func TestDeliveryIsTriedAgainWhereThereIsNoRoom(t *testing.T) {
	no := []int{http.StatusTooManyRequests, http.StatusFound, http.StatusBadGateway} // elsewhere is nowhere: it has nothing
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 3, "compare")
		n.members[1].answer = func([]byte) []byte { return lie }
		posts := n.inbox(func(to barnraise.ServerID, tried int) int {
			if to == 1 {
				return no[tried-1]
			}
			return http.StatusConflict
		})
		c, _ := n.client(1, WithRerunner(honestMachine), WithDelivery(time.Hour))
		probe(t, c, 2)
		time.Sleep(8 * time.Hour)
		if got := posts(); len(got[1]) != deliverTries || len(got[3]) != 1 || len(c.delivering) != 0 {
			t.Errorf("tried %d and %d times, %d under way", len(got[1]), len(got[3]), len(c.delivering))
		}
		c.Close()
	})
}

func TestDeliveryEndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 8, "compare")
		n.members[1].answer = func([]byte) []byte { return lie }
		posts := n.inbox(accepted)
		c, _ := n.client(1, WithRerunner(honestMachine), WithDelivery(time.Hour))
		probe(t, c, 2)
		c.Close()
		synctest.Wait()
		if len(c.delivering) != 0 || len(posts()) != 0 {
			t.Errorf("%d under way, %d delivered", len(c.delivering), len(posts()))
		}
	})
}
