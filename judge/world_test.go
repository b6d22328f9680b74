package judge

import (
	"bytes"
	"fmt"
	"testing"

	"barnraise"
)

// The small world: up to four servers of as many operators, up to two of them liars that may say one thing before a dispute
// and another after it, a home that may be any of them or silent, verifiers honest and malicious, images that keep their word
// and images that do not, machines that can run the image and machines that cannot. All of it is enumerated.
type world struct {
	servers   int
	liars     [5]bool   // by server, 1 to 4
	before    [5]string // what a server answers while there is no dispute
	after     [5]string // and once there is one
	elsewhere [5]bool   // its receipts name the other platform
	home      int       // 0: silent
	verifier  string
	first     int // operators asked before the first judgement
	min       int
	machine   string // "none", "wasm", "linux"
	covered   bool
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

// play does what the judge says until the case is closed.
func (w *world) play(t *testing.T) (Case, Step) {
	c := Case{MinRequests: w.min, Covered: w.covered, Undrawn: w.servers, Verify: verifiers[w.verifier]}
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
		a := Answer{Server: barnraise.ServerID(server), Operator: Operator(fmt.Sprint(server)), Platform: platform, After: after}
		if w.elsewhere[server] {
			a.Platform = other
		}
		a.Body = []byte(w.before[server])
		if after {
			a.Body = []byte(w.after[server])
		}
		c.Answers = append(c.Answers, a)
	}
	draw := func(count int, after bool) {
		for s := 1; s <= w.servers && count > 0; s++ {
			if !asked[s] {
				ask(s, after)
				count--
			}
		}
	}
	draw(w.first, false)
	for range 20 {
		step := Judge(c)
		switch step.Do {
		case Ask:
			draw(step.Count, step.Disputed)
		case Witness:
			if w.home != 0 && !asked[w.home] {
				ask(w.home, true)
			} else {
				draw(1, true)
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

// each enumerates the worlds.
func each(do func(w *world)) (n int) {
	says := []string{truth, "lie", "other lie"}
	for servers := 1; servers <= 4; servers++ {
		for set := range 1 << servers {
			var liars []int
			w := world{servers: servers}
			for s := 1; s <= servers; s++ {
				w.before[s], w.after[s] = truth, truth
				if set>>(s-1)&1 == 1 {
					liars, w.liars[s] = append(liars, s), true
				}
			}
			if len(liars) > 2 {
				continue
			}
			behaviours := 1
			for range liars {
				behaviours *= 18
			}
			for b := range behaviours {
				for _, s := range liars {
					w.before[s], w.after[s], w.elsewhere[s] = says[b%3], says[b/3%3], b/9%2 == 1
					b /= 18
				}
				n += w.surroundings(do)
			}
		}
	}
	return n
}

func (w world) surroundings(do func(w *world)) (n int) {
	for w.home = 0; w.home <= w.servers; w.home++ {
		for w.verifier = range verifiers {
			for w.first = 1; w.first <= min(3, w.servers); w.first++ {
				for w.min = 1; w.min <= w.first; w.min++ {
					for _, w.machine = range []string{"none", "wasm", "linux", "contradictory"} {
						for _, w.covered = range []bool{false, true} {
							do(&w)
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
	n := each(func(w *world) {
		c, step := w.play(t)
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

func TestSmallWorldAcceptsNoLieUnderCompare(t *testing.T) {
	caught := 0
	each(func(w *world) {
		if w.verifier != "compare" {
			return
		}
		c, step := w.play(t)
		lied := false
		for _, a := range c.Answers {
			lied = lied || string(a.Body) != truth
		}
		if step.Do == Accept && string(c.Answers[step.Winner].Body) != truth {
			unanimous := !step.Disputed // everybody asked told one lie
			byWitness := len(c.Reruns) == 0 && w.colluded(c)
			if !unanimous && !byWitness {
				t.Errorf("%+v: a lie is accepted", *w)
			}
			if unanimous && w.min > 1 && len(c.Answers) == 2 && !(w.liars[c.Answers[0].Server] && w.liars[c.Answers[1].Server]) {
				t.Errorf("%+v: a lie is accepted from one liar", *w)
			}
		}
		// Where this machine can run the image, a dispute ends with the truth, and each liar on its platform is convicted.
		if step.Disputed && w.machine == "wasm" && len(c.Reruns) > 0 {
			told := false
			for i, a := range c.Answers {
				told = told || string(a.Body) == truth
				if string(a.Body) == truth || a.Platform != platform {
					continue
				}
				convicted := false
				for _, s := range step.Strikes {
					convicted = convicted || s.Answer == i && s.Conclusive
				}
				if !convicted {
					t.Errorf("%+v: answer %d is a lie and not convicted", *w, i)
				}
				caught++
			}
			if told && step.Do != Accept {
				t.Errorf("%+v: somebody told the truth, and the call failed", *w)
			}
		}
		if !lied && step.Do == Fail && len(c.Answers) >= w.min {
			t.Errorf("%+v: all told the truth, and the call failed", *w)
		}
	})
	if caught == 0 {
		t.Error("nobody was caught, so this proves nothing")
	}
}

func TestSmallWorldSilentHomeBlocksNothing(t *testing.T) {
	each(func(w *world) {
		if w.home != 0 || w.verifier != "compare" || w.machine != "wasm" {
			return
		}
		c, step := w.play(t)
		for _, a := range c.Answers {
			if string(a.Body) == truth && a.Platform == platform && step.Disputed && step.Do != Accept {
				t.Errorf("%+v: with a silent home the dispute is not decided", *w)
			}
		}
	})
}

func TestJudgeIsPure(t *testing.T) {
	n := 0
	each(func(w *world) {
		if n++; n%97 != 0 {
			return
		}
		c, step := w.play(t)
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
					w := world{servers: servers, home: 1, verifier: "compare", first: 2, min: 2, machine: machine, covered: covered}
					for s := 1; s <= servers; s++ {
						w.before[s] = []string{truth, "truth on Tuesdays"}[says>>(s-1)&1]
						w.after[s] = w.before[s]
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
