// Package manifest reads and writes what a revision promises beyond its image: description, OpenRPC document with examples,
// the verifier's configuration, limits, cost, licence (protocol 2.5). Authors write it as service.yaml; it is published as
// JSON under a CID.
package manifest

import (
	"errors"
	"fmt"
	"time"

	"barnraise"
	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxSize is the longest manifest that is read at all, in bytes (protocol 2.5).
const MaxSize = 256 << 10

// ErrManifest is the error for a manifest that is malformed or asks for more than the protocol's hard caps.
var ErrManifest = errors.New("bad manifest")

// Evidence policies (protocol 8.3): who may see the requests that evidence contains.
const (
	EvidenceLocal  = "local"  // nobody
	EvidenceHosts  = "hosts"  // the service's registered hosts; the default
	EvidencePublic = "public" // anyone
)

// Manifest is what a revision promises. Where it and the registry both speak, the registry wins.
type Manifest struct {
	Name        string             `json:"name"`
	Description string             `json:"description,omitempty"`
	Image       string             `json:"image,omitempty"`    // name@sha256:…
	Verifier    barnraise.CID      `json:"verifier,omitempty"` //
	Config      jsontext.Value     `json:"config,omitzero"`    // the verifier's; null where the service has none
	Home        barnraise.ServerID `json:"home,omitzero"`
	OpenRPC     jsontext.Value     `json:"openrpc,omitzero"`
	Limits      Limits             `json:"limits"`
	// VerifierLimits bound the verifier and each of its verdicts (protocol 5.6).
	VerifierLimits VerifierLimits `json:"verifierLimits"`
	Cost           uint32         `json:"cost,omitzero"` // capacity units; 1 where it does not say
	Evidence       string         `json:"evidence,omitempty"`
	Report         barnraise.CID  `json:"report,omitempty"` // conformance report
	Licence        string         `json:"licence,omitempty"`
}

// Limits bound one call. A host grants neither less nor more (protocol 2.6).
type Limits struct {
	Memory   Bytes    `json:"memory,omitzero"`
	CPU      float64  `json:"cpu,omitzero"` // cores
	Timeout  Duration `json:"timeout,omitzero"`
	Request  Bytes    `json:"request,omitzero"`  // body
	Response Bytes    `json:"response,omitzero"` // body
	Fuel     uint64   `json:"fuel,omitzero"`     // instructions of the wasm variant
}

// DefaultLimits stand where a manifest is silent.
var DefaultLimits = Limits{
	Memory: 256 << 20, CPU: 1, Timeout: Duration(5 * time.Second), Request: 1 << 20, Response: 2 << 20, Fuel: 4e9,
}

// MaxLimits are the hard caps; a manifest that asks for more is refused, and so is one whose request and response have together
// more than [VerifierLimits.MaxExchange].
var MaxLimits = Limits{
	Memory: 2 << 30, CPU: 16, Timeout: Duration(60 * time.Second), Request: maxExchange, Response: maxExchange, Fuel: 4e10,
}

// VerifierLimits bound the verifier and each of its verdicts. Everybody grants neither less nor more, since a verdict must not
// depend on who asks for it (protocol 5.6, 5.7).
type VerifierLimits struct {
	Module Bytes  `json:"module,omitzero"` // that the file may have
	Memory Bytes  `json:"memory,omitzero"`
	Fuel   uint64 `json:"fuel,omitzero"` // units, see package wasm
}

// DefaultVerifierLimits stand where a manifest is silent.
var DefaultVerifierLimits = VerifierLimits{Module: 256 << 10, Memory: 16 << 20, Fuel: 4e9}

// MaxVerifierLimits are the hard caps.
var MaxVerifierLimits = VerifierLimits{Module: 8 << 20, Memory: 128 << 20, Fuel: 4e10}

// maxExchange is the most that any request and response may have together: then evidence has room for five of them.
const maxExchange Bytes = 8 << 20

// MaxExchange is the most that request and response may have together. Five exchanges fit into the verifier's memory with its
// configuration, and leave it room: so many can be judged, however long the answers are. It is 3 MiB by default and 8 MiB at
// most.
func (v VerifierLimits) MaxExchange() Bytes {
	const room = 1 << 20
	return min((max(v.Memory, room)-room)/5, maxExchange)
}

// Parse reads a published manifest and fills in the defaults. Unknown members are ignored. It fails with [ErrManifest].
func Parse(b []byte) (Manifest, error) {
	var m Manifest
	if len(b) > MaxSize {
		return m, fmt.Errorf("read manifest: %d bytes, at most %d: %w", len(b), MaxSize, ErrManifest)
	}
	if err := jsonrpc.Strict(b); err != nil {
		return m, fmt.Errorf("read manifest: %w: %w", ErrManifest, err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("read manifest: %w: %w", ErrManifest, err)
	}
	if err := m.complete(); err != nil {
		return m, fmt.Errorf("read manifest: %w", err)
	}
	return m, nil
}

// Encode writes the manifest as it is published.
func (m Manifest) Encode() ([]byte, error) {
	if err := m.complete(); err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	b, err := json.Marshal(m, json.Deterministic(true))
	if err == nil && len(b) > MaxSize {
		err = fmt.Errorf("%d bytes, at most %d: %w", len(b), MaxSize, ErrManifest)
	}
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	return b, nil
}

// VerifierConfig is the configuration as the verifier gets it: null where there is none (protocol 5.2).
func (m Manifest) VerifierConfig() []byte {
	if len(m.Config) == 0 {
		return []byte("null")
	}
	return m.Config
}

// complete fills in defaults and checks the rest.
func (m *Manifest) complete() error {
	if !barnraise.ValidName(m.Name) {
		return fmt.Errorf("name %.60q: want 3 to 48 of a-z, 0-9 and inner hyphens: %w", m.Name, ErrManifest)
	}
	if err := checkReferences(m.OpenRPC); err != nil {
		return fmt.Errorf("openrpc: %w: %w", err, ErrManifest)
	}
	switch m.Evidence {
	case "":
		m.Evidence = EvidenceHosts
	case EvidenceLocal, EvidenceHosts, EvidencePublic:
	default:
		return fmt.Errorf("evidence %.40q: want local, hosts or public: %w", m.Evidence, ErrManifest)
	}
	m.Cost = max(m.Cost, 1)
	if err := errors.Join(m.Limits.complete(), m.VerifierLimits.complete()); err != nil {
		return err
	}
	if l, most := m.Limits, m.VerifierLimits.MaxExchange(); l.Request+l.Response > most {
		return fmt.Errorf("limits request and response are %v and %v, together at most %v where the verifier's memory is %v; see verifierLimits: %w",
			l.Request, l.Response, most, m.VerifierLimits.Memory, ErrManifest)
	}
	return nil
}

func (l *Limits) complete() error {
	d, top := DefaultLimits, MaxLimits
	return errors.Join(
		bound("memory", &l.Memory, d.Memory, top.Memory),
		bound("cpu", &l.CPU, d.CPU, top.CPU),
		bound("timeout", &l.Timeout, d.Timeout, top.Timeout),
		bound("request", &l.Request, d.Request, top.Request),
		bound("response", &l.Response, d.Response, top.Response),
		bound("fuel", &l.Fuel, d.Fuel, top.Fuel),
	)
}

func (v *VerifierLimits) complete() error {
	d, top := DefaultVerifierLimits, MaxVerifierLimits
	return errors.Join(
		bound("module of the verifier", &v.Module, d.Module, top.Module),
		bound("memory of the verifier", &v.Memory, d.Memory, top.Memory),
		bound("fuel of the verifier", &v.Fuel, d.Fuel, top.Fuel),
	)
}

func bound[T Bytes | float64 | Duration | uint64](name string, v *T, standard, top T) error {
	if *v == 0 {
		*v = standard
	}
	if *v < 0 || *v > top {
		return fmt.Errorf("limit %s is %v, at most %v: %w", name, *v, top, ErrManifest)
	}
	return nil
}
