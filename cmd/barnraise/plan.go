package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"barnraise"
	"barnraise/barter"
	"barnraise/registry"

	"github.com/spf13/cobra"
)

// planFlags are the flags of plan.
type planFlags struct {
	config    string
	explain   bool
	snapshot  string
	self      string
	confirmed string
	capacity  uint32
	given     func(flag string) bool
}

func (a *app) plan() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:   "plan --config server.yaml | --snapshot FILE --self SERVER",
		Short: "Say what a server should host, start and stop, and for whom",
		Long: `Say what a server should host, start and stop, and for whom.

With --config that is the server of that configuration, whether it runs or not: what it would plan now, by the registry, by
what it has kept of others, and by what its operator has said. What waits for him is marked propose; he agrees to it with
"plan approve" and refuses it with "takedown".

With --snapshot it is any server of a snapshot file of the registry, and nothing is fetched. A service costs 1 and wants two
answers, nobody is convicted or new, and what the server offers and is not home of is what it hosts. Offers are taken for
confirmed, or only those of --confirmed, a list such as [{"server": 2, "service": 1}].

With --explain it says for each service what it costs, for whom it runs and what would make it stop, and for each server what
is owed, either way, what was confirmed of it, and when it was looked at last.`,
		Example: "  barnraise plan --config server.yaml --explain",
		RunE: func(c *cobra.Command, _ []string) error {
			f.given = c.Flags().Changed
			if f.config != "" {
				return a.planOfServer(c.Context(), f)
			}
			in, names, err := f.input()
			if err != nil {
				return err
			}
			return a.printPlan(newPlan(in, f.explain), names)
		},
	}
	c.PersistentFlags().StringVar(&f.config, "config", "", "the server's configuration")
	flags := c.Flags()
	flags.BoolVar(&f.explain, "explain", false, "say what it rests on: with whom the server has to do, and what would make a service stop")
	flags.StringVar(&f.snapshot, "snapshot", "", "the snapshot file")
	flags.StringVar(&f.self, "self", "", "id of the server that plans")
	flags.StringVar(&f.confirmed, "confirmed", "all", "offers that the server has found true: all, or a file")
	flags.Uint32Var(&f.capacity, "capacity", 0, "units for services of others; else what the server has")
	c.AddCommand(a.approve(&f.config))
	return c
}

// input is what the plan is made of, and what services are called.
func (f planFlags) input() (barter.Input, serviceNames, error) {
	if f.snapshot == "" || f.self == "" {
		return barter.Input{}, nil, fmt.Errorf("%w: say what to plan for: a server by --config server.yaml, or by --snapshot FILE and --self SERVER", errUsage)
	}
	return f.whatIf()
}

// whatIfEpoch is the epoch of a what-if, in which everybody is past the newcomer credit and everything past its residency.
const whatIfEpoch = 100

// whatIf is the input for any server of a snapshot file.
func (f planFlags) whatIf() (in barter.Input, names serviceNames, err error) {
	id, err := serverID(f.self)
	if err != nil {
		return in, nil, err
	}
	file, err := os.Open(f.snapshot)
	if err != nil {
		return in, nil, err
	}
	defer file.Close()
	s, err := registry.ReadSnapshot(file)
	if err != nil {
		return in, nil, fmt.Errorf("%s: %w", f.snapshot, err)
	}
	self, ok := s.Server(id)
	if !ok {
		return in, nil, fmt.Errorf("%s has no server %d", f.snapshot, id)
	}
	standing, err := f.standing()
	if err != nil {
		return in, nil, err
	}
	in = barter.Input{
		Self: id, View: barter.ViewOf(s), Capacity: self.Capacity, Epoch: whatIfEpoch, Policy: barter.Default, Standing: standing,
		Refuted: func(func(barnraise.ServerID, barnraise.ServiceID) bool) {},
		Weight:  func(barnraise.ServerID) float64 { return 1 },
		Age:     func(barnraise.ServerID) uint64 { return whatIfEpoch },
		Service: func(barnraise.ServiceID) barter.Service { return barter.Service{Cost: 1, MinRequests: 2} },
	}
	if f.given("capacity") {
		in.Capacity = f.capacity
	}
	for _, o := range self.Offers {
		if _, r, ok := s.Active(o); ok && r.Home == id {
			in.Own = append(in.Own, o)
		} else {
			in.State.Hosted = append(in.State.Hosted, barter.Hosting{Service: o})
		}
	}
	return in, namesOf(s), nil
}

// maxConfirmed is the longest list of confirmed offers.
const maxConfirmed = 16 << 20

// standing is what the server found by its probes.
func (f planFlags) standing() (func(barnraise.ServerID, barnraise.ServiceID) barter.Standing, error) {
	if f.confirmed == "all" {
		return func(barnraise.ServerID, barnraise.ServiceID) barter.Standing { return barter.Confirmed }, nil
	}
	b, err := readLimited(f.confirmed, maxConfirmed)
	if err != nil {
		return nil, err
	}
	confirmed, err := parseConfirmed(b)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.confirmed, err)
	}
	return func(server barnraise.ServerID, service barnraise.ServiceID) barter.Standing {
		if confirmed[barter.Offer{Server: server, Service: service}] {
			return barter.Confirmed
		}
		return barter.Unknown
	}, nil
}

// parseConfirmed reads a list of offers.
func parseConfirmed(b []byte) (map[barter.Offer]bool, error) {
	var list []barter.Offer
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf(`want [{"server": 2, "service": 1}, …]: %w`, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands after the list")
	}
	confirmed := make(map[barter.Offer]bool, len(list))
	for _, o := range list {
		if o.Server == 0 || o.Service == 0 {
			return nil, fmt.Errorf("server %d, service %d: no id is 0", o.Server, o.Service)
		}
		confirmed[o] = true
	}
	return confirmed, nil
}

// serviceNames says what services are called.
type serviceNames func(barnraise.ServiceID) string

func namesOf(s *barnraise.Snapshot) serviceNames {
	return func(id barnraise.ServiceID) string {
		v, _ := s.Service(id)
		return v.Name
	}
}
