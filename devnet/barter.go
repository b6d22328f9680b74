package devnet

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"barnraise"
	"barnraise/barter"
)

// Barter describes a network whose servers decide for themselves what they host for each other (protocol 9).
type Barter struct {
	Services []Service     `json:"services"` // registered in this order
	Parties  []Party       `json:"parties"`  // a server for each
	Epoch    time.Duration `json:"epoch"`    // between two plans of a server; five seconds where zero
	Gate     bool          `json:"gate"`     // honest servers let images pass the gate; else they trust every image
}

// Service is one that is registered: a program that the project ships, under a name and with a verifier of its own.
type Service struct {
	Name     string          `json:"name"`
	Program  string          `json:"program,omitempty"`  // that ships, such as search, or a directory of the module; the one called as the service where empty
	Home     int             `json:"home"`               // index of the server
	Verifier string          `json:"verifier,omitempty"` // a standard one; that of the program's service.yaml where empty
	Config   json.RawMessage `json:"config,omitempty"`   // the verifier's; that of the program's service.yaml where empty
}

// Party is what a server brings along. Services are named by their names.
type Party struct {
	Own      []string `json:"own,omitempty"`      // what it always runs, beside what it is the home of
	Rewards  []string `json:"rewards,omitempty"`  // what it would like to see run
	Capacity uint32   `json:"capacity,omitempty"` // units for others; eight where zero
}

// Founding is the founding example: A is the home of matrix and search, C of whisper, which B offers as well. A and B would like
// to see matrix run, C whisper, and nobody search, so only A runs it: enough, since its answers prove themselves.
func Founding() *Barter {
	return &Barter{
		Services: []Service{{Name: "search"}, {Name: "matrix"}, {Name: "whisper", Home: 2}},
		Parties: []Party{
			{Rewards: []string{"matrix"}},
			{Own: []string{"whisper"}, Rewards: []string{"matrix"}},
			{Rewards: []string{"whisper"}},
		},
		Gate: true,
	}
}

const (
	someEpoch    = 5 * time.Second
	someCapacity = 8
)

// equal reports whether both describe the same network.
func equal[T any](a, b T) bool {
	one, err := json.Marshal(a)
	other, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(one, other)
}

func (b *Barter) check() error {
	var names []string
	for _, s := range b.Services {
		switch {
		case !barnraise.ValidName(s.Name):
			return fmt.Errorf("service %q: no name of a service", s.Name)
		case slices.Contains(names, s.Name):
			return fmt.Errorf("service %s: named twice", s.Name)
		case s.Home < 0 || s.Home >= len(b.Parties):
			return fmt.Errorf("service %s: home %d, want one of %d servers", s.Name, s.Home, len(b.Parties))
		}
		if _, err := s.program(); err != nil {
			return fmt.Errorf("service %s: %w", s.Name, err)
		}
		names = append(names, s.Name)
	}
	for i, p := range b.Parties {
		for _, name := range slices.Concat(p.Own, p.Rewards) {
			if !slices.Contains(names, name) {
				return fmt.Errorf("server %d: there is no service %q", i+1, name)
			}
		}
	}
	if b.Epoch < 0 {
		return errors.New("an epoch takes time")
	}
	return nil
}

// capacity of server i.
func (b *Barter) capacity(i int) uint32 { return cmp.Or(b.Parties[i].Capacity, someCapacity) }

func (b *Barter) epoch() time.Duration { return cmp.Or(b.Epoch, someEpoch) }

// patience is how many epochs a service stays that nobody has answered yet. Where images pass the gate it is a minute of them: epochs
// are so short here that others may still be trying an image when four are over.
func (b *Barter) patience() uint64 {
	if !b.Gate {
		return barter.Default.Patience
	}
	return uint64(time.Minute / b.epoch())
}

// own lists what server i always runs, by name.
func (b *Barter) own(i int) []string {
	own := slices.Clone(b.Parties[i].Own)
	for _, s := range b.Services {
		if s.Home == i {
			own = append(own, s.Name)
		}
	}
	slices.Sort(own)
	return slices.Compact(own)
}

// own is the same in a network where all of it is registered.
func (n *Net) own(i int) []barnraise.ServiceID { return n.ids(n.layout.own(i)) }

// ids are the services of these names.
func (n *Net) ids(names []string) []barnraise.ServiceID {
	ids := make([]barnraise.ServiceID, 0, len(names))
	for _, name := range names {
		ids = append(ids, n.Network.Names[name])
	}
	slices.Sort(ids)
	return ids
}
