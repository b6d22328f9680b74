package registry

import (
	"math/big"

	"barnraise"
)

// The kinds of steps of a running hash: one for each event of the contracts (protocol 1.8).
const (
	KindRegistered           uint8 = 1
	KindOwnershipOffered     uint8 = 2
	KindOwnershipTransferred uint8 = 3
	KindDelegateSet          uint8 = 4
	KindDepositAdded         uint8 = 5
	KindUnregistered         uint8 = 6
	KindWithdrawn            uint8 = 7

	KindPublished uint8 = 16 // services
	KindRevoked   uint8 = 17

	KindURLSet     uint8 = 32 // servers
	KindKeyRotated uint8 = 33
	KindListsSet   uint8 = 34
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

func (e OwnershipOffered) step() (uint8, uint32)     { return KindOwnershipOffered, e.ID }
func (e OwnershipTransferred) step() (uint8, uint32) { return KindOwnershipTransferred, e.ID }
func (e DelegateSet) step() (uint8, uint32)          { return KindDelegateSet, e.ID }
func (e DepositAdded) step() (uint8, uint32)         { return KindDepositAdded, e.ID }
func (e Unregistered) step() (uint8, uint32)         { return KindUnregistered, e.ID }
func (e Withdrawn) step() (uint8, uint32)            { return KindWithdrawn, e.ID }
func (e ServiceRegistered) step() (uint8, uint32)    { return KindRegistered, e.ID }
func (e RevisionPublished) step() (uint8, uint32)    { return KindPublished, e.ID }
func (e RevisionRevoked) step() (uint8, uint32)      { return KindRevoked, e.ID }
func (e ServerRegistered) step() (uint8, uint32)     { return KindRegistered, e.ID }
func (e URLSet) step() (uint8, uint32)               { return KindURLSet, e.ID }
func (e KeyRotated) step() (uint8, uint32)           { return KindKeyRotated, e.ID }
func (e ListsSet) step() (uint8, uint32)             { return KindListsSet, e.ID }
