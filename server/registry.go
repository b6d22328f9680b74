package server

import (
	"context"
	"errors"

	"barnraise"
	"barnraise/registry/evm"
)

// ErrReadOnly is the error for a write by a server that has no account.
var ErrReadOnly = errors.New("this server has no account to write to the registry with")

// chain is the registry through an EVM endpoint.
type chain struct {
	*evm.Registry
	account *evm.Account
}

// OnChain reads the registry through r and sets lists by the account, which may be nil. The registry stays the caller's to
// close.
func OnChain(r *evm.Registry, account *evm.Account) Registry { return chain{r, account} }

func (c chain) SetLists(ctx context.Context, id barnraise.ServerID, offers, rewards []barnraise.ServiceID, capacity uint32) error {
	if c.account == nil {
		return ErrReadOnly
	}
	_, err := c.Registry.SetLists(ctx, c.account, id, offers, rewards, capacity)
	return err
}
