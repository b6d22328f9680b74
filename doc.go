// Package barnraise holds the nouns of a network in which independent servers run each other's off-chain services and
// nobody has to be believed, and the rules that belong to the nouns alone.
//
// A [Service] is a function: the same image and the same request give the same bytes on every honest server. A [Server]
// offers services and says which it would like to see run. A [Snapshot] is the registry of both at one block. A server
// answers with a [Receipt], which is what it can be held to; a verifier says what a set of answers is worth, a [Verdict];
// where a server lied, [Evidence] is the file that anyone can recheck.
//
// The package imports the standard library only and does no input or output: no clock, no network, no disk. Sentences of
// the protocol are quoted by their number (docs/protocol.md).
package barnraise
