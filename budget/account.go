package budget

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// bounds are what one account may use.
type bounds struct {
	requests float64
	burst    int
	egress   uint64
	cpu      float64
}

func (l Limits) all() bounds { return bounds{l.Requests, l.Burst, uint64(l.Egress), l.CPU} }

func (l Limits) each() bounds {
	return bounds{l.Each.Requests, l.Each.Burst, uint64(l.Each.Egress), l.Each.CPU}
}

// others is what the services of others may use together.
func (l Limits) others() bounds {
	rest := 1 - l.Kept
	b := l.all()
	return bounds{b.requests * rest, max(int(float64(b.burst)*rest), 1), uint64(float64(b.egress) * rest), b.cpu * rest}
}

// patience is for how long a service may use more processor time than its cores, after a pause.
const patience = time.Minute

// account counts what one service uses, or several.
type account struct {
	bounds
	calls *rate.Limiter
	time  *rate.Limiter // tokens are milliseconds of processor time; below zero they are owed
	owes  time.Time     // until when they are
	over  [resources]time.Time

	requests, refused uint64
	out               uint64        // today
	spent             time.Duration // in this epoch
	load              float64       // cores in the epochs before, smoothed
}

func newAccount(b bounds) *account {
	return &account{
		bounds: b,
		calls:  rate.NewLimiter(rate.Limit(b.requests), b.burst),
		time:   rate.NewLimiter(rate.Limit(b.cpu*1000), max(int(b.cpu*float64(patience.Milliseconds())), 1)),
	}
}

// wait is how long there is none of a resource left; zero where there is.
func (a *account) wait(r Resource, now time.Time) time.Duration {
	switch r {
	case Requests:
		return until(a.calls, now, 1)
	case CPU:
		return max(a.owes.Sub(now), 0)
	case Egress:
		if a.out >= a.egress {
			return tomorrow(now)
		}
	}
	return 0
}

// until is when a limiter has that many tokens.
func until(l *rate.Limiter, now time.Time, tokens float64) time.Duration {
	missing := tokens - l.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(math.Ceil(missing / float64(l.Limit()) * float64(time.Second)))
}

// charge takes processor time that was used, whether or not there was any left.
func (a *account) charge(used time.Duration, now time.Time) {
	a.spent += used
	for left := int(used.Milliseconds()); left > 0; {
		part := min(left, a.time.Burst())
		a.time.ReserveN(now, part)
		left -= part
	}
	a.owes = now.Add(until(a.time, now, 0))
}

// turn ends an epoch of which so much was seen; others passed unseen after it.
func (a *account) turn(seen, epoch time.Duration, unseen int64) {
	if seen > 0 {
		weight := smoothing * min(float64(seen)/float64(epoch), 1)
		a.load += weight * (a.spent.Seconds()/seen.Seconds() - a.load)
	}
	a.load *= math.Pow(1-smoothing, float64(unseen))
	a.spent = 0
}

// smoothing is the weight of the last epoch against all before it.
const smoothing = 0.5

const day = 24 * time.Hour

// today is the number of the day (UTC).
func today(now time.Time) int64 { return now.Unix() / int64(day/time.Second) }

// tomorrow is when the next day begins.
func tomorrow(now time.Time) time.Duration { return now.UTC().Truncate(day).Add(day).Sub(now) }
