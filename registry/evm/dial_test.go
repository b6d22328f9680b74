package evm

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"barnraise/registry"

	"github.com/ethereum/go-ethereum/crypto"
)

// TestDial: the first endpoint that will do is taken; where none does, each is named with its fault and without its secrets.
func TestDial(t *testing.T) {
	chain := newChain(t)
	r := newRegistry(t, chain, testParams)
	n := r.Network()
	broken := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, strings.Repeat("no. ", 1<<16))
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = broken.Serve(l) }()
	defer broken.Close()
	dead := "http://127.0.0.1:1/v3/secret?key=secret"
	forbidding := "http://user:secret@" + l.Addr().String() + "/secret"

	n.RPC = []string{dead, forbidding, chain.URL()}
	over, err := Dial(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	over.Close()

	mutate := func(change func(*registry.Network)) registry.Network {
		n := r.Network()
		change(&n)
		return n
	}
	for _, c := range []struct {
		name    string
		network registry.Network
		want    []string
	}{
		{"all dead", mutate(func(n *registry.Network) { n.RPC = []string{dead, forbidding} }),
			[]string{"http://127.0.0.1:1: eth_chainId: dial tcp", "http://" + l.Addr().String() + ": eth_chainId: 403"}},
		{"another chain", mutate(func(n *registry.Network) { n.Chain = "eip155:1" }),
			[]string{"it is on chain 31337, the network is on chain 1"}},
		{"no contract", mutate(func(n *registry.Network) { n.Servers[0]++ }), []string{"there is no contract at"}},
		{"the other way round", mutate(func(n *registry.Network) { n.Services, n.Servers = n.Servers, n.Services }),
			[]string{"is it the right contract?"}},
		{"no endpoint", mutate(func(n *registry.Network) { n.RPC = nil }), []string{"rpc: want at least one URL"}},
		{"checkpoint", mutate(func(n *registry.Network) { n.Checkpoint = &registry.Checkpoint{Block: 1} }),
			[]string{"the checkpoint of the network file"}},
		{"checkpoint to come", mutate(func(n *registry.Network) { n.Checkpoint = &registry.Checkpoint{Block: 1 << 20} }),
			[]string{"it has no such block"}},
	} {
		_, err := Dial(t.Context(), c.network)
		if err == nil || strings.Contains(err.Error(), "secret") || len(err.Error()) > 2000 {
			t.Errorf("%s: error is %v, want a short one without secrets", c.name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %v, want one with %q", c.name, err, want)
			}
		}
	}
	b, err := blockAt(t.Context(), r.client, number(1))
	if err != nil {
		t.Fatal(err)
	}
	n.Checkpoint = &registry.Checkpoint{Block: 1, Hash: registry.BlockHash(b.Hash)}
	if over, err = Dial(t.Context(), n); err != nil {
		t.Fatalf("with the right checkpoint: %v", err)
	}
	over.Close()
}

// TestAccountFile: a key file is written once, for its owner only, and refused where others could read it.
func TestAccountFile(t *testing.T) {
	file := t.TempDir() + "/account"
	a, err := NewAccount()
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteAccount(file, a); err != nil {
		t.Fatal(err)
	}
	back, err := ReadAccount(file)
	if err != nil || back.Address() != a.Address() {
		t.Fatalf("read %v, %v; want %s", back, err, a)
	}
	if err := WriteAccount(file, a); !errors.Is(err, os.ErrExist) {
		t.Errorf("written twice: error is %v, want ErrExist", err)
	}
	secret := fmt.Sprintf("%x", crypto.FromECDSA(a.key))
	for _, text := range []string{fmt.Sprint(a), fmt.Sprintf("%+v", a), fmt.Sprintf("%#v", a)} {
		if text != a.Address().String() {
			t.Errorf("an account prints as %s", text)
		}
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o610, 0o666} {
		if runtime.GOOS == "windows" {
			break // where a mode says nothing of others
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadAccount(file); err == nil || !strings.Contains(err.Error(), "chmod 600 "+file) {
			t.Errorf("mode %o: error is %v, want a hint", mode, err)
		}
	}
	for content, ok := range map[string]bool{
		secret: true, "0x" + secret + "\n": true, "  " + secret + "\r\n": true,
		"": false, secret[1:]: false, secret + "00": false, strings.Repeat("0", 64): false, strings.Repeat("f", 64): false,
		"g" + secret[1:]: false, strings.Repeat(secret, 100): false,
	} {
		other := t.TempDir() + "/account"
		if err := os.WriteFile(other, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadAccount(other)
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), secret[1:20]) {
			t.Errorf("%d bytes: error is %v, want success %t and no secret in it", len(content), err, ok)
		}
	}
	if _, err := ReadAccount(file + "-not-there"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v, want ErrNotExist", err)
	}
}
