package barnraise

import "slices"

// The longest lists a server may register (protocol 1.5; the contract enforces the same).
const (
	MaxOffers  = 256
	MaxRewards = 64
)

// Server is a registered server: who operates it, where it is reached, what it runs and what it would like to see run.
type Server struct {
	ID       ServerID
	Operator Address // the owner account: one operator has one vote (protocol 6.2)
	Delegate Address // may set offers, rewards and capacity, nothing else; zero where there is none
	URL      string
	Keys     []Key       // every key it ever had, oldest first; the last one is current
	Offers   []ServiceID // ascending
	Rewards  []ServiceID // ascending
	Capacity uint32      // units it is willing to host, its own claim
	Status   Status
	Since    uint64 // block of registration
}

// Key is one signing key of a server with the blocks in which it was current (protocol 1.6).
type Key struct {
	Key        PublicKey
	From       uint64
	To         uint64 // block of its replacement; zero for the current key
	ReplacedAt int64  // time of that block in Unix seconds
}

// Key returns the current key, and false for a server without a usable one.
func (s Server) Key() (Key, bool) {
	if len(s.Keys) == 0 || s.Keys[len(s.Keys)-1].To != 0 {
		return Key{}, false
	}
	return s.Keys[len(s.Keys)-1], true
}

// keyNamed finds the newest key of that id.
func (s Server) keyNamed(kid string) (Key, bool) {
	for _, k := range slices.Backward(s.Keys) {
		if k.Key.ID() == kid {
			return k, true
		}
	}
	return Key{}, false
}

// OffersService reports whether the server claims to run the service.
func (s Server) OffersService(id ServiceID) bool {
	_, found := slices.BinarySearch(s.Offers, id)
	return found
}

// ValidList reports whether ids can stand in a registry: none is zero, strictly ascending, at most limit of them.
func ValidList(ids []ServiceID, limit int) bool {
	if len(ids) > limit || len(ids) > 0 && ids[0] == 0 {
		return false
	}
	for i := 1; i < len(ids); i++ {
		if ids[i] <= ids[i-1] {
			return false
		}
	}
	return true
}
