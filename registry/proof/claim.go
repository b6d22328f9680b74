package proof

import (
	"encoding/binary"
	"errors"
	"fmt"

	"barnraise"
	"barnraise/registry"
)

// Contract is what one contract is proven to store.
type Contract struct {
	Log     [32]byte // the running hash
	Count   uint32   // how many records there are
	storage Storage
}

// Open finds a contract in a state, with its count and running hash. It fails with [ErrProof].
func Open(state [32]byte, address barnraise.Address, nodes *Nodes) (c Contract, err error) {
	if c.storage, err = nodes.Storage(state, address); err != nil {
		return c, err
	}
	if c.Log, err = c.storage.Word(logSlot); err != nil {
		return c, err
	}
	count, err := c.storage.Word(countSlot)
	c.Count = binary.BigEndian.Uint32(count[28:])
	return c, err
}

// Commitment is the commitment to a record, zero where it is proven that there is none. It fails with [ErrProof].
func (c Contract) Commitment(id uint32) ([32]byte, error) { return c.storage.Word(CommitmentSlot(id)) }

// Check holds a record's commitment, as it was computed from what somebody says of the record, against the contract's. It
// fails with [ErrAltered], and with [ErrProof] where the proof does not show the one that the contract has.
func (c Contract) Check(id uint32, commitment [32]byte) error {
	stored, err := c.Commitment(id)
	switch {
	case err != nil:
		return fmt.Errorf("prove record %d: %w", id, err)
	case stored == [32]byte{}:
		return fmt.Errorf("record %d is not in the registry: %w", id, ErrAltered)
	case stored != commitment:
		return fmt.Errorf("record %d has commitment %x, the contract stores %x: %w", id, commitment, stored, ErrAltered)
	}
	return nil
}

// Claims are what somebody says of a registry at a block, to be held against its contracts.
type Claims struct {
	Registry barnraise.Registry
	Block    uint64
	Hash     registry.BlockHash
	Services Side
	Servers  Side
}

// Side are the claims about one contract.
type Side struct {
	Log         [32]byte
	Count       uint32
	IDs         []uint32
	Commitments [][32]byte // of those records
}

// ledger is one side of a state.
type ledger interface {
	Log() [32]byte
	Count() uint32
	Commitment(id uint32) ([32]byte, bool)
}

// Claim is what a state says of some records, and of counts and running hashes. It fails with [ErrNoRecord] where it does
// not have one of them.
func Claim(s registry.State, services []barnraise.ServiceID, servers []barnraise.ServerID) (c Claims, err error) {
	c = Claims{Registry: s.Registry, Block: s.Block, Hash: s.Hash}
	if c.Services, err = claim(s.Services, services); err != nil {
		return c, fmt.Errorf("service %w", err)
	}
	if c.Servers, err = claim(s.Servers, servers); err != nil {
		return c, fmt.Errorf("server %w", err)
	}
	return c, nil
}

// ErrNoRecord is the error for a record that the registry does not have.
var ErrNoRecord = errors.New("is not in the registry")

// ClaimAll is what a state says of all records. Held against what the contracts store it shows that none is altered and,
// by the counts, that none is missing.
func ClaimAll(s registry.State) (Claims, error) {
	return Claim(s, upTo[barnraise.ServiceID](s.Services.Count()), upTo[barnraise.ServerID](s.Servers.Count()))
}

func upTo[ID ~uint32](n uint32) []ID {
	list := make([]ID, n)
	for i := range list {
		list[i] = ID(i + 1)
	}
	return list
}

func claim[ID ~uint32](l ledger, ids []ID) (Side, error) {
	s := Side{Log: l.Log(), Count: l.Count()}
	for _, id := range ids {
		commitment, ok := l.Commitment(uint32(id))
		if !ok {
			return s, fmt.Errorf("%d %w", id, ErrNoRecord)
		}
		s.IDs, s.Commitments = append(s.IDs, uint32(id)), append(s.Commitments, commitment)
	}
	return s, nil
}

// Check holds the claims against a state. It fails with [ErrAltered], and with [ErrProof] where the nodes do not show what
// the contracts store.
func (c Claims) Check(state [32]byte, nodes *Nodes) error {
	for _, side := range []struct {
		name    string
		address barnraise.Address
		claims  Side
	}{{"services", c.Registry.Services, c.Services}, {"servers", c.Registry.Servers, c.Servers}} {
		contract, err := Open(state, side.address, nodes)
		if err == nil {
			err = side.claims.check(contract)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", side.name, err)
		}
	}
	return nil
}

func (s Side) check(c Contract) error {
	if s.Count != c.Count || s.Log != c.Log {
		return fmt.Errorf("%d records and running hash %x, the contract stores %d and %x: %w",
			s.Count, s.Log, c.Count, c.Log, ErrAltered)
	}
	for i, id := range s.IDs {
		if err := c.Check(id, s.Commitments[i]); err != nil {
			return err
		}
	}
	return nil
}
