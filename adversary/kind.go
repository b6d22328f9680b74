package adversary

import (
	"fmt"
	"strings"
	"time"

	"barnraise/strictyaml"
)

// Kind is a way of not being reliable.
type Kind struct {
	Name string
	Does string // in words: a phrase that goes on from the name

	Home   bool          // it is the services' home
	Dead   bool          // it is registered and gone
	Claims bool          // it offers on chain what it does not run
	Ahead  time.Duration // so much later than it do the honest servers of its network answer
	Count  int           // so many servers are meant by the name; one where zero

	begin func(Given) act // nil where it answers as the server does
}

// Turncoat is the name of the kind that is honest until [Adversary.Turn]. It is none of [Kinds].
const Turncoat = "turncoat"

// What the kinds are numbered by.
const (
	few      = 0.05 // share of the answers that rareliar lies in
	faulty   = 0.001
	noisy    = 0.5
	visits   = 100 // answers for which a caller is a newcomer to newliar
	sleeps   = 300 // answers for which sleeper is honest to a caller
	hot      = 3   // times that hotliar has been asked the same
	late     = 2 * time.Second
	silence  = 2 * time.Second
	ahead    = 20 * time.Millisecond
	sybils   = 8
	together = 2 // members that have to be asked the same at the same time
	window   = 10 * time.Millisecond
)

// Kinds are all there are, by name.
func Kinds() []Kind {
	return []Kind{
		{Name: "badreceipt", begin: badReceipt, Does: "sends the truth with a receipt that is missing, forged, of another key, " +
			"another algorithm, another request, or not alone"},
		{Name: "coalition", begin: lies(conspires), Does: "tells the lie of its friends where at least two of them are asked the " +
			"same within 10 ms, and else the truth; name it as often as it is to have members"},
		{Name: "copier", begin: copies, Does: "asks the server that was registered before it, and signs what that answers"},
		{Name: "deadhome", Home: true, Dead: true, Does: "is the home of every service, and gone"},
		{Name: "fastliar", begin: lies(always), Ahead: ahead, Does: "lies always; the honest servers of its network answer 20 ms later"},
		{Name: "flaky", begin: lies(rarely(faulty)), Does: "is honest, and one in 1,000 of its answers is broken"},
		{Name: "freerider", Claims: true, Does: "offers every service on chain, and runs what is its own"},
		{Name: "hotliar", begin: lies(hotly), Does: "lies about what it is asked for the third time and from then on"},
		{Name: "liar", begin: lies(always), Does: "lies always: one byte of each answer is another one"},
		{Name: "lyinghome", Home: true, begin: lies(always), Does: "is the home of every service, and lies always"},
		{Name: "newliar", begin: lies(early), Does: "lies in the first 100 answers on a connection, by which it tells newcomers"},
		{Name: "nondeterministic", begin: noise, Does: "adds noise to every other answer, not twice the same"},
		{Name: "rareliar", begin: lies(rarely(few)), Does: "lies in one of 20 answers"},
		{Name: "replayer", begin: replays, Does: "answers with what it signed for another request, and that receipt"},
		{Name: "silent", begin: silently, Does: "takes requests, lets two seconds pass, and answers 504"},
		{Name: "slanderer", begin: slanders, Does: "is honest to callers, and hands servers evidence that does not hold: true answers " +
			"of others dressed as lies, and forged ones"},
		{Name: "sleeper", begin: lies(lately), Does: "is honest in the first 300 answers on a connection, and lies from then on"},
		{Name: "slow", begin: slowly, Does: "is honest, and two seconds late"},
		{Name: "stale", begin: stales, Does: "goes on saying under a new revision what it answered under the one before"},
		{Name: "sybil", begin: lies(always), Count: sybils, Does: "is eight servers of different operators, registered last, that tell " +
			"the same lie always"},
		{Name: "truncating", begin: truncates, Does: "cuts its answers off: short of their length, of their receipt, or of their end"},
	}
}

// Named finds the kind of that name. It fails for any other, with the nearest name there is.
func Named(name string) (Kind, error) {
	var names []string
	nearest, distance := "", len(name)+1
	for _, k := range Kinds() {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
		if d := strictyaml.Distance(name, k.Name); d < distance {
			nearest, distance = k.Name, d
		}
	}
	if distance <= len(nearest)/2 {
		return Kind{}, fmt.Errorf("no adversary is called %.40q; %q is the nearest; there are %s", name, nearest, strings.Join(names, ", "))
	}
	return Kind{}, fmt.Errorf("no adversary is called %.40q; there are %s", name, strings.Join(names, ", "))
}
