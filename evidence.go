package barnraise

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// MaxEvidence is the longest evidence that is read at all, in bytes. There is room in it for the longest request and a few of
// the longest responses that a manifest may allow; [Evidence.Fit] says which, where there are more.
const MaxEvidence = 64 << 20

// MaxAnswers is how many answers one request is ever put to, and how many stand in one piece of evidence (protocol 5.4).
const MaxAnswers = 64

// ErrEvidence is the error for evidence that does not hold: badly written, of another registry, not signed by whom it
// accuses, or about other bytes than it contains.
var ErrEvidence = errors.New("evidence does not hold")

// Answer is a response with its receipt: what a server can be held to.
type Answer struct {
	Server   ServerID
	Response []byte // the exact body
	Receipt  string // the token that came with it
}

// Evidence is a request with what servers signed in answer to it, in one file that anyone can recheck (protocol 8.1).
type Evidence struct {
	Registry Registry
	Block    uint64 // the newest registry block that any of its receipts names
	Service  ServiceID
	Revision uint32
	Verifier CID
	Manifest CID
	Request  []byte // the exact body
	Answers  []Answer
}

type wireEvidence struct {
	V        int          `json:"v"`
	Chain    string       `json:"chain"`
	Services Address      `json:"services"`
	Servers  Address      `json:"servers"`
	Block    uint64       `json:"block"`
	Service  ServiceID    `json:"service"`
	Revision uint32       `json:"revision"`
	Verifier CID          `json:"verifier"`
	Manifest CID          `json:"manifest"`
	Request  []byte       `json:"request"`
	Answers  []wireAnswer `json:"answers"`
}

type wireAnswer struct {
	Server   ServerID `json:"server"`
	Response []byte   `json:"response"`
	Receipt  string   `json:"receipt"`
}

// NewEvidence puts together evidence about one request to a revision. Block is taken from the receipts; one that cannot be
// read counts for nothing there and makes [Evidence.Check] fail.
func NewEvidence(registry Registry, service ServiceID, revision Revision, request []byte, answers []Answer) Evidence {
	e := Evidence{
		Registry: registry, Service: service, Revision: revision.Number,
		Verifier: revision.Verifier, Manifest: revision.Manifest, Request: request, Answers: answers,
	}
	e.Block = e.newestBlock()
	return e
}

func (e Evidence) newestBlock() (block uint64) {
	for _, a := range e.Answers {
		if r, _, err := ParseReceipt(a.Receipt); err == nil {
			block = max(block, r.Block)
		}
	}
	return block
}

// Encode writes the file: compact JSON, no newline at the end. Every byte of it means something, so that one that is
// altered shows.
func (e Evidence) Encode() []byte {
	w := wireEvidence{
		V: 1, Chain: e.Registry.Chain, Services: e.Registry.Services, Servers: e.Registry.Servers, Block: e.Block,
		Service: e.Service, Revision: e.Revision, Verifier: e.Verifier, Manifest: e.Manifest, Request: e.Request,
		Answers: []wireAnswer{},
	}
	for _, a := range e.Answers {
		w.Answers = append(w.Answers, wireAnswer(a))
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(w); err != nil {
		panic(err) // no member of wireEvidence can fail
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// Fit returns the evidence with as many of its answers as [MaxEvidence] and [MaxAnswers] have room for. First of all those at
// the indices wanted are kept, in that order: give the winner, or an answer that is not struck, and then those that are, so
// that they still contradict each other. Then come the first of each of the other responses, then the rest. What is kept stays
// in its order. Evidence that fits is returned as it is.
func (e Evidence) Fit(wanted ...int) Evidence { return e.fit(MaxEvidence, MaxAnswers, wanted) }

func (e Evidence) fit(size, count int, wanted []int) Evidence {
	var others, repeated []int
	for i, a := range e.Answers {
		same := func(j int) bool { return bytes.Equal(e.Answers[j].Response, a.Response) }
		switch {
		case slices.Contains(wanted, i):
		case slices.ContainsFunc(wanted, same) || slices.ContainsFunc(others, same):
			repeated = append(repeated, i)
		default:
			others = append(others, i)
		}
	}
	short := e
	short.Answers = nil
	size -= len(short.Encode()) + digits // of the block, which those that are kept decide
	keep := make([]bool, len(e.Answers))
	for _, i := range slices.Concat(wanted, others, repeated) {
		if n := encodedSize(e.Answers[i]); !keep[i] && n <= size && count > 0 {
			keep[i], size, count = true, size-n, count-1
		}
	}
	if !slices.Contains(keep, false) {
		return e
	}
	for i, a := range e.Answers {
		if keep[i] {
			short.Answers = append(short.Answers, a)
		}
	}
	short.Block = short.newestBlock()
	return short
}

// digits is how many a number has at most.
const digits = 20

// encodedSize is how many bytes an answer takes in a file.
func encodedSize(a Answer) int {
	rest, err := json.Marshal(wireAnswer{Server: a.Server, Receipt: a.Receipt})
	if err != nil {
		panic(err) // no member of wireAnswer can fail
	}
	return len(rest) + base64.StdEncoding.EncodedLen(len(a.Response)) + len(`"",`)
}

// ParseEvidence reads an evidence file. White space between its parts is free; otherwise it must be written exactly as
// [Evidence.Encode] writes it: same members, same order, one spelling. It fails with [ErrEvidence], and believes nothing
// yet: that is [Evidence.Check].
func ParseEvidence(b []byte) (Evidence, error) {
	if len(b) > MaxEvidence {
		return Evidence{}, fmt.Errorf("read evidence: %d bytes, at most %d: %w", len(b), MaxEvidence, ErrEvidence)
	}
	var w wireEvidence
	if err := json.Unmarshal(b, &w); err != nil {
		return Evidence{}, fmt.Errorf("read evidence: %w: %.200v", ErrEvidence, err)
	}
	if w.V != 1 {
		return Evidence{}, fmt.Errorf("read evidence: version %d, want 1: %w", w.V, ErrEvidence)
	}
	e := Evidence{
		Registry: Registry{w.Chain, w.Services, w.Servers}, Block: w.Block, Service: w.Service, Revision: w.Revision,
		Verifier: w.Verifier, Manifest: w.Manifest, Request: w.Request,
	}
	for _, a := range w.Answers {
		e.Answers = append(e.Answers, Answer(a))
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, b); err != nil || !bytes.Equal(compact.Bytes(), e.Encode()) {
		return Evidence{}, fmt.Errorf("read evidence: a member is missing, added, repeated or misspelt: %w", ErrEvidence)
	}
	return e, nil
}

// Check compares the evidence with the registry: the revision's verifier and manifest, each receipt's signature and what it
// covers, the keys at the time given in Unix seconds. It fails with [ErrEvidence], saying what is wrong. Whether the answers
// contradict each other is the verifier's to say.
func (e Evidence) Check(s *Snapshot, now int64) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("check evidence: "+format+": %w", append(args, ErrEvidence)...)
	}
	if e.Registry != s.Registry {
		return wrong("it is of registry %q, this network is %s", clip(e.Registry.String()), s.Registry)
	}
	service, _ := s.Service(e.Service)
	revision, ok := service.Revision(e.Revision)
	switch {
	case !ok:
		return wrong("the registry has no revision %s@%d", e.Service, e.Revision)
	case e.Verifier != revision.Verifier:
		return wrong("verifier is %q, registered is %s", clip(string(e.Verifier)), revision.Verifier)
	case e.Manifest != revision.Manifest:
		return wrong("manifest is %q, registered is %s", clip(string(e.Manifest)), revision.Manifest)
	case len(e.Answers) == 0 || len(e.Answers) > MaxAnswers:
		return wrong("%d answers, want 1 to %d", len(e.Answers), MaxAnswers)
	case e.Block != e.newestBlock():
		return wrong("block is %d, its receipts say %d", e.Block, e.newestBlock())
	}
	for i, a := range e.Answers {
		if err := e.checkAnswer(s, a, revision, now); err != nil {
			return wrong("answer %d: %w", i, err)
		}
		for _, b := range e.Answers[:i] {
			if a.Server == b.Server && bytes.Equal(a.Response, b.Response) {
				return wrong("answer %d: server %d stands twice with one response", i, a.Server)
			}
		}
	}
	return nil
}

func (e Evidence) checkAnswer(s *Snapshot, a Answer, revision Revision, now int64) error {
	receipt, token, err := ParseReceipt(a.Receipt)
	if err != nil {
		return err
	}
	if err := receipt.Covers(e.Registry, a.Server, e.Service, revision, e.Request, a.Response); err != nil {
		return err
	}
	key, err := s.EvidenceKey(a.Server, token.KeyID, now)
	if err != nil {
		return fmt.Errorf("server %d: %w", a.Server, err)
	}
	return token.Verify(key)
}
