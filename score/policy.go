package score

// Policy says how many auditors an answer gets, by how well its server is known.
type Policy struct {
	C         float64 // a sleeper gains about 1/C wrong answers for each right one it gave; where zero there is Floor, known or not
	Known     float64 // answers after which a server counts as known: m_min
	Floor     float64 // share of answers that is audited however well a server is known: p_min
	Liars     float64 // share of liars among auditors that one is prepared for: f_a
	HomeShare float64 // how often an auditor is the home: h
}

// Default is the policy for callers who do not choose: about 1.5 requests per answer over ten thousand answers, two and a
// half for a visitor's first.
var Default = Policy{C: 300, Known: 30, Floor: 0.01, Liars: 0.33, HomeShare: 0.01}

// One is the policy for services whose answers prove themselves: nobody is asked beside those whom the verifier wants, so one
// server where it is content with one. Under a verifier that is content with one answer that proves nothing, as spot is, it
// checks nothing.
var One = Policy{Known: Default.Known, Liars: Default.Liars, HomeShare: Default.HomeShare}

// Audits is the mean number of auditors for an answer of a server with history m: two until it is known, then falling as
// C/(C+m). The fraction is a probability.
func (p Policy) Audits(m float64) float64 {
	switch {
	case p.C == 0:
		return p.Floor
	case m < p.Known:
		return 2
	}
	return min(2, max(p.Floor, p.C/((p.C+m)*(1-p.Liars))))
}
