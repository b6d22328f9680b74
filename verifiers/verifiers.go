// Package verifiers holds the ready-made verifiers (protocol 5): compiled, with their sources beside them. They are written in
// AssemblyScript; what a verifier's author writes against stands in assembly/.
//
//   - compare: answers are right if they are the same bytes. It asks two servers at least.
//   - spot: the same verifier, content with one answer; the two modules differ in one byte. What the caller checks now and
//     then, and with whom, the server cannot know.
//
// Neither ever names a culprit: bytes that differ do not say who is wrong, and a majority is no proof.
package verifiers

import (
	_ "embed"
	"slices"
)

//go:embed compare.wasm
var compare []byte

//go:embed spot.wasm
var spot []byte

// Names lists the verifiers there are, in alphabetical order.
func Names() []string { return []string{"compare", "spot"} }

// Module is the verifier of that name, a copy, and false where there is none.
func Module(name string) ([]byte, bool) {
	switch name {
	case "compare":
		return slices.Clone(compare), true
	case "spot":
		return slices.Clone(spot), true
	}
	return nil, false
}
