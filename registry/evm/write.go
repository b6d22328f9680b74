package evm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/contracts/services"

	"github.com/ethereum/go-ethereum/common"
)

// Params are the constants of the registry's deployment. They are the caller's own.
func (r *Registry) Params() Params {
	p := r.params
	p.ServiceDeposit, p.ServerDeposit = new(big.Int).Set(p.ServiceDeposit), new(big.Int).Set(p.ServerDeposit)
	return p
}

// Profile is what a server registers of itself.
type Profile struct {
	URL      string
	Key      barnraise.PublicKey
	Offers   []barnraise.ServiceID // ascending
	Rewards  []barnraise.ServiceID // ascending
	Capacity uint32                // units
}

// RegisterService registers a service with its first revision, which is active at once; of the revision, Number and
// ActiveFrom count for nothing. Without a deposit the least one is sent. Where the contract refuses, the error is a [Revert].
func (r *Registry) RegisterService(
	ctx context.Context, a *Account, name string, revision barnraise.Revision, deposit *big.Int,
) (barnraise.ServiceID, Tx, error) {
	packed, err := pack(revision)
	if err != nil {
		return 0, Tx{}, fmt.Errorf("register service %.60q: %w", name, err)
	}
	if deposit == nil {
		deposit = r.params.ServiceDeposit
	}
	call := r.contracts.service.PackRegister(name, packed)
	event, tx, err := write[registry.ServiceRegistered](ctx, r, a, r.contracts.services, deposit, call)
	if err != nil {
		return 0, tx, fmt.Errorf("register service %.60q: %w", name, err)
	}
	return barnraise.ServiceID(event.ID), tx, nil
}

// Publish publishes another revision and returns its number. The revision's own Number counts for nothing; an ActiveFrom of
// zero is as soon as the grace allows. Owner only. Where the contract refuses, the error is a [Revert].
func (r *Registry) Publish(
	ctx context.Context, a *Account, id barnraise.ServiceID, revision barnraise.Revision,
) (number uint32, tx Tx, err error) {
	packed, err := pack(revision)
	if err != nil {
		return 0, Tx{}, fmt.Errorf("publish revision of service %s: %w", id, err)
	}
	call := r.contracts.service.PackPublish(uint32(id), packed, revision.ActiveFrom)
	event, tx, err := write[registry.RevisionPublished](ctx, r, a, r.contracts.services, nil, call)
	if err != nil {
		return 0, tx, fmt.Errorf("publish revision of service %s: %w", id, err)
	}
	return event.Number, tx, nil
}

// RegisterServer registers a server. Without a deposit the least one is sent. Where the contract refuses, the error is a
// [Revert].
func (r *Registry) RegisterServer(
	ctx context.Context, a *Account, p Profile, deposit *big.Int,
) (barnraise.ServerID, Tx, error) {
	if deposit == nil {
		deposit = r.params.ServerDeposit
	}
	call := r.contracts.server.PackRegister(p.URL, p.Key, numbers(p.Offers), numbers(p.Rewards), p.Capacity)
	event, tx, err := write[registry.ServerRegistered](ctx, r, a, r.contracts.servers, deposit, call)
	if err != nil {
		return 0, tx, fmt.Errorf("register server: %w", err)
	}
	return barnraise.ServerID(event.ID), tx, nil
}

// SetLists says what a server offers, wishes and can take. Owner or delegate. Where the contract refuses, the error is a
// [Revert]; where rewards changed too lately, its field "earliest" is the block from which they can again.
func (r *Registry) SetLists(
	ctx context.Context, a *Account, id barnraise.ServerID, offers, rewards []barnraise.ServiceID, capacity uint32,
) (Tx, error) {
	call := r.contracts.server.PackSetLists(uint32(id), numbers(offers), numbers(rewards), capacity)
	_, tx, err := write[registry.ListsSet](ctx, r, a, r.contracts.servers, nil, call)
	if err != nil {
		return tx, fmt.Errorf("set lists of server %s: %w", id, err)
	}
	return tx, nil
}

// SetURL says where a server is reached. Owner only. Where the contract refuses, the error is a [Revert].
func (r *Registry) SetURL(ctx context.Context, a *Account, id barnraise.ServerID, url string) (Tx, error) {
	_, tx, err := write[registry.URLSet](ctx, r, a, r.contracts.servers, nil, r.contracts.server.PackSetUrl(uint32(id), url))
	if err != nil {
		return tx, fmt.Errorf("set URL of server %s: %w", id, err)
	}
	return tx, nil
}

// RotateKey gives a server another key. Receipts under the one before hold for one grace more (protocol 4.2). Owner only. Where
// the contract refuses, the error is a [Revert].
func (r *Registry) RotateKey(ctx context.Context, a *Account, id barnraise.ServerID, key barnraise.PublicKey) (Tx, error) {
	call := r.contracts.server.PackRotateKey(uint32(id), key)
	_, tx, err := write[registry.KeyRotated](ctx, r, a, r.contracts.servers, nil, call)
	if err != nil {
		return tx, fmt.Errorf("rotate key of server %s: %w", id, err)
	}
	return tx, nil
}

// LeaveServer takes a server out of the registry at once, and returns from when on its deposit can be withdrawn, which is zero
// in a rehearsal. Owner only. Where the contract refuses, the error is a [Revert].
func (r *Registry) LeaveServer(ctx context.Context, a *Account, id barnraise.ServerID) (unlock time.Time, tx Tx, err error) {
	if unlock, tx, err = r.leave(ctx, a, r.contracts.servers, uint32(id)); err != nil {
		err = fmt.Errorf("leave with server %s: %w", id, err)
	}
	return unlock, tx, err
}

// LeaveService takes a service with all its revisions out of the registry at once. It is otherwise as [Registry.LeaveServer].
func (r *Registry) LeaveService(ctx context.Context, a *Account, id barnraise.ServiceID) (unlock time.Time, tx Tx, err error) {
	if unlock, tx, err = r.leave(ctx, a, r.contracts.services, uint32(id)); err != nil {
		err = fmt.Errorf("leave with service %s: %w", id, err)
	}
	return unlock, tx, err
}

func (r *Registry) leave(ctx context.Context, a *Account, contract common.Address, id uint32) (unlock time.Time, tx Tx, err error) {
	call := r.contracts.server.PackUnregister(id) // both contracts have it
	event, tx, err := write[registry.Unregistered](ctx, r, a, contract, nil, call)
	if err == nil && event.UnlockAt > 0 {
		unlock = time.Unix(int64(min(event.UnlockAt, 1<<40)), 0)
	}
	return unlock, tx, err
}

// WithdrawServer pays the deposit of a server that left back to its owner, and ends the record; it returns the amount in wei,
// nil in a rehearsal. Owner only. Where the contract refuses, the error is a [Revert], whose field "unlockAt" says from which
// time on, in Unix seconds, it will not.
func (r *Registry) WithdrawServer(ctx context.Context, a *Account, id barnraise.ServerID) (amount *big.Int, tx Tx, err error) {
	if amount, tx, err = r.withdraw(ctx, a, r.contracts.servers, uint32(id)); err != nil {
		err = fmt.Errorf("withdraw deposit of server %s: %w", id, err)
	}
	return amount, tx, err
}

// WithdrawService pays the deposit of a service that left back to its owner. It is otherwise as [Registry.WithdrawServer].
func (r *Registry) WithdrawService(ctx context.Context, a *Account, id barnraise.ServiceID) (amount *big.Int, tx Tx, err error) {
	if amount, tx, err = r.withdraw(ctx, a, r.contracts.services, uint32(id)); err != nil {
		err = fmt.Errorf("withdraw deposit of service %s: %w", id, err)
	}
	return amount, tx, err
}

func (r *Registry) withdraw(ctx context.Context, a *Account, contract common.Address, id uint32) (amount *big.Int, tx Tx, err error) {
	call := r.contracts.server.PackWithdraw(id) // both contracts have it
	event, tx, err := write[registry.Withdrawn](ctx, r, a, contract, nil, call)
	return event.Amount, tx, err
}

// Revoke revokes a revision at once and for good, with a reason of at most 128 bytes that everybody reads. Owner or delegate.
// Where the contract refuses, the error is a [Revert].
func (r *Registry) Revoke(ctx context.Context, a *Account, id barnraise.ServiceID, number uint32, reason string) (Tx, error) {
	call := r.contracts.service.PackRevoke(uint32(id), number, reason)
	_, tx, err := write[registry.RevisionRevoked](ctx, r, a, r.contracts.services, nil, call)
	if err != nil {
		return tx, fmt.Errorf("revoke revision %d of service %s: %w", number, id, err)
	}
	return tx, nil
}

// SetServerDelegate lets another account set a server's lists; the zero address lets nobody. Owner only. Where the contract
// refuses, the error is a [Revert].
func (r *Registry) SetServerDelegate(
	ctx context.Context, a *Account, id barnraise.ServerID, to barnraise.Address,
) (Tx, error) {
	return r.setDelegate(ctx, a, r.contracts.servers, uint32(id), to)
}

// SetServiceDelegate lets another account revoke a service's revisions; the zero address lets nobody. Owner only. Where the
// contract refuses, the error is a [Revert].
func (r *Registry) SetServiceDelegate(
	ctx context.Context, a *Account, id barnraise.ServiceID, to barnraise.Address,
) (Tx, error) {
	return r.setDelegate(ctx, a, r.contracts.services, uint32(id), to)
}

func (r *Registry) setDelegate(
	ctx context.Context, a *Account, contract common.Address, id uint32, to barnraise.Address,
) (Tx, error) {
	call := r.contracts.service.PackSetDelegate(id, common.Address(to)) // both contracts have it
	_, tx, err := write[registry.DelegateSet](ctx, r, a, contract, nil, call)
	if err != nil {
		return tx, fmt.Errorf("set delegate: %w", err)
	}
	return tx, nil
}

// write sends a call to a contract and returns the event that it left.
func write[E registry.Event](
	ctx context.Context, r *Registry, a *Account, contract common.Address, value *big.Int, call []byte,
) (E, Tx, error) {
	var none E
	if value == nil {
		value = new(big.Int)
	}
	tx, receipt, err := r.sender().send(ctx, a, &contract, value, call)
	if err != nil {
		return none, tx, err
	}
	if tx.Draft != nil {
		return foreseen[E](receipt.output), tx, nil
	}
	for i := range receipt.Logs {
		if receipt.Logs[i].Address != contract {
			continue
		}
		event, err := r.contracts.decode(&receipt.Logs[i])
		if err != nil {
			return none, tx, err
		}
		if wanted, ok := event.(E); ok {
			return wanted, tx, nil
		}
	}
	return none, tx, errors.New("the receipt has no event of it: does the endpoint lie?")
}

// foreseen is the event that a rehearsed call would leave, as far as what it returns tells.
func foreseen[E registry.Event](output []byte) (event E) {
	number := uint32(0)
	if len(output) == 32 {
		number = binary.BigEndian.Uint32(output[28:])
	}
	switch e := any(&event).(type) {
	case *registry.ServiceRegistered:
		e.ID = number
	case *registry.ServerRegistered:
		e.ID = number
	case *registry.RevisionPublished:
		e.Number = number
	}
	return event
}

func (r *Registry) sender() sender {
	return sender{client: r.current(), chainID: r.chainID, explain: r.contracts.explain}
}

// pack makes a revision what the contract takes.
func pack(v barnraise.Revision) (packed services.ServiceRegistryRevision, err error) {
	packed = services.ServiceRegistryRevision{Image: v.Image, Ref: v.Reference, Home: uint32(v.Home)}
	if packed.Verifier, err = registry.CIDBytes(v.Verifier); err != nil {
		return packed, fmt.Errorf("verifier: %w", err)
	}
	if packed.Manifest, err = registry.CIDBytes(v.Manifest); err != nil {
		return packed, fmt.Errorf("manifest: %w", err)
	}
	return packed, nil
}
