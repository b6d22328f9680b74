package client

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/manifest"
	"barnraise/outbox"
)

// waiting counts the letters of an outbox.
func waiting(t *testing.T, dir string) int {
	t.Helper()
	list, err := outbox.Box(dir).Letters(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// Protocol 8.4: whoever finds a lie may end before its delivery is due. Later clients deliver it: to the home and two hosts, each at
// a time of its own, once, though two run at once.
func TestProtocol8_4DeliveryByLaterClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 8, "compare")
		n.members[1].answer = func([]byte) []byte { return lie }
		posts := n.inbox(accepted)
		dir := t.TempDir() + "/outbox"
		open := func(seed byte) (*Client, *memory) {
			return n.client(seed, WithRerunner(honestMachine), WithDelivery(time.Hour), WithOutbox(dir))
		}
		first, kept := open(1)
		probe(t, first, 2)
		first.Close()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if len(kept.kept) != 1 || len(posts()) > 0 || waiting(t, dir) != 1 {
			t.Fatalf("%d kept, delivered to %d, %d wait", len(kept.kept), len(posts()), waiting(t, dir))
		}
		var running []*Client
		for seed := range byte(2) {
			c, _ := open(2 + seed)
			running = append(running, c)
		}
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		to := slices.Sorted(maps.Keys(posts()))
		if len(to) != 3 || to[0] != 1 || slices.Contains(to, 2) || waiting(t, dir) > 0 {
			t.Errorf("delivered to %v, want the home, 1, and two others than the liar, 2; %d wait", to, waiting(t, dir))
		}
		var at []time.Time
		for id, list := range posts() {
			if len(list) != 1 || !bytes.Equal(list[0].body, kept.kept[0].Encode()) || len(list[0].header) != 1 {
				t.Errorf("server %d got it %d times, with %v", id, len(list), list[0].header)
			}
			at = append(at, list[0].at)
		}
		slices.SortFunc(at, time.Time.Compare)
		if len(at) != 3 || at[2].Sub(at[0]) < time.Second {
			t.Errorf("delivered at %v", at)
		}
		for _, c := range running {
			c.Close()
		}
	})
}

// A call that is over before a delivery is takes it back, and the next one delivers.
func TestDeliveryThatIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 8, "compare")
		n.members[1].answer = func([]byte) []byte { return lie }
		posts := n.inbox(accepted)
		dir := t.TempDir()
		first, _ := n.client(1, WithRerunner(honestMachine), WithDelivery(time.Hour), WithOutbox(dir))
		probe(t, first, 2)
		first.Close()
		time.Sleep(time.Hour)
		slow := make(map[barnraise.ServerID]func(http.ResponseWriter, *http.Request) bool)
		for _, m := range n.members {
			slow[m.id], m.serve = m.serve, silent(http.MethodPost, "/v1/evidence")
		}
		second, _ := n.client(2, WithDelivery(time.Hour), WithOutbox(dir))
		time.Sleep(time.Second)
		second.Close()
		synctest.Wait()
		if waiting(t, dir) != 1 || len(posts()) > 0 {
			t.Errorf("%d wait, %d delivered", waiting(t, dir), len(posts()))
		}
		for _, m := range n.members {
			m.serve = slow[m.id]
		}
		third, _ := n.client(3, WithDelivery(time.Hour), WithOutbox(dir))
		time.Sleep(time.Second)
		synctest.Wait()
		if len(posts()) != 1 {
			t.Errorf("delivered to %d", len(posts()))
		}
		third.Close()
	})
}

// What nobody takes is tried for three days; what is nobody's business, or of another registry, is not delivered at all.
func TestDeliveryIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 3, "compare")
		n.members[1].answer = func([]byte) []byte { return lie }
		last := time.Now()
		posts := n.inbox(func(barnraise.ServerID, int) int { last = time.Now(); return http.StatusServiceUnavailable })
		dir := t.TempDir()
		began := time.Now()
		c, _ := n.client(1, WithRerunner(honestMachine), WithDelivery(time.Hour), WithOutbox(dir))
		probe(t, c, 2)
		time.Sleep(2 * deliveredBy)
		synctest.Wait()
		if got := len(posts()[1]) + len(posts()[3]); got < 10 || last.Sub(began) > deliveredBy || waiting(t, dir) > 0 {
			t.Errorf("tried %d times, for %v; %d wait", got, last.Sub(began), waiting(t, dir))
		}
		c.Close()
	})
}

// A letter that cannot be read for a while, as where a process has opened too much, waits on; one that is damaged does not.
func TestLetterThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		swap func(path string) error // for what is in the letter's place
		want int                     // that wait
	}{
		"for a while": {func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, 1},
		"damaged":     {func(path string) error { return os.WriteFile(path, []byte("other"), 0o600) }, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, 3, "compare")
			posts := n.inbox(accepted)
			dir := t.TempDir()
			box := outbox.Box(dir)
			if err := box.Put([]byte("evidence"), time.Now(), time.Now().Add(deliveredBy)); err != nil {
				t.Fatal(err)
			}
			list, err := box.Letters(time.Now())
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 1 {
				t.Fatalf("%v, %v", entries, err)
			}
			if err := c.swap(filepath.Join(dir, entries[0].Name())); err != nil {
				t.Fatal(err)
			}
			cl, _ := n.client(1, WithDelivery(time.Hour))
			cl.outbox = box
			cl.deliverLetter(list[0])
			cl.Close()
			if entries, err = os.ReadDir(dir); err != nil || len(entries) != c.want || len(posts()) > 0 {
				t.Errorf("%s: %v wait, want %d; %d delivered, %v", name, entries, c.want, len(posts()), err)
			}
		})
	}
}

func TestWhatIsNobodysBusinessIsNotPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 8, "compare")
		n.publish(manifest.Manifest{Evidence: manifest.EvidenceLocal})
		n.members[1].answer = func([]byte) []byte { return lie }
		posts := n.inbox(accepted)
		dir := t.TempDir()
		c, kept := n.client(1, WithRerunner(honestMachine), WithDelivery(time.Hour), WithOutbox(dir))
		probe(t, c, 2)
		if len(kept.kept) != 1 || waiting(t, dir) > 0 {
			t.Errorf("%d kept, %d wait", len(kept.kept), waiting(t, dir))
		}
		other := n.evidence(n.members...)
		other.Registry.Chain = "eip155:1"
		for _, body := range [][]byte{other.Encode(), []byte("nonsense")} {
			if err := outbox.Box(dir).Put(body, time.Now(), time.Now().Add(deliveredBy)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if len(posts()) > 0 || waiting(t, dir) > 0 {
			t.Errorf("delivered to %d, %d wait", len(posts()), waiting(t, dir))
		}
		c.Close()
	})
}

// A disk that is full stops no call.
func TestOutboxThatCannotBeWritten(t *testing.T) {
	n := newNetwork(t, 8, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, kept := n.client(1, WithRerunner(honestMachine), WithDelivery(time.Hour), WithOutbox(file))
	if p := probe(t, c, 2); p.Outcome != ProbeStruck || len(kept.kept) != 1 {
		t.Errorf("%+v, %d kept", p, len(kept.kept))
	}
}
