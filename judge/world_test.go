package judge

import (
	"bytes"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"barnraise"
)

// The small world: up to four servers of as many operators on two platforms, up to two of them liars, a home that may be any
// of them or silent, verifiers honest and malicious, images that keep their word and images that do not, machines that can
// run the image and machines that cannot. All of it is enumerated.
type world struct {
	servers  int
	liars    [5]bool // by server, 1 to 4
	home     int     // 0: silent
	verifier string
	first    int // operators asked before the first judgement
	min      int
	machine  string // "none", "wasm", "linux", "contradictory"
	covered  bool
	lead     int // that a dispute wants
	chances  chances
	planted  *[5]string // where it is set: what each server answers, whoever it is
}

// chances are the choices that a story leaves open: on which platform a server runs, what a liar says once it is asked.
type chances struct {
	taken int
	picks []int // of this story
	among []int // how many there were to pick from
}

func (c *chances) pick(n int) int {
	if c.taken == len(c.picks) {
		c.picks, c.among = append(c.picks, 0), append(c.among, n)
	}
	c.taken++
	return c.picks[c.taken-1]
}

// another turns to a story that was not told yet, and reports false when all are told.
func (c *chances) another() bool {
	c.taken = 0
	for last := len(c.picks) - 1; last >= 0; last-- {
		if c.picks[last]++; c.picks[last] < c.among[last] {
			return true
		}
		c.picks, c.among = c.picks[:last], c.among[:last]
	}
	return false
}

var (
	platform = barnraise.Sum([]byte("platform"))
	other    = barnraise.Sum([]byte("other platform"))
)

const truth = "truth"

// verifiers: all but compare are an author's malice.
var verifiers = map[string]Verifier{
	"compare":  compare,
	"believes": func(bodies [][]byte) Finding { return accepted(0) },
	"undecided": func([][]byte) Finding {
		return Finding{Verdict: barnraise.Verdict{Status: barnraise.Undecided, Winner: -1}}
	},
	"traps": func([][]byte) Finding {
		return Finding{Verdict: barnraise.Verdict{Status: barnraise.Undecided, Winner: -1}, Trapped: true}
	},
	"trips over the truth": func(bodies [][]byte) Finding {
		for _, b := range bodies {
			if string(b) == truth {
				return Finding{Verdict: barnraise.Verdict{Status: barnraise.Undecided, Winner: -1}, Trapped: true}
			}
		}
		return compare(bodies)
	},
	"blames the truth": func(bodies [][]byte) Finding {
		v := barnraise.Verdict{Status: barnraise.Disagreement, Winner: -1}
		for i, b := range bodies {
			if string(b) == truth {
				v.Culprits = append(v.Culprits, i)
			} else {
				v.Status, v.Winner = barnraise.Accepted, i
			}
		}
		if len(v.Culprits) == 0 {
			return compare(bodies)
		}
		return Finding{Verdict: v}
	},
	"counts": func(bodies [][]byte) Finding { // forbidden by 5.4
		for i, b := range bodies {
			same := 0
			for _, o := range bodies {
				if bytes.Equal(b, o) {
					same++
				}
			}
			if 2*same > len(bodies) {
				return accepted(i)
			}
		}
		return compare(bodies)
	},
}

func accepted(i int) Finding {
	return Finding{Verdict: barnraise.Verdict{Status: barnraise.Accepted, Winner: i}}
}

func compare(bodies [][]byte) Finding {
	for _, b := range bodies {
		if !bytes.Equal(b, bodies[0]) {
			return Finding{Verdict: barnraise.Verdict{Status: barnraise.Disagreement, Winner: -1}}
		}
	}
	return accepted(0)
}

// answer is what a server says when it is asked, and where. Liars agree on a first lie before they think of another.
func (w *world) answer(server int, told []Answer) Answer {
	a := Answer{Server: barnraise.ServerID(server), Operator: operators[server], Platform: platform, Body: []byte(truth)}
	switch lied := slices.ContainsFunc(told, func(o Answer) bool { return string(o.Body) == "lie" }); {
	case w.planted != nil:
		a.Body = []byte(w.planted[server])
		return a
	case w.liars[server] && lied:
		a.Body = []byte([]string{truth, "lie", "other lie"}[w.chances.pick(3)])
	case w.liars[server]:
		a.Body = []byte([]string{truth, "lie"}[w.chances.pick(2)])
	}
	// Where nothing is run here, platforms are but names, and the first is called platform.
	if (w.machine != "none" || len(told) > 0) && w.chances.pick(2) == 1 {
		a.Platform = other
	}
	return a
}

var operators = [5]Operator{"none", "one", "two", "three", "four"}

// play does what the judge says until the case is closed.
func (w *world) play(t *testing.T) (Case, Step) {
	c := Case{MinRequests: w.min, Covered: w.covered, Undrawn: w.servers, Lead: w.lead, Verify: verifiers[w.verifier], Memo: new(Memo)}
	if w.machine != "none" {
		c.Runnable = []barnraise.Digest{platform}
	}
	asked := [5]bool{}
	if w.home == 0 {
		// A silent home is one of the servers; who, does not matter: the highest.
		asked[w.servers], c.Undrawn = true, c.Undrawn-1
	}
	ask := func(server int, after bool) {
		asked[server] = true
		c.Undrawn--
		a := w.answer(server, c.Answers)
		a.After, a.Home = after, server == w.home
		c.Answers = append(c.Answers, a)
	}
	disputed := false
	draw := func(count int) {
		for s := 1; s <= w.servers && count > 0; s++ {
			if !asked[s] {
				ask(s, disputed)
				count--
			}
		}
	}
	draw(w.first)
	for range 20 {
		step := Judge(c)
		disputed = disputed || step.Disputed
		switch step.Do {
		case Ask:
			draw(step.Count)
		case Witness:
			if w.home != 0 && !asked[w.home] {
				ask(w.home, true)
			} else {
				draw(step.Count)
			}
		case Execute:
			c.Runnable = nil
			r := Rerun{Platform: platform, Wasm: w.machine == "wasm", Bodies: [2][]byte{[]byte(truth), []byte(truth)}}
			if w.machine == "contradictory" {
				r.Bodies[1] = []byte("truth on Tuesdays")
			}
			c.Reruns = []Rerun{r}
		default:
			return c, step
		}
	}
	t.Fatalf("%+v: no end after 20 steps", *w)
	return c, Step{}
}

// each enumerates the worlds that are wanted, tells their stories, and counts them.
func each(t *testing.T, want func(w *world) bool, do func(w *world, c Case, step Step)) (n int) {
	names := slices.Sorted(maps.Keys(verifiers))
	for servers := 1; servers <= 4; servers++ {
		for set := range 1 << servers {
			if bits.OnesCount(uint(set)) > 2 {
				continue
			}
			w := world{servers: servers}
			for s := 1; s <= servers; s++ {
				w.liars[s] = set>>(s-1)&1 == 1
			}
			for _, w.verifier = range names {
				n += w.surroundings(t, want, do)
			}
		}
	}
	return n
}

func all(*world) bool { return true }

func (w world) surroundings(t *testing.T, want func(w *world) bool, do func(w *world, c Case, step Step)) (n int) {
	for w.home = 0; w.home <= w.servers; w.home++ {
		for w.first = 1; w.first <= min(3, w.servers); w.first++ {
			for w.min = 1; w.min <= w.first; w.min++ {
				for _, w.machine = range []string{"none", "wasm", "linux", "contradictory"} {
					for _, w.covered = range []bool{false, true} {
						w.chances = chances{}
						for more := want(&w); more; more = w.chances.another() {
							c, step := w.play(t)
							do(&w, c, step)
							n++
						}
					}
				}
			}
		}
	}
	return n
}

// struckHonest lists the strikes against servers that told the truth.
func (w *world) struckHonest(c Case, step Step) (found []Strike) {
	for _, s := range step.Strikes {
		if !w.liars[c.Answers[s.Answer].Server] {
			found = append(found, s)
		}
	}
	return found
}

// colluded reports whether the bound that protocol 7.3 states is reached: two operators that tell one lie, one of them drawn
// after the dispute arose (the home and one other are a case of it).
func (w *world) colluded(c Case) bool {
	for i, a := range c.Answers {
		for _, b := range c.Answers[i+1:] {
			if w.liars[a.Server] && w.liars[b.Server] && b.After && bytes.Equal(a.Body, b.Body) {
				return true
			}
		}
	}
	return false
}

func TestSmallWorldNeverStrikesTheHonestBeyondTheBound(t *testing.T) {
	strikes, honest := 0, map[Clause]int{}
	n := each(t, all, func(w *world, c Case, step Step) {
		strikes += len(step.Strikes)
		for _, s := range w.struckHonest(c, step) {
			honest[s.Clause]++
			switch {
			case s.Conclusive:
				t.Errorf("%+v: honest server %d is struck conclusively under %s", *w, c.Answers[s.Answer].Server, s.Clause)
			case s.Clause == RejectedAlone && w.verifier != "blames the truth":
				t.Errorf("%+v: honest server %d is struck under 7.3a by a verifier that rejects nothing alone", *w, c.Answers[s.Answer].Server)
			case w.machine != "none":
				t.Errorf("%+v: honest server %d is struck under %s though this machine could have run the image", *w, c.Answers[s.Answer].Server, s.Clause)
			case s.Clause == Witnessed && !w.colluded(c):
				t.Errorf("%+v: honest server %d is struck under 7.3c without collusion", *w, c.Answers[s.Answer].Server)
			case s.Clause == Reexecuted || s.Clause == Equivocated:
				t.Errorf("%+v: honest server %d is struck under %s", *w, c.Answers[s.Answer].Server, s.Clause)
			}
		}
		if w.machine == "contradictory" && len(c.Reruns) > 0 && len(step.Strikes) > 0 {
			t.Errorf("%+v: an image that contradicts itself got somebody struck", *w)
		}
		if !w.covered && len(c.Reruns) == 0 {
			for _, s := range step.Strikes {
				if s.Clause != RejectedAlone {
					t.Errorf("%+v: struck under %s though nobody knows whether the image contradicts itself", *w, s.Clause)
				}
			}
		}
	})
	if strikes == 0 || honest[Witnessed] == 0 || honest[RejectedAlone] == 0 {
		t.Errorf("%d worlds, %d strikes, honest struck %v: the bounds are never reached, so this proves nothing", n, strikes, honest)
	}
	t.Logf("%d worlds, %d strikes; honest struck within the bound: %v", n, strikes, honest)
}

// told writes the answers of a case as answers in spec_test.go reads them.
func told(c Case) (words []string) {
	for _, a := range c.Answers {
		word := string(a.Body)
		if a.After {
			word = strings.ToUpper(word)
		}
		if a.Platform == other {
			word += "'"
		}
		words = append(words, word)
	}
	return words
}

// unanimous reports whether all answers that count are the winner, those of as many operators as the verifier wants. An
// answer on which the verifier breaks does not count (protocol 5.5).
func (w *world) unanimous(c Case, step Step) bool {
	votes := 0
	for i, a := range c.Answers {
		if slices.Contains(step.Aside, i) {
			continue
		}
		if !bytes.Equal(a.Body, c.Answers[step.Winner].Body) {
			return false
		}
		votes++ // each server is an operator of its own
	}
	return votes >= w.min
}

// A lie is accepted only where nobody told anything else, and, as protocol 7.3 has it, by a witness that colludes.
func TestSmallWorldAcceptsNoLie(t *testing.T) {
	accepted := map[string]int{}
	want := func(w *world) bool { return w.verifier == "compare" || w.verifier == "trips over the truth" }
	each(t, want, func(w *world, c Case, step Step) {
		if step.Do != Accept || string(c.Answers[step.Winner].Body) == truth {
			return
		}
		switch {
		case w.unanimous(c, step):
			accepted["unanimous, "+w.verifier]++
		case w.machine == "none" && w.covered && w.colluded(c):
			accepted["by a witness"]++
		default:
			t.Errorf("%+v: of %s the lie %d is accepted", *w, told(c), step.Winner)
		}
	})
	if len(accepted) != 3 {
		t.Errorf("lies are accepted %v: the bounds are never reached, so this proves nothing", accepted)
	}
	t.Logf("lies accepted within the bound: %v", accepted)
}

// Where this machine can run the image, a dispute ends with the truth, and each liar on its platform is convicted.
func TestSmallWorldConvictsLiarsUnderCompare(t *testing.T) {
	caught := 0
	each(t, func(w *world) bool { return w.verifier == "compare" }, func(w *world, c Case, step Step) {
		told, lied := 0, 0
		for i, a := range c.Answers {
			if string(a.Body) == truth {
				told++
				continue
			}
			lied++
			if a.Platform != platform || len(c.Reruns) == 0 || w.machine != "wasm" {
				continue
			}
			if !slices.ContainsFunc(step.Strikes, func(s Strike) bool { return s.Answer == i && s.Conclusive }) {
				t.Errorf("%+v: answer %d is a lie and not convicted", *w, i)
			}
			caught++
		}
		switch {
		case told > 0 && len(c.Reruns) > 0 && w.machine != "contradictory" && (step.Do != Accept || string(c.Answers[step.Winner].Body) != truth):
			t.Errorf("%+v: somebody told the truth, and the call ends with %+v", *w, step)
		case lied == 0 && step.Do == Fail && len(c.Answers) >= w.min:
			t.Errorf("%+v: all told the truth, and the call failed", *w)
		}
	})
	if caught == 0 {
		t.Error("nobody was caught, so this proves nothing")
	}
}

func TestSmallWorldSilentHomeBlocksNothing(t *testing.T) {
	want := func(w *world) bool { return w.verifier == "compare" && w.home == 0 && w.machine == "wasm" }
	each(t, want, func(w *world, c Case, step Step) {
		for _, a := range c.Answers {
			if string(a.Body) == truth && step.Disputed && step.Do != Accept {
				t.Errorf("%+v: with a silent home the dispute is not decided", *w)
			}
		}
	})
}

// Protocol 7.7, 8.2: a dispute leaves evidence, and evidence that does not hold costs its sender.
func TestSmallWorldEvidenceOfADisputeHolds(t *testing.T) {
	disputes := 0
	want := func(w *world) bool { return w.machine == "none" || w.machine == "wasm" }
	each(t, want, func(w *world, c Case, step Step) {
		if !step.Disputed {
			return
		}
		disputes++
		if !Examine(c.Answers, nil, c.Verify).Holds {
			t.Errorf("%+v: of %s nothing is shown", *w, told(c))
		}
	})
	if disputes == 0 {
		t.Error("nothing was disputed, so this proves nothing")
	}
}

func TestJudgeIsPure(t *testing.T) {
	n := 0
	oneOfMany := func(*world) bool { n++; return n%37 == 0 }
	each(t, oneOfMany, func(w *world, c Case, step Step) {
		c.Memo = nil // which makes no difference
		if again := Judge(c); fmt.Sprint(again) != fmt.Sprint(step) {
			t.Errorf("%+v: judged twice: %v and %v", *w, step, again)
		}
	})
}

// Planted nondeterminism: nobody lies, the image gives different hosts different answers.
func TestSmallWorldPlantedNondeterminism(t *testing.T) {
	ownScoreOnly := 0
	for servers := 2; servers <= 4; servers++ {
		for says := range 1 << servers {
			for _, machine := range []string{"none", "contradictory", "linux"} {
				for _, covered := range []bool{false, true} {
					w := world{servers: servers, home: 1, verifier: "compare", first: 2, min: 2, machine: machine, covered: covered, planted: new([5]string)}
					for s := 1; s <= servers; s++ {
						w.planted[s] = []string{truth, "truth on Tuesdays"}[says>>(s-1)&1]
					}
					c, step := w.play(t)
					for _, s := range step.Strikes {
						ownScoreOnly++
						if s.Conclusive || machine == "contradictory" || machine == "none" && !covered {
							t.Errorf("%+v: honest server %d is struck under %s (conclusive: %v)", w, c.Answers[s.Answer].Server, s.Clause, s.Conclusive)
						}
					}
				}
			}
		}
	}
	if ownScoreOnly == 0 {
		t.Error("nothing came of planted nondeterminism, so this proves nothing")
	}
}

// Where a lead is wanted the crowd decides what nobody else can, a lie is accepted only where nobody told anything else or the home
// is a witness that colludes, and no honest server is struck but by that.
func TestSmallWorldLead(t *testing.T) {
	decided := 0
	want := func(w *world) bool {
		w.lead = 2
		return w.verifier == "compare"
	}
	each(t, want, func(w *world, c Case, step Step) {
		byHome := w.machine == "none" && w.covered && w.colluded(c) && w.liars[w.home]
		for range w.struckHonest(c, step) {
			if !byHome {
				t.Errorf("%+v: of %s an honest server is struck", *w, told(c))
			}
		}
		switch {
		case step.Do != Accept || !step.Disputed:
		case string(c.Answers[step.Winner].Body) != truth && !byHome:
			t.Errorf("%+v: of %s the lie %d is accepted", *w, told(c), step.Winner)
		case len(c.Reruns) == 0 && !w.covered:
			decided++
		}
	})
	if decided == 0 {
		t.Error("no lead decided anything, so this proves nothing")
	}
}
