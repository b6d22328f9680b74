package conformance

import (
	"errors"
	"fmt"
	"slices"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/manifest"

	"github.com/go-json-experiment/json"
)

// MaxReport is the longest report that is read, in bytes.
const MaxReport = 1 << 20

// MaxSeed is the largest seed: a number that every JSON library can hold.
const MaxSeed = 1<<53 - 1

// Errors to branch on.
var (
	ErrReport = errors.New("bad conformance report")      // of ParseReport
	ErrFailed = errors.New("image did not pass the gate") // it is not deterministic, not stateless, or fails its own examples
	ErrCannot = errors.New("image cannot be tried here")  // no variant of it runs on this machine, or there is nothing to ask it
)

// Report says what was tried with an image and what came of it. It is content with a CID, which the manifest names.
type Report struct {
	Version       int              `json:"v"`
	Image         barnraise.Digest `json:"image"`
	Seed          uint64           `json:"seed"` // of the requests that were made up
	Passed        bool             `json:"passed"`
	Platforms     []Platform       `json:"platforms"`
	Perturbations []Perturbation   `json:"perturbations"`
	Differences   []Difference     `json:"differences"` // the first of each method and cause; any of them fails the gate
	Failures      []Failure        `json:"failures"`    // of requests that got no answer; those marked as fatal fail the gate
	Skipped       []Skip           `json:"skipped"`     // alone it fails nothing
	Methods       []Method         `json:"methods"`
	Proposed      Proposal         `json:"proposed"`
	Hints         []string         `json:"hints"` // where a limit is near, or what else the author may want to know
}

// Platform is a variant that was run.
type Platform struct {
	Platform string           `json:"platform"`
	Manifest barnraise.Digest `json:"manifest"`
}

// Perturbation is one way in which a variant was run otherwise than before.
type Perturbation struct {
	Name        string `json:"name"`
	Platform    string `json:"platform"` // or two, where variants were compared
	Requests    int    `json:"requests"`
	Differences int    `json:"differences"`
}

// Difference is a request that got two answers.
type Difference struct {
	Method       string `json:"method"`
	Cause        Cause  `json:"cause"`
	Why          string `json:"why"` // the cause in a sentence, with what to do about it
	Perturbation string `json:"perturbation"`
	Platform     string `json:"platform"`
	Pointer      string `json:"pointer"` // of the first part that differs (RFC 6901); empty for all of it
	Request      string `json:"request"`
	A            string `json:"a"`      // the answer without the perturbation; long ones are cut
	B            string `json:"b"`      // the answer with it, or why there is none
	PartA        string `json:"part_a"` // what stands at the pointer, empty for nothing
	PartB        string `json:"part_b"`
	Count        int    `json:"count"` // of such differences
}

// Failure is a request that got no answer.
type Failure struct {
	Method       string `json:"method"` // empty where the service did not start
	Platform     string `json:"platform"`
	Perturbation string `json:"perturbation"`
	Class        string `json:"class"` // one of the Class constants
	Reason       string `json:"reason"`
	Request      string `json:"request"`
	Example      bool   `json:"example"` // it is one of the manifest's own
	Fatal        bool   `json:"fatal"`
	Count        int    `json:"count"`
}

// The classes of failure, which are those of package runtime.
const (
	ClassStart   = "start" // the variant does not start
	ClassBroke   = "broke"
	ClassTimeout = "timeout"
	ClassFuel    = "fuel"
	ClassRequest = "request" // refused before the service saw it
	// What is this machine's doing, and fails nothing but an example that is never answered.
	ClassNotReady = "not ready"
	ClassMachine  = "machine"
)

// Skip is what could not be tried.
type Skip struct {
	Perturbation string `json:"perturbation"` // empty for all of the platform
	Platform     string `json:"platform"`
	Reason       string `json:"reason"`
}

// Method is what the calls of one method took, on the platform that took most of it.
type Method struct {
	Name     string         `json:"name"`
	Requests int            `json:"requests"` // different ones that were answered
	P50      float64        `json:"p50_ms"`
	P99      float64        `json:"p99_ms"`
	Max      float64        `json:"max_ms"`
	Response manifest.Bytes `json:"response"`      // the longest
	Fuel     uint64         `json:"fuel"`          // the most, of the wasm variant
	CPU      float64        `json:"cpu_ms"`        // of the mean call
	Memory   manifest.Bytes `json:"memory"`        // the most of all calls up to and with this method's
	Example  bool           `json:"with_examples"` // the manifest has examples of it
}

// Proposal is what service.yaml might say.
type Proposal struct {
	Limits manifest.Limits `json:"limits"`
	Cost   uint32          `json:"cost"`
}

// Deterministic reports whether no difference was found that comes from a service's surroundings.
func (r Report) Deterministic() bool {
	return !slices.ContainsFunc(r.Differences, func(d Difference) bool { return !d.Cause.State() })
}

// Stateless reports whether no difference was found that comes from other calls.
func (r Report) Stateless() bool {
	return !slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.Cause.State() })
}

// Err is nil where the image passed, and else an [ErrFailed] in the words of the first finding.
func (r Report) Err() error {
	if r.Passed {
		return nil
	}
	for _, d := range r.Differences {
		return fmt.Errorf("%w: %s: %s: %.200s at %q, with %s on %s: %.200s", ErrFailed, d.Method, d.Cause, d.PartB, d.Pointer,
			d.Perturbation, d.Platform, d.Why)
	}
	for _, f := range r.Failures {
		if f.Fatal {
			return fmt.Errorf("%w: %s on %s: %s: %s", ErrFailed, f.Method, f.Platform, f.Class, f.Reason)
		}
	}
	return ErrFailed
}

// passed is what Passed has to be.
func (r Report) passed() bool {
	return len(r.Platforms) > 0 && len(r.Differences) == 0 && !slices.ContainsFunc(r.Failures, func(f Failure) bool { return f.Fatal })
}

// Encode writes the report: compact JSON, the same bytes for equal reports.
func (r Report) Encode() ([]byte, error) {
	b, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	return b, nil
}

// mostItems is how long any list of a report may be.
const mostItems = 4096

// ParseReport reads a report that anybody may have written: strict JSON of at most [MaxReport] bytes that does not contradict
// itself. Unknown members are ignored. It fails with [ErrReport].
func ParseReport(b []byte) (Report, error) {
	var r Report
	if len(b) > MaxReport {
		return r, fmt.Errorf("%w: %d bytes, at most %d", ErrReport, len(b), MaxReport)
	}
	if err := jsonrpc.Strict(b); err != nil {
		return r, fmt.Errorf("%w: %w", ErrReport, err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrReport, err)
	}
	if err := r.check(); err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrReport, err)
	}
	return r, nil
}

func (r Report) check() error {
	longest := max(len(r.Platforms), len(r.Perturbations), len(r.Differences), len(r.Failures), len(r.Skipped), len(r.Methods), len(r.Hints))
	switch {
	case r.Version != 1:
		return fmt.Errorf("version %d, want 1", r.Version)
	case r.Seed > MaxSeed:
		return fmt.Errorf("seed %d, at most %d", r.Seed, uint64(MaxSeed))
	case longest > mostItems:
		return fmt.Errorf("a list of %d, at most %d", longest, mostItems)
	case r.Passed != r.passed():
		return fmt.Errorf("it says passed: %t, and its findings say otherwise", r.Passed)
	}
	return nil
}

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
