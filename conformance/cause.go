package conformance

// Cause says in words why a service gave two answers to one request.
type Cause string

// The causes that are told apart.
const (
	CauseClock       Cause = "clock"
	CauseChance      Cause = "random numbers"
	CauseMapOrder    Cause = "map order or goroutine order"
	CauseAddress     Cause = "memory address"
	CauseMemory      Cause = "memory size"
	CauseEnvironment Cause = "environment"
	CauseZone        Cause = "time zone"
	CauseLocale      Cause = "locale"
	CauseHostname    Cause = "host name"
	CauseCPU         Cause = "cpu count"
	CauseProcess     Cause = "process id"
	CauseStart       Cause = "start order"
	CauseCounter     Cause = "state kept between calls: a counter"
	CauseState       Cause = "state kept between calls, in memory or on disk"
	CauseOrder       Cause = "request order"
	CauseRace        Cause = "race between concurrent calls"
	CauseCrash       Cause = "crash"
	CauseIdle        Cause = "idling"
	CauseFloat       Cause = "floating point"
	CauseVariant     Cause = "variants of the image differ"
	CauseBroke       Cause = "breaks now and then"
	CauseSigned      Cause = "another answer than was signed"
	CauseUnknown     Cause = "unknown"
)

// State reports whether the cause is what other calls left behind: then a service is not stateless. Every other one makes it
// not deterministic.
func (c Cause) State() bool {
	switch c {
	case CauseCounter, CauseState, CauseOrder, CauseRace, CauseCrash, CauseIdle:
		return true
	}
	return false
}

// Why is the cause in a sentence, with what an author can do about it.
func (c Cause) Why() string {
	if why, ok := whys()[c]; ok {
		return why
	}
	return "same request, two answers"
}

func whys() map[Cause]string {
	return map[Cause]string{
		CauseClock:       "the answer depends on the time: take the time as a param, or leave it out",
		CauseChance:      "the answer depends on random numbers, or on what a map or a select gives first: seed them from the request",
		CauseMapOrder:    "the same parts in another order: sort what comes out of a map or from several goroutines",
		CauseAddress:     "the answer contains or depends on an address in memory, such as %p prints",
		CauseMemory:      "the answer depends on how much memory there is",
		CauseEnvironment: "the answer depends on environment variables: build the values into the image",
		CauseZone:        "the answer depends on the time zone: use UTC, or take the zone as a param",
		CauseLocale:      "the answer depends on the locale, LANG or LC_ALL: fix one, or take it as a param",
		CauseHostname:    "the answer depends on the host name",
		CauseCPU:         "the answer depends on the number of processors: cut work in parts of fixed size",
		CauseProcess:     "the answer depends on the process id",
		CauseStart:       "the answer depends on what else is started",
		CauseCounter:     "a number goes up from call to call: answer from the request alone",
		CauseState:       "a call leaves something behind, such as a cache or a file, that shows in a later answer",
		CauseOrder:       "the answer depends on which requests came before: answer from the request alone",
		CauseRace:        "the answer differs only while other calls run: something is shared between calls without a lock, or kept in it",
		CauseCrash:       "the answer is another one after a crash",
		CauseIdle:        "the answer is another one after a pause",
		CauseFloat:       "numbers differ in their last digits, as the compilers of platforms or an order of summing make them: round them",
		CauseVariant:     "two variants of the image answer the same request differently",
		CauseBroke:       "the service answers a request once and breaks on it another time",
		CauseSigned:      "fresh instances agree with one another, and not with the answer that was signed",
		CauseUnknown:     "same request, same surroundings, two answers",
	}
}
