package devnet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// state is what a network must not change between two starts: its ports stand in the registry.
type state struct {
	RPC   int      `json:"rpc"`
	Ports []int    `json:"ports"` // of the servers
	With  []string `json:"with"`  // adversaries, the last servers

	Barter *Barter `json:"barter,omitempty"` // nil where everybody runs everything
}

// openState reads the state of the network in the directory, or makes a new one.
func openState(o Options) (state, error) {
	path := filepath.Join(o.Dir, "devnet.json")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newState(o, path)
	}
	if err != nil {
		return state{}, err
	}
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("read %s: %w", path, err)
	}
	switch {
	case o.Servers != 0 && o.Servers != len(s.Ports):
		return s, fmt.Errorf("%s holds a network of %d servers, not %d: choose another directory", o.Dir, len(s.Ports), o.Servers)
	case o.With != nil && !slices.Equal(o.With, s.With):
		return s, fmt.Errorf("%s holds a network with other adversaries (%s): choose another directory", o.Dir, strings.Join(s.With, ", "))
	case o.Barter != nil && !o.Barter.equal(s.Barter):
		return s, fmt.Errorf("%s holds a network with other services: choose another directory", o.Dir)
	}
	return s, s.check()
}

// servers is how many a new network has: one for each party where there is barter; else, where it is not said, four, or as many
// more as leave two of them honest.
func (o Options) servers() int {
	if o.Servers == 0 && o.Barter != nil {
		return len(o.Barter.Parties)
	}
	if o.Servers != 0 {
		return o.Servers
	}
	return max(4, len(o.With)+2)
}

// Check reports what makes the options those of no network, whatever the directory holds.
func (o Options) Check() error {
	servers := o.servers()
	if servers < 1 || servers > MaxServers {
		return fmt.Errorf("%d servers: want 1 to %d", servers, MaxServers)
	}
	return state{With: o.With, Ports: make([]int, servers), Barter: o.Barter}.check()
}

func newState(o Options, path string) (state, error) {
	s := state{With: o.With, Barter: o.Barter}
	if err := o.Check(); err != nil {
		return s, err
	}
	ports, err := freePorts(o.servers() + 1)
	if err != nil {
		return s, err
	}
	s.RPC, s.Ports = ports[0], ports[1:]
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return s, err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	return s, writeFile(path, b)
}

func (s state) check() error {
	homes := 0
	for _, name := range s.With {
		a := newAdversary(name)
		if a == nil {
			return fmt.Errorf("no adversary is called %q; there are %s", name, strings.Join(Adversaries(), ", "))
		}
		if a.home {
			homes++
		}
	}
	switch {
	case homes > 1:
		return errors.New("a service has one home: name one of the adversaries that are a home")
	case homes > 0 && s.Barter != nil:
		return errors.New("an adversary that is the home of every service: here each service has a home of its own")
	case s.Barter != nil && len(s.Barter.Parties) != len(s.Ports):
		return fmt.Errorf("%d servers: want one for each of %d parties", len(s.Ports), len(s.Barter.Parties))
	case len(s.With) >= len(s.Ports) && len(s.With) > 0:
		return fmt.Errorf("%d adversaries among %d servers: at least one must be honest", len(s.With), len(s.Ports))
	case s.Barter != nil:
		return s.Barter.check()
	}
	return nil
}

// layout says who runs what. Where there is no barter everybody runs everything, and free riders nothing.
func (s state) layout() Barter {
	if s.Barter != nil {
		return *s.Barter
	}
	var b Barter
	for _, p := range ships {
		b.Services = append(b.Services, Service{Name: p.name(), Home: s.home()})
	}
	for i := range s.Ports {
		var p Party
		if a := newAdversary(s.adversary(i)); a == nil || !a.claims {
			for _, v := range b.Services {
				p.Own = append(p.Own, v.Name)
			}
		}
		b.Parties = append(b.Parties, p)
	}
	return b
}

// adversary is the name of what server i is; empty where it is honest.
func (s state) adversary(i int) string {
	if n := i - (len(s.Ports) - len(s.With)); n >= 0 {
		return s.With[n]
	}
	return ""
}

// home is the index of the server that is the home of all services, without barter.
func (s state) home() int {
	for i := range s.Ports {
		if a := newAdversary(s.adversary(i)); a != nil && a.home {
			return i
		}
	}
	return 0
}

// freePorts finds ports on the loopback address that nobody listens on.
func freePorts(count int) (ports []int, err error) {
	for range count {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all of them at the end, so that none is found twice
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// address is where server i listens.
func (s state) address(i int) string { return "127.0.0.1:" + strconv.Itoa(s.Ports[i]) }
