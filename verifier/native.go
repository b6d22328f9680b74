package verifier

import (
	"bytes"
	"slices"

	"barnraise"
	"barnraise/verifiers"
)

// What a verifier that compares bytes surely needs no more of for answers that agree, beside so much for each byte of the input.
const (
	nativeMemory        = 256 << 10 // bytes
	nativeMemoryPerByte = 2
	nativeFuel          = 1_000_000 // units
	nativeFuelPerByte   = 100
)

// comparesBytes reports whether a module is one of package verifiers that accepts the first of answers that are all the same
// bytes, to requests that are.
func comparesBytes(module []byte) bool {
	return slices.ContainsFunc(verifiers.Bytewise(), func(name string) bool {
		m, ok := verifiers.Module(name)
		return ok && bytes.Equal(m, module)
	})
}

// agree is what the module would say of answers of which nothing needs to be judged, and false where it has to be asked.
func (v *Verifier) agree(config []byte, requests, responses [][]byte) (barnraise.Verdict, bool) {
	size := uint64(inputSize(config, requests, responses))
	roomy := v.limits.Memory >= nativeMemoryPerByte*size+nativeMemory && v.limits.Fuel >= nativeFuelPerByte*size+nativeFuel
	if !v.comparesBytes || !roomy || !same(requests) || !same(responses) {
		return barnraise.Verdict{}, false
	}
	return barnraise.Verdict{Status: barnraise.Accepted, Winner: 0, Culprits: []int{}}, true
}

func same(bodies [][]byte) bool {
	return !slices.ContainsFunc(bodies[1:], func(b []byte) bool { return !bytes.Equal(bodies[0], b) })
}
