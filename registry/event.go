// Package registry reads what a network is (network.yaml), says which service a user means, and folds the writes of the two
// registry contracts into services, servers, their commitments and the running hashes (protocol 1).
//
// Folding is pure: events go in as values, with the block they stand in. Package evm fetches them from a chain.
package registry

import (
	"math/big"

	"barnraise"
)

// The kinds of steps of a running hash: one for each event of the contracts (protocol 1.8).
const (
	kindRegistered           uint8 = 1
	kindOwnershipOffered     uint8 = 2
	kindOwnershipTransferred uint8 = 3
	kindDelegateSet          uint8 = 4
	kindDepositAdded         uint8 = 5
	kindUnregistered         uint8 = 6
	kindWithdrawn            uint8 = 7

	kindPublished uint8 = 16 // services
	kindRevoked   uint8 = 17

	kindURLSet     uint8 = 32 // servers
	kindKeyRotated uint8 = 33
	kindListsSet   uint8 = 34
)

// Block is where an event stands.
type Block struct {
	Number uint64
	Time   int64 // Unix seconds; needed only where [Servers.NeedsTime] says so
}

// Event is one write to a registry contract: one of the types below, each named like the event of the contract that it was
// decoded from. Amounts are in wei. Nothing in it is believed until it is applied.
type Event interface {
	step() (kind uint8, id uint32)
}

// Events of both contracts.
type (
	// OwnershipOffered offers a record to somebody, or with a zero To to nobody.
	OwnershipOffered struct {
		ID uint32
		To barnraise.Address
	}
	// OwnershipTransferred gives a record another owner, and takes its delegate away.
	OwnershipTransferred struct {
		ID       uint32
		From, To barnraise.Address
	}
	// DelegateSet gives a record another delegate, zero for none.
	DelegateSet struct {
		ID       uint32
		Delegate barnraise.Address
	}
	// DepositAdded raises a deposit to a new total.
	DepositAdded struct {
		ID      uint32
		Deposit *big.Int
	}
	// Unregistered makes a record leave; its deposit can be withdrawn from the time on, in Unix seconds.
	Unregistered struct {
		ID       uint32
		UnlockAt uint64
	}
	// Withdrawn pays a deposit back and ends the record.
	Withdrawn struct {
		ID     uint32
		To     barnraise.Address
		Amount *big.Int
	}
)

// Events of services.
type (
	// ServiceRegistered opens a record. Its first revision follows.
	ServiceRegistered struct {
		ID      uint32
		Owner   barnraise.Address
		Name    string
		Deposit *big.Int
	}
	// RevisionPublished adds a revision. Verifier and Manifest are the CIDs as the contract holds them, in binary.
	RevisionPublished struct {
		ID, Number uint32
		Image      barnraise.Digest
		Reference  string
		Verifier   []byte
		Manifest   []byte
		Home       uint32
		ActiveFrom uint64
	}
	// RevisionRevoked revokes a revision for good.
	RevisionRevoked struct {
		ID, Number uint32
		Reason     string
	}
)

// Events of servers.
type (
	// ServerRegistered opens a record. Its URL, key and lists follow.
	ServerRegistered struct {
		ID      uint32
		Owner   barnraise.Address
		Deposit *big.Int
	}
	// URLSet says where the server is reached.
	URLSet struct {
		ID  uint32
		URL string
	}
	// KeyRotated gives the server another key, of which nothing is known yet but that it is not zero.
	KeyRotated struct {
		ID  uint32
		Key [32]byte
	}
	// ListsSet says what the server offers, wishes and can take.
	ListsSet struct {
		ID       uint32
		Offers   []barnraise.ServiceID
		Rewards  []barnraise.ServiceID
		Capacity uint32
	}
)

func (e OwnershipOffered) step() (uint8, uint32)     { return kindOwnershipOffered, e.ID }
func (e OwnershipTransferred) step() (uint8, uint32) { return kindOwnershipTransferred, e.ID }
func (e DelegateSet) step() (uint8, uint32)          { return kindDelegateSet, e.ID }
func (e DepositAdded) step() (uint8, uint32)         { return kindDepositAdded, e.ID }
func (e Unregistered) step() (uint8, uint32)         { return kindUnregistered, e.ID }
func (e Withdrawn) step() (uint8, uint32)            { return kindWithdrawn, e.ID }
func (e ServiceRegistered) step() (uint8, uint32)    { return kindRegistered, e.ID }
func (e RevisionPublished) step() (uint8, uint32)    { return kindPublished, e.ID }
func (e RevisionRevoked) step() (uint8, uint32)      { return kindRevoked, e.ID }
func (e ServerRegistered) step() (uint8, uint32)     { return kindRegistered, e.ID }
func (e URLSet) step() (uint8, uint32)               { return kindURLSet, e.ID }
func (e KeyRotated) step() (uint8, uint32)           { return kindKeyRotated, e.ID }
func (e ListsSet) step() (uint8, uint32)             { return kindListsSet, e.ID }
