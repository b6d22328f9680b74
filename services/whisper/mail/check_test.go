package mail

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"barnraise/service/merkle"
	"barnraise/services/whisper/envelope"
)

var errWrong = errors.New("wrong")

// leaf is one that a proof shows.
type leaf struct {
	index int
	key   string
	whole bool
}

// check says whether an answer proves itself to somebody who knows nothing but the archive's root. It shares no code with
// what made the answer, but for keys and the tree.
func check(root merkle.Hash, q Query, a Answer) error {
	keys := make([]string, len(a.Envelopes))
	for i, e := range a.Envelopes {
		decoded, err := envelope.Decode([]byte(e))
		if err != nil {
			return err
		}
		keys[i] = KeyOf(decoded).bytes()
	}
	n, shown, err := readProof(root, a.Proof, keys)
	if err != nil {
		return err
	}
	if err := checkCut(q, a); err != nil {
		return err
	}
	end := strings.Repeat("\xff", keySize+1)
	if a.Next != nil {
		end = a.Next.bytes()
	}
	next := 0
	for _, l := range shown {
		wanted := asked(q, l.key)
		switch {
		case l.whole && (!wanted || l.key >= end):
			return errWrong
		case !l.whole && wanted && l.key < end:
			return errWrong
		case !l.whole && wanted && l.key == end:
			next++
		}
	}
	if a.Next != nil && next != 1 {
		return errWrong
	}
	return checkGaps(q, n, shown, end)
}

func asked(q Query, key string) bool {
	k := keyFrom(key)
	return slices.Contains(q.Topics, k.Topic) && k.Expiry >= q.From && k.Expiry <= q.To && (q.Start == nil || key >= q.Start.bytes())
}

// checkCut holds an answer that is not all there is to the reasons for that.
func checkCut(q Query, a Answer) error {
	size := 0
	for _, e := range a.Envelopes {
		if size >= Enough {
			return errWrong
		}
		size += len(e)
	}
	if len(a.Envelopes) > q.Limit || a.Next != nil && len(a.Envelopes) < q.Limit && size < Enough {
		return errWrong
	}
	return nil
}

func readProof(root merkle.Hash, proof []byte, keys []string) (n int, shown []leaf, err error) {
	count, size := binary.Uvarint(proof)
	proof = proof[max(size, 0):]
	of, more := binary.Uvarint(proof)
	if size <= 0 || more <= 0 || count > MaxEnvelopes || of > count {
		return 0, nil, errWrong
	}
	proof = proof[more:]
	free := 0
	for range of {
		passed, size := binary.Uvarint(proof)
		if size <= 0 || passed > MaxEnvelopes || len(proof) <= size || proof[size] > 1 {
			return 0, nil, errWrong
		}
		l := leaf{index: free + int(passed), whole: proof[size] == 1}
		proof = proof[size+1:]
		switch {
		case l.whole && len(keys) > 0:
			l.key, keys = keys[0], keys[1:]
		case l.whole || len(proof) < keySize:
			return 0, nil, errWrong
		default:
			l.key, proof = string(proof[:keySize]), proof[keySize:]
		}
		shown, free = append(shown, l), l.index+1
	}
	var chosen []int
	var hashes []merkle.Hash
	for i, l := range shown {
		if i > 0 && l.key <= shown[i-1].key {
			return 0, nil, errWrong
		}
		chosen, hashes = append(chosen, l.index), append(hashes, merkle.Leaf(l.key))
	}
	tree, rest, err := merkle.RootOf(int(count), chosen, hashes, string(proof))
	if err != nil || rest != "" || len(keys) > 0 || rootOf(int(count), tree) != root {
		return 0, nil, errWrong
	}
	return int(count), shown, nil
}

// checkGaps looks for what could hide where leaves are not shown.
func checkGaps(q Query, n int, shown []leaf, end string) error {
	before := leaf{index: -1}
	for _, after := range append(slices.Clip(shown), leaf{index: n, key: strings.Repeat("\xff", keySize+1)}) {
		if after.index > before.index+1 {
			for _, t := range q.Topics {
				first, last := bounds(q, t)
				if last = min(last, end); first <= last && after.key > first && before.key < last {
					return errWrong
				}
			}
		}
		before = after
	}
	return nil
}
