package client

import (
	"bytes"
	"container/list"
	"slices"
	"sync"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/judge"
	"barnraise/score"
)

// WithMemo remembers accepted answers, in at most about so many bytes, and gives them again to the same request of the same
// revision without asking anybody (protocol 6.7). What was used least recently is forgotten first. Nothing is remembered without
// it: a program that asks the same twice says so, and how much it has for that; 64 MB hold some thirty thousand answers of 1 KB.
//
// It makes a wrong answer live longer, so one is worth more to a liar the more often it is asked for. Hence at the 1st, 2nd, 4th,
// 8th … hit one more operator is drawn and asked, before the call returns; where he contradicts what is remembered, that
// is forgotten and judged together with his answer as in any call, signatures and all. Where nobody else is left to ask, or none
// answers in half of the time that the call has, or in the time that the service has for one answer, the answer is what is remembered.
//
// An answer is given again under the policy it was accepted by, and weaker ones. It is forgotten once all servers on whose word
// it rests were struck, and where its request is quarantined. It is never one that is not accepted.
func WithMemo(bytes int64) Option {
	return func(c *Client) {
		c.memo = nil
		if bytes > 0 {
			c.memo = newMemo(bytes)
		}
	}
}

// What an entry takes beside the bytes of its answers and receipts, roughly, and on how many answers one rests at most.
const (
	entryBytes   = 1 << 10
	answerBytes  = 384
	pointerBytes = 16
	maxRests     = 8
)

// memo remembers accepted answers. It is safe for concurrent use, calls nobody, and where it is nil remembers nothing.
type memo struct {
	limit int64

	mu      sync.Mutex
	used    int64
	entries map[memoKey]*list.Element
	order   *list.List // of *memoEntry, the one used last in front
}

// memoKey is what an answer is an answer to. A number of a revision may come to mean another in a reorganisation.
type memoKey struct {
	service            barnraise.ServiceID
	revision           uint32
	image              barnraise.Digest
	verifier, manifest barnraise.CID
	request            barnraise.Digest
}

// memoEntry is an accepted answer. What its slices hold never changes.
type memoEntry struct {
	key        memoKey
	body       []byte // as it was signed
	response   jsonrpc.Response
	unverified []string
	policy     score.Policy // by which it was accepted
	rests      []rest
	hits       uint64
}

// rest is an answer on which an entry rests.
type rest struct {
	signed barnraise.Answer
	judged judge.Answer
}

func newMemo(limit int64) *memo {
	return &memo{limit: limit, entries: make(map[memoKey]*list.Element), order: list.New()}
}

func (e *memoEntry) size() int64 {
	n := entryBytes + len(e.body)
	for _, p := range e.unverified {
		n += pointerBytes + len(p)
	}
	for _, r := range e.rests {
		n += answerBytes + len(r.signed.Receipt)
		if !bytes.Equal(r.signed.Response, e.body) {
			n += len(r.signed.Response)
		}
	}
	return int64(n)
}

// due reports whether the hit that the entry just had is one that is checked: the 1st, 2nd, 4th, 8th …
func (e *memoEntry) due() bool { return e.hits&(e.hits-1) == 0 }

// covers reports whether what was accepted by one policy would do under another.
func covers(accepted, wanted score.Policy) bool {
	both := accepted.Stronger(wanted)
	both.Name = accepted.Name
	return both == accepted
}

// hit finds what is remembered and will do under a policy, and counts that it was asked for. The entry is the caller's own.
func (m *memo) hit(key memoKey, p score.Policy) (memoEntry, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.entries[key]
	if !ok {
		return memoEntry{}, false
	}
	e := at.Value.(*memoEntry)
	if !covers(e.policy, p) {
		return memoEntry{}, false
	}
	e.hits++
	m.order.MoveToFront(at)
	return *e, true
}

// add remembers an entry in place of what there was, unless that was accepted by a stronger policy. One that would take more than
// an eighth of the room is not remembered.
func (m *memo) add(e memoEntry) {
	if e.size() > m.limit/8 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.entries[e.key]; ok {
		if old := at.Value.(*memoEntry); !covers(e.policy, old.policy) {
			return
		}
		m.remove(at)
	}
	m.entries[e.key] = m.order.PushFront(&e)
	m.used += e.size()
	m.trim()
}

// confirm has an entry rest on one more answer, where it is still there.
func (m *memo) confirm(key memoKey, r rest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.entries[key]
	if !ok {
		return
	}
	e := at.Value.(*memoEntry)
	same := func(o rest) bool { return o.signed.Server == r.signed.Server }
	if len(e.rests) >= maxRests || slices.ContainsFunc(e.rests, same) {
		return
	}
	m.used -= e.size()
	e.rests = append(slices.Clip(e.rests), r)
	m.used += e.size()
	m.trim()
}

// struck takes the word of a server from under every entry, and forgets those that rest on no other.
func (m *memo) struck(server barnraise.ServerID) {
	m.each(func(e *memoEntry) (keep bool) {
		e.rests = slices.DeleteFunc(slices.Clone(e.rests), func(r rest) bool { return r.signed.Server == server })
		return len(e.rests) > 0
	})
}

// forget drops what is remembered of one request to one image.
func (m *memo) forget(image, request barnraise.Digest) {
	m.each(func(e *memoEntry) bool { return e.key.image != image || e.key.request != request })
}

// drop forgets one answer.
func (m *memo) drop(key memoKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.entries[key]; ok {
		m.remove(at)
	}
}

// each has change look at every entry, and drops those that it does not keep.
func (m *memo) each(change func(*memoEntry) (keep bool)) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, at := range m.entries {
		e := at.Value.(*memoEntry)
		before := e.size()
		keep := change(e)
		m.used += e.size() - before
		if !keep {
			m.remove(at)
		}
	}
}

// trim makes room. The lock is held, as in remove.
func (m *memo) trim() {
	for m.used > m.limit {
		m.remove(m.order.Back())
	}
}

func (m *memo) remove(at *list.Element) {
	e := m.order.Remove(at).(*memoEntry)
	delete(m.entries, e.key)
	m.used -= e.size()
}
