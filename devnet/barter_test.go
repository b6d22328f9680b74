package devnet

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/client"
)

// A server.yaml says what a party brings along, and a free rider's that it hosts nothing.
func TestConfigurations(t *testing.T) {
	b := Founding()
	b.Parties = append(b.Parties, Party{Own: []string{"whisper", "search"}, Capacity: 3})
	n := &Net{File: "/d/network.yaml", state: state{Ports: []int{1, 2, 3, 4}, With: []string{"freerider"}, Barter: b}, layout: *b, accounts: accounts{dir: "/d"}}
	n.Network.Names = map[string]barnraise.ServiceID{"search": 1, "matrix": 2, "whisper": 12}
	for i := range n.state.Ports {
		n.Servers = append(n.Servers, Member{ID: barnraise.ServerID(i + 1), URL: "http://x"})
	}
	for i, want := range []string{
		"own: [1, 2]\ncapacity: 8\nrewards: [2]\npolicy: {epoch: 5s, patience: 12}\nhosting: auto\n",
		"own: [12]\ncapacity: 8\nrewards: [2]\npolicy: {epoch: 5s, patience: 12}\nhosting: auto\n",
		"own: [12]\ncapacity: 8\nrewards: [12]\npolicy: {epoch: 5s, patience: 12}\nhosting: auto\n",
		"own: [1, 12]\ncapacity: 3\nrewards: []\npolicy: {epoch: 5s, patience: 12}\n",
	} {
		if got := string(n.configuration(i)); !strings.HasSuffix(got, want) {
			t.Errorf("server %d:\n%s\nwant at its end\n%s", i+1, got, want)
		}
	}
}

func TestBarterThatIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no name":         {func(o *Options) { o.Barter.Services[0].Name = "-" }, "no name of a service"},
		"a name twice":    {func(o *Options) { o.Barter.Services[1].Name = "search" }, "named twice"},
		"no such home":    {func(o *Options) { o.Barter.Services[1].Home = 3 }, "home 3, want one of 3"},
		"no such program": {func(o *Options) { o.Barter.Services[1].Program = "mail" }, "there are search, matrix, whisper"},
		"no such service": {func(o *Options) { o.Barter.Parties[1].Rewards = []string{"mail"} }, `server 2: there is no service "mail"`},
		"no time":         {func(o *Options) { o.Barter.Epoch = -time.Second }, "an epoch takes time"},
		"too many":        {func(o *Options) { o.Servers = 4 }, "want one for each of 3 parties"},
		"a home of all":   {func(o *Options) { o.With = []string{"deadhome"} }, "a home of its own"},
		"nobody honest":   {func(o *Options) { o.With = []string{"liar", "freerider", "freerider"} }, "at least one must be honest"},
		"nothing wrong":   {func(o *Options) { o.With = []string{"freerider", "freerider"} }, ""},
	} {
		o := Options{Barter: Founding()}
		c.change(&o)
		if err := o.Check(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A directory keeps who runs what: whoever starts the network again need not say so, and cannot say otherwise.
func TestStateKeepsBarter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	first, err := openState(Options{Dir: dir, Barter: Founding()})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{Dir: dir}, {Dir: dir, Barter: Founding(), Servers: 3}} {
		again, err := openState(o)
		if err != nil || !slices.Equal(again.Ports, first.Ports) || !equal(again.Barter, Founding()) {
			t.Errorf("%+v, %v", again, err)
		}
	}
	other := Founding()
	other.Parties[0].Rewards = nil
	if _, err := openState(Options{Dir: dir, Barter: other}); err == nil || !strings.Contains(err.Error(), "other services") {
		t.Errorf("other rewards: %v", err)
	}
	plain := filepath.Join(t.TempDir(), "net")
	if _, err := openState(Options{Dir: plain}); err != nil {
		t.Fatal(err)
	}
	if _, err := openState(Options{Dir: plain, Barter: Founding(), Servers: 4}); err == nil || !strings.Contains(err.Error(), "other services") {
		t.Errorf("a network where everybody runs everything: %v", err)
	}
}

// A free rider stands on chain as a host of everything, and answers nothing.
func TestFreeRiderClaims(t *testing.T) {
	n := up(t, Options{Servers: 3, With: []string{"freerider"}})
	s, err := n.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range n.Network.Names {
		if hosts := s.Hosts(id); !slices.Equal(hosts, []barnraise.ServerID{1, 2, 3}) {
			t.Errorf("service %d is offered by %v", id, hosts)
		}
	}
	if runs := n.Servers[2].server.Hosts(); len(runs) > 0 {
		t.Errorf("the free rider runs %v", runs)
	}
	for _, v := range call(t, open(t, n)).Asked {
		if free := v.Server == 3; free != (v.Outcome == client.OutcomeFailed) {
			t.Errorf("server %d: %s %s", v.Server, v.Outcome, v.Why)
		}
	}
	images, err := os.ReadDir(filepath.Join(n.Servers[2].Data, "images", "blobs", "sha256"))
	if len(images) > 0 {
		t.Errorf("the free rider has pulled %d blobs (%v)", len(images), err)
	}
}
