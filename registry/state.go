package registry

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"barnraise"
)

// State is a whole registry at a block: all that its commitments rest on, and its running hashes.
type State struct {
	Registry barnraise.Registry
	Block    uint64
	Hash     BlockHash
	Time     int64  // of the block, in Unix seconds; zero where it is not known
	Grace    uint64 // blocks, a constant of the deployment (protocol 1.4)
	Services *Services
	Servers  *Servers
	Proof    *Backing // nil for none
}

// Snapshot is what callers and hosts see of it.
func (s State) Snapshot() *barnraise.Snapshot {
	return barnraise.NewSnapshot(s.Registry, s.Block, s.Hash, s.Grace, s.Services.List(), s.Servers.List())
}

// wireLedger is what of a contract no record shows.
type wireLedger struct {
	Count uint32    `json:"count"`
	Log   BlockHash `json:"log"`
	Block uint64    `json:"block"` // of the newest event
}

// wireState is the member that makes a snapshot file a full one.
type wireState struct {
	Services wireLedger `json:"services"`
	Servers  wireLedger `json:"servers"`
}

func (l *ledger) write() wireLedger { return wireLedger{l.Count(), l.log, l.block} }

// WriteState writes a full snapshot file (docs/files.md): [ReadState] makes the same state of it again, and [ReadSnapshot]
// reads it as well. The same state gives the same bytes. It fails where the file would be longer than [MaxSnapshot] or have
// more records than are read back, and with the error of the writer.
func WriteState(w io.Writer, s State) error {
	if s.Services.Count() > maxRecords || s.Servers.Count() > maxRecords {
		return fmt.Errorf("write snapshot: more than %d records: %w", maxRecords, ErrSnapshot)
	}
	b := bufio.NewWriter(&boundedWriter{w: w, left: MaxSnapshot})
	if err := s.write(b); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return nil
}

func (s State) write(b *bufio.Writer) error {
	if err := writeOuter(b, s.outer(), s.Proof); err != nil {
		return err
	}
	state, err := json.Marshal(wireState{s.Services.write(), s.Servers.write()})
	if err != nil {
		return err
	}
	fmt.Fprintf(b, ",\n\"state\":%s", state)
	if err := writeItems(b, "service", len(s.Services.records), func(i int) any {
		return s.Services.records[i].write(&s.Services.heads[i], s.Block)
	}); err != nil {
		return err
	}
	if err := writeItems(b, "server", len(s.Servers.records), func(i int) any {
		return s.Servers.records[i].write(&s.Servers.heads[i])
	}); err != nil {
		return err
	}
	_, err = b.WriteString("}\n")
	return err
}

// wireOuter is what stands before the lists.
type wireOuter struct {
	Version  int               `json:"v"`
	Chain    string            `json:"chain"`
	Services barnraise.Address `json:"services"`
	Servers  barnraise.Address `json:"servers"`
	Block    uint64            `json:"block"`
	Hash     BlockHash         `json:"hash"`
	Time     int64             `json:"time,omitempty"`
	Grace    uint64            `json:"grace"`
}

func (s State) outer() wireOuter {
	return wireOuter{1, s.Registry.Chain, s.Registry.Services, s.Registry.Servers, s.Block, s.Hash, s.Time, s.Grace}
}

// writeOuter writes the object up to where more members may follow.
func writeOuter(b *bufio.Writer, o wireOuter, p *Backing) error {
	text, err := json.Marshal(o)
	if err == nil {
		_, err = b.Write(text[:len(text)-1])
	}
	if err != nil || p == nil {
		return err
	}
	return writeBacking(b, p)
}

// writeItems writes a list, each item on a line of its own.
func writeItems(b *bufio.Writer, name string, n int, item func(int) any) error {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	fmt.Fprintf(b, ",\n%q:[", name)
	for i := range n {
		line.Reset()
		if err := e.Encode(item(i)); err != nil {
			return err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(bytes.TrimSpace(line.Bytes()))
	}
	return b.WriteByte(']')
}

// boundedWriter fails where more is written than may be.
type boundedWriter struct {
	w    io.Writer
	left int
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, fmt.Errorf("more than %d bytes: %w", MaxSnapshot, ErrSnapshot)
	}
	return b.w.Write(p)
}

// ReadState reads a full snapshot file, and computes every commitment anew from what stands in it. It is as bounded and
// strict as [ReadSnapshot], which sees the same services and servers in the file; and it wants every record from 1 on, in
// order. It fails with [ErrSnapshot], or with the error of the reader.
//
// Nobody has checked the state against a chain: hold commitments, counts and running hashes against a proof of what the
// contracts store. No proof says when a key was replaced (ReplacedAt), nor what the time of the block is.
func ReadState(r io.Reader) (State, error) {
	f := stateFile{}
	if err := f.readFrom(r, MaxSnapshot, f.member); err != nil {
		return State{}, err
	}
	s := State{
		Registry: f.registry, Block: f.block, Hash: f.hash, Time: f.time, Grace: f.grace, Services: new(Services), Servers: new(Servers),
		Proof: f.proof,
	}
	err := s.Services.fill(f.services)
	if err == nil {
		err = s.Servers.fill(f.servers)
	}
	if err == nil {
		err = f.check(s)
	}
	if err != nil {
		return State{}, fmt.Errorf("read snapshot: %w", err)
	}
	return s, nil
}

type stateFile struct {
	outerFile
	state    wireState
	proof    *Backing
	services []heldService
	servers  []heldServer
}

func (f *stateFile) member(name string) error {
	switch name {
	case "state":
		return f.value(&f.state)
	case "proof":
		return f.value(&f.proof)
	case "service":
		return readItems(&f.outerFile, &f.services, fullService.held, heldService.id)
	case "server":
		return readItems(&f.outerFile, &f.servers, fullServer.held, heldServer.id)
	}
	return f.outerFile.member(name)
}

// check takes over what no record shows, and holds the rest against it.
func (f *stateFile) check(s State) error {
	if !f.seen["state"] {
		return fmt.Errorf("it has no state, so it is none of a whole registry: %w", ErrSnapshot)
	}
	for _, side := range []struct {
		name   string
		ledger *ledger
		want   wireLedger
	}{{"services", &s.Services.ledger, f.state.Services}, {"servers", &s.Servers.ledger, f.state.Servers}} {
		if side.want.Count != side.ledger.Count() || side.want.Block > s.Block || side.ledger.block > side.want.Block {
			return fmt.Errorf("%d %s up to block %d of %d, there should be %d up to block %d: %w",
				side.ledger.Count(), side.name, side.ledger.block, s.Block, side.want.Count, side.want.Block, ErrSnapshot)
		}
		side.ledger.log, side.ledger.block = side.want.Log, side.want.Block
	}
	return nil
}

// enter adds a record that was read.
func (l *ledger) enter(id uint32, h Head, commitment [32]byte, history int) error {
	if int64(id) != int64(len(l.heads))+1 {
		return fmt.Errorf("record %d follows on record %d: %w", id, len(l.heads), ErrSnapshot)
	}
	if l.history += history; l.history > MaxHistory {
		return fmt.Errorf("more than %d revisions or keys: %w", MaxHistory, ErrSnapshot)
	}
	l.heads, l.commitments = append(l.heads, h), append(l.commitments, commitment)
	l.block = max(l.block, h.Since)
	return nil
}

func (s *Services) fill(list []heldService) error {
	s.names = make(map[calling]bool, len(list))
	for _, v := range list {
		if err := s.enter(v.id(), v.head, v.commitment(&v.head), len(v.service.Revisions)); err != nil {
			return fmt.Errorf("service: %w", err)
		}
		s.records = append(s.records, v.serviceRecord)
		if v.head.Status == barnraise.StatusGone {
			continue
		}
		name := calling{v.head.Owner, v.service.Name}
		if s.names[name] {
			return fmt.Errorf("service %d is called %q, like another one of its owner: %w", v.id(), name.name, ErrSnapshot)
		}
		s.names[name] = true
	}
	return nil
}

func (s *Servers) fill(list []heldServer) error {
	for _, v := range list {
		if err := s.enter(v.id(), v.head, v.commitment(&v.head), v.rotations); err != nil {
			return fmt.Errorf("server: %w", err)
		}
		s.records = append(s.records, v.serverRecord)
		s.block = max(s.block, v.rewardsAt, v.lastKey())
	}
	return nil
}

// lastKey is the block of the newest key.
func (h heldServer) lastKey() (block uint64) {
	if n := len(h.server.Keys); n > 0 {
		block = max(h.server.Keys[n-1].From, h.server.Keys[n-1].To)
	}
	if n := len(h.weak); n > 0 {
		block = max(block, h.weak[n-1].from)
	}
	return block
}
