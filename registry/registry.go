// Package registry reads what a network is (network.yaml), says which service a user means, and folds the writes of the two
// registry contracts into services, servers, their commitments and the running hashes (protocol 1).
//
// Folding is pure: events go in as values, with the block they stand in. Package evm fetches them from a chain.
package registry
