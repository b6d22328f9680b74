package main

import (
	"crypto/sha256"
	"encoding/binary"
	"io"

	"barnraise/jsonrpc"
)

type wakuParams struct {
	Messages []message `json:"messages"`
	Profile  *string   `json:"profile"`
}

// message is a Waku message and the topic that it is published under. All but meta has to be given.
type message struct {
	PubsubTopic  *string `json:"pubsubTopic"`
	Payload      *string `json:"payload"`
	ContentTopic *string `json:"contentTopic"`
	Meta         *string `json:"meta"`
	Timestamp    *int64  `json:"timestamp"`
}

type wakuHashes struct {
	Hashes []string `json:"hashes"`
}

// messageHash is what 14/WAKU2-MESSAGE calls deterministic message hashing.
func messageHash(p wakuParams) (wakuHashes, *jsonrpc.Error) {
	var r reader
	if p.Profile != nil {
		r.profile(*p.Profile)
	}
	r.want(len(p.Messages) <= maxItems, "messages", "%d messages, at most %d", len(p.Messages), maxItems)
	if r.err != nil {
		return wakuHashes{}, r.err
	}
	hashes, left := make([]string, len(p.Messages)), budget(maxBytes)
	for i, m := range p.Messages {
		hashes[i] = m.hash(&r, item("messages", i), &left)
	}
	if r.err != nil {
		return wakuHashes{}, r.err
	}
	return wakuHashes{hashes}, nil
}

// hash is SHA-256 of the parts, one after the other: the specification marks no place where one ends.
func (m message) hash(r *reader, name string, left *budget) string {
	for _, part := range []struct {
		name  string
		given bool
	}{
		{"pubsubTopic", m.PubsubTopic != nil}, {"payload", m.Payload != nil}, {"contentTopic", m.ContentTopic != nil},
		{"timestamp", m.Timestamp != nil},
	} {
		if !part.given {
			r.missing(name + "/" + part.name)
			return ""
		}
	}
	payload := r.bytes(name+"/payload", *m.Payload)
	var meta []byte
	if m.Meta != nil {
		meta = r.bytes(name+"/meta", *m.Meta)
	}
	left.take(r, "messages", len(*m.PubsubTopic)+len(payload)+len(*m.ContentTopic)+len(meta))
	h := sha256.New()
	_, _ = io.WriteString(h, *m.PubsubTopic) // never fails
	_, _ = h.Write(payload)
	_, _ = io.WriteString(h, *m.ContentTopic)
	_, _ = h.Write(meta)
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(*m.Timestamp)))
	return asHex(h.Sum(nil))
}
