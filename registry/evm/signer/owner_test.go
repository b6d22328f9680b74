package signer

import (
	"math/big"
	"testing"
	"time"

	"barnraise"
	"barnraise/registry/devchain"
	"barnraise/registry/evm"

	"github.com/ethereum/go-ethereum/crypto"
)

// An owner registers a server, and names its delegate, from a machine that has neither his key nor his password: a signer
// elsewhere has the one, a keystore the other.
func TestOwnerElsewhere(t *testing.T) {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("owner")))
	if err != nil {
		t.Fatal(err)
	}
	owner := barnraise.Address(crypto.PubkeyToAddress(key.PublicKey))
	deployer, err := evm.NewAccount()
	if err != nil {
		t.Fatal(err)
	}
	chain, err := devchain.Start(devchain.Config{Fund: []barnraise.Address{owner, deployer.Address()}})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	n, err := evm.Deploy(t.Context(), chain.RPC(), deployer, evm.Params{
		ServiceDeposit: big.NewInt(1), ServerDeposit: big.NewInt(1), UnlockDelay: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := evm.New(t.Context(), chain.RPC(), n)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	asked := 0
	named := overHTTP(t, func(_ string, q request) (any, int) { asked++; return signed(t, q), 0 })
	elsewhere, err := Open(named[:len(named)-len(vectorAddress)]+owner.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	id, tx, err := r.RegisterServer(t.Context(), elsewhere, evm.Profile{URL: "http://127.0.0.1:8001", Key: barnraise.PublicKey{1}}, nil)
	if err != nil || tx.Block == 0 || asked != 1 {
		t.Fatalf("server %s, %+v, %v, asked %d times", id, tx, err, asked)
	}
	text, _ := keystoreFile(t, "secret")
	times := 0
	kept, err := Open(write(t, text), says("secret", &times))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.SetServerDelegate(t.Context(), kept, id, deployer.Address()); err != nil || times != 1 {
			t.Fatalf("%v, asked for the password %d times", err, times)
		}
	}
	if _, err := r.SetLists(t.Context(), deployer, id, nil, nil, 7); err != nil {
		t.Error(err)
	}
}
