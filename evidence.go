package barnraise

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxEvidence is the longest evidence that is read at all, in bytes.
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

// ParseEvidence reads an evidence file. White space between its parts is free; otherwise it must be written exactly as
// [Evidence.Encode] writes it: same members, same order, one spelling. It fails with [ErrEvidence], and believes nothing
// yet: that is [Evidence.Check].
func ParseEvidence(b []byte) (Evidence, error) {
	if len(b) > MaxEvidence {
		return Evidence{}, fmt.Errorf("read evidence: %d bytes, at most %d: %w", len(b), MaxEvidence, ErrEvidence)
	}
	var w wireEvidence
	if err := json.Unmarshal(b, &w); err != nil {
		return Evidence{}, fmt.Errorf("read evidence: %w: %w", ErrEvidence, err)
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
		return wrong("it is of registry %s, this network is %s", e.Registry, s.Registry)
	}
	service, _ := s.Service(e.Service)
	revision, ok := service.Revision(e.Revision)
	switch {
	case !ok:
		return wrong("the registry has no revision %s@%d", e.Service, e.Revision)
	case e.Verifier != revision.Verifier:
		return wrong("verifier is %s, registered is %s", clip(string(e.Verifier)), revision.Verifier)
	case e.Manifest != revision.Manifest:
		return wrong("manifest is %s, registered is %s", clip(string(e.Manifest)), revision.Manifest)
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
