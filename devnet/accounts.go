package devnet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"barnraise"
	"barnraise/registry/evm"
)

// accounts are the people of the network, each with a key file of its own.
type accounts struct {
	dir       string
	deployer  *evm.Account
	author    *evm.Account   // of the services
	owners    []*evm.Account // by server
	delegates []*evm.Account // by server
}

// openAccounts reads the key files and makes those that are missing.
func openAccounts(dir string, servers int) (a accounts, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return a, err
	}
	a.dir = dir
	open := func(name string) *evm.Account {
		var account *evm.Account
		if err == nil {
			account, err = openAccount(filepath.Join(dir, name))
		}
		return account
	}
	a.deployer, a.author = open("deployer"), open("author")
	for i := range servers {
		a.owners = append(a.owners, open(fmt.Sprintf("owner-%d", i+1)))
		a.delegates = append(a.delegates, open(fmt.Sprintf("delegate-%d", i+1)))
	}
	return a, err
}

func openAccount(path string) (*evm.Account, error) {
	account, err := evm.ReadAccount(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return account, err
	}
	if account, err = evm.NewAccount(); err != nil {
		return nil, err
	}
	return account, evm.WriteAccount(path, account)
}

// delegate is the key file of server i's delegate.
func (a accounts) delegate(i int) string {
	return filepath.Join(a.dir, fmt.Sprintf("delegate-%d", i+1))
}

// addresses lists all accounts: each has ether from the start.
func (a accounts) addresses() []barnraise.Address {
	list := []barnraise.Address{a.deployer.Address(), a.author.Address()}
	for i := range a.owners {
		list = append(list, a.owners[i].Address(), a.delegates[i].Address())
	}
	return list
}
