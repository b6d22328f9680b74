package doors

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"barnraise"

	"golang.org/x/net/publicsuffix"
)

// door is where one server introduces itself: its id at its URL.
type door struct {
	turn chan struct{} // whoever takes what is in it may use the rest

	failures int       // no two of them more than an hour apart
	closed   time.Time // until then it is not asked
	why      error     // the last failure
}

func (d *Doors) door(v barnraise.Server) *door {
	name := fmt.Sprint(v.ID, " ", v.URL)
	d.mu.Lock()
	defer d.mu.Unlock()
	at, ok := d.doors[name]
	if !ok {
		at = &door{turn: make(chan struct{}, 1)}
		at.turn <- struct{}{}
		d.doors[name] = at
	}
	return at
}

func (d *door) close(why error, c Config) {
	now := c.Now()
	if now.Sub(d.closed) > believedFor {
		d.failures = 0
	}
	d.closed, d.why = now.Add(min(c.Avoid<<d.failures, believedFor)), why
	d.failures = min(d.failures+1, 12) // by then it is an hour
}

// Anybody may register URLs of somebody else's domain, as many as he pays deposits for. So at each registrable domain those who
// have never introduced themselves are few: so many visits at once, and from then on one every so often.
const (
	visitsAtOnce = 4
	visitEvery   = time.Minute
)

// street is a registrable domain with the doors that are under it.
type street struct {
	mu     sync.Mutex
	visits int                           // that are allowed at once
	since  time.Time                     // when there were so many
	why    error                         // what went wrong there last
	homes  map[string]barnraise.ServerID // who was found, by place
}

// street is that of a server, nil in a private network, where there are no domains.
func (d *Doors) street(v barnraise.Server) *street {
	if d.config.Private {
		return nil
	}
	name := Domain(v.URL)
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.streets[name]
	if !ok {
		s = &street{visits: visitsAtOnce, since: d.config.Now()}
		d.streets[name] = s
	}
	return s
}

// enter allows a visit, or says why there is none now. The last visit that is left is for a server that has not failed: so those
// who fail keep nobody out who was not asked yet.
func (s *street) enter(failed bool, now time.Time) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.since) {
		s.since = now // the clock was set back
	}
	gained := now.Sub(s.since) / visitEvery
	s.visits, s.since = int(min(time.Duration(s.visits)+gained, visitsAtOnce)), s.since.Add(gained*visitEvery)
	if s.visits == visitsAtOnce {
		s.since = now
	}
	least := 1
	if failed {
		least = 2
	}
	if s.visits < least {
		return s.busy()
	}
	s.visits--
	return nil
}

// busy is [ErrCrowded], with what went wrong there last.
func (s *street) busy() error {
	if s.why == nil {
		return ErrCrowded
	}
	return fmt.Errorf("%w: %.300s", ErrCrowded, s.why)
}

// failed notes what went wrong.
func (s *street) failed(why error) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.why = why
}

// found notes who is behind a URL. Now that somebody is known there, strangers can wait: there are no more several visits at once.
func (s *street) found(id barnraise.ServerID, at string, now time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.visits > 1 {
		s.visits, s.since = 1, now
	}
	if s.homes == nil {
		s.homes = make(map[string]barnraise.ServerID)
	}
	s.homes[place(at)] = id
}

// home is who was met at a URL last, zero for nobody.
func (s *street) home(at string) barnraise.ServerID {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.homes[place(at)]
}

// place is a URL as it is visited: who writes it with capitals, with the usual port or with a slash at the end means the same.
func place(at string) string {
	u, err := url.Parse(at)
	if err != nil {
		return at
	}
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		port = ""
	}
	host := strings.TrimRight(strings.ToLower(u.Hostname()), ".")
	return scheme + "://" + host + ":" + port + strings.TrimSuffix(u.EscapedPath(), "/")
}

// Domain is the registrable domain of a URL's host under a suffix of ICANN's, or the host itself where it has none: x.github.io
// and y.github.io are github.io, however they are spelled.
func Domain(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	host := strings.TrimRight(strings.ToLower(u.Hostname()), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	suffix, icann := publicsuffix.PublicSuffix(host)
	for !icann {
		_, parent, more := strings.Cut(suffix, ".") // a suffix that somebody gives away below his own domain, such as github.io
		if !more {
			break // a top-level domain that nobody has listed
		}
		suffix, icann = publicsuffix.PublicSuffix(parent)
	}
	below := strings.TrimSuffix(strings.TrimSuffix(host, suffix), ".")
	if below == "" {
		return host
	}
	return below[strings.LastIndexByte(below, '.')+1:] + "." + suffix
}
