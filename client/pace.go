package client

import (
	"slices"
	"time"

	"barnraise"
)

// How long a server is waited for before another is asked beside it: four times what its answers took of late, within bounds, and
// never more than a third of the time that is left. It is the server's own time that counts, so that nobody gets asked for being
// quick, and its answers alone, so that nobody gains time by giving none.
const (
	patienceTimes   = 4
	leastPatience   = 250 * time.Millisecond
	mostPatience    = 2 * time.Second
	patienceAtFirst = time.Second // with a server never heard
	mostBeside      = 2           // so many are asked beside those that take long, and no more at one time
)

// A server that gives no answer is asked again after two seconds, where others are there, and twice as long each further time in a
// row, up to an hour. Its availability falls slowly where it answered for long; who waits for it would not.
const (
	leastPause = 2 * time.Second
	mostPause  = time.Hour
)

// pace is how a server answers of late.
type pace struct {
	usual    time.Duration // what its answers took: up at once, down slowly
	failures int           // in a row
	until    time.Time     // it is not asked before, where others are there
}

// pace is that of a server. The lock is held.
func (c *Client) pace(id barnraise.ServerID) *pace {
	p := c.paces[id]
	if p == nil {
		p = new(pace)
		c.paces[id] = p
	}
	return p
}

func (p *pace) answered(took time.Duration) {
	if took < p.usual {
		took = p.usual - (p.usual-took)/10
	}
	*p = pace{usual: max(took, 1)}
}

func (p *pace) failed(now time.Time) {
	pause := mostPause
	if p.failures < 11 { // from there on it is more than an hour
		pause = min(leastPause<<p.failures, mostPause)
	}
	p.failures, p.until = p.failures+1, now.Add(pause)
}

// pauses reports whether the server is not to be asked yet. Of a server that was never asked there is no pace.
func (p *pace) pauses(now time.Time) bool { return p != nil && now.Before(p.until) }

// patience is how long a server is waited for.
func (p *pace) patience() time.Duration {
	if p.usual == 0 {
		return patienceAtFirst
	}
	return min(max(patienceTimes*p.usual, leastPatience), mostPatience)
}

// due says when another is asked beside a server that takes long.
type due struct {
	server barnraise.ServerID
	at     time.Time
}

// arm has the timer run until another may have to be asked. The lock is held.
func (a *inquiry) arm() {
	if len(a.due) == 0 {
		return
	}
	next := slices.MinFunc(a.due, func(x, y due) int { return x.at.Compare(y.at) }).at
	if a.timer == nil {
		a.timer = time.AfterFunc(time.Until(next), a.late)
		return
	}
	a.timer.Reset(time.Until(next))
}

// late asks others beside those that take long.
func (a *inquiry) late() {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for i := 0; i < len(a.due); {
		if a.due[i].at.After(now) {
			i++
			continue
		}
		a.due = slices.Delete(a.due, i, i+1)
		a.another()
	}
	a.arm()
}

// another asks one more beside those that are waited for. The lock is held.
func (a *inquiry) another() {
	if a.waiting == 0 || a.waiting >= a.want-a.got+mostBeside {
		return
	}
	if v, ok := a.start(true); ok {
		go a.wait(v)
	}
}
