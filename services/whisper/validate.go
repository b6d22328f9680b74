package main

import (
	"barnraise/jsonrpc"
	"barnraise/services/whisper/envelope"

	"github.com/go-json-experiment/json/jsontext"
)

// allowance is how many seconds clocks may differ by where the caller does not say, as in geth.
const allowance = 10

type validateParams struct {
	Profile       string         `json:"profile"`
	Envelopes     []string       `json:"envelopes"`
	Now           uint32         `json:"now"`
	MinPoW        jsontext.Value `json:"minPow,omitzero"`
	MaxSize       *uint32        `json:"maxSize"`
	SyncAllowance *uint32        `json:"syncAllowance"`
}

// report says what there is to say of an envelope.
type report struct {
	Hash    string            `json:"hash"`
	OK      bool              `json:"ok"`
	Reasons []envelope.Reason `json:"reasons"`
	Bits    int               `json:"bits"`
	Size    int               `json:"size"`
	TTL     uint32            `json:"ttl"`
	Topic   string            `json:"topic"`
	Expired bool              `json:"expired"`
}

func validate(p validateParams) ([]report, *jsonrpc.Error) {
	var r reader
	profile := r.profile(p.Profile)
	batch := r.envelopes("envelopes", p.Envelopes)
	rules := envelope.Rules{Now: p.Now, Allowance: allowance, MaxSize: p.MaxSize, MinPoW: r.pow("minPow", p.MinPoW)}
	if p.SyncAllowance != nil {
		rules.Allowance = *p.SyncAllowance
	}
	if r.err != nil {
		return nil, r.err
	}
	reports := make([]report, len(batch))
	for i, rlp := range batch {
		e, err := envelope.Decode(rlp)
		if err != nil {
			return nil, badRLP(i)
		}
		reports[i] = reportOn(e, profile, rules)
	}
	return reports, nil
}

func reportOn(e envelope.Envelope, profile envelope.Profile, rules envelope.Rules) report {
	hash, zeros := e.Hash(), e.Bits()
	wrong := profile.Check(e, zeros, rules)
	return report{
		Hash: asHex(hash[:]), OK: len(wrong) == 0, Reasons: wrong, Bits: zeros, Size: profile.Size(e), TTL: e.TTL,
		Topic: asHex(e.Topic[:]), Expired: e.Expired(rules.Now),
	}
}

// envelopes reads a batch of them, within the limits of a call.
func (r *reader) envelopes(name string, list []string) [][]byte {
	r.want(len(list) <= maxItems, name, "%d envelopes, at most %d", len(list), maxItems)
	if r.err != nil {
		return nil
	}
	batch, left := make([][]byte, len(list)), budget(maxBytes)
	for i, s := range list {
		batch[i] = r.bytes(item(name, i), s)
		left.take(r, name, len(batch[i]))
	}
	return batch
}
