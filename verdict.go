package barnraise

// Outcome is what a verifier says of a set of answers.
type Outcome string

// The three outcomes. Undecided is a value and not an error: nobody is to blame, more is to be asked (protocol 5.3).
const (
	Accepted     Outcome = "accepted"     // the winner is right
	Disagreement Outcome = "disagreement" // they cannot all be right
	Undecided    Outcome = "undecided"    // cannot tell from these
)

// Verdict is a verifier's judgement of a set of answers (protocol 5.3). Indices point into the answers it was shown.
type Verdict struct {
	Status   Outcome `json:"status"`
	Winner   int     `json:"winner"`           // index of the accepted answer, −1 where there is none
	Culprits []int   `json:"culprits"`         // answers the verifier calls wrong, ascending
	Need     int     `json:"need,omitempty"`   // with undecided: how many answers in all it asks for; zero where it does not say
	Reason   string  `json:"reason,omitempty"` // for people; never parsed
}

// Blames reports whether the verdict names answer i a culprit.
func (v Verdict) Blames(i int) bool {
	for _, c := range v.Culprits {
		if c == i {
			return true
		}
	}
	return false
}
