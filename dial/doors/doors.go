// Package doors makes sure that whoever is behind a server's URL is the server that registered it, before anything else is sent
// there (protocol 10.1).
//
// Anybody may register anybody's URL. So a server is asked once for its introduction, which only its registered key can have
// signed, and who fails is left alone for longer and longer. What fails is held against the one server that failed: nobody whose
// URL is like another's, or the very same, keeps that one from being asked. Whose domain it is does not matter either, but for how
// many are visited there: see [Doors.Meet].
package doors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"barnraise"
)

// Within is how long an introduction may take. One that held is believed for an hour; who failed is left alone for Avoided at first,
// and for twice as long each further time, up to an hour.
const (
	Within      = 5 * time.Second
	Avoided     = time.Minute
	believedFor = time.Hour
)

// ErrStranger is the error for a server that has not introduced itself: it was asked and failed, now or a while ago.
var ErrStranger = errors.New("it has not introduced itself")

// ErrCrowded is the error for a server that was not asked, because of others under its domain. It says nothing of the server.
var ErrCrowded = errors.New("others under its domain were asked just now, and nobody else is until a minute is over")

// Config says how servers are asked.
type Config struct {
	HTTP    *http.Client     // such as dial.Client makes: it decides which addresses are reached
	Private bool             // in a private network there are no domains (protocol 10.3)
	Now     func() time.Time // nil means time.Now
	Avoid   time.Duration    // for which who failed is left alone at first; zero means [Avoided]
}

// Doors remembers who has introduced himself, and who has not. It is safe for concurrent use.
type Doors struct {
	config Config
	met    sync.Map // what is believed, by server

	mu      sync.Mutex
	doors   map[string]*door
	streets map[string]*street
}

// New knows nobody yet.
func New(c Config) *Doors {
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Avoid = cmp.Or(c.Avoid, Avoided)
	return &Doors{config: c, doors: make(map[string]*door), streets: make(map[string]*street)}
}

// Forget makes strangers of all.
func (d *Doors) Forget() {
	d.met.Clear()
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.doors)
	clear(d.streets)
}

// meeting is an introduction that held.
type meeting struct {
	url   string
	until time.Time // zero where one has failed since
}

// Met reports whether a server's introduction is believed, without asking anybody.
func (d *Doors) Met(v barnraise.Server) bool {
	m, known := d.meeting(v.ID)
	return known && m.url == v.URL && d.config.Now().Before(m.until)
}

func (d *Doors) meeting(id barnraise.ServerID) (meeting, bool) {
	m, known := d.met.Load(id)
	if !known {
		return meeting{}, false
	}
	return m.(meeting), true
}

// Meet asks a server for its introduction, unless it has introduced itself at that URL within the hour. It fails with [ErrStranger]
// where that does not hold; then the server is left alone for a while, and that error is given meanwhile. A server is asked once
// at a time. What failed because ctx ended is remembered of nobody.
//
// Who has introduced himself at a URL before is asked there again whatever others do. Of those who have not, four are visited at
// one domain at once and then one a minute, the last visit left for one that has not failed; beyond that it fails with
// [ErrCrowded]. Where another server is found that has registered the very same URL, that one is known from then on, and nobody
// else is asked for there as long as it is.
func (d *Doors) Meet(ctx context.Context, s *barnraise.Snapshot, v barnraise.Server) error {
	if d.Met(v) {
		return nil // as nearly always: without a door
	}
	at := d.door(v)
	select {
	case <-at.turn:
		defer func() { at.turn <- struct{}{} }()
	case <-ctx.Done():
		return fmt.Errorf("wait for introduction: %w", context.Cause(ctx))
	}
	switch {
	case d.Met(v):
		return nil
	case d.config.Now().Before(at.closed):
		return at.why
	}
	street := d.street(v)
	if m, known := d.meeting(v.ID); !known || m.url != v.URL {
		if err := d.mayVisit(s, street, at, v); err != nil {
			return err
		}
	}
	there, err := d.visit(ctx, s, v)
	if there.ID != 0 {
		d.met.Store(there.ID, meeting{there.URL, d.config.Now().Add(believedFor)})
		street.found(there.ID, there.URL, d.config.Now())
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: %w", ErrStranger, err)
	if ctx.Err() == nil {
		d.doubt(v)
		at.close(err, d.config)
		street.failed(err)
	}
	return err
}

// mayVisit says why a server that has never introduced itself at its URL is not to be asked now, if it is not.
func (d *Doors) mayVisit(s *barnraise.Snapshot, street *street, at *door, v barnraise.Server) error {
	other, ok := s.Server(street.home(v.URL))
	if ok && other.ID != v.ID && other.Status == barnraise.StatusActive && place(other.URL) == place(v.URL) && d.Met(other) {
		return fmt.Errorf("%w: %.200q is the URL of server %d, which has", ErrStranger, v.URL, other.ID)
	}
	return street.enter(at.failures > 0, d.config.Now())
}

// doubt stops believing a server that was believed.
func (d *Doors) doubt(v barnraise.Server) {
	if m, known := d.meeting(v.ID); known {
		d.met.Store(v.ID, meeting{url: m.url})
	}
}

// visit asks for a server's introduction and returns who is behind its URL. Where that is another server, which has registered the
// very same URL, it returns that one and an error; where it is nobody, an error alone.
func (d *Doors) visit(ctx context.Context, s *barnraise.Snapshot, v barnraise.Server) (there barnraise.Server, err error) {
	token, err := d.ring(ctx, v)
	if err != nil {
		return there, err
	}
	now := d.config.Now().Unix()
	if _, err = barnraise.CheckIntroduction(s, v, token, now); err == nil {
		return v, nil
	}
	other, ok := s.Server(barnraise.Introduces(token))
	if ok && other.ID != v.ID && other.URL == v.URL && other.Status == barnraise.StatusActive {
		if _, wrong := barnraise.CheckIntroduction(s, other, token, now); wrong == nil {
			there = other
		}
	}
	return there, err
}

// ring gets what lies where a server introduces itself.
func (d *Doors) ring(ctx context.Context, v barnraise.Server) (token string, err error) {
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	url := strings.TrimSuffix(v.URL, "/") + "/.well-known/barnraise"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := d.config.HTTP.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%.200q answers %.80q to who asks for its introduction", url, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, barnraise.MaxToken+1))
	return strings.TrimSpace(string(b)), err
}
