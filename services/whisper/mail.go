package main

import (
	"barnraise/jsonrpc"
	"barnraise/service/merkle"
	"barnraise/services/whisper/envelope"
	"barnraise/services/whisper/mail"
)

// maxTopics is how many a call may ask for.
const maxTopics = 100

type mailParams struct {
	Profile string   `json:"profile"`
	Archive string   `json:"archive"`
	Topics  []string `json:"topics"`
	From    uint32   `json:"from"`
	To      uint32   `json:"to"`
	Limit   int      `json:"limit"`
	Start   *start   `json:"start"`
}

// start is where a caller goes on. All of it has to be given.
type start struct {
	Topic  *string `json:"topic"`
	Expiry *uint32 `json:"expiry"`
	Hash   *string `json:"hash"`
}

type delivery struct {
	Envelopes []string `json:"envelopes"`
	Next      *place   `json:"next"`
	Proof     string   `json:"proof"`
}

// place in the archive.
type place struct {
	Topic  string `json:"topic"`
	Expiry uint32 `json:"expiry"`
	Hash   string `json:"hash"`
}

func askMail(p mailParams) (delivery, *jsonrpc.Error) {
	root, q, invalid := p.query()
	if invalid != nil {
		return delivery{}, invalid
	}
	a, err := mail.Open(archive)
	if err != nil {
		return delivery{}, errInternal
	}
	if root != a.Root() {
		return delivery{}, errArchive
	}
	found, err := a.Ask(q)
	if err != nil {
		return delivery{}, errInternal
	}
	d := delivery{Envelopes: make([]string, len(found.Envelopes)), Proof: asHex(found.Proof)}
	for i, e := range found.Envelopes {
		d.Envelopes[i] = asHex([]byte(e))
	}
	if found.Next != nil {
		d.Next = &place{asHex(found.Next.Topic[:]), found.Next.Expiry, asHex(found.Next.Hash[:])}
	}
	return d, nil
}

func (p mailParams) query() (root merkle.Hash, q mail.Query, invalid *jsonrpc.Error) {
	var r reader
	r.profile(p.Profile)
	r.fill(root[:], "archive", p.Archive)
	q = mail.Query{Topics: r.topics("topics", p.Topics), From: p.From, To: p.To, Start: r.start("start", p.Start), Limit: p.Limit}
	r.want(p.From <= p.To, "to", "want no less than from")
	r.want(p.Limit >= 1 && p.Limit <= maxItems, "limit", "want 1 to %d", maxItems)
	return root, q, r.err
}

func (r *reader) topics(name string, list []string) []envelope.Topic {
	r.want(len(list) >= 1 && len(list) <= maxTopics, name, "%d topics, want 1 to %d", len(list), maxTopics)
	if r.err != nil {
		return nil
	}
	topics, seen := make([]envelope.Topic, len(list)), map[envelope.Topic]bool{}
	for i, s := range list {
		topics[i] = r.topic(item(name, i), s)
		r.want(!seen[topics[i]], item(name, i), "given twice")
		seen[topics[i]] = true
	}
	return topics
}

func (r *reader) start(name string, s *start) *mail.Key {
	if s == nil {
		return nil
	}
	if s.Topic == nil || s.Expiry == nil || s.Hash == nil {
		r.fail(name, "want topic, expiry and hash")
		return nil
	}
	k := mail.Key{Topic: r.topic(name+"/topic", *s.Topic), Expiry: *s.Expiry}
	r.fill(k.Hash[:], name+"/hash", *s.Hash)
	return &k
}
