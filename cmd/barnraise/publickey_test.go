package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barnraise"
	"barnraise/server"
)

// A server's key may be named by its public half alone, in each form that people have it in; what only looks like one is no file
// that is made.
func TestKeyByItsPublicHalf(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	encoded := func(name string, key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return file(name, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	own := filepath.Join(dir, "own.pem")
	made, err := server.EnsureKey(own)
	if err != nil {
		t.Fatal(err)
	}
	want := barnraise.PublicKey(made.Public().(ed25519.PublicKey))
	rsa := "-----BEGIN PUBLIC KEY-----\nMDwwDQYJKoZIhvcNAQEBBQADKwAwKAIhAMY=\n-----END PUBLIC KEY-----\n"
	for _, c := range []struct {
		name, key string
		private   bool
		fails     string
	}{
		{"private file", own, true, ""},
		{"base64url", want.String(), false, ""},
		{"file of base64url", file("own.txt", []byte(want.String()+"\n")), false, ""},
		{"public PEM", encoded("own.pub", made.Public()), false, ""},
		{"a character short", want.String()[:42], false, "neither a file nor a key"},
		{"a weak key", strings.Repeat("A", 43), false, "small order"},
		{"a weak key's file", file("weak.txt", []byte(strings.Repeat("A", 43))), false, "small order"},
		{"a weak key's PEM", encoded("weak.pub", ed25519.PublicKey(make([]byte, 32))), false, "small order"},
		{"damaged PEM", file("rsa.pub", []byte(rsa)), false, "rsa.pub"},
		{"no key at all", file("some.txt", []byte("hello")), true, "some.txt"},
		{"too long", file("long.txt", make([]byte, maxKeyFile+1)), true, "long.txt"},
	} {
		p := profile{key: c.key}
		key, private, err := p.publicKey(false)
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: error %v, want one about %q", c.name, err, c.fails)
			}
		} else if err != nil || key != want || private != c.private {
			t.Errorf("%s: %s, private %t, %v", c.name, key, private, err)
		}
	}
	fresh := filepath.Join(dir, "fresh.pem")
	p := profile{key: fresh}
	if _, private, err := p.publicKey(true); err != nil || !private {
		t.Errorf("a dry run: %t, %v", private, err)
	}
	if _, err := os.Stat(fresh); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a dry run made a key, %v", err)
	}
	if _, private, err := p.publicKey(false); err != nil || !private {
		t.Errorf("a missing file: %t, %v", private, err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error(err)
	}
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rotateByPublicKey(t, barnraise.PublicKey(public))
}

// rotateByPublicKey gives a server a key of which the owner has the public half alone.
func rotateByPublicKey(t *testing.T, key barnraise.PublicKey) {
	t.Helper()
	l := newLedger(t)
	l.takes.Store(100)
	register := []string{"servers", "register", "--url", "http://127.0.0.1:1", "--key", key.String(), "--account", l.account}
	_, talk := say(t, exitUsage, register...)
	has(t, talk, "--delegate", "--no-delegate")
	say(t, 0, append(register, "--no-delegate")...)
	set := []string{"servers", "set", "1", "--account", l.account, "--key"}
	_, talk = say(t, exitFailed, append(set, key.String())...)
	has(t, talk, "server 1 has that key already")
	own := filepath.Join(t.TempDir(), "next.pem")
	_, talk = say(t, 0, append(set, own)...)
	has(t, talk, "next: {key: "+own+"}", "without a restart", "hold for 0 blocks more")
	out, talk := say(t, 0, append(set, key.String())...)
	has(t, out, "key "+key.String())
	has(t, talk, "next: {key: FILE}", "hold for 0 blocks more")
}
