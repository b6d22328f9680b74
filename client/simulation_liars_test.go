package client

import "math"

// strategy is how the liars of a simulated world behave. Nothing tells them who audits, and all of them know whom they have told
// a lie that was found.
type strategy struct {
	name    string
	collude bool    // their wrong answers agree with each other
	rate    float64 // probability of a lie where one may be told
	wait    int     // honest until so many answers went to this client
	newOnly int     // they lie to a client only until so many answers went to it
	copiers float64 // share of them that copy the answer of a server drawn at random
	smart   bool    // where all copies are asked for at once, they lie only if all are theirs
}

// strategies are those of the study.
var strategies = []strategy{
	{name: "ind1", rate: 1},
	{name: "ind.1", rate: 0.1},
	{name: "col1", collude: true, rate: 1},
	{name: "col.05", collude: true, rate: 0.05},
	{name: "smart", collude: true, rate: 0.05, smart: true},
	{name: "new100", collude: true, rate: 1, newOnly: 100},
	{name: "copy", rate: 0.2, copiers: 0.5},
	{name: "d30", collude: true, rate: 1, wait: 30},
	{name: "d100", collude: true, rate: 1, wait: 100},
	{name: "d300", collude: true, rate: 1, wait: 300},
	{name: "d1000", collude: true, rate: 1, wait: 1000},
	{name: "d3000", collude: true, rate: 1, wait: 3000},
	{name: "d9000", collude: true, rate: 1, wait: 9000},
	{name: "d3000slow", collude: true, rate: 0.05, wait: 3000},
}

// lies tells the strategies of these names.
func lies(names ...string) (list []strategy) {
	for _, name := range names {
		for _, s := range strategies {
			if s.name == name {
				list = append(list, s)
			}
		}
	}
	return list
}

// What a server answers: the truth, the lie that colluders agreed upon, or, from ownLie on, one that nobody else tells.
const (
	right = iota
	commonLie
	ownLie
)

// host is a server as the simulation has it. Host 0 is the home.
type host struct {
	liar, copier bool
}

// asking is what the liars know of one call under way.
type asking struct {
	client  int
	serial  uint64 // of the call
	primary int    // who was asked first, alone; -1 where several were at once
	decided bool   // a liar was asked first and has decided for all
	lie     bool
	asked   map[int]bool // who was
}

// value is what a server answers in the call. It depends on who was asked before and on nothing that the scheduler decides.
func (w *world) value(s int, a *asking) int {
	h := w.hosted[s]
	switch {
	case h.copier:
		if z := 1 + int(w.chance(drawCopy, a.serial, s)*float64(len(w.hosted)-1)); z != s && !w.hosted[z].copier {
			return w.value(z, a)
		}
		return right
	case !h.liar:
		if s != 0 && w.eta > 0 && w.chance(drawFault, a.serial, s) < w.eta {
			return ownLie + s
		}
		return right
	case !w.collude:
		if w.wants(s, a, w.chance(drawLie, a.serial, s)) {
			return ownLie + s
		}
		return right
	case w.colludes(s, a):
		return commonLie
	}
	return right
}

// colludes reports whether the coalition has this one lie. The primary decides for all where it is theirs; it has committed itself
// when the others are asked.
func (w *world) colludes(s int, a *asking) bool {
	if a.decided {
		return a.lie
	}
	lie := w.wants(s, a, w.chance(drawLie, a.serial, 0))
	if s == a.primary {
		a.decided, a.lie = true, lie
	}
	return lie
}

// wants reports whether a liar tells a lie to this client now, given a draw.
func (w *world) wants(s int, a *asking, draw float64) bool {
	given := w.given[a.client][s]
	switch {
	case given.sinceCaught < w.wait || w.newOnly > 0 && given.total >= w.newOnly:
		return false
	case w.smart && w.policy.Together:
		for o := range a.asked {
			if !w.hosted[o].liar {
				return false
			}
		}
		return true
	}
	return draw < w.rate
}

// What is drawn for a call.
const (
	drawLie = iota
	drawFault
	drawCopy
)

// chance is a draw of the world's: the same for the same purpose, call and server.
func (w *world) chance(purpose, serial uint64, s int) float64 {
	x := w.seed
	for _, v := range []uint64{purpose, serial, uint64(s)} {
		x = mixed(x ^ v)
	}
	return math.Ldexp(float64(x>>11), -53)
}

// mixed is the step of splitmix64.
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
