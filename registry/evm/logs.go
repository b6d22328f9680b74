package evm

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// logs are events as eth_getLogs gives them. Most of reading a large registry would be spent on decoding them by reflection.
type logs []types.Log

// UnmarshalJSON reads the form that nodes write; any other it leaves to types.Log, which decides what is one.
func (l *logs) UnmarshalJSON(text []byte) error {
	s := scanner{rest: text}
	if list, ok := s.list(); ok {
		*l = list
		return nil
	}
	return json.Unmarshal(text, (*[]types.Log)(l))
}

// scanner reads JSON that is known to be well-formed. All its methods report whether what stands there is what they read.
type scanner struct{ rest []byte }

// skip passes over a character, and the white space before it.
func (s *scanner) skip(c byte) bool {
	for len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\n' || s.rest[0] == '\t' || s.rest[0] == '\r') {
		s.rest = s.rest[1:]
	}
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// text is a string in which every character stands for itself.
func (s *scanner) text() ([]byte, bool) {
	if !s.skip('"') {
		return nil, false
	}
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		return nil, false
	}
	t := s.rest[:end]
	s.rest = s.rest[end+1:]
	return t, bytes.IndexByte(t, '\\') < 0
}

func (s *scanner) list() (list logs, ok bool) {
	if !s.skip('[') {
		return nil, false
	}
	list = logs{}
	for more := !s.skip(']'); more; more = !s.skip(']') {
		if len(list) > 0 && !s.skip(',') {
			return nil, false
		}
		list = append(list, types.Log{})
		if !s.log(&list[len(list)-1]) {
			return nil, false
		}
	}
	return list, true
}

// The members that a log must have, a bit each.
const (
	hasAddress = 1 << iota
	hasTopics
	hasData
	hasTransaction
	hasAll = hasAddress | hasTopics | hasData | hasTransaction
)

func (s *scanner) log(l *types.Log) bool {
	if !s.skip('{') {
		return false
	}
	has := 0
	for first := true; !s.skip('}'); first = false {
		if !first && !s.skip(',') {
			return false
		}
		name, ok := s.text()
		if !ok || !s.skip(':') {
			return false
		}
		bit, ok := s.member(l, string(name))
		if !ok {
			return false
		}
		has |= bit
	}
	return has == hasAll
}

func (s *scanner) member(l *types.Log, name string) (bit int, ok bool) {
	switch name {
	case "address":
		return hasAddress, s.fixed(l.Address[:])
	case "topics":
		return hasTopics, s.topics(l)
	case "data":
		l.Data, ok = s.bytes()
		return hasData, ok
	case "transactionHash":
		return hasTransaction, s.fixed(l.TxHash[:])
	case "blockHash":
		return 0, s.fixed(l.BlockHash[:])
	case "blockNumber":
		l.BlockNumber, ok = s.number(64)
	case "blockTimestamp":
		l.BlockTimestamp, ok = s.number(64)
	case "logIndex":
		n, fits := s.number(strconv.IntSize)
		l.Index, ok = uint(n), fits
	case "transactionIndex":
		n, fits := s.number(strconv.IntSize)
		l.TxIndex, ok = uint(n), fits
	case "removed":
		l.Removed, ok = s.boolean()
	}
	return 0, ok
}

func (s *scanner) topics(l *types.Log) bool {
	if !s.skip('[') {
		return false
	}
	l.Topics = make([]common.Hash, 0, maxTopics)
	for more := !s.skip(']'); more; more = !s.skip(']') {
		if len(l.Topics) > 0 && !s.skip(',') {
			return false
		}
		var topic common.Hash
		if !s.fixed(topic[:]) {
			return false
		}
		l.Topics = append(l.Topics, topic)
	}
	return true
}

// digits are those of a string that begins with 0x.
func (s *scanner) digits() ([]byte, bool) {
	t, ok := s.text()
	return bytes.TrimPrefix(t, []byte("0x")), ok && bytes.HasPrefix(t, []byte("0x"))
}

func (s *scanner) fixed(into []byte) bool {
	t, ok := s.digits()
	if !ok || len(t) != 2*len(into) {
		return false
	}
	_, err := hex.Decode(into, t)
	return err == nil
}

func (s *scanner) bytes() ([]byte, bool) {
	t, ok := s.digits()
	if !ok || len(t)%2 != 0 {
		return nil, false
	}
	b := make([]byte, len(t)/2)
	_, err := hex.Decode(b, t)
	return b, err == nil
}

// number is a quantity: no zeros in front.
func (s *scanner) number(bits int) (uint64, bool) {
	t, ok := s.digits()
	if !ok || len(t) == 0 || len(t) > 1 && t[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(t), 16, bits)
	return n, err == nil && bytes.IndexByte(t, '_') < 0
}

func (s *scanner) boolean() (value, ok bool) {
	s.skip(0) // white space
	if rest, ok := bytes.CutPrefix(s.rest, []byte("true")); ok {
		s.rest = rest
		return true, true
	}
	rest, ok := bytes.CutPrefix(s.rest, []byte("false"))
	s.rest = rest
	return false, ok
}
