package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"barnraise"
	"barnraise/image"
	"barnraise/registry"
	"barnraise/registry/evm"
)

// say runs a command and returns what it prints, and what it says.
func say(t *testing.T, want int, args ...string) (out, talk string) {
	t.Helper()
	var o, s strings.Builder
	if code := run(t.Context(), args, &o, &s); code != want {
		t.Fatalf("barnraise %s: exit code %d, want %d; it prints %q and says %q", strings.Join(args, " "), code, want, o.String(), s.String())
	}
	return o.String(), s.String()
}

// has reports what of a text is missing.
func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
}

// Every error of both contracts comes with what to do about it.
func TestEveryRefusalHasARemedy(t *testing.T) {
	sources, err := filepath.Glob("../../registry/contracts/src/*.sol")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range sources {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\s*error (\w+)\(`).FindAllStringSubmatch(string(b), -1) {
			seen++
			for _, record := range []string{"service", "server"} {
				err := remedied(fmt.Errorf("do: %w", &evm.Revert{Name: m[1], Record: record, Fields: map[string]any{"field": "url", "status": uint8(3)}}))
				if words, hint, ok := strings.Cut(err.Error(), "; "); !ok || hint == "" || strings.Contains(hint, "%!") {
					t.Errorf("%s of a %s: %q and then %q", m[1], record, words, hint)
				}
			}
		}
	}
	if seen < 18 {
		t.Errorf("only %d errors were found", seen)
	}
	if err := remedied(&evm.Revert{Name: "Unheard"}); strings.Contains(err.Error(), ";") {
		t.Errorf("an unknown error comes with %q", err)
	}
}

// A dry run says in words and as JSON what would be sent, sends nothing, makes no file, and needs no key.
func TestDryRunSendsNothing(t *testing.T) {
	l := newLedger(t)
	account, err := evm.ReadAccount(l.account)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "key.pem")
	register := []string{"servers", "register", "--url", "http://127.0.0.1:1", "--key", key, "--dry-run", "--account", account.Address().String()}
	out, _ := say(t, 0, register...)
	has(t, out, "nothing was sent; this would be:", "register: transaction 2 of 0x", "with 0.000000000000000001", "gas for 0.000", "at most 0.000",
		"set delegate: once what comes before it is in a block", "delegateFile "+strings.TrimSuffix(key, ".pem")+".delegate")
	out, _ = say(t, 0, append(register, "--json")...)
	var w struct {
		DryRun       bool       `json:"dryRun"`
		ID           int        `json:"id"`
		Gas          uint64     `json:"gas"`
		Transaction  string     `json:"transaction"`
		Transactions []txResult `json:"transactions"`
	}
	if err := json.Unmarshal([]byte(out), &w); err != nil || !w.DryRun || w.ID != 1 || w.Gas < 100_000 || w.Transaction != "" || len(w.Transactions) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	if s := w.Transactions[0].Would; s == nil || s.Value != "0.000000000000000001" || len(s.Data) < 200 || s.To == "" || s.MostFee == "" {
		t.Errorf("it would send %+v", s)
	}
	for _, file := range []string{key, delegateFile(key)} {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s was made", file)
		}
	}
	if out, _ = say(t, 0, "servers", "list", "--json"); out != "[]\n" {
		t.Errorf("something was sent: %s", out)
	}
	_, talk := say(t, exitFailed, append(register, "--deposit", "0")...)
	has(t, talk, "this registry asks a deposit of 0.000000000000000001, you sent 0; add `--deposit 0.000000000000000001`")
	_, talk = say(t, exitFailed, "servers", "register", "--url", "http://127.0.0.1:1", "--key", key, "--account", account.Address().String())
	has(t, talk, "an address alone signs nothing")
}

// The life of a server: owned by one account, announced by another; changed, left, and its deposit back.
func TestServersLive(t *testing.T) {
	l := newLedger(t)
	dir := t.TempDir()
	l.takes.Store(100)
	key := filepath.Join(dir, "key.pem")
	out, talk := say(t, 0, "servers", "register", "--url", "http://127.0.0.1:1", "--key", key, "--capacity", "2", "--account", l.account)
	delegate, err := evm.ReadAccount(filepath.Join(dir, "key.delegate"))
	if err != nil {
		t.Fatal(err)
	}
	has(t, out, "id 1", "delegate "+delegate.Address().String(), "delegateFile "+filepath.Join(dir, "key.delegate"))
	has(t, talk, "whose key it does not need", "account: "+filepath.Join(dir, "key.delegate"), "send some of the chain's coin to 0x", "gas for 0.00")
	if out, _ = say(t, 0, "servers", "show", "1", "--json"); !strings.Contains(out, `"delegate":"`+delegate.Address().String()) {
		t.Errorf("the server is %s", out)
	}
	_, talk = say(t, exitFailed, "servers", "register", "--url", "http://127.0.0.1:2", "--key", key, "--account", l.account)
	has(t, talk, "announces for server 1 already")
	say(t, exitUsage, "servers", "register", "--url", "http://127.0.0.1:2", "--key", key, "--account", l.account, "--no-delegate", "--delegate", "0x00000000000000000000000000000000000000de")
	out, _ = say(t, 0, "servers", "register", "--url", "http://127.0.0.1:2", "--key", filepath.Join(dir, "two.pem"), "--account", l.account, "--no-delegate")
	if strings.Contains(out, "delegate") {
		t.Errorf("a delegate was made: %s", out)
	}
	before, _ := say(t, 0, "servers", "show", "1", "--json")
	_, talk = say(t, exitFailed, "servers", "set", "1", "--key", key, "--account", l.account)
	has(t, talk, "has the key of")
	_, talk = say(t, 0, "servers", "set", "1", "--key", filepath.Join(dir, "next.pem"), "--account", l.account)
	has(t, talk, "rotate key: transaction 0x", "hold for 0 blocks more")
	if after, _ := say(t, 0, "servers", "show", "1", "--json"); after == before {
		t.Error("the key is as it was")
	}
	_, talk = say(t, exitFailed, "servers", "withdraw", "1", "--account", l.account)
	has(t, talk, "server 1 is active, and has not left; it has to leave first, with: barnraise servers leave 1")
	say(t, exitUsage, "servers", "leave", "x", "--account", l.account)
	_, talk = say(t, 0, "servers", "leave", "1", "--account", l.account, "--dry-run")
	has(t, talk, "its deposit could be withdrawn")
	out, talk = say(t, 0, "servers", "leave", "1", "--account", l.account)
	has(t, out, "unlock 20")
	shown, _ := say(t, 0, "servers", "show", "1")
	has(t, shown, "status   leaving", "deposit  0.000000000000000001, to be withdrawn from 20")
	has(t, talk, "server 1 has left; its deposit can be withdrawn from 20", "barnraise servers withdraw 1")
	_, talk = say(t, exitFailed, "servers", "set", "1", "--capacity", "3", "--account", l.account)
	has(t, talk, "server 1 is leaving", "register another with: barnraise servers register")
	out, _ = say(t, 0, "servers", "withdraw", "1", "--account", l.account)
	has(t, out, "amount 0.000000000000000001")
	shown, _ = say(t, 0, "servers", "show", "1")
	has(t, shown, "status   gone", "deposit  0\n", "delegate "+registry.Checksum(delegate.Address()))
	shown, _ = say(t, 0, "servers", "show", "2", "--json")
	if has(t, shown, `"deposit":"1"`); strings.Contains(shown, "unlockAt") {
		t.Errorf("a server that has not left is %s", shown)
	}
	_, talk = say(t, exitFailed, "servers", "leave", "7", "--account", l.account)
	has(t, talk, "there is no server 7; see: barnraise servers list")
}

// A registry is made with one command and looked at with another.
func TestNetworkDeployAndShow(t *testing.T) {
	l := newLedger(t)
	l.takes.Store(100)
	out, _ := say(t, 0, "network", "show", "--json")
	var shown networkResult
	if err := json.Unmarshal([]byte(out), &shown); err != nil || shown.Chain != "eip155:31337" || shown.Params.ServiceDeposit != "0.000000000000000001" {
		t.Fatalf("%v: %s", err, out)
	}
	file := filepath.Join(t.TempDir(), "network.yaml")
	deploy := []string{"network", "deploy", "--rpc", shown.RPC[0], "--account", l.account, "--out", file, "--grace", "5", "--unlock-delay", "1h",
		"--server-deposit", "0.2", "--confirmations", "3"}
	out, _ = say(t, 0, append(deploy, "--dry-run")...)
	has(t, out, "deploy services: transaction 2 of", "which makes a contract", "deploy servers: transaction")
	if _, err := os.Stat(file); err == nil {
		t.Error("a dry run writes a network file")
	}
	out, talk := say(t, 0, deploy...)
	has(t, out, "network "+file, "chain eip155:31337", "services 0x", "servers 0x")
	has(t, talk, "deploy services: transaction 0x", "deploy servers: transaction 0x")
	_, talk = say(t, exitFailed, deploy...)
	has(t, talk, "is there already")
	out, _ = say(t, 0, "network", "show", "--network", file)
	has(t, out, "deposit       0.05 for a service, 0.2 for a server, back 3600 s after it left", "grace         5 blocks", "3 blocks behind the head",
		"registered    0 services, 0 of them active; 0 servers, 0 of them active", "rpc           http://127.0.0.1:")
	say(t, exitUsage, "network", "deploy", "--account", l.account)
	l.takes.Store(1)
	_, talk = say(t, exitFailed, append(deploy[:len(deploy):len(deploy)], "--out", file+"2")...)
	has(t, talk, "deploy registry of servers", "deploy services: transaction 0x")
	if _, err := os.Stat(file + "2"); err == nil {
		t.Error("half a registry has a network file")
	}
}

// An owner's key may lie in a keystore, or elsewhere.
func TestAccountsOfOtherForms(t *testing.T) {
	l := newLedger(t)
	l.takes.Store(100)
	account, err := evm.ReadAccount(l.account)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	signer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.Contains(string(body), "eth_signTransaction") {
			t.Errorf("it is asked %s, %v", body, err)
		}
		io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":"0x02c0"}`)
	}))
	defer signer.Close()
	key := filepath.Join(t.TempDir(), "key.pem")
	register := []string{"servers", "register", "--url", "http://127.0.0.1:1", "--key", key, "--no-delegate"}
	_, talk := say(t, exitFailed, append(register, "--account", signer.URL+"#"+account.Address().String())...)
	if has(t, talk, "ask signer http://127.0.0.1"); asked != 1 {
		t.Errorf("the signer was asked %d times", asked)
	}
	say(t, 0, append(register, "--dry-run", "--account", signer.URL+"#"+account.Address().String())...)
	if asked != 1 {
		t.Error("a dry run asks the signer")
	}
	store := filepath.Join(t.TempDir(), "UTC--owner")
	text := `{"version":3,"address":"` + account.Address().String()[2:] + `","crypto":{"cipher":"aes-128-ctr","ciphertext":"` +
		strings.Repeat("00", 32) + `","cipherparams":{"iv":"` + strings.Repeat("00", 16) + `"},"kdf":"scrypt","kdfparams":{"dklen":32,"n":2,"r":1,"p":1,` +
		`"salt":"00"},"mac":"` + strings.Repeat("00", 32) + `"}}`
	if err := os.WriteFile(store, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	say(t, 0, append(register, "--dry-run", "--account", store)...)
	_, talk = say(t, exitFailed, append(register, "--account", store, "--password-file", password)...)
	has(t, talk, "the password is wrong, or the file is damaged")
	_, talk = say(t, exitFailed, append(register, "--account", store, "--password-file", filepath.Join(t.TempDir(), "none"))...)
	has(t, talk, "read password")
}

// tagged is a registry that knows an image by a tag.
func tagged(t *testing.T, store *image.Store, index barnraise.Digest) string {
	t.Helper()
	serve := image.Handler(store, func(barnraise.Digest) bool { return true })
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.Replace(r.URL.Path, "/manifests/1.0", "/manifests/"+index.String(), 1)
		serve.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://") + "/mine/thing"
}

// A tag becomes a digest, a change of verifier and home is said before it is sent, and a revision can be revoked.
func TestServicesPublish(t *testing.T) {
	l := newLedger(t)
	l.takes.Store(100)
	dir := t.TempDir()
	there, err := image.Open(filepath.Join(dir, "there"))
	if err != nil {
		t.Fatal(err)
	}
	built, err := image.Pack(there, "thing", map[string][]byte{"wasip1/wasm": []byte("\x00asm\x01\x00\x00\x00")})
	if err != nil {
		t.Fatal(err)
	}
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		t.Fatal(err)
	}
	at := tagged(t, there, index)
	for name, text := range map[string]string{
		"service.yaml": "name: thing\nverifier: compare\nopenrpc: openrpc.json\n",
		"openrpc.json": `{"openrpc":"1.3.2","info":{"title":"thing","version":"1"},"methods":[{"name":"do","params":[],"result":{"name":"r","schema":{}},` +
			`"examples":[{"name":"e","params":[],"result":{"name":"r","value":1}}]}]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		say(t, 0, "servers", "register", "--url", fmt.Sprint("http://127.0.0.1:", i+1), "--key", filepath.Join(dir, fmt.Sprint(i, ".pem")), "--account", l.account)
	}
	cache := []string{"--account", l.account, "--cache", filepath.Join(dir, "cache")}
	service := filepath.Join(dir, "service.yaml")
	of := func(args ...string) []string { return append(args, cache...) }
	digest := at + "@" + index.String()
	out, talk := say(t, 0, of("services", "register", service, "--image", at+":1.0", "--home", "1", "--dry-run")...)
	has(t, out, "id #1", "image "+digest, "tag "+at+":1.0", "nothing was sent")
	has(t, talk, at+":1.0 is "+digest)
	out, _ = say(t, 0, of("services", "register", service, "--image", at+":1.0", "--home", "1", "--delegate", "0x00000000000000000000000000000000000000de")...)
	has(t, out, "id #1", "image "+digest, "tag "+at+":1.0", "delegate 0x00000000000000000000000000000000000000de")
	_, talk = say(t, exitFailed, of("services", "register", service, "--image", at+":2.0", "--home", "1")...)
	has(t, talk, "resolve", "404 Not Found")
	_, talk = say(t, exitFailed, of("services", "register", service, "--image", digest, "--home", "1")...)
	has(t, talk, "publish the next revision with: barnraise services publish '#1' SERVICE.yaml")
	out, talk = say(t, 0, of("services", "publish", "#1", service, "--image", digest, "--home", "2", "--verifier", "spot")...)
	has(t, talk, "this revision changes the service's verifier, from bafkrei", "this revision changes the service's home, from server 1 to server 2")
	has(t, out, "revision 2", "changes [verifier: bafkrei")
	out, _ = say(t, 0, of("services", "publish", "#1", service, "--image", digest, "--home", "2", "--verifier", "spot", "--dry-run")...)
	if has(t, out, "revision 3"); strings.Contains(out, "changes") {
		t.Errorf("nothing changes: %s", out)
	}
	_, talk = say(t, exitFailed, of("services", "publish", "#1", service, "--image", digest, "--home", "2", "--active-from", "1")...)
	has(t, talk, "can be active from block", "leave `--active-from` out, or say `--active-from ")
	revoke := []string{"services", "revoke", "#1", "2", "--reason", "a mistake", "--account", l.account}
	out, _ = say(t, 0, append(revoke, "--dry-run")...)
	has(t, out, "revoke: transaction")
	out, _ = say(t, 0, revoke...)
	has(t, out, "revision 2")
	_, talk = say(t, exitFailed, revoke...)
	has(t, talk, "is revoked already; there is nothing left to do")
	say(t, exitUsage, "services", "revoke", "#1", "x", "--account", l.account)
	say(t, exitUsage, "services", "revoke", "#1", "2", "--reason", strings.Repeat("x", 129), "--account", l.account)
	out, _ = say(t, 0, "services", "show", "#1")
	has(t, out, `revoked: "a mistake"`)
	serviceEnds(t, l)
}

// serviceEnds: service 1 gets another delegate, and none, leaves, and brings its deposit back.
func serviceEnds(t *testing.T, l *ledger) {
	t.Helper()
	as := func(args ...string) []string {
		return append(append([]string{"services"}, args...), "--account", l.account)
	}
	shown := func() (d serviceDetail) {
		t.Helper()
		out, _ := say(t, 0, "services", "show", "1", "--json")
		if err := json.Unmarshal([]byte(out), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	const delegate = "0x00000000000000000000000000000000000000dF"
	set := as("set", "#1", "--delegate", delegate)
	out, _ := say(t, 0, append(set, "--dry-run")...)
	has(t, out, "set delegate: transaction", "nothing was sent")
	out, talk := say(t, 0, set...)
	has(t, out, "id #1", "delegate 0x")
	has(t, talk, "set delegate: transaction 0x", "gas for 0.00")
	if d := shown(); registry.Checksum(d.Delegate) != delegate || d.Deposit != "1" || d.UnlockAt != 0 {
		t.Errorf("the service is %+v", d)
	}
	say(t, 0, as("set", "#1", "--delegate", "")...)
	out, _ = say(t, 0, "services", "show", "1")
	has(t, out, "delegate none", "deposit  0.000000000000000001\n")
	_, talk = say(t, exitFailed, as("withdraw", "1")...)
	has(t, talk, "service 1 is active, and has not left; it has to leave first, with: barnraise services leave 1")
	_, talk = say(t, exitUsage, as("leave", "#1@2")...)
	has(t, talk, "barnraise services revoke '#1' 2")
	_, talk = say(t, exitFailed, as("leave", "thing")...)
	has(t, talk, "may be anybody's")
	_, talk = say(t, 0, as("leave", "1", "--dry-run")...)
	has(t, talk, "its deposit could be withdrawn")
	if d := shown(); d.Status != "active" {
		t.Errorf("a dry run leaves it %s", d.Status)
	}
	out, talk = say(t, 0, as("leave", "1", "--json")...)
	has(t, out, `"id":1`, `"unlock":"20`, `"does":"leave"`)
	has(t, talk, "service #1 has left; its deposit can be withdrawn from 20", "barnraise services withdraw 1")
	if d := shown(); d.Status != "leaving" || d.UnlockAt == 0 {
		t.Errorf("the service is %+v", d)
	}
	_, talk = say(t, exitFailed, set...)
	has(t, talk, "service 1 is leaving", "register another with: barnraise services register")
	out, _ = say(t, 0, as("withdraw", "#1")...)
	has(t, out, "id #1", "amount 0.000000000000000001")
	if d := shown(); d.Status != "gone" || d.Deposit != "0" {
		t.Errorf("the service is %+v", d)
	}
}
