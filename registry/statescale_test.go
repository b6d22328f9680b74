package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"barnraise"
)

// scaleState is a registry of 5,000 services and twice as many servers, with eight offers and eight rewards each. Keys and
// CIDs are random to whoever compresses them.
func scaleState(t testing.TB, services, servers int) State {
	s := State{
		Registry: barnraise.Registry{Chain: "eip155:31337", Services: alice, Servers: bob}, Block: 20_000, Grace: 7200,
		Services: new(Services), Servers: new(Servers),
	}
	random := func(n int, kind string) (sum [32]byte) {
		return sha256.Sum256(binary.BigEndian.AppendUint32([]byte(kind), uint32(n)))
	}
	cid := func(n int, kind string) []byte {
		sum := random(n, kind)
		return append([]byte{1, 0x55, 0x12, 0x20}, sum[:]...)
	}
	owner := func(n int) (a barnraise.Address) { sum := random(n, "owner"); copy(a[:], sum[:]); return a }
	apply := func(side interface{ Apply(Block, Event) error }, n int, events ...Event) {
		for _, e := range events {
			if err := side.Apply(Block{Number: uint64(10_000 + n/100)}, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := 1; n <= services; n++ {
		id := uint32(n)
		apply(s.Services, n, ServiceRegistered{id, owner(n), fmt.Sprintf("service-%d", n), wei(5e16)}, RevisionPublished{
			ID: id, Number: 1, Image: barnraise.Digest(random(n, "image")), Reference: fmt.Sprintf("registry.example/service-%d", n),
			Verifier: cid(n, "verifier"), Manifest: cid(n, "manifest"), Home: id, ActiveFrom: uint64(10_000 + n/100),
		})
	}
	for n := 1; n <= servers; n++ {
		id, key := uint32(n), random(n, "key")
		key[31] &= 0x3f
		var offers, rewards []barnraise.ServiceID
		for i := range barnraise.ServiceID(8) {
			offers = append(offers, 1+barnraise.ServiceID(n)%600+i*550)
			rewards = append(rewards, 1+barnraise.ServiceID(n)%500+i*560)
		}
		apply(s.Servers, n, ServerRegistered{id, owner(n), wei(5e16)}, URLSet{id, fmt.Sprintf("https://server-%d.example", n)},
			KeyRotated{id, key}, ListsSet{id, offers, rewards, 100})
	}
	return s
}

func BenchmarkWriteState(b *testing.B) {
	s := scaleState(b, 5_000, 10_000)
	var file bytes.Buffer
	for b.Loop() {
		file.Reset()
		if err := WriteState(&file, s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(file.Len()), "file-bytes")
}

func BenchmarkReadState(b *testing.B) {
	file := written(b, scaleState(b, 5_000, 10_000))
	for b.Loop() {
		if _, err := ReadState(bytes.NewReader(file)); err != nil {
			b.Fatal(err)
		}
	}
}
