package barnraise

import (
	"slices"
	"testing"
)

func TestProtocol1_4NewestActiveRevision(t *testing.T) {
	service := Service{ID: 3, Status: StatusActive, Revisions: []Revision{
		{Number: 1, ActiveFrom: 10}, {Number: 2, ActiveFrom: 20}, {Number: 3, ActiveFrom: 30, Revoked: true}, {Number: 4, ActiveFrom: 40},
	}}
	for _, c := range []struct {
		block uint64
		want  uint32
	}{{9, 0}, {10, 1}, {19, 1}, {20, 2}, {35, 2}, {40, 4}} {
		s := NewSnapshot(testRegistry, c.block, [32]byte{}, 5, []Service{service}, nil)
		_, r, ok := s.Active(3)
		if ok != (c.want != 0) || r.Number != c.want {
			t.Errorf("at block %d revision %d is active (%v), want %d", c.block, r.Number, ok, c.want)
		}
	}
	service.Status = StatusGone
	if _, _, ok := NewSnapshot(testRegistry, 50, [32]byte{}, 5, []Service{service}, nil).Active(3); ok {
		t.Error("a service that is gone is still called")
	}
}

func TestProtocol1_7HomeCountsWhileItOffersTheService(t *testing.T) {
	for _, c := range []struct {
		name string
		home Server
		want bool
	}{
		{"offers it", Server{ID: 1, Status: StatusActive, Offers: []ServiceID{2, 3}}, true},
		{"offers others", Server{ID: 1, Status: StatusActive, Offers: []ServiceID{2, 4}}, false},
		{"is leaving", Server{ID: 1, Status: StatusLeaving, Offers: []ServiceID{3}}, false},
		{"is another", Server{ID: 2, Status: StatusActive, Offers: []ServiceID{3}}, false},
	} {
		s := NewSnapshot(testRegistry, 50, [32]byte{}, 5, nil, []Server{c.home})
		if _, got := s.Home(3, Revision{Home: 1}); got != c.want {
			t.Errorf("%s: home counts: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestHostsAreActiveServersThatOffer(t *testing.T) {
	s := NewSnapshot(testRegistry, 50, [32]byte{}, 5, nil, []Server{
		{ID: 4, Status: StatusActive, Offers: []ServiceID{3}},
		{ID: 1, Status: StatusActive, Offers: []ServiceID{1, 3}},
		{ID: 2, Status: StatusLeaving, Offers: []ServiceID{3}},
		{ID: 3, Status: StatusActive, Offers: []ServiceID{4}},
	})
	if got := s.Hosts(3); !slices.Equal(got, []ServerID{1, 4}) {
		t.Errorf("hosts are %v, want [1 4]", got)
	}
}

func TestProtocol1_2Names(t *testing.T) {
	for name, want := range map[string]bool{
		"search": true, "a-b": true, "abc": true, "0x0": true, "ab": false, "-abc": false, "abc-": false, "a.b": false, "Abc": false,
		"a b": false, "äbc": false, "": false,
		"a23456789012345678901234567890123456789012345678": true, "a234567890123456789012345678901234567890123456789": false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("name %q: %v, want %v", name, got, want)
		}
	}
}

func TestProtocol1_5Lists(t *testing.T) {
	long := make([]ServiceID, MaxOffers+1)
	for i := range long {
		long[i] = ServiceID(i + 1)
	}
	for _, c := range []struct {
		ids   []ServiceID
		limit int
		want  bool
	}{{nil, 4, true}, {[]ServiceID{1, 2, 9}, 4, true}, {[]ServiceID{0, 1}, 4, false}, {[]ServiceID{2, 2}, 4, false}, {[]ServiceID{3, 2}, 4, false},
		{long[:MaxOffers], MaxOffers, true}, {long, MaxOffers, false}} {
		if got := ValidList(c.ids, c.limit); got != c.want {
			t.Errorf("list of %d %v…: %v, want %v", len(c.ids), c.ids[:min(3, len(c.ids))], got, c.want)
		}
	}
}

func TestSpellings(t *testing.T) {
	for _, bad := range []string{"", "0x", "0x12", "5fbdb2315678afecb367f032d93f642f64180aa3", "0xzfbdb2315678afecb367f032d93f642f64180aa3"} {
		if a, err := ParseAddress(bad); err == nil {
			t.Errorf("address %q reads as %s", bad, a)
		}
	}
	a, err := ParseAddress("0x5FbDB2315678afecb367f032d93F642f64180aa3")
	if err != nil || a.String() != "0x5fbdb2315678afecb367f032d93f642f64180aa3" {
		t.Errorf("address reads as %s: %v", a, err)
	}
	d := Sum(nil)
	for _, bad := range []string{"", "sha256:", d.Hex(), "sha512:" + d.Hex(), d.String() + "0", "sha256:E3" + d.Hex()[2:]} {
		if d, err := ParseDigest(bad); err == nil {
			t.Errorf("digest %q reads as %s", bad, d)
		}
	}
	if again, err := ParseDigest(d.String()); err != nil || again != d {
		t.Errorf("digest %s reads as %s: %v", d, again, err)
	}
}
