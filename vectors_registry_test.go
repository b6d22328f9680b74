package barnraise_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"slices"
	"testing"

	"barnraise"
	"barnraise/registry"

	"golang.org/x/crypto/sha3"
)

// logVectors is a story of each registry contract (1.8), every event with what it leads to.
type logVectors struct {
	Services []stepVector `json:"services"`
	Servers  []stepVector `json:"servers"`
}

// stepVector is an event under its name in the contract, with its fields; those left out are zero or empty.
type stepVector struct {
	Block uint64 `json:"block"`
	Event string `json:"event"`
	ID    uint32 `json:"id"`

	Owner      barnraise.Address     `json:"owner,omitzero"`
	From       barnraise.Address     `json:"from,omitzero"`
	To         barnraise.Address     `json:"to,omitzero"`
	Delegate   barnraise.Address     `json:"delegate,omitzero"`
	Deposit    int64                 `json:"deposit,omitzero"` // in wei
	Amount     int64                 `json:"amount,omitzero"`
	UnlockAt   uint64                `json:"unlockAt,omitzero"`
	Name       string                `json:"name,omitzero"`
	Number     uint32                `json:"number,omitzero"`
	Image      word                  `json:"image,omitzero"`
	Ref        string                `json:"ref,omitzero"`
	Verifier   []byte                `json:"verifier,omitzero"`
	Manifest   []byte                `json:"manifest,omitzero"`
	Home       uint32                `json:"home,omitzero"`
	ActiveFrom uint64                `json:"activeFrom,omitzero"`
	Reason     string                `json:"reason,omitzero"`
	URL        string                `json:"url,omitzero"`
	Key        word                  `json:"key,omitzero"`
	Offers     []barnraise.ServiceID `json:"offers,omitzero"`
	Rewards    []barnraise.ServiceID `json:"rewards,omitzero"`
	Capacity   uint32                `json:"capacity,omitzero"`

	Kind       uint8 `json:"kind"`
	Commitment word  `json:"commitment"` // to the record after the event
	Log        word  `json:"log"`        // the running hash after the event
}

// word is 32 bytes, in hexadecimal.
type word [32]byte

func (w word) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(w[:])), nil }

func (w *word) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err == nil && len(b) != len(w) {
		err = fmt.Errorf("%q has %d bytes, want %d", text, len(b), len(w))
	}
	if err == nil {
		*w = word(b)
	}
	return err
}

// event is the step's event and its kind.
func (s stepVector) event() (registry.Event, uint8) {
	switch s.Event {
	case "ServiceRegistered":
		return registry.ServiceRegistered{ID: s.ID, Owner: s.Owner, Name: s.Name, Deposit: big.NewInt(s.Deposit)}, 1
	case "ServerRegistered":
		return registry.ServerRegistered{ID: s.ID, Owner: s.Owner, Deposit: big.NewInt(s.Deposit)}, 1
	case "OwnershipOffered":
		return registry.OwnershipOffered{ID: s.ID, To: s.To}, 2
	case "OwnershipTransferred":
		return registry.OwnershipTransferred{ID: s.ID, From: s.From, To: s.To}, 3
	case "DelegateSet":
		return registry.DelegateSet{ID: s.ID, Delegate: s.Delegate}, 4
	case "DepositAdded":
		return registry.DepositAdded{ID: s.ID, Deposit: big.NewInt(s.Deposit)}, 5
	case "Unregistered":
		return registry.Unregistered{ID: s.ID, UnlockAt: s.UnlockAt}, 6
	case "Withdrawn":
		return registry.Withdrawn{ID: s.ID, To: s.To, Amount: big.NewInt(s.Amount)}, 7
	case "RevisionPublished":
		return registry.RevisionPublished{
			ID: s.ID, Number: s.Number, Image: barnraise.Digest(s.Image), Reference: s.Ref, Verifier: s.Verifier, Manifest: s.Manifest,
			Home: s.Home, ActiveFrom: s.ActiveFrom,
		}, 16
	case "RevisionRevoked":
		return registry.RevisionRevoked{ID: s.ID, Number: s.Number, Reason: s.Reason}, 17
	case "UrlSet":
		return registry.URLSet{ID: s.ID, URL: s.URL}, 32
	case "KeyRotated":
		return registry.KeyRotated{ID: s.ID, Key: s.Key}, 33
	case "ListsSet":
		return registry.ListsSet{ID: s.ID, Offers: s.Offers, Rewards: s.Rewards, Capacity: s.Capacity}, 34
	}
	return nil, 0
}

// makeLog tells everything that can happen to services and to servers, once: the stories whose hashes package registry has
// frozen.
func (v *vectors) makeLog(t *testing.T) {
	alice, bob, carol := barnraise.Address{1}, barnraise.Address{2}, barnraise.Address{3}
	cid := func(b byte) []byte { return append([]byte{1, 0x55, 0x12, 0x20}, bytes.Repeat([]byte{b}, 32)...) }
	published := func(block uint64, id, number uint32, from uint64) stepVector {
		return stepVector{
			Block: block, Event: "RevisionPublished", ID: id, Number: number, Image: word{1, byte(number)}, Ref: "registry.example/search",
			Verifier: cid(1), Manifest: cid(2), Home: 1, ActiveFrom: from,
		}
	}
	type ids = []barnraise.ServiceID
	v.Log.Services = []stepVector{
		{Block: 5, Event: "ServiceRegistered", ID: 1, Owner: alice, Name: "search", Deposit: 50},
		published(5, 1, 1, 5),
		{Block: 6, Event: "ServiceRegistered", ID: 2, Owner: bob, Name: "search", Deposit: 60},
		published(6, 2, 1, 6),
		published(7, 1, 2, 20),
		{Block: 7, Event: "DelegateSet", ID: 1, Delegate: carol},
		{Block: 8, Event: "RevisionRevoked", ID: 1, Number: 2, Reason: "wrong"},
		{Block: 9, Event: "DepositAdded", ID: 1, Deposit: 55},
		{Block: 9, Event: "OwnershipOffered", ID: 1, To: carol},
		{Block: 9, Event: "OwnershipTransferred", ID: 1, From: alice, To: carol},
		{Block: 10, Event: "DelegateSet", ID: 1, Delegate: bob},
		{Block: 11, Event: "Unregistered", ID: 1, UnlockAt: 1000},
		{Block: 12, Event: "RevisionRevoked", ID: 1, Number: 1},
		{Block: 20, Event: "Withdrawn", ID: 1, To: carol, Amount: 55},
	}
	v.Log.Servers = []stepVector{
		{Block: 5, Event: "ServerRegistered", ID: 1, Owner: alice, Deposit: 50},
		{Block: 5, Event: "UrlSet", ID: 1, URL: "https://a.example"},
		{Block: 5, Event: "KeyRotated", ID: 1, Key: word{1, 2, 3}},
		{Block: 5, Event: "ListsSet", ID: 1, Offers: ids{1, 2}, Rewards: ids{3}, Capacity: 4},
		{Block: 6, Event: "KeyRotated", ID: 1, Key: word{4, 5, 6}},
		{Block: 7, Event: "KeyRotated", ID: 1, Key: word{1}},
		{Block: 8, Event: "KeyRotated", ID: 1, Key: word{7, 8, 9}},
		{Block: 9, Event: "ListsSet", ID: 1, Offers: ids{2}, Rewards: ids{3}, Capacity: 5},
		{Block: 10, Event: "ListsSet", ID: 1, Capacity: 5},
		{Block: 11, Event: "DelegateSet", ID: 1, Delegate: bob},
	}
	v.Log.fold(t)
}

// fold sets kind, commitment and log of every step.
func (l *logVectors) fold(t *testing.T) {
	t.Helper()
	var services registry.Services
	var servers registry.Servers
	for _, side := range []struct {
		steps      []stepVector
		apply      func(registry.Block, registry.Event) error
		commitment func(uint32) ([32]byte, bool)
		log        func() [32]byte
	}{
		{l.Services, services.Apply, services.Commitment, services.Log},
		{l.Servers, servers.Apply, servers.Commitment, servers.Log},
	} {
		for i := range side.steps {
			s := &side.steps[i]
			event, kind := s.event()
			if err := side.apply(registry.Block{Number: s.Block}, event); err != nil {
				t.Fatalf("step %d, %s: %v", i, s.Event, err)
			}
			commitment, _ := side.commitment(s.ID)
			s.Kind, s.Commitment, s.Log = kind, commitment, side.log()
		}
	}
}

// TestProtocol1_8VectorsFromTheFile: what stands in the file is enough to come to its commitments and running hashes, which are
// those that package registry has frozen.
func TestProtocol1_8VectorsFromTheFile(t *testing.T) {
	data, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var want, got vectors
	for _, v := range []*vectors{&want, &got} {
		if err := json.Unmarshal(data, v); err != nil {
			t.Fatal(err)
		}
	}
	got.Log.fold(t)
	for name, side := range map[string][2][]stepVector{
		"services": {want.Log.Services, got.Log.Services}, "servers": {want.Log.Servers, got.Log.Servers},
	} {
		log := word{}
		for i, w := range side[0] {
			g := side[1][i]
			if g.Commitment != w.Commitment || g.Log != w.Log {
				t.Errorf("%s, step %d, %s: commitment %x, log %x; the file has %x, %x",
					name, i, w.Event, g.Commitment, g.Log, w.Commitment, w.Log)
			}
			kind, id := word{31: w.Kind}, binary.BigEndian.AppendUint32(make([]byte, 28), w.ID)
			keccak := sha3.NewLegacyKeccak256()
			keccak.Write(slices.Concat(log[:], kind[:], id, w.Commitment[:]))
			if log = word(keccak.Sum(nil)); log != w.Log {
				t.Errorf("%s, step %d, %s: kind %d leads to log %x, the file has %x", name, i, w.Event, w.Kind, log, w.Log)
			}
		}
		frozen := map[string]string{
			"services": "42aacdaf161bb4054be50944e2dd2a9cdaa3fff6b1d97cebb6bf203cfc083653",
			"servers":  "ebc4d8323c9a7ff1821607e84e5bd62836c1b386154f65179b471e84ac099e7b",
		}
		if hex.EncodeToString(log[:]) != frozen[name] {
			t.Errorf("%s: the last log of the file is %x, want %s", name, log, frozen[name])
		}
	}
}
