package index

import "math/bits"

// Scoring names how a document is scored: BM25 with k1 = 1.2 and b = 0.75, computed once when the index is built. The share
// of one term, its impact, is round(64 · idf · tf · (k1+1) / (tf + k1 · (1 − b + b · length/average length))), at least 1,
// with idf = ln(1 + (N − df + ½) / (df + ½)). A document's score is the sum of its impacts: integers, the same everywhere.
const Scoring = "bm25-i64-1"

// impact is the share that a term gives to a document: tf times in a document of length terms, in a collection of documents
// that have tokens terms in all. Multiplied out by 10 · tokens, all but idf is a fraction of integers. It is below 1,895, which is
// 64 · 2.2 · ln((2 · [MaxDocuments] + 2) / 3), and so has room in a posting.
func impact(idf, tf, length, documents, tokens uint64) uint32 {
	hi, lo := bits.Mul64(64*22*idf, tf*tokens)
	quotient, _ := bits.Div64(hi, lo, 10*tf*tokens+3*tokens+9*length*documents)
	return max(1, uint32((quotient+1<<(lnBits-1))>>lnBits))
}

// idf is ln(1 + (N − df + ½) / (df + ½)) = ln((2N + 2) / (2df + 1)), in units of 2^−lnBits.
func idf(documents, df uint64) uint64 { return ln(2*documents+2) - ln(2*df+1) }

// lnBits is how many binary places ln has.
const lnBits = 40

// ln is the natural logarithm of n ≥ 1 in units of 2^−lnBits. It is made of integers, because math.Log is assembly on one
// platform and Go on the next and differs in the last bit, while an index must not.
//
// The logarithm to base two comes first: the position of the highest bit, then a binary place for each squaring of the
// mantissa that passes 2.
func ln(n uint64) uint64 {
	whole := bits.Len64(n) - 1
	log2 := uint64(whole) << (lnBits + 8)
	mantissa := n << (63 - whole) // in [1, 2), 63 binary places
	for place := lnBits + 7; place >= 0; place-- {
		hi, lo := bits.Mul64(mantissa, mantissa) // in [1, 4), 126 binary places
		if hi>>63 == 1 {
			log2 |= 1 << place
			mantissa = hi
		} else {
			mantissa = hi<<1 | lo>>63
		}
	}
	const ln2 = 0xb17217f7d1cf79ac // ln 2, 64 binary places
	hi, _ := bits.Mul64(log2, ln2)
	return hi >> 8
}
