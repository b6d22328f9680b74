package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"barnraise"
)

const sample = `# a comment
chain: eip155:31337
rpc: [http://127.0.0.1:8545, /run/barnraise/chain.ipc]
services: 0x5FbDB2315678afecb367f032d93F642f64180aa3
servers: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
names: {search: 3, "1e3": 4}
confirmations: 0
gateways: [https://gateway.example]
start_block: 7
checkpoint: {block: 9, hash: "0x00000000000000000000000000000000000000000000000000000000000000AB"}
`

func parse(t *testing.T, text string) Network {
	t.Helper()
	n, err := ParseNetwork("network.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestParseNetwork: every key is read, and what is written reads back the same.
func TestParseNetwork(t *testing.T) {
	n := parse(t, sample)
	zero := uint64(0)
	want := Network{
		Chain: "eip155:31337", RPC: []string{"http://127.0.0.1:8545", "/run/barnraise/chain.ipc"},
		Services: mustAddress(t, "0x5fbdb2315678afecb367f032d93f642f64180aa3"),
		Servers:  mustAddress(t, "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512"),
		Names:    map[string]barnraise.ServiceID{"search": 3, "1e3": 4}, Confirmations: &zero,
		Gateways: []string{"https://gateway.example"}, StartBlock: 7, Checkpoint: &Checkpoint{9, BlockHash{31: 0xab}},
		file: []byte(sample),
	}
	if !reflect.DeepEqual(n, want) {
		t.Errorf("read %+v, want %+v", n, want)
	}
	if n.Digest() != barnraise.Sum([]byte(sample)) {
		t.Error("the digest is not that of the file")
	}
	if got := n.Registry(); got != (barnraise.Registry{Chain: "eip155:31337", Services: want.Services, Servers: want.Servers}) {
		t.Errorf("the registry is %s", got)
	}
	for _, text := range []string{sample, minimal(nil)} {
		n := parse(t, text)
		again := parse(t, string(n.Encode()))
		if n.Digest() == again.Digest() {
			t.Error("another file has the same digest")
		}
		n.file = n.Encode()
		if !reflect.DeepEqual(n, again) {
			t.Errorf("read back %+v, want %+v", again, n)
		}
		n.file = nil
		if n.Digest() != again.Digest() {
			t.Error("the digest of a network that was not read is not that of its file to be")
		}
	}
	if text := string(n.Encode()); !strings.Contains(text, `services: "0x5FbDB2315678afecb367f032d93F642f64180aa3"`) {
		t.Errorf("written is\n%s", text)
	}
}

// minimal is a network file with only what it must have, and some lines replaced.
func minimal(change map[string]string) string {
	var b strings.Builder
	for _, line := range []string{
		"chain: eip155:31337", "rpc: [http://localhost:1]",
		`services: "0x0000000000000000000000000000000000000001"`, `servers: "0x0000000000000000000000000000000000000002"`,
	} {
		key, _, _ := strings.Cut(line, ":")
		if other, ok := change[key]; ok {
			line = other
		}
		b.WriteString(line + "\n")
	}
	return b.String() + change["more"]
}

// TestNetworkErrors: a network file that nobody could use is an error that names what is wrong.
func TestNetworkErrors(t *testing.T) {
	parse(t, minimal(nil))
	long := "http://" + strings.Repeat("a", 2050)
	for _, c := range []struct{ key, line, want string }{
		{"chain", "", "chain:"},
		{"chain", "chain: 31337", "chain"},
		{"chain", "chain: eip155:0", "want eip155:N"},
		{"chain", "chain: eip155:01", "want eip155:N"},
		{"chain", "chain: eip155:+1", "want eip155:N"},
		{"chain", "chain: eip155:99999999999999999999", "want eip155:N"},
		{"chain", "chain: cosmos:1", "want eip155:N"},
		{"services", "", "services: want the address"},
		{"servers", `servers: "0x0000000000000000000000000000000000000000"`, "servers: want the address"},
		{"servers", `servers: "0x0000000000000000000000000000000000000001"`, "want two contracts"},
		{"servers", `servers: "0x01"`, "40 hexadecimal digits"},
		{"rpc", "", "rpc: want at least one"},
		{"rpc", "rpc: []", "rpc: want at least one"},
		{"rpc", "rpc: [ftp://a.example]", "want a URL with http"},
		{"rpc", "rpc: [http://]", "want a URL with http"},
		{"rpc", "rpc: [a.example]", "want a URL with http"},
		{"rpc", "rpc: [//a.example/b]", "want a URL with http"},
		{"rpc", "rpc: [" + long + "]", "want a URL with http"},
		{"rpc", "rpc: [" + strings.Repeat("http://a.example, ", 33) + "]", "at most 32"},
		{"more", "gateways: [ws://a.example]\n", "gateways:"},
		{"more", "names: {search: 0}\n", `names: "search": 0`},
		{"more", "names: {Search: 1}\n", `names: "Search": 1`},
		{"more", "names: {\"123\": 4}\n", `names: "123": 4: digits alone are always an id`},
		{"more", "name: {search: 1}\n", `did you mean "names"?`},
		{"more", "checkpoint: {block: 1, hash: 0x12}\n", "hash"},
		{"more", "confirmations: -1\n", "confirmations"},
	} {
		_, err := ParseNetwork("network.yaml", []byte(minimal(map[string]string{c.key: c.line})))
		text := fmt.Sprint(err)
		if err == nil || !strings.Contains(text, c.want) || !strings.Contains(text, "network.yaml") || len(text) > 500 {
			t.Errorf("%.60q: error is %v, want one with %q", c.line, err, c.want)
		}
	}
}

// A network is private if its chain is a development chain and every RPC endpoint is on this machine (protocol
// 10.3).
func TestProtocol10_3Private(t *testing.T) {
	for _, c := range []struct {
		chain, rpc string
		want       bool
	}{
		{"eip155:31337", "http://127.0.0.1:8545", true},
		{"eip155:1337", "http://127.9.9.9", true},
		{"eip155:31337", "ws://[::1]:1", true},
		{"eip155:31337", "http://[::ffff:127.0.0.1]:1", true},
		{"eip155:31337", "http://localhost:1 /run/chain.ipc", true},
		{"eip155:1", "http://127.0.0.1:8545", false},
		{"eip155:313370", "http://127.0.0.1:8545", false},
		{"eip155:31337", "http://127.0.0.1:8545 https://rpc.example", false},
		{"eip155:31337", "http://localhost.example", false},
		{"eip155:31337", "http://127.0.0.1.example", false},
		{"eip155:31337", "http://localhost@rpc.example", false},
		{"eip155:31337", "http://192.168.0.1", false},
		{"eip155:31337", "http://0.0.0.0:8545", false},
		{"eip155:31337", "http://[fe80::1]:1", false},
		{"eip155:31337", "", false},
	} {
		if got := (Network{Chain: c.chain, RPC: strings.Fields(c.rpc)}).Private(); got != c.want {
			t.Errorf("%s with %s is private: %t, want %t", c.chain, c.rpc, got, c.want)
		}
	}
}

// Protocol 10.3: a downloaded network file cannot say that it is private; whoever uses it can.
func TestProtocol10_3ANetworkFileCannotSayIt(t *testing.T) {
	n := Network{Chain: "eip155:1", RPC: []string{"https://rpc.example"}, Services: barnraise.Address{1}, Servers: barnraise.Address{2}}
	text := string(n.Encode())
	for _, line := range []string{"private: true", "Private: true", "local: true"} {
		if got, err := ParseNetwork("network.yaml", []byte(text+line+"\n")); err == nil {
			t.Errorf("%s: taken, private: %t", line, got.Private())
		}
	}
	read, err := ParseNetwork("network.yaml", []byte(text))
	if err != nil || read.Private() {
		t.Fatalf("private: %t, %v", read.Private(), err)
	}
	said := read.AsPrivate()
	if !said.Private() || read.Private() || said.Digest() != read.Digest() {
		t.Errorf("said: %t, read: %t, one digest: %t", said.Private(), read.Private(), said.Digest() == read.Digest())
	}
	if again, err := ParseNetwork("network.yaml", said.Encode()); err != nil || again.Private() {
		t.Errorf("what was said was written into the file: %v", err)
	}
}

// TestReadNetwork: the file is the one named, or else that of BARNRAISE_NETWORK, or else that in the configuration directory;
// where there is none the error says what to do.
func TestReadNetwork(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("HOME", dir)
	t.Setenv("BARNRAISE_NETWORK", "")
	config, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	write := func(file string, start string) string {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(minimal(map[string]string{"more": "start_block: " + start + "\n"})), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	expect := func(path string, start uint64, want string) {
		t.Helper()
		n, err := ReadNetwork(path)
		if want == "" && (err != nil || n.StartBlock != start) {
			t.Errorf("read %d, %v; want %d", n.StartBlock, err, start)
		}
		if want != "" && (!errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), want)) {
			t.Errorf("error is %v, want ErrNotExist with %q", err, want)
		}
	}
	expect("", 0, "--network FILE or BARNRAISE_NETWORK, or start a network on this machine with: barnraise devnet up")
	write(filepath.Join(config, "barnraise", "network.yaml"), "1")
	expect("", 1, "")
	t.Setenv("BARNRAISE_NETWORK", filepath.Join(dir, "env.yaml"))
	expect("", 0, "that BARNRAISE_NETWORK names")
	write(filepath.Join(dir, "env.yaml"), "2")
	expect("", 2, "")
	expect(write(filepath.Join(dir, "flag.yaml"), "3"), 3, "")
	expect(filepath.Join(dir, "none.yaml"), 0, "that --network names")
}

func mustAddress(t *testing.T, s string) barnraise.Address {
	t.Helper()
	a, err := barnraise.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func FuzzParseNetwork(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(minimal(map[string]string{"rpc": "rpc: [\"http://a.example/\\x41\"]"})))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := ParseNetwork("network.yaml", data)
		if err != nil {
			return
		}
		again, err := ParseNetwork("network.yaml", n.Encode())
		if err != nil {
			t.Fatalf("what was written does not read back: %v\n%s", err, n.Encode())
		}
		if string(again.Encode()) != string(n.Encode()) || again.Registry() != n.Registry() || again.Private() != n.Private() {
			t.Fatalf("read back\n%s\nwant\n%s", again.Encode(), n.Encode())
		}
	})
}
