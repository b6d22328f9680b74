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
	"time"

	"barnraise/adversary"
	"barnraise/whole"
)

// state is what a network must not change between two starts: its ports stand in the registry.
type state struct {
	RPC   int      `json:"rpc"`
	Ports []int    `json:"ports"` // of the servers
	With  []string `json:"with"`  // adversaries, the last servers, one of each

	Services []Service `json:"services,omitempty"` // of all, where there is no barter; nil where they are those that ship
	Barter   *Barter   `json:"barter,omitempty"`   // nil where everybody runs everything
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
	case o.Servers != 0 && o.servers() != len(s.Ports):
		return s, fmt.Errorf("%s holds a network of %d servers, not %d: choose another directory", o.Dir, len(s.Ports), o.servers())
	case o.With != nil && !slices.Equal(o.with(), s.With):
		return s, fmt.Errorf("%s holds a network with other adversaries (%s): choose another directory", o.Dir, strings.Join(s.With, ", "))
	case o.Barter != nil && !equal(o.Barter, s.Barter), o.Services != nil && !equal(o.Services, s.Services):
		return s, fmt.Errorf("%s holds a network with other services: choose another directory", o.Dir)
	}
	return s, s.check()
}

// with names each adversary for itself: a name that stands for several servers as often.
func (o Options) with() (names []string) {
	for _, name := range o.With {
		kind, _ := adversary.Named(name)
		names = append(names, slices.Repeat([]string{name}, max(1, kind.Count))...)
	}
	return names
}

// servers is how many a new network has: one for each party where there is barter; else, where it is not said, four, or as many
// more as leave two of them honest. Those come on top for which one name stands.
func (o Options) servers() int {
	with := o.with()
	switch {
	case o.Servers != 0:
		return o.Servers + len(with) - len(o.With)
	case o.Barter != nil:
		return len(o.Barter.Parties)
	}
	return max(4, len(with)+2)
}

// Check reports what makes the options those of no network, whatever the directory holds.
func (o Options) Check() error {
	servers := o.servers()
	if servers < 1 || servers > MaxServers {
		return fmt.Errorf("%d servers: want 1 to %d", servers, MaxServers)
	}
	return state{With: o.with(), Ports: make([]int, servers), Services: o.Services, Barter: o.Barter}.check()
}

func newState(o Options, path string) (state, error) {
	s := state{With: o.with(), Services: o.Services, Barter: o.Barter}
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
	return s, whole.Write(path, b, 0o600)
}

func (s state) check() error {
	homes := 0
	for _, name := range s.With {
		kind, err := adversary.Named(name)
		if err != nil {
			return err
		}
		if kind.Home {
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
	case s.Barter != nil && s.Services != nil:
		return errors.New("where there is barter, it says which services there are")
	}
	layout := s.layout()
	return layout.check()
}

// layout says who runs what. Where there is no barter everybody runs everything, and free riders nothing.
func (s state) layout() Barter {
	if s.Barter != nil {
		return *s.Barter
	}
	var b Barter
	if b.Services = slices.Clone(s.Services); b.Services == nil {
		for _, p := range ships {
			b.Services = append(b.Services, Service{Name: p.name()})
		}
	}
	var all []string
	for i := range b.Services {
		b.Services[i].Home = s.home()
		all = append(all, b.Services[i].Name)
	}
	for i := range s.Ports {
		var p Party
		if kind, _ := s.adversary(i); !kind.Claims {
			p.Own = all
		}
		b.Parties = append(b.Parties, p)
	}
	return b
}

// adversary is the kind of server i, if it is one.
func (s state) adversary(i int) (kind adversary.Kind, bad bool) {
	n := i - (len(s.Ports) - len(s.With))
	if n < 0 {
		return kind, false
	}
	kind, err := adversary.Named(s.With[n])
	return kind, err == nil
}

// ahead is how much sooner than honest servers somebody here answers.
func (s state) ahead() (most time.Duration) {
	for _, name := range s.With {
		kind, _ := adversary.Named(name)
		most = max(most, kind.Ahead)
	}
	return most
}

// home is the index of the server that is the home of all services, without barter.
func (s state) home() int {
	for i := range s.Ports {
		if kind, _ := s.adversary(i); kind.Home {
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
