package main

import (
	"math"

	"barnraise/jsonrpc"
	"barnraise/services/whisper/envelope"

	"github.com/go-json-experiment/json/jsontext"
)

type sealParams struct {
	Profile   string         `json:"profile"`
	Expiry    uint32         `json:"expiry"`
	TTL       uint32         `json:"ttl"`
	Topic     string         `json:"topic"`
	Data      string         `json:"data"`
	Bits      *uint64        `json:"bits"`
	MinPoW    jsontext.Value `json:"minPow,omitzero"`
	NonceFrom uint64         `json:"nonceFrom,omitzero"`
	NonceTo   *uint64        `json:"nonceTo"`
}

type sealed struct {
	Envelope string `json:"envelope"`
	Nonce    uint64 `json:"nonce"`
	Bits     int    `json:"bits"`
	Hash     string `json:"hash"`
}

func seal(p sealParams) (sealed, *jsonrpc.Error) {
	job, invalid := p.job()
	if invalid != nil {
		return sealed{}, invalid
	}
	if job.need(job.Envelope) > maxBits {
		return sealed{}, errTarget
	}
	e, zeros, err := envelope.Seal(job.Envelope, job.Nonce, job.to, job.need)
	if err != nil {
		return sealed{}, errNotFound
	}
	hash := e.Hash()
	return sealed{asHex(e.Encode()), e.Nonce, zeros, asHex(hash[:])}, nil
}

// job is an envelope to be sealed, with the first nonce to try.
type job struct {
	envelope.Envelope
	to   uint64                      // the last nonce to try
	need func(envelope.Envelope) int // zero bits
}

func (p sealParams) job() (j job, invalid *jsonrpc.Error) {
	var r reader
	profile := r.profile(p.Profile)
	r.want(p.TTL > 0, "ttl", "want 1 or more")
	r.want(p.Expiry >= p.TTL, "expiry", "want no less than ttl")
	j.Envelope = envelope.Envelope{
		Expiry: p.Expiry, TTL: p.TTL, Topic: r.topic("topic", p.Topic), Data: r.bytes("data", p.Data), Nonce: p.NonceFrom,
	}
	r.want(len(j.Data) <= maxData, "data", "%d bytes, at most %d", len(j.Data), maxData)
	pow := r.pow("minPow", p.MinPoW)
	r.want((p.Bits == nil) != (pow == nil), "bits", "want either bits or minPow")
	j.to = p.last(&r)
	if r.err != nil {
		return job{}, r.err
	}
	j.need = func(e envelope.Envelope) int { return pow.Need(profile.Size(e), uint64(e.TTL)) }
	if pow == nil {
		bits := int(min(*p.Bits, math.MaxInt))
		j.need = func(envelope.Envelope) int { return bits }
	}
	return j, nil
}

// last is the last nonce that is to be tried.
func (p sealParams) last(r *reader) uint64 {
	if p.NonceTo == nil {
		return p.NonceFrom + min(maxTries-1, math.MaxUint64-p.NonceFrom)
	}
	r.want(*p.NonceTo >= p.NonceFrom, "nonceTo", "want no less than nonceFrom")
	r.want(*p.NonceTo-p.NonceFrom <= maxTries, "nonceTo", "want at most %d more than nonceFrom", maxTries)
	return *p.NonceTo
}
