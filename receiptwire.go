package barnraise

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
)

// append writes what json.Marshal would write where the chain needs no escapes, in a twentieth of the time.
func (r Receipt) append(b []byte) []byte {
	hex32 := func(name string, d Digest) {
		b = append(append(b, name...), `"sha256:`...)
		b = append(hex.AppendEncode(b, d[:]), '"')
	}
	number := func(name string, n uint64) { b = strconv.AppendUint(append(b, name...), n, 10) }
	b = append(append(b, `{"v":1,"chain":"`...), r.Registry.Chain...)
	b = hex.AppendEncode(append(b, `","services":"0x`...), r.Registry.Services[:])
	b = hex.AppendEncode(append(b, `","servers":"0x`...), r.Registry.Servers[:])
	number(`","service":`, uint64(r.Service))
	number(`,"revision":`, uint64(r.Revision))
	hex32(`,"image":`, r.Image)
	hex32(`,"platform":`, r.Platform)
	b = b64.AppendEncode(append(b, `,"request":"`...), r.Request[:])
	b = b64.AppendEncode(append(b, `","response":"`...), r.Response[:])
	number(`","server":`, uint64(r.Server))
	number(`,"block":`, r.Block)
	b = strconv.AppendInt(append(b, `,"iat":`...), r.IssuedAt, 10)
	return append(b, '}')
}

// scanReceipt reads a payload that is written as protocol 4.1 writes it, and is not ok with any other: whatever it makes of that,
// written again, would differ.
func scanReceipt(payload []byte) (r Receipt, ok bool) {
	s := scanner(payload)
	r.Registry.Chain = s.upTo(`{"v":1,"chain":"`, '"')
	s.hex(r.Registry.Services[:], `,"services":"0x`)
	s.hex(r.Registry.Servers[:], `,"servers":"0x`)
	r.Service = ServiceID(s.number(`,"service":`))
	r.Revision = uint32(s.number(`"revision":`))
	s.hex(r.Image[:], `"image":"sha256:`)
	s.hex(r.Platform[:], `,"platform":"sha256:`)
	s.base64(r.Request[:], `,"request":"`)
	s.base64(r.Response[:], `,"response":"`)
	r.Server = ServerID(s.number(`,"server":`))
	r.Block = s.number(`"block":`)
	r.IssuedAt, _ = strconv.ParseInt(s.upTo(`"iat":`, '}'), 10, 64)
	if !ValidChain(r.Registry.Chain) || s != "" {
		return Receipt{}, false
	}
	return r, bytes.Equal(r.append(make([]byte, 0, 768)), payload)
}

// scanner is what is left of a payload.
type scanner string

// upTo passes what is expected and a value up to its end, and returns that.
func (s *scanner) upTo(expected string, end byte) string {
	rest, _ := strings.CutPrefix(string(*s), expected)
	i := strings.IndexByte(rest, end)
	if i < 0 {
		*s = ""
		return ""
	}
	*s = scanner(rest[i+1:])
	return rest[:i]
}

func (s *scanner) hex(into []byte, expected string) {
	if v := s.upTo(expected, '"'); len(v) == 2*len(into) {
		_, _ = hex.Decode(into, []byte(v))
	}
}

func (s *scanner) base64(into []byte, expected string) {
	if v := s.upTo(expected, '"'); len(v) == b64.EncodedLen(len(into)) {
		_, _ = b64.Decode(into, []byte(v))
	}
}

// number is followed by a comma.
func (s *scanner) number(expected string) uint64 {
	n, _ := strconv.ParseUint(s.upTo(expected, ','), 10, 64)
	return n
}
