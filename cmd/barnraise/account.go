package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"barnraise/registry/evm"
	"barnraise/registry/evm/signer"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// accountFlags name the account that writes, and whether it only tries to.
type accountFlags struct {
	named, password string
	dry             bool
}

func (f *accountFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.named, "account", "", "the account that signs: "+signer.Forms+"; with --dry-run also its address alone")
	c.Flags().StringVar(&f.password, "password-file", "", "file with the password of a keystore account, readable by its owner alone; else it is asked for")
	c.Flags().BoolVar(&f.dry, "dry-run", false, "say what would be sent and what it would cost, and send nothing")
}

func (f *accountFlags) check() error {
	if f.named == "" {
		return fmt.Errorf("%w: name the account that signs with --account KEYFILE", errUsage)
	}
	return nil
}

// shown is how the account was named, for a hint; a signer's URL may hold a password.
func (f *accountFlags) shown() string {
	if !signer.IsFile(f.named) {
		return "ACCOUNT"
	}
	return f.named
}

// open opens the account, for a dry run without what could sign.
func (f *accountFlags) open(a *app) (*evm.Account, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if !f.dry {
		return signer.Open(f.named, a.password(f.password))
	}
	address, err := signer.Address(f.named, a.password(f.password))
	if err != nil {
		return nil, err
	}
	return evm.Rehearse(address), nil
}

// maxPassword bounds a password, in bytes.
const maxPassword = 4 << 10

// password reads the password of an account's file from another file, or else asks for it at the terminal.
func (a *app) password(file string) signer.Password {
	if file != "" {
		return func(string) ([]byte, error) { return readPassword(file) }
	}
	return func(account string) ([]byte, error) {
		terminal := int(os.Stdin.Fd())
		if !term.IsTerminal(terminal) {
			return nil, fmt.Errorf("%s wants a password, and nobody can be asked: name a file that holds it with --password-file, "+
				"or for a server as account_password in server.yaml", account)
		}
		fmt.Fprintf(a.talk, "password of %s: ", account)
		password, err := term.ReadPassword(terminal)
		a.say("")
		if err != nil {
			return nil, fmt.Errorf("read password: %w", err)
		}
		return password, nil
	}
}

// readPassword is the first line of a file.
func readPassword(file string) ([]byte, error) {
	b, err := evm.ReadSecret(file, maxPassword)
	if err != nil {
		return nil, fmt.Errorf("read password: %w", err)
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// freshDelegate opens the account of a server's delegate beside the server's key, and makes it where there is none.
func freshDelegate(keyFile string) (file string, account *evm.Account, err error) {
	file = delegateFile(keyFile)
	account, err = evm.ReadAccount(file)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return file, account, err
	}
	if account, err = evm.NewAccount(); err != nil {
		return file, nil, err
	}
	return file, account, evm.WriteAccount(file, account)
}

// delegateFile is where the key of a server's delegate lies: key.pem has key.delegate beside it.
func delegateFile(keyFile string) string {
	return keyFile[:len(keyFile)-len(filepath.Ext(keyFile))] + ".delegate"
}
