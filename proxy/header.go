package proxy

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"barnraise"
	"barnraise/client"
	"barnraise/quick"
)

// Bounds of headers. What does not fit is counted, or, where it is unverified, stands for all of it.
const (
	maxAsked      = 16
	maxUnverified = 1 << 10 // bytes
	maxListed     = 8       // of services, servers and pieces of evidence
)

// fields sets headers that are spelt as they stand, with one allocation for all of their values.
type fields struct {
	h      http.Header
	values []string
	plain  []byte // where there is no h: the fields as they are sent
}

func newFields(h http.Header) fields { return fields{h: h, values: make([]string, 0, 16)} }

func (f *fields) set(name, value string) {
	if f.h == nil {
		f.plain = quick.AppendField(f.plain, name, value)
		return
	}
	f.values = append(f.values, value)
	n := len(f.values)
	f.h[name] = f.values[n-1 : n : n]
}

// describe says in headers what happened.
func (c *calls) describe(f *fields, replies []reply, batch bool) {
	f.set("Barnraise-Policy", c.policy)
	if batch {
		describeAll(f, replies)
	} else {
		describeOne(f, &replies[0])
	}
	if open := unverified(replies, batch); open != "" {
		f.set("Barnraise-Unverified", open)
	}
}

func describeOne(f *fields, r *reply) {
	f.set("Barnraise-Verdict", r.status)
	f.set("Barnraise-Requests", strconv.Itoa(r.requests))
	memo := "0"
	if r.memo {
		memo = "1"
	}
	f.set("Barnraise-Memo", memo)
	if r.service != 0 {
		f.set("Barnraise-Service", reference(r))
	}
	if len(r.asked) > 0 {
		f.set("Barnraise-Asked", askedList(r.asked))
	}
	if len(r.struck) > 0 {
		f.set("Barnraise-Struck", strings.Join(numbers(r.struck), ", "))
	}
	if r.evidence != "" {
		f.set("Barnraise-Evidence", r.evidence)
	}
}

// describeAll says of a batch what its calls come to: sums and lists.
func describeAll(f *fields, replies []reply) {
	requests, memo := 0, 0
	var services, struck, evidence []string
	for i := range replies {
		r := &replies[i]
		requests += r.requests
		if r.memo {
			memo++
		}
		services = including(services, reference(r))
		struck = including(struck, numbers(r.struck)...)
		evidence = including(evidence, r.evidence)
	}
	f.set("Barnraise-Verdict", verdicts(replies))
	f.set("Barnraise-Requests", strconv.Itoa(requests))
	f.set("Barnraise-Memo", strconv.Itoa(memo))
	for name, list := range map[string][]string{"Barnraise-Service": services, "Barnraise-Struck": struck, "Barnraise-Evidence": evidence} {
		if len(list) > 0 {
			f.set(name, strings.Join(list, ", "))
		}
	}
}

// including is a list with what it has not got, while it is short.
func including(list []string, more ...string) []string {
	for _, s := range more {
		if s != "" && len(list) < maxListed && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func reference(r *reply) string {
	if r.service == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(r.service), 10) + "@" + strconv.FormatUint(uint64(r.revision), 10)
}

func numbers(servers []barnraise.ServerID) (list []string) {
	for _, s := range servers {
		list = append(list, strconv.FormatUint(uint64(s), 10))
	}
	return list
}

// verdicts counts what became of the calls of a batch: accepted=3, undecided=1.
func verdicts(replies []reply) string {
	var names []string
	var counts []int
	for i := range replies {
		at := slices.Index(names, replies[i].status)
		if at < 0 {
			at, names, counts = len(names), append(names, replies[i].status), append(counts, 0)
		}
		counts[at]++
	}
	for i := range names {
		names[i] += "=" + strconv.Itoa(counts[i])
	}
	return strings.Join(names, ", ")
}

// askedList is server:role:outcome of each server that was asked, and how many more there were.
func askedList(asked []client.Asked) string {
	b := make([]byte, 0, 64)
	for i, a := range asked {
		if i > 0 {
			b = append(b, ", "...)
		}
		if i == maxAsked {
			return string(strconv.AppendInt(append(b, '+'), int64(len(asked)-i), 10))
		}
		b = strconv.AppendUint(b, uint64(a.Server), 10)
		b = append(append(append(append(b, ':'), a.Role...), ':'), a.Outcome...)
	}
	return string(b)
}

// unverified is a JSON array, in ASCII, of the pointers to what nobody but the answering server vouches for; empty where there is
// nothing of the kind. In a batch they begin with the place of the response in the array.
func unverified(replies []reply, batch bool) string {
	var b []byte
	at := 0
	for i := range replies {
		r := &replies[i]
		if r.silent {
			continue
		}
		for _, pointer := range r.unverified {
			if batch {
				pointer = "/" + strconv.Itoa(at) + pointer
			}
			if b = appendASCII(b, pointer); len(b) > maxUnverified {
				return `[""]`
			}
		}
		at++
	}
	if len(b) == 0 {
		return ""
	}
	return "[" + string(b[:len(b)-1]) + "]"
}

// appendASCII appends a JSON string and a comma.
func appendASCII(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c >= ' ' && c < 0x7f:
			b = append(b, byte(c))
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			b = appendHex(appendHex(b, high), low)
		default:
			b = appendHex(b, c)
		}
	}
	return append(b, '"', ',')
}

func appendHex(b []byte, c rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[c>>12&15], digits[c>>8&15], digits[c>>4&15], digits[c&15])
}
