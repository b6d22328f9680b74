package proxy

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise/client"
)

func TestWhoACallerIs(t *testing.T) {
	for remote, want := range map[string]string{
		"127.0.0.1:1": "", "127.9.9.9:1": "", "[::1]:1": "", "[::ffff:127.0.0.1]:1": "", "@": "", "": "",
		"192.0.2.1:1": "192.0.2.1", "[::ffff:192.0.2.1]:9": "192.0.2.1", "[2001:db8:1:2:3::4]:1": "2001:db8:1:2::", "[fe80::1%eth0]:1": "fe80::",
	} {
		addr, ok := caller(remote)
		if ok != (want != "") || ok && addr.String() != want {
			t.Errorf("%q: %v %v, want %q", remote, addr, ok, want)
		}
	}
}

func TestRatesOfCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newProxy(t, echo, Config{Limits: Limits{Rate: 2, Burst: 4, Batch: 4}})
		statuses := func(n int, from string) (got string) {
			for range n {
				got += " " + strconv.Itoa(post(p, "/3", ping, "From", from).Code)
			}
			return got
		}
		if got := statuses(6, "192.0.2.1:1"); got != " 200 200 200 200 429 429" {
			t.Error("one caller:", got)
		}
		if got := statuses(1, "192.0.2.1:2"); got != " 429" {
			t.Error("from another port:", got)
		}
		if got := statuses(5, "192.0.2.2:1"); got != " 200 200 200 200 429" {
			t.Error("another caller:", got)
		}
		if got := statuses(5, "127.0.0.1:1") + statuses(1, "[::1]:9"); got != " 200 200 200 200 429 429" {
			t.Error("this machine is one:", got)
		}
		time.Sleep(time.Second)
		if got := statuses(3, "192.0.2.1:1"); got != " 200 200 429" {
			t.Error("a second later:", got)
		}
		time.Sleep(time.Minute)
		batch := "[" + ping + "," + ping + "," + ping + "]"
		if w := post(p, "/3", batch, "From", "192.0.2.1:1"); w.Code != 200 {
			t.Error("a batch counts as its calls:", w.Code)
		}
		w := post(p, "/3", batch, "From", "192.0.2.1:1") // one is left
		if after := w.Header().Get("Retry-After"); w.Code != 429 || after != "1" || !strings.Contains(w.Header().Get("Content-Type"), "problem+json") {
			t.Errorf("another batch: %d, Retry-After %s", w.Code, after)
		}
		time.Sleep(time.Second)
		if w := post(p, "/3", batch, "From", "192.0.2.1:1"); w.Code != 429 || w.Header().Get("Retry-After") != "1" {
			t.Errorf("what was refused is charged for its first call only: %d %v", w.Code, w.Header())
		}
	})
}

func TestRequestsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newProxy(t, func(ctx context.Context, s, m string, params []byte) (*client.Answer, error) {
			time.Sleep(time.Minute)
			return echo(ctx, s, m, params)
		}, Config{Limits: Limits{Each: 3, Total: 5, Timeout: time.Hour}})
		var mu sync.Mutex
		var group sync.WaitGroup
		codes := make(map[string]map[int]int)
		for i := range 15 {
			from := fmt.Sprintf("192.0.2.%d:1", i%3)
			group.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				w := post(p, "/3", ping, "From", from)
				mu.Lock()
				defer mu.Unlock()
				if codes[from] == nil {
					codes[from] = make(map[int]int)
				}
				codes[from][w.Code]++
				if w.Code == 429 && w.Header().Get("Retry-After") != "1" {
					t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
				}
			})
		}
		group.Wait()
		if got := fmt.Sprint(codes["192.0.2.0:1"], codes["192.0.2.1:1"], codes["192.0.2.2:1"]); got != "map[200:2 429:3] map[200:2 429:3] map[200:1 429:4]" {
			t.Error(got)
		}
		if p.gate.busy() != 0 {
			t.Errorf("%d are still under way", p.gate.busy())
		}
		for range 4 {
			group.Go(func() {
				if w := post(p, "/3", ping, "From", "192.0.2.9:1"); w.Code == 429 {
					mu.Lock()
					codes["alone"] = map[int]int{429: codes["alone"][429] + 1}
					mu.Unlock()
				}
			})
		}
		group.Wait()
		if codes["alone"][429] != 1 {
			t.Errorf("of four of one caller %v are refused, want one", codes["alone"])
		}
	})
}

func TestCallersAreForgotten(t *testing.T) {
	l, err := Limits{Rate: 1, Burst: 100}.complete()
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(l)
	busy, refused := g.enter("10.9.9.9:1")
	if refused != nil {
		t.Fatal(refused.detail)
	}
	for i := range 3 * maxCallers {
		v, refused := g.enter(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1).String())
		if refused != nil {
			t.Fatalf("caller %d: %s", i, refused.detail)
		}
		g.leave(v)
	}
	if len(g.visitors) != maxCallers || g.recent.Len() != maxCallers {
		t.Errorf("%d callers are remembered, %d in order, want %d", len(g.visitors), g.recent.Len(), maxCallers)
	}
	if again, _ := g.enter("10.9.9.9:2"); again != busy {
		t.Error("one who had something under way is forgotten")
	}
}
