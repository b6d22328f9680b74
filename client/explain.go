package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/judge"
)

// standing is what is thought of a server in one service at one time.
type standing struct {
	history, doubt, availability float64
	rests, suspended             bool
}

// standing is what is thought of a server now. The lock is held.
func (r *round) standing(id barnraise.ServerID) standing {
	b, service := &r.c.book, r.service.ID
	return standing{
		b.History(id, service), b.Doubt(id, service), b.Availability(id, r.c.now()), b.Rests(id, service), b.Suspended(id, service),
	}
}

// regard remembers what is thought of a server before anything came of asking it, where that is to be explained. The lock is held.
func (r *round) regard(id barnraise.ServerID) {
	if !r.explain {
		return
	}
	if r.before == nil {
		r.before = make(map[barnraise.ServerID]standing)
	}
	if _, ok := r.before[id]; !ok {
		r.before[id] = r.standing(id)
	}
}

// effect says in words what became of a server's score.
func (was standing) effect(is standing) string {
	var words []string
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if was.history != is.history {
		say("history %.4g → %.4g answers", was.history, is.history)
	}
	if was.doubt != is.doubt {
		say("doubt %.4g → %.4g of 8", was.doubt, is.doubt)
	}
	if was.availability-is.availability > 0.005 || is.availability-was.availability > 0.005 {
		say("availability %.2f → %.2f", was.availability, is.availability)
	}
	switch {
	case is.suspended && !was.suspended:
		say("suspended")
	case is.rests && !was.rests:
		say("rests")
	}
	if len(words) == 0 {
		return "unchanged"
	}
	return strings.Join(words, ", ")
}

// told is what the round says of those who were asked, and of those who were not, where that is wanted.
func (r *round) told() ([]Asked, []Candidate) {
	if !r.explain {
		return r.asked, nil
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	for i, a := range r.asked {
		if was, ok := r.before[a.Server]; ok {
			r.asked[i].Effect = was.effect(r.standing(a.Server))
		}
	}
	var passed []Candidate
	left := make(map[*candidate]bool, len(r.draws.left)) // there may be ten thousand
	for _, v := range r.draws.left {
		left[v] = true
	}
	for i := range r.hosts {
		h := &r.hosts[i]
		if !slices.ContainsFunc(r.asked, func(a Asked) bool { return a.Server == h.ID }) {
			passed = append(passed, Candidate{h.ID, h.URL, r.unwanted(h, left[h])})
		}
	}
	return r.asked, passed
}

// unwanted says why a candidate was not asked, though it may have been left. The lock is held.
func (r *round) unwanted(h *candidate, left bool) string {
	b, service := &r.c.book, r.service.ID
	switch {
	case h.why != "":
		return h.why
	case slices.Contains(r.recalled, h.ID):
		return "what it answered before is remembered"
	case b.Suspended(h.ID, service):
		return "it is suspended: it signed wrong answers"
	case !left:
		return "another server of its operator was asked"
	case b.Rests(h.ID, service):
		return "it rests: it signed a wrong answer of late"
	case r.c.paces[h.ID].pauses(r.draws.now):
		return fmt.Sprintf("it gave no answer, %d times in a row", r.c.paces[h.ID].failures)
	case b.Availability(h.ID, r.draws.now) < 0.5:
		return fmt.Sprintf("it does not answer as a rule: availability %.2f", b.Availability(h.ID, r.draws.now))
	case h.ID == r.draws.home:
		return "the home is asked where it is drawn, or where others disagree"
	}
	return "it was not drawn"
}

// claim is what one server says, before or without anybody vouching for it.
func (r *round) claim(o judge.Answer) *Answer {
	a := &Answer{
		Service: r.service.ID, Revision: r.revision.Number, Verdict: Unverified, Requests: r.requests, Asked: slices.Clone(r.asked),
		Unverified: []string{""},
	}
	response, err := jsonrpc.ParseResponse(bytes.Clone(o.Body), jsonrpc.WireID) // the caller may write into it before it is judged
	if err != nil {
		return nil // it was checked when it came in
	}
	a.Result, a.Error = json.RawMessage(response.Result), response.Error
	return a
}

// said is what all servers that answered say, where they say the same; nil where they do not.
func (r *round) said() *Answer {
	if len(r.answers) == 0 || !r.alike() {
		return nil
	}
	return r.claim(r.answers[0])
}
