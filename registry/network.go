package registry

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"barnraise"
	"barnraise/strictyaml"
)

// The longest lists and entries of a network file.
const (
	maxEndpoints = 32
	maxNames     = 4096
	maxURL       = 2048
)

// Network is one network: a registry, how to reach it, and what bare names mean in it. It is read from network.yaml.
type Network struct {
	Chain         string                         `json:"chain"` // CAIP-2, eip155:N
	RPC           []string                       `json:"rpc"`   // URLs, tried in order; an absolute path is an IPC endpoint
	Services      barnraise.Address              `json:"services"`
	Servers       barnraise.Address              `json:"servers"`
	Names         map[string]barnraise.ServiceID `json:"names"`         // what a bare name means here (protocol 1.10)
	Confirmations *uint64                        `json:"confirmations"` // blocks (protocol 1.9); nil for the finalized tag
	Gateways      []string                       `json:"gateways"`      // trustless IPFS gateways
	StartBlock    uint64                         `json:"start_block"`   // no event of the registry is older
	Checkpoint    *Checkpoint                    `json:"checkpoint"`    // a block that the chain must contain

	file  []byte // as it was read
	local bool   // its user says that it is private
}

// Checkpoint is a block that is known to be in the chain. An RPC endpoint that shows another one in its place is refused.
type Checkpoint struct {
	Block uint64    `json:"block"`
	Hash  BlockHash `json:"hash"`
}

// BlockHash is the hash of a block, written 0x and 64 hexadecimal digits.
type BlockHash [32]byte

// String is the lower-case 0x form.
func (h BlockHash) String() string { return "0x" + hex.EncodeToString(h[:]) }

// MarshalText writes the form of [BlockHash.String].
func (h BlockHash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 0x and 64 hexadecimal digits, in either case.
func (h *BlockHash) UnmarshalText(text []byte) error {
	digits, ok := bytes.CutPrefix(text, []byte("0x"))
	if !ok || len(digits) != 2*len(h) {
		return fmt.Errorf("block hash %.80q: want 0x and 64 hexadecimal digits", text)
	}
	if _, err := hex.Decode(h[:], digits); err != nil {
		return fmt.Errorf("block hash %.80q: %w", text, err)
	}
	return nil
}

// ReadNetwork reads a network file: the one at path, or else the one that BARNRAISE_NETWORK names, or else
// barnraise/network.yaml in the user's configuration directory. Where there is none the error is [fs.ErrNotExist] and says
// what to do.
func ReadNetwork(path string) (Network, error) {
	given := "--network"
	if path == "" {
		path, given = os.Getenv("BARNRAISE_NETWORK"), "BARNRAISE_NETWORK"
	}
	if path == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return Network{}, fmt.Errorf("find network file: %w; name one with --network FILE or BARNRAISE_NETWORK", err)
		}
		path, given = filepath.Join(dir, "barnraise", "network.yaml"), ""
	}
	data, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && given == "":
		return Network{}, fmt.Errorf("find network file: %w; name one with --network FILE or BARNRAISE_NETWORK, "+
			"or start a network on this machine with: barnraise devnet up", err)
	case err != nil && given != "":
		return Network{}, fmt.Errorf("read network file that %s names: %w", given, err)
	case err != nil:
		return Network{}, fmt.Errorf("read network file: %w", err)
	}
	return ParseNetwork(path, data)
}

// readFile reads no more than a network file may have, and one byte.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, strictyaml.MaxSize+1))
}

// ParseNetwork reads the contents of a network file; its name stands in errors.
func ParseNetwork(name string, data []byte) (Network, error) {
	var n Network
	if err := strictyaml.Decode(name, data, &n); err != nil {
		return Network{}, err
	}
	if err := n.Validate(); err != nil {
		return Network{}, fmt.Errorf("read %s: %w", name, err)
	}
	n.file = bytes.Clone(data)
	return n, nil
}

// Validate reports the first thing because of which nobody could use the network.
func (n Network) Validate() error {
	if _, err := n.ChainID(); err != nil {
		return err
	}
	for _, c := range []struct {
		key     string
		address barnraise.Address
	}{{"services", n.Services}, {"servers", n.Servers}} {
		if c.address.IsZero() {
			return fmt.Errorf("%s: want the address of the contract", c.key)
		}
	}
	switch {
	case n.Services == n.Servers:
		return fmt.Errorf("services and servers are one address, %s: want two contracts", n.Services)
	case len(n.RPC) == 0:
		return errors.New("rpc: want at least one URL")
	case len(n.RPC) > maxEndpoints || len(n.Gateways) > maxEndpoints:
		return fmt.Errorf("rpc, gateways: want at most %d entries each", maxEndpoints)
	case len(n.Names) > maxNames:
		return fmt.Errorf("names: %d entries, want at most %d", len(n.Names), maxNames)
	}
	for _, e := range n.RPC {
		if !isPath(e) && !isURL(e, "http", "https", "ws", "wss") {
			return fmt.Errorf("rpc: %.80q: want a URL with http, https, ws or wss, or the absolute path of a socket", e)
		}
	}
	for _, e := range n.Gateways {
		if !isURL(e, "http", "https") {
			return fmt.Errorf("gateways: %.80q: want a URL with http or https", e)
		}
	}
	for name, id := range n.Names {
		if !barnraise.ValidName(name) || id == 0 {
			return fmt.Errorf("names: %.80q: %d: want the name of a service and its id", name, id)
		}
		if onlyDigits(name) {
			return fmt.Errorf("names: %q: %d: digits alone are always an id, so nobody could use this name: choose another", name, id)
		}
	}
	return nil
}

// ChainID is the number in an eip155 chain id, such as 31337 in "eip155:31337".
func (n Network) ChainID() (uint64, error) {
	digits, ok := strings.CutPrefix(n.Chain, "eip155:")
	id, err := strconv.ParseUint(digits, 10, 63)
	if !ok || err != nil || id == 0 || strconv.FormatUint(id, 10) != digits {
		return 0, fmt.Errorf("chain: %.80q: want eip155:N, such as eip155:31337", n.Chain)
	}
	return id, nil
}

// Registry is the registry's name, as receipts carry it.
func (n Network) Registry() barnraise.Registry {
	return barnraise.Registry{Chain: n.Chain, Services: n.Services, Servers: n.Servers}
}

// Private reports whether the network's servers may be at private addresses (protocol 10.3): its user says so, or it lives on this
// machine alone: a development chain, every RPC endpoint of which is a loopback address, localhost or a socket file. A network file
// cannot say it.
func (n Network) Private() bool {
	id, err := n.ChainID()
	if n.local || err != nil || id != 31337 && id != 1337 || len(n.RPC) == 0 {
		return n.local
	}
	return !slices.ContainsFunc(n.RPC, func(e string) bool { return !onThisMachine(e) })
}

// AsPrivate is the same network for a user who says that it is private. Only a flag of his may lead here: whoever says it of a
// strangers' network lets them choose which of his own machines are asked.
func (n Network) AsPrivate() Network {
	n.local = true
	return n
}

// Digest is the SHA-256 sum of the file the network was read from, which results show as "network". For a network that was
// not read from a file it is the sum of what [Network.Encode] writes.
func (n Network) Digest() barnraise.Digest {
	if n.file != nil {
		return barnraise.Sum(n.file)
	}
	return barnraise.Sum(n.Encode())
}

// Encode writes the network as a file that people can read and [ParseNetwork] reads back.
func (n Network) Encode() []byte {
	var b bytes.Buffer
	list := func(key string, entries []string) {
		fmt.Fprintf(&b, "%s:\n", key)
		for _, e := range entries {
			fmt.Fprintf(&b, "  - %q\n", e)
		}
	}
	fmt.Fprintf(&b, "chain: %q\n", n.Chain)
	list("rpc", n.RPC)
	fmt.Fprintf(&b, "services: %q\nservers: %q\n", Checksum(n.Services), Checksum(n.Servers))
	if n.StartBlock > 0 {
		fmt.Fprintf(&b, "start_block: %d\n", n.StartBlock)
	}
	if n.Confirmations != nil {
		fmt.Fprintf(&b, "confirmations: %d\n", *n.Confirmations)
	}
	if n.Checkpoint != nil {
		fmt.Fprintf(&b, "checkpoint:\n  block: %d\n  hash: %q\n", n.Checkpoint.Block, n.Checkpoint.Hash)
	}
	if len(n.Gateways) > 0 {
		list("gateways", n.Gateways)
	}
	if len(n.Names) > 0 {
		fmt.Fprintln(&b, "names:")
		for _, name := range slices.Sorted(maps.Keys(n.Names)) {
			fmt.Fprintf(&b, "  %q: %d\n", name, uint32(n.Names[name]))
		}
	}
	return b.Bytes()
}

// isURL reports whether s is a URL with a host and one of the schemes.
func isURL(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxURL && u.Hostname() != "" && slices.Contains(schemes, u.Scheme)
}

// isPath reports whether an RPC endpoint is a socket file.
func isPath(endpoint string) bool {
	return strings.HasPrefix(endpoint, "/") && !strings.HasPrefix(endpoint, "//") && len(endpoint) <= maxURL
}

// onThisMachine reports whether an RPC endpoint cannot be elsewhere, whatever a name server says.
func onThisMachine(endpoint string) bool {
	if isPath(endpoint) {
		return true
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
