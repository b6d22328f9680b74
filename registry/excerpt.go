package registry

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"barnraise"
)

// MaxExcerpt is how long an excerpt may be, in bytes.
const MaxExcerpt = 16 << 20

// Backing is what shows that a file says what the contracts store: the header of its block, and nodes of tries below its
// state root one behind another, all in RLP. Package proof makes use of it.
type Backing struct {
	Header []byte `json:"header"`
	Nodes  []byte `json:"nodes"`
}

// Excerpt is some services and servers of a registry at a block, with all that their commitments rest on.
type Excerpt struct {
	Registry barnraise.Registry
	Block    uint64
	Hash     BlockHash
	Time     int64  // of the block, in Unix seconds; zero where it is not known
	Grace    uint64 // blocks; no proof shows it
	Proof    *Backing

	services []heldService
	servers  []heldServer
}

// Excerpt is a service, the servers that offer it, and the homes of its revisions: as many of the hosts as may stand in it,
// the oldest first. It is false where there is no such service. It stays as it is when the state goes on.
func (s State) Excerpt(id barnraise.ServiceID, hosts int) (Excerpt, bool) {
	e := Excerpt{Registry: s.Registry, Block: s.Block, Hash: s.Hash, Time: s.Time, Grace: s.Grace}
	h := s.Services.head(uint32(id))
	if h == nil {
		return e, false
	}
	r := &s.Services.records[id-1]
	r.shared = true
	e.services = []heldService{{*h, *r}}
	e.services[0].revoked, e.services[0].exact = slices.Clone(r.revoked), nil
	for _, v := range r.exact {
		e.services[0].keepExact(v)
	}
	for i := range s.Servers.records {
		v, head := &s.Servers.records[i], &s.Servers.heads[i]
		host := head.Status == barnraise.StatusActive && v.server.OffersService(id)
		home := slices.ContainsFunc(r.service.Revisions, func(r barnraise.Revision) bool { return r.Home == v.server.ID })
		if host = host && hosts > 0; !host && !home {
			continue
		}
		if host {
			hosts--
		}
		v.shared = true
		e.servers = append(e.servers, heldServer{head: *head, serverRecord: *v})
		e.servers[len(e.servers)-1].weak = slices.Clone(v.weak)
	}
	return e, true
}

// Snapshot is what callers see of it. Of a stranger's excerpt no proof shows the grace, nor when a key was replaced.
func (e Excerpt) Snapshot() *barnraise.Snapshot {
	var services []barnraise.Service
	for i := range e.services {
		services = append(services, e.services[i].listed(&e.services[i].head))
	}
	var servers []barnraise.Server
	for i := range e.servers {
		servers = append(servers, e.servers[i].listed(&e.servers[i].head))
	}
	return barnraise.NewSnapshot(e.Registry, e.Block, e.Hash, e.Grace, services, servers)
}

// Commitments are the commitments to its records, computed from what stands in it, by id.
func (e Excerpt) Commitments() (services, servers map[uint32][32]byte) {
	services, servers = map[uint32][32]byte{}, map[uint32][32]byte{}
	for i := range e.services {
		services[e.services[i].id()] = e.services[i].commitment(&e.services[i].head)
	}
	for i := range e.servers {
		servers[e.servers[i].id()] = e.servers[i].commitment(&e.servers[i].head)
	}
	return services, servers
}

// IDs are the ids of its records.
func (e Excerpt) IDs() (services []barnraise.ServiceID, servers []barnraise.ServerID) {
	for i := range e.services {
		services = append(services, e.services[i].service.ID)
	}
	for i := range e.servers {
		servers = append(servers, e.servers[i].server.ID)
	}
	return services, servers
}

// Union adds the records of another excerpt of the same block that this one does not have. It fails with [ErrSnapshot] where
// they are of two blocks.
func (e Excerpt) Union(o Excerpt) (Excerpt, error) {
	if e.Registry != o.Registry || e.Block != o.Block || e.Hash != o.Hash {
		return e, fmt.Errorf("join excerpts: one is of %s at block %d, %s, the other of %s at block %d, %s: %w",
			e.Registry, e.Block, e.Hash, o.Registry, o.Block, o.Hash, ErrSnapshot)
	}
	e.services = join(e.services, o.services, heldService.id)
	e.servers = join(e.servers, o.servers, heldServer.id)
	e.Grace, e.Proof = min(e.Grace, o.Grace), nil
	return e, nil
}

func join[V any](a, b []V, id func(V) uint32) []V {
	a = slices.Clone(a)
	for _, v := range b {
		if !slices.ContainsFunc(a, func(o V) bool { return id(o) == id(v) }) {
			a = append(a, v)
		}
	}
	slices.SortFunc(a, func(x, y V) int { return int(id(x)) - int(id(y)) })
	return a
}

// WriteExcerpt writes an excerpt as a snapshot file, of which [ReadExcerpt] makes the same excerpt again. It fails where it
// would be longer than [MaxExcerpt], and with the error of the writer.
func WriteExcerpt(w io.Writer, e Excerpt) error {
	b := bufio.NewWriter(&boundedWriter{w: w, left: MaxExcerpt})
	err := e.write(b)
	if err == nil {
		err = b.Flush()
	}
	if err != nil {
		return fmt.Errorf("write excerpt: %w", err)
	}
	return nil
}

func (e Excerpt) write(b *bufio.Writer) error {
	if err := writeOuter(b, wireOuter{
		1, e.Registry.Chain, e.Registry.Services, e.Registry.Servers, e.Block, e.Hash, e.Time, e.Grace,
	}, e.Proof); err != nil {
		return err
	}
	if err := writeItems(b, "service", len(e.services), func(i int) any {
		return e.services[i].write(&e.services[i].head, e.Block)
	}); err != nil {
		return err
	}
	if err := writeItems(b, "server", len(e.servers), func(i int) any {
		return e.servers[i].write(&e.servers[i].head)
	}); err != nil {
		return err
	}
	_, err := b.WriteString("}\n")
	return err
}

// ReadExcerpt reads some services and servers, from an answer of /v1/snapshot or any other snapshot file that has all of
// each record, and computes the commitments anew. It is strict, and bounded by [MaxExcerpt]. It fails with [ErrSnapshot], or
// with the error of the reader. Nobody has checked them against a chain: package proof does.
func ReadExcerpt(r io.Reader) (Excerpt, error) {
	f := stateFile{}
	if err := f.readFrom(r, MaxExcerpt, f.member); err != nil {
		return Excerpt{}, err
	}
	return Excerpt{
		Registry: f.registry, Block: f.block, Hash: f.hash, Time: f.time, Grace: f.grace, Proof: f.proof,
		services: f.services, servers: f.servers,
	}, nil
}

// writeBacking writes it as a member of a file.
func writeBacking(b *bufio.Writer, p *Backing) error {
	text, err := json.Marshal(p)
	if err == nil {
		_, err = fmt.Fprintf(b, ",\n\"proof\":%s", text)
	}
	return err
}
