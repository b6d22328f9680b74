package proxy

import (
	"encoding/json"
	"net/http"
	"strconv"

	"barnraise"
	"barnraise/client"
)

// reply is what becomes of one request.
type reply struct {
	id      []byte // as the caller wrote it
	payload []byte // result or error, as signed where it is the service's
	failed  bool   // payload is an error
	silent  bool   // nobody waits for it

	status     string
	service    barnraise.ServiceID // zero where it is not known
	revision   uint32
	requests   int // that were sent
	memo       bool
	asked      []client.Asked
	struck     []barnraise.ServerID
	evidence   string
	unverified []string

	answer *client.Answer // that the payload is of, nil where it is of none
}

// answered is the reply with what a service answered: its result, or its own error, byte for byte.
func answered(r *request, a *client.Answer) reply {
	out := reply{
		id: r.ID, payload: a.Result, status: string(a.Verdict), service: a.Service, revision: a.Revision,
		requests: a.Requests, memo: a.Memo, asked: a.Asked, struck: a.Struck, evidence: evidenceName(a.Evidence), unverified: a.Unverified,
		answer: a,
	}
	if a.Error != nil {
		out.failed = true
		if out.payload = a.Error.Written(); out.payload == nil {
			out.payload, _ = json.Marshal(a.Error) // a number, a string and JSON
		}
	}
	return out
}

// joined is the size up to which a body is put together before it is written. Larger ones cost no more in parts.
const joined = 16 << 10

// The parts of a response around what stands in it.
const (
	head   = `{"jsonrpc":"2.0","id":`
	result = `,"result":`
	fault  = `,"error":`
)

// size is how long the reply is as a response.
func (r *reply) size() int {
	middle := len(result)
	if r.failed {
		middle = len(fault)
	}
	return len(head) + len(r.id) + middle + len(r.payload) + len("}")
}

// begin writes what stands before the payload.
func (r *reply) begin(b []byte) []byte {
	b = append(append(b, head...), r.id...)
	if r.failed {
		return append(b, fault...)
	}
	return append(b, result...)
}

// write sends the replies: nothing where nobody waits for one.
func (c *calls) write(w http.ResponseWriter, s *scratch, replies []reply, batch bool) {
	f := newFields(w.Header())
	c.describe(&f, replies, batch)
	size, heard := 0, 0
	for i := range replies {
		if !replies[i].silent {
			size += replies[i].size() + len(",")
			heard++
		}
	}
	f.set("Cache-Control", "no-store")
	f.set("X-Content-Type-Options", "nosniff")
	if heard == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if size--; batch {
		size += len("[]")
	}
	f.set("Content-Type", "application/json")
	f.set("Content-Length", strconv.Itoa(size))
	if size <= joined {
		s.out = join(s.out[:0], replies, batch)
		_, _ = w.Write(s.out) // who does not take it gets no other
		return
	}
	stream(w, s, replies, batch)
}

// join puts the replies into one body.
func join(b []byte, replies []reply, batch bool) []byte {
	if batch {
		b = append(b, '[')
	}
	first := true
	for i := range replies {
		r := &replies[i]
		if r.silent {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(r.begin(b), r.payload...), '}')
	}
	if batch {
		b = append(b, ']')
	}
	return b
}

// stream writes the same body without having it in one place: large payloads are not copied.
func stream(w http.ResponseWriter, s *scratch, replies []reply, batch bool) {
	sep := byte('[')
	for i := range replies {
		r := &replies[i]
		if r.silent {
			continue
		}
		s.out = s.out[:0]
		if batch {
			s.out, sep = append(s.out, sep), ','
		}
		s.out = r.begin(s.out)
		_, _ = w.Write(s.out) // who does not take it gets no other
		_, _ = w.Write(r.payload)
		_, _ = w.Write(closing[:1])
	}
	if batch {
		_, _ = w.Write(closing[1:])
	}
}

var closing = []byte("}]")
