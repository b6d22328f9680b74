// Package verifiers holds the ready-made verifiers (protocol 5): compiled, with their sources beside them, and what somebody
// who writes one of his own begins with. README.md says what each of them promises and how it is configured.
//
//   - compare: answers are right if they are the same bytes. It asks two servers at least.
//   - hash-target: an answer is right if its nonce makes a hash small enough. One answer proves itself.
//   - json: answers are right if they are the same JSON values, save for what the configuration tolerates; [Unverified] says
//     which members of an answer that is. It asks two servers at least.
//   - spot: compare, content with one answer; the two modules differ in one byte. What the caller checks now and then, and with
//     whom, the server cannot know.
//
// Only hash-target names culprits: it alone sees of an answer by itself that it is wrong. Where two answers differ, neither
// says who is wrong, and a majority is no proof.
package verifiers

import (
	"embed"
	"maps"
	"slices"

	"barnraise"
)

//go:embed compare.wasm
var compare []byte

//go:embed hash-target.wasm
var hashTarget []byte

//go:embed json.wasm
var jsonValues []byte

//go:embed spot.wasm
var spot []byte

// Assembly has the directory assembly: what verifiers in AssemblyScript are written against.
//
//go:embed assembly
var Assembly embed.FS

func modules() map[string][]byte {
	return map[string][]byte{"compare": compare, "hash-target": hashTarget, "json": jsonValues, "spot": spot}
}

// Names lists the verifiers, in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(cids)) }

// Bytewise lists the verifiers that compare bytes, in alphabetical order: answers that are all the same bytes, to requests that
// are, they accept, the first as the winner, whatever the configuration. Of no other verifier can that be known without it.
func Bytewise() []string { return []string{"compare", "spot"} }

// Module is the verifier of that name, a copy, and false where there is none.
func Module(name string) ([]byte, bool) {
	m, ok := modules()[name]
	return slices.Clone(m), ok
}

// CIDs gives the CID of each verifier by its name, a copy.
func CIDs() map[string]barnraise.CID { return maps.Clone(cids) }
