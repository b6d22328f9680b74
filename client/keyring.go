package client

import (
	"sync"

	"barnraise"
)

// A key is made ready for checking signatures once so many were checked under it; so many are kept ready, of 40 KB each.
const (
	preparedAfter = 4
	maxPrepared   = 128
	maxCounted    = 1024
)

// keyring has the keys of the servers that are asked again and again ready, so that checking takes half as long.
type keyring struct {
	mu      sync.RWMutex
	ready   map[barnraise.PublicKey]*prepared
	counted map[barnraise.PublicKey]int // checks under those that are not
}

// verify is [barnraise.Token.Verify].
func (k *keyring) verify(t barnraise.Token, key barnraise.PublicKey) error {
	k.mu.RLock()
	p := k.ready[key]
	k.mu.RUnlock()
	if p == nil {
		if err := t.Verify(key); err != nil {
			return err
		}
		k.count(key)
		return nil
	}
	return t.VerifyBy(p.id, p.verify)
}

// count notes a signature that holds. Where there are too many keys, one at random has to go.
func (k *keyring) count(key barnraise.PublicKey) {
	if !k.due(key) {
		return
	}
	p, err := prepare(key)
	if err != nil {
		return // no signature would hold
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ready == nil {
		k.ready = make(map[barnraise.PublicKey]*prepared)
	}
	for other := range k.ready {
		if len(k.ready) < maxPrepared {
			break
		}
		delete(k.ready, other)
	}
	k.ready[key] = p
}

func (k *keyring) due(key barnraise.PublicKey) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.counted == nil || len(k.counted) >= maxCounted {
		k.counted = make(map[barnraise.PublicKey]int)
	}
	k.counted[key]++
	if k.counted[key] < preparedAfter {
		return false
	}
	delete(k.counted, key)
	return true
}
