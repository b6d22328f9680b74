// Package services binds the ServiceRegistry contract (protocol 1.2 to 1.4): it packs calls and unpacks results, events and
// errors, without any input or output of its own. All but this comment is generated, see package contracts.
package services
