package score

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"barnraise"
)

// Policy says how far a caller goes before he believes an answer, and what that costs him. The zero value checks nothing: start
// from one of the presets.
type Policy struct {
	Name string // for people and logs; two policies of one name may differ otherwise

	C         float64 // a sleeper gains about 1/C wrong answers for each right one it gave; where zero there is Floor, known or not
	Known     float64 // answers after which a server counts as known: m_min
	Floor     float64 // share of answers that is audited however well a server is known: p_min
	Liars     float64 // share of liars among auditors that one is prepared for: f_a
	HomeShare float64 // how often an auditor is the home: h

	Established float64 // how often an auditor that is not the home is drawn among established servers, instead of among all
	Young       float64 // servers younger than twelve epochs get together at most this share of the draws; 1 makes no difference
	Anchor      bool    // until the primary is known, one auditor is an anchor (protocol 6.5)
	Least       int     // there are at least so many auditors, whatever the verifier wants
	Equal       int     // so many operators have to give an answer, and the same, whatever is known of them; 0 where history counts
	Lead        int     // a dispute that nobody can settle ends once one side leads by so many operators
	Together    bool    // ask everybody at once instead of the primary first: faster, and a coalition sees what it is up to
}

// The presets, as the study of protocol 6 has them; docs/client.md says what each costs and gives.
var (
	// Default is the policy for callers who do not choose: about 1.5 requests per answer over ten thousand answers, two and a
	// half for a visitor's first.
	Default = Policy{
		Name: "default", C: 300, Known: 30, Floor: 0.01, Liars: 0.33, HomeShare: 0.01, Established: 0.5, Young: 1.0 / 3, Anchor: true, Lead: 3,
	}
	// Cheap is for answers of little worth each: about 1.1 requests per answer, with five times the wrong ones of Default.
	Cheap = Policy{
		Name: "cheap", C: 30, Known: 10, Floor: 0.003, Liars: 0.33, HomeShare: 0.01, Established: 0.5, Young: 1.0 / 3, Anchor: true, Lead: 3,
	}
	// Paranoid compares every answer: 2.3 requests per answer and more, a fraction of Default's wrong ones.
	Paranoid = Policy{
		Name: "paranoid", C: 3000, Known: 100, Floor: 1, Liars: 0.33, HomeShare: 0.05, Established: 0.8, Young: 1.0 / 3, Anchor: true,
		Least: 1, Lead: 5,
	}
	// Fast asks as many as Default at the same time, and at least two. It takes one round trip in place of two, and gives away
	// what protocol 6.4 is for: servers that act together can tell that all who are asked are theirs, and lie only then.
	Fast = Policy{
		Name: "fast", C: 300, Known: 30, Floor: 1, Liars: 0.33, HomeShare: 0.01, Established: 0.5, Young: 1.0 / 3, Anchor: true,
		Least: 1, Lead: 3, Together: true,
	}
	// One is the policy for services whose answers prove themselves: nobody is asked beside those whom the verifier wants, so
	// one server where it is content with one. Under a verifier that is content with one answer that proves nothing, as spot
	// is, it checks nothing.
	One = Policy{
		Name: "one", Known: 30, Liars: 0.33, HomeShare: 0.01, Established: 0.5, Young: 1.0 / 3, Anchor: true, Lead: 3,
	}
)

// The share of liars that [Exact] is computed for, and its eps where none is given.
const (
	exactLiars = 0.2
	exactEps   = 1e-3
	maxEqual   = barnraise.MaxAnswers / 2 // so that a dispute among them can still be settled
)

// Exact is the policy that believes an answer once so many operators gave it that all of them being liars is less likely than
// eps, where one in five servers lies and nothing is known of any: ceil(ln eps / ln 0.2) equal answers, five for 10⁻³, nine for
// 10⁻⁶. It fails with [ErrPolicy] for an eps that is not above 0 and below 1, or that more operators would be needed for than a
// call can ask.
func Exact(eps float64) (Policy, error) {
	if !(eps > 0 && eps < 1) {
		return Policy{}, fmt.Errorf("exact=%g: the probability of a wrong answer is above 0 and below 1: %w", eps, ErrPolicy)
	}
	equal := int(math.Ceil(math.Log(eps)/math.Log(exactLiars) - 1e-9))
	if equal > maxEqual {
		return Policy{}, fmt.Errorf("exact=%g would take %d operators, a call asks at most %d: %w", eps, equal, maxEqual, ErrPolicy)
	}
	lead := int(math.Ceil(math.Log(1/eps)/math.Log((1-exactLiars)/exactLiars) - 1e-9))
	return Policy{
		Name: "exact=" + strconv.FormatFloat(eps, 'g', -1, 64), C: 3000, Known: 100, Floor: 1, Liars: 0.33, HomeShare: 0.05,
		Established: 0.5, Young: 1.0 / 3, Anchor: true, Least: equal - 1, Equal: equal, Lead: lead,
	}, nil
}

// ErrPolicy is the error for a policy that there is not.
var ErrPolicy = errors.New("no such policy")

// ParsePolicy reads the name of a preset: fast, cheap, default, paranoid, exact or exact=EPS, one. It fails with [ErrPolicy].
func ParsePolicy(s string) (Policy, error) {
	name, value, given := strings.Cut(s, "=")
	if name == "exact" {
		eps := exactEps
		if given {
			var err error
			if eps, err = strconv.ParseFloat(value, 64); err != nil {
				return Policy{}, fmt.Errorf("%q: want a number such as exact=1e-6: %w", s, ErrPolicy)
			}
		}
		return Exact(eps)
	}
	presets := []Policy{Fast, Cheap, Default, Paranoid, One}
	i := slices.IndexFunc(presets, func(p Policy) bool { return p.Name == s })
	if i < 0 {
		return Policy{}, fmt.Errorf("%q: there are fast, cheap, default, paranoid, exact and one: %w", s, ErrPolicy)
	}
	return presets[i], nil
}

// Audits is the mean number of auditors for an answer of a server with history m: two until it is known, then falling as
// C/(C+m), and never below Least. The fraction is a probability.
func (p Policy) Audits(m float64) float64 {
	least := float64(p.Least)
	switch {
	case p.Equal > 0:
		return least
	case p.C == 0:
		return max(p.Floor, least)
	case m < p.Known:
		return max(2, least)
	}
	return max(min(2, max(p.Floor, p.C/((p.C+m)*(1-p.Liars)))), least)
}

// Stronger is the policy that is in nothing weaker than either: who asks on behalf of others may ask for more than they did, and
// never for less. It bears the name of the stronger one where that one alone is as strong, else both names.
func (p Policy) Stronger(q Policy) Policy {
	s := Policy{
		C: max(p.C, q.C), Known: max(p.Known, q.Known), Floor: max(p.Floor, q.Floor), Liars: max(p.Liars, q.Liars),
		HomeShare: max(p.HomeShare, q.HomeShare), Established: max(p.Established, q.Established), Young: min(p.Young, q.Young),
		Anchor: p.Anchor || q.Anchor, Least: max(p.Least, q.Least), Equal: max(p.Equal, q.Equal), Lead: max(p.Lead, q.Lead),
		Together: p.Together && q.Together,
	}
	if s.Equal > 0 { // then no history counts any more: there are as many as for who has none
		s.Least = max(s.Least, int(math.Ceil(max(p.Audits(0), q.Audits(0)))))
	}
	s.Name = p.Name
	if s == p {
		return s
	}
	if s.Name = q.Name; s == q {
		return s
	}
	s.Name = p.Name + "+" + q.Name
	return s
}
