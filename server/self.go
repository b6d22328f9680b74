package server

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"barnraise"
)

// Next is what a server is to be once the registry says so: so its key or URL can change while it runs, and no caller notices.
type Next struct {
	Key string `json:"key"` // file of an Ed25519 key; it is taken up when the registry shows it
	URL string `json:"url"` // where this server answers as well already
}

// face is what a server shows of itself: the key it signs with, and the URL that is registered.
type face struct {
	key ed25519.PrivateKey
	url string
}

func publicKey(k ed25519.PrivateKey) barnraise.PublicKey {
	return barnraise.PublicKey(k.Public().(ed25519.PublicKey))
}

func (s *Server) publicKey() barnraise.PublicKey { return publicKey(s.face.Load().key) }

// signing is the key that the server signs with. Any goroutine may call it.
func (s *Server) signing() ed25519.PrivateKey { return s.face.Load().key }

// url is the one that is registered. Any goroutine may call it.
func (s *Server) url() string {
	if f := s.face.Load(); f != nil {
		return f.url
	}
	return s.config.URL
}

// urls are where this server answers: the one it is registered with, that of its configuration, and the next one.
func (s *Server) urls() []string {
	list := []string{s.url(), s.config.URL}
	if next := s.next.Load(); next != nil && next.URL != "" {
		list = append(list, next.URL)
	}
	return list
}

// self finds this server in the registry: by its id, or else by URL and key. Where the registry shows another URL or key by now that
// is this server's too, it is the one that this server goes on with.
func (s *Server) self(head *barnraise.Snapshot) (barnraise.Server, error) {
	s.reread()
	if s.config.Server != 0 {
		v, _ := head.Server(s.config.Server)
		if v.Status == barnraise.StatusLeaving || v.Status == barnraise.StatusGone {
			return v, fmt.Errorf("server %d has left the registry: stop it, or register another one", v.ID)
		}
		if !s.recognise(head, v) {
			return v, fmt.Errorf("server %d is not registered with URL %s and this key: look at it with: barnraise servers show %d", s.config.Server, s.config.URL, s.config.Server)
		}
		return v, nil
	}
	if v, ok := head.Server(barnraise.ServerID(s.id.Load())); ok && s.recognise(head, v) {
		return v, nil
	}
	for _, v := range head.Servers() {
		if s.recognise(head, v) {
			return v, nil
		}
	}
	return barnraise.Server{}, fmt.Errorf("no server is registered with URL %s and key %s: register it with: barnraise servers register", s.config.URL, s.publicKey())
}

// reread looks for the next URL and for keys, in the configuration as it is now.
func (s *Server) reread() {
	c := s.config
	if s.rules != nil {
		fresh, err := s.rules()
		if err != nil {
			return // whoever reads the rules of hosting says so
		}
		c = fresh
	}
	if err := c.checkURL(s.network); err != nil {
		s.log.Warn("read configuration", "err", err)
		c.Next.URL = ""
	}
	s.next.Store(&c.Next)
	for _, file := range []string{c.Key, c.Next.Key} {
		if file == "" {
			continue
		}
		key, err := ReadKey(file)
		switch {
		case errors.Is(err, fs.ErrNotExist): // it is not made yet, or was moved
		case err != nil:
			s.log.Warn("read configuration", "err", err)
		case !slices.ContainsFunc(s.keys, func(k ed25519.PrivateKey) bool { return k.Equal(key) }):
			s.keys = append(s.keys, key)
		}
	}
}

// recognise reports whether a server of the registry is this one, and takes up what the registry shows of it. After a rotation the old
// key signs for half of the grace: so long, callers may not have seen the new one, and for all of it the old one holds (protocol
// 4.2).
func (s *Server) recognise(head *barnraise.Snapshot, v barnraise.Server) bool {
	if v.Status != barnraise.StatusActive || !slices.Contains(s.urls(), v.URL) {
		return false
	}
	key := s.keyFor(head, v)
	if key == nil {
		return false
	}
	if now := s.face.Load(); !now.key.Equal(key) || now.url != v.URL {
		if s.id.Load() != 0 {
			s.log.Info("this server goes on", "url", v.URL, "key", publicKey(key).String())
		}
		s.face.Store(&face{key, v.URL})
		s.intro.forget()
	}
	return true
}

// Find finds the server of a configuration in the registry as that server itself does, also while its key or URL changes: by what it
// is registered with, and by what is next. It reports false where it is not there. A file of a key that cannot be read counts for
// nothing.
func (c Config) Find(head *barnraise.Snapshot) (barnraise.Server, bool) {
	var own Server
	for _, file := range []string{c.Key, c.Next.Key} {
		if key, err := ReadKey(file); err == nil {
			own.keys = append(own.keys, key)
		}
	}
	for _, v := range head.Servers() {
		here := v.URL != "" && (v.URL == c.URL || v.URL == c.Next.URL) && (c.Server == 0 || c.Server == v.ID)
		if here && v.Status == barnraise.StatusActive && own.keyFor(head, v) != nil {
			return v, true
		}
	}
	return barnraise.Server{}, false
}

// keyFor is the key of this server's own that signs for a server of the registry at a block, nil where there is none.
func (s *Server) keyFor(head *barnraise.Snapshot, v barnraise.Server) ed25519.PrivateKey {
	var current, old ed25519.PrivateKey
	var age uint64 // of the rotation
	for _, k := range v.Keys {
		i := slices.IndexFunc(s.keys, func(own ed25519.PrivateKey) bool { return publicKey(own) == k.Key })
		switch {
		case i < 0:
		case k.To == 0:
			current = s.keys[i]
		case head.Block < k.To || head.Block-k.To <= head.Grace:
			old, age = s.keys[i], head.Block-min(k.To, head.Block)
		}
	}
	if current == nil || old != nil && age < head.Grace/2 {
		return old
	}
	return current
}

// named is which of this server's URLs a request came for: one that has the host it names, else the registered one.
func (s *Server) named(r *http.Request) string {
	for _, at := range s.urls() {
		if u, err := url.Parse(at); err == nil && strings.EqualFold(u.Host, r.Host) {
			return at
		}
	}
	return s.url()
}
