package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/hosting"
)

// Words are what an operator has said of services, beside server.yaml. A server takes them to heart within a minute.
type Words struct {
	Approved map[barnraise.ServiceID]uint32 `json:"approved"` // the revision that may be hosted; 0 for all
	Denied   map[barnraise.ServiceID]string `json:"denied"`   // and why; it goes before what is approved, and before own
}

// ReadWords reads what was said.
func ReadWords(m Memory) (w Words, err error) {
	if _, err = m.Load(wordsKey, &w); err != nil {
		return w, fmt.Errorf("read what was approved: %w", err)
	}
	return w, nil
}

// WriteWords replaces what was said.
func WriteWords(m Memory, w Words) error {
	if err := m.Save(wordsKey, w); err != nil {
		return fmt.Errorf("keep what was approved: %w", err)
	}
	return nil
}

// listen takes note of what the operator has said, and of the rules in his configuration. Where one of them cannot be read,
// what it said before stands.
func (b *broker) listen() {
	var errs []error
	if b.memory != nil {
		words, err := ReadWords(b.memory)
		if err == nil {
			b.words = words
		}
		errs = append(errs, err)
	}
	if b.rules != nil {
		c, err := b.rules()
		if err == nil {
			b.config.Hosting, b.config.Allow, b.config.Deny = c.Hosting, c.Allow, c.Deny
		}
		errs = append(errs, err)
	}
	trouble := fmt.Sprint(errors.Join(errs...))
	if trouble != b.trouble && trouble != noTrouble {
		b.log.Error("what the operator says cannot be read, and what he said before stands", "err", trouble)
	}
	b.trouble = trouble
}

// noTrouble is what an error is printed as that is none.
var noTrouble = fmt.Sprint(error(nil))

// hear takes note of what the operator has said, and returns what he denies, in words, empty where that is nothing, and the
// registry as it was seen last, nil where it never was. Any goroutine may call it.
func (b *broker) hear() (denied string, seen *barnraise.Snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listen(); len(b.words.Denied)+len(b.config.Deny) > 0 {
		denied = fmt.Sprint(b.words.Denied, b.config.Deny)
	}
	return denied, b.last
}

// obey stops what the operator denies, again and again until the context ends. It waits for neither the registry nor a place to
// write: what is denied has to stop in any case.
func (s *Server) obey(ctx context.Context) {
	tick := time.NewTicker(s.poll)
	defer tick.Stop()
	before := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			denied, seen := s.broker.hear()
			s.heed(seen)
			if denied != before && s.purge() {
				before = denied
			}
		}
	}
}

// purge removes content that belongs to nothing that is to run here, so that nobody gets it. It reports whether that is known.
func (s *Server) purge() bool {
	s.mu.RLock()
	looked := s.looked
	s.mu.RUnlock()
	if !looked {
		return false
	}
	err := s.unpin()
	_, failed := s.content.GC(s.now(), content.MinGrace)
	if err = errors.Join(err, failed, s.keepStandard()); err != nil {
		s.log.Warn("remove what is denied", "err", err)
	}
	return true
}

// heed stops what the operator denies by the registry as it was seen last.
func (s *Server) heed(seen *barnraise.Snapshot) {
	if seen == nil {
		return
	}
	s.mu.RLock()
	wanted := slices.Clone(s.wanted)
	s.mu.RUnlock()
	allowed := s.permitted(slices.Clone(wanted), seen)
	if len(allowed) == len(wanted) {
		return
	}
	denied := func(k hostKey) bool { return slices.Contains(wanted, k) && !slices.Contains(allowed, k) }
	s.retain(func(k hostKey) bool { return !denied(k) })
	s.mu.Lock()
	s.wanted = slices.DeleteFunc(slices.Clone(s.wanted), denied)
	s.mu.Unlock()
	if err := s.unpin(); err != nil {
		s.log.Warn("unpin", "err", err)
	}
}

// forbidden says why a revision is not to run here even as one of this server's own, and is empty where it may.
func (b *broker) forbidden(s *barnraise.Snapshot, k hostKey) string {
	if why, denied := b.words.Denied[k.service]; denied {
		return "the operator denies it: " + why
	}
	c := b.config
	c.Hosting = HostingAuto
	if allowed, why := consent(c, b.facts(s, k)); !allowed {
		return why
	}
	return ""
}

func (b *broker) facts(s *barnraise.Snapshot, k hostKey) facts {
	service, _ := s.Service(k.service)
	r, _ := service.Revision(k.revision)
	licence, fetched := b.licences[k]
	if !fetched {
		licence = b.book.Dossiers[k.service].Licence
	}
	return facts{service: service, revision: r, licence: licence}
}

// licensed takes note of what the manifest of a revision says of its licence. Any goroutine may call it.
func (b *broker) licensed(k hostKey, licence string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.licences[k] = licence
}

// take notes which revision of a service of others the operator has agreed to, or has put on chain himself. What comes after it
// needs a word of its own.
func (b *broker) take(s sight) {
	for _, e := range b.book.Ledger.Entries {
		_, r, _ := s.confirmed.Active(e.Service)
		taken, known := b.book.Taken[e.Service]
		word, _ := b.word(s.confirmed, hostKey{e.Service, r.Number})
		if e.Phase != hosting.Proposed && (!known || word == hosting.Yes) {
			b.book.Taken[e.Service] = max(taken, r.Number)
		}
	}
	maps.DeleteFunc(b.book.Taken, func(id barnraise.ServiceID, _ uint32) bool {
		e, meant := b.book.Ledger.Entry(id)
		return (!meant || e.Phase == hosting.Proposed) && !s.me.OffersService(id)
	})
	maps.DeleteFunc(b.licences, func(k hostKey, _ string) bool {
		_, meant := b.book.Ledger.Entry(k.service)
		return !meant && !slices.Contains(b.mine, k.service)
	})
}

// unwanted says why a revision of a service of others is not to run here, and is empty where it may, or where the operator has
// still to be asked whether the service may.
func (b *broker) unwanted(s *barnraise.Snapshot, k hostKey) string {
	word, why := b.word(s, k)
	taken, known := b.book.Taken[k.service]
	switch {
	case word == hosting.No:
		return why
	case word == hosting.Ask && known && k.revision > taken:
		return fmt.Sprintf("revision %d %s", k.revision, why)
	}
	return ""
}

// word is the operator's on hosting a revision of a service of others, and why.
func (b *broker) word(s *barnraise.Snapshot, k hostKey) (hosting.Consent, string) {
	if why := b.forbidden(s, k); why != "" {
		return hosting.No, why
	}
	allowed, why := consent(b.config, b.facts(s, k))
	approved, known := b.words.Approved[k.service]
	switch {
	case allowed:
		return hosting.Yes, why
	case b.config.Hosting == HostingAllowlist:
		return hosting.No, why
	case known && approved != 0 && approved != k.revision:
		return hosting.No, fmt.Sprintf("approved is revision %d alone: barnraise plan approve %d@%d", approved, k.service, k.revision)
	case known:
		return hosting.Yes, "approved by the operator"
	}
	return hosting.Ask, why
}

// denied says why a revision is not to run here, and is empty where it may. Any goroutine may call it.
func (b *broker) denied(s *barnraise.Snapshot, k hostKey) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.Contains(b.mine, k.service) {
		return b.forbidden(s, k)
	}
	return b.unwanted(s, k)
}

// barred lists the own services that are not to be offered: those that the operator forbids, and of those that the configuration
// names what has not run for half an epoch.
func (b *broker) barred(s sight) map[barnraise.ServiceID]bool {
	barred := make(map[barnraise.ServiceID]bool)
	for _, id := range b.mine {
		_, r, _ := s.confirmed.Active(id)
		if b.forbidden(s.confirmed, hostKey{id, r.Number}) != "" || b.hollow(s, id) {
			barred[id] = true
		}
	}
	return barred
}

// hollow reports whether an own service has not run for long.
func (b *broker) hollow(s sight, id barnraise.ServiceID) bool {
	since, absent := b.absent[id]
	switch {
	case s.runs(id) || !slices.Contains(b.config.Own, id):
		delete(b.absent, id)
		return false
	case !absent || since.After(s.now):
		b.absent[id] = s.now
		return false
	}
	return s.now.Sub(since) > max(b.length/2, leastPatience)
}
