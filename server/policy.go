package server

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"barnraise/barter"
	"barnraise/manifest"
)

// Policy is how a server barters, as server.yaml has it. What is counted in epochs is counted in epochs of that length.
type Policy struct {
	Epoch  manifest.Duration `json:"epoch"`  // how often a server plans
	Egress string            `json:"egress"` // by which probes leave: URL of a proxy, or an address of this machine; the usual way where empty

	Replicas    int     `json:"replicas"`
	Deficit     float64 `json:"deficit"`
	Hysteresis  float64 `json:"hysteresis"`
	Residency   uint64  `json:"residency"`
	Grace       uint64  `json:"grace"`
	Patience    uint64  `json:"patience"`
	SeedShare   float64 `json:"seed_share"`
	Newcomer    uint64  `json:"newcomer"`
	Reciprocity float64 `json:"reciprocity"`
	Dear        float64 `json:"dear"`
	Confirmed   uint64  `json:"confirmed"`
}

// DefaultPolicy is [barter.Default], in epochs of six hours.
func DefaultPolicy() Policy {
	d := barter.Default
	return Policy{
		Epoch:    manifest.Duration(6 * time.Hour),
		Replicas: d.Replicas, Deficit: d.Deficit, Hysteresis: d.Hysteresis, Residency: d.Residency, Grace: d.Grace, Patience: d.Patience,
		SeedShare: d.SeedShare, Newcomer: d.Newcomer, Reciprocity: d.Reciprocity, Dear: d.Dear, Confirmed: d.Confirmed,
	}
}

func (p Policy) orDefault() Policy {
	if p == (Policy{}) {
		return DefaultPolicy()
	}
	return p
}

// Barter is the policy as the planner wants it.
func (p Policy) Barter() barter.Policy {
	return barter.Policy{
		Replicas: p.Replicas, Deficit: p.Deficit, Hysteresis: p.Hysteresis, Residency: p.Residency, Grace: p.Grace, Patience: p.Patience,
		SeedShare: p.SeedShare, Newcomer: p.Newcomer, Reciprocity: p.Reciprocity, Dear: p.Dear, Confirmed: p.Confirmed,
	}
}

// Bounds of an epoch: shorter ones a test network may have, and longer ones nobody would see the end of.
const (
	leastEpoch = time.Second
	mostEpoch  = 30 * 24 * time.Hour
)

// mostEpochs is more than anybody has to remember.
const mostEpochs = 1_000_000

func (p Policy) check() error {
	if d := time.Duration(p.Epoch); d < leastEpoch || d > mostEpoch {
		return fmt.Errorf("epoch: %s, want %s to %s", d, leastEpoch, mostEpoch)
	}
	for _, v := range []struct {
		key         string
		value       float64
		least, most float64
	}{
		{"replicas", float64(p.Replicas), 1, 256}, {"deficit", p.Deficit, 0, 100}, {"hysteresis", p.Hysteresis, 0, 100},
		{"residency", float64(p.Residency), 0, mostEpochs}, {"grace", float64(p.Grace), 0, mostEpochs},
		{"patience", float64(p.Patience), 0, mostEpochs}, {"seed_share", p.SeedShare, 0, 1},
		{"newcomer", float64(p.Newcomer), 0, mostEpochs}, {"reciprocity", p.Reciprocity, 0, 100}, {"dear", p.Dear, 1, 1000},
		{"confirmed", float64(p.Confirmed), 1, mostEpochs},
	} {
		if !(v.value >= v.least && v.value <= v.most) {
			return fmt.Errorf("%s: %v, want %v to %v", v.key, v.value, v.least, v.most)
		}
	}
	return p.checkEgress()
}

func (p Policy) checkEgress() error {
	if p.Egress == "" {
		return nil
	}
	if a, err := netip.ParseAddr(p.Egress); err == nil && !a.IsUnspecified() {
		return nil
	}
	u, err := url.Parse(p.Egress)
	if err != nil || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) || u.Host == "" {
		return fmt.Errorf("egress: %.80q, want the URL of a proxy, such as socks5://127.0.0.1:9050, or an address of this machine", p.Egress)
	}
	return nil
}
