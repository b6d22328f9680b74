package score

import (
	"math"
	"time"

	"barnraise"
)

// Meet records that a server stands in the registry since a block, and which block is the newest: from then on it grows older. What
// was registered before this book first looked at the registry is older than the book, and nobody can tell from here by how much.
func (b *Book) Meet(server barnraise.ServerID, since, newest uint64, now time.Time) {
	if r := b.servers[server]; r != nil && !r.First.IsZero() {
		return
	}
	if b.recording {
		b.record(true, func(b *Book) { b.Meet(server, since, newest, now) })
	}
	b.Advance(now)
	if b.begun == 0 {
		b.begun = newest
	}
	r := b.row(server)
	r.First, r.Early = now, since <= b.begun
}

// Age is for how long a server is known to have been in the registry: the longest time there is for one that was there before this
// book, zero for one that this book never met.
func (b *Book) Age(server barnraise.ServerID, now time.Time) time.Duration {
	r := b.servers[server]
	switch {
	case r == nil || r.First.IsZero():
		return 0
	case r.Early:
		return math.MaxInt64
	}
	return max(0, now.Sub(r.First))
}
