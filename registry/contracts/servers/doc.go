// Package servers binds the ServerRegistry contract (protocol 1.5): it packs calls and unpacks results, events and errors,
// without any input or output of its own. All but this comment is generated, see package contracts.
package servers
