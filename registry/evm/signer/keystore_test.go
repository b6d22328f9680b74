package signer

import (
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barnraise/registry/evm"

	geth "github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// The two examples of the Web3 Secret Storage definition: one key, one password, both ways of deriving.
const (
	pbkdf2File = `{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},` +
		`"ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,` +
		`"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},` +
		`"mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}`
	scryptFile = `{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},` +
		`"ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt","kdfparams":{"dklen":32,"n":262144,` +
		`"p":8,"r":1,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},` +
		`"mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}`
	vectorPassword = "testpassword"
	vectorAddress  = "0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b"
)

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "account")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// says is a password, and counts how often it was asked for.
func says(password string, asked *int) Password {
	return func(string) ([]byte, error) { *asked++; return []byte(password), nil }
}

func TestKeystoreVectors(t *testing.T) {
	for name, text := range map[string]string{"pbkdf2": pbkdf2File, "scrypt": scryptFile} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			a, err := Open(write(t, text), says(vectorPassword, &asked))
			if err != nil || a.Address().String() != vectorAddress || asked != 1 {
				t.Fatalf("account %v, %v, asked %d times; want %s and once, for the file does not say whose it is", a, err, asked, vectorAddress)
			}
			if _, err := Open(write(t, text), says("wrong", &asked)); err == nil || !strings.Contains(err.Error(), "the password is wrong") {
				t.Errorf("error is %v, want one about the password", err)
			}
		})
	}
}

// keystoreFile makes a file that is cheap to unlock.
func keystoreFile(t *testing.T, password string) (text string, address common.Address) {
	t.Helper()
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("owner")))
	if err != nil {
		t.Fatal(err)
	}
	k := &geth.Key{Address: crypto.PubkeyToAddress(key.PublicKey), PrivateKey: key}
	b, err := geth.EncryptKey(k, password, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), k.Address
}

// A file of geth's is opened without its password, and asks for it once, when it first signs.
func TestKeystoreIsUnlockedLate(t *testing.T) {
	text, address := keystoreFile(t, "secret")
	asked := 0
	k, err := readKeystore(write(t, text), says("secret", &asked))
	if err != nil || common.Address(k.Address()) != address || asked != 0 {
		t.Fatalf("%v, %v, asked %d times; want %s and never", k, err, asked, address)
	}
	chain := big.NewInt(31337)
	for range 2 {
		tx, err := k.SignTransaction(t.Context(), types.NewTx(&types.DynamicFeeTx{ChainID: chain}), chain)
		if err != nil {
			t.Fatal(err)
		}
		if by, err := types.Sender(types.LatestSignerForChainID(chain), tx); err != nil || by != address {
			t.Errorf("signed by %s, %v; want %s", by, err, address)
		}
	}
	if asked != 1 {
		t.Errorf("asked for the password %d times, want once", asked)
	}
	if _, err := OpenUnlocked(write(t, text), says("wrong", &asked)); err == nil {
		t.Error("a wrong password opens it")
	}
	nobody := func(string) ([]byte, error) { return nil, errors.New("nobody is there") }
	if _, err := OpenUnlocked(write(t, text), nobody); err == nil || !strings.Contains(err.Error(), "nobody is there") {
		t.Errorf("error is %v", err)
	}
	foreign := strings.Replace(text, strings.ToLower(address.Hex()[2:]), strings.Repeat("ab", 20), 1)
	if _, err := OpenUnlocked(write(t, foreign), says("secret", &asked)); err == nil || !strings.Contains(err.Error(), "holds the key of") {
		t.Errorf("error is %v, want one about the address", err)
	}
}

func TestHostileKeystores(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"memory":     {`"n":262144`, `"n":1073741824`, "memory or time"},
		"time":       {`"p":8`, `"p":1048576`, "memory or time"},
		"blocks":     {`"r":1`, `"r":9223372036854775807`, "memory or time"},
		"no n":       {`"n":262144,`, ``, "memory or time"},
		"negative":   {`"n":262144`, `"n":-262144`, "memory or time"},
		"fraction":   {`"n":262144`, `"n":0.5`, "no keystore file"},
		"text":       {`"n":262144`, `"n":"262144"`, "no keystore file"},
		"short key":  {`"dklen":32`, `"dklen":16`, "dklen"},
		"long key":   {`"dklen":32`, `"dklen":1000000000`, "dklen"},
		"salt":       {`"salt":"ab`, `"salt":"zz`, "malformed"},
		"no salt":    {`"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"`, `"salt":null`, "malformed"},
		"iv":         {`"iv":"83dbcc02d8ccb40e466191a123791e0e"`, `"iv":"83"`, "malformed"},
		"cipher":     {`aes-128-ctr`, `aes-128-cbc`, "cipher"},
		"kdf":        {`"kdf":"scrypt"`, `"kdf":"argon2"`, "kdf"},
		"version":    {`"version":3`, `"version":1`, "version 1"},
		"no version": {`,"version":3`, ``, "version 0"},
		"address":    {`"version":3`, `"version":3,"address":"12"`, "address"},
		"cut off":    {`"version":3}`, ``, "no keystore file"},
	} {
		text := strings.Replace(scryptFile, c.old, c.new, 1)
		if text == scryptFile {
			t.Fatalf("%s: nothing is changed", name)
		}
		asked := 0
		_, err := Open(write(t, text), says(vectorPassword, &asked))
		if err == nil || !strings.Contains(err.Error(), c.want) || asked != 0 {
			t.Errorf("%s: error is %v, asked %d times; want one with %q before anybody is asked", name, err, asked, c.want)
		}
	}
	rounds := strings.Replace(pbkdf2File, `"c":262144`, `"c":2147483647`, 1)
	if _, err := Open(write(t, rounds), nil); err == nil || !strings.Contains(err.Error(), "rounds") {
		t.Errorf("error is %v, want one about the rounds", err)
	}
	if _, err := Open(write(t, `{"crypto":`+strings.Repeat(" ", 2*maxFile)+`{}}`), nil); err == nil {
		t.Error("a file of any length is read")
	}
}

func TestForms(t *testing.T) {
	account, err := evm.NewAccount()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := evm.WriteAccount(file, account); err != nil {
		t.Fatal(err)
	}
	text, address := keystoreFile(t, "secret")
	asked := 0
	for named, want := range map[string]string{
		file: account.Address().String(), vectorAddress: vectorAddress, write(t, text): strings.ToLower(address.Hex()),
		"https://user:pw@signer.example:9000/x#" + vectorAddress: vectorAddress, "unix:/run/clef.ipc#" + vectorAddress: vectorAddress,
	} {
		if got, err := Address(named, says("", &asked)); err != nil || got.String() != want || asked != 0 {
			t.Errorf("%s is %s, %v, asked %d times; want %s", named, got, err, asked, want)
		}
	}
	for named, want := range map[string]string{
		vectorAddress: "signs nothing", "https://signer.example": "#0xADDRESS", "https://signer.example#0x12": "no address",
		"https://user:pw@#" + vectorAddress: "https://HOST", "unix:#" + vectorAddress: "unix:/SOCKET", "nowhere": "no such file",
		"http://\x00#" + vectorAddress: "https://HOST", "unix:/x#0x0000000000000000000000000000000000000000": "no address",
	} {
		if _, err := Open(named, nil); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pw") {
			t.Errorf("%q: error is %v, want one with %q, and nothing secret", named, err, want)
		}
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, nil); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("error is %v, want one about who can read the file", err)
	}
}

func FuzzParseKeystore(f *testing.F) {
	f.Add([]byte(pbkdf2File))
	f.Add([]byte(scryptFile))
	f.Add([]byte(`{"version":3,"crypto":{"kdf":"scrypt","kdfparams":{"n":2,"r":1,"p":1,"dklen":32,"salt":"00"}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := parseKeystore(b)
		if err != nil {
			return
		}
		p := k.crypto.KDFParams
		cheap := func(name string, most int) bool { n, ok := p[name].(int); return !ok || n <= most }
		if !cheap("n", 1<<6) || !cheap("r", 8) || !cheap("p", 4) || !cheap("c", 1<<8) {
			return
		}
		k.password = func(string) ([]byte, error) { return nil, nil }
		if key, err := k.unlock(); err == nil && key == nil {
			t.Error("unlocked without a key")
		}
	})
}
