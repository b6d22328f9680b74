// Package contracts holds the two registry contracts (protocol 1): Solidity in src/, ABI and bytecode in out/, Go bindings
// in packages services and servers. All of it is committed, so that who builds Barnraise needs no Solidity compiler.
//
// After a change in src/:
//
//	npm ci && node build.js
//	go test . -run TestBindings -update
//
// What a commitment and a running hash are made of stands in the contracts, and cannot change once they are deployed.
package contracts
