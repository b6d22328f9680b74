package evidence

import (
	"context"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/registry"
)

var testNetwork = registry.Network{
	Chain: "eip155:31337", RPC: []string{"http://127.0.0.1:1"}, Services: barnraise.Address{1}, Servers: barnraise.Address{2},
}

// pass lets time pass.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// empty is a registry with nothing in it.
type empty struct{}

func (empty) Confirmed(context.Context) (*barnraise.Snapshot, error) {
	return barnraise.NewSnapshot(testNetwork.Registry(), 20, [32]byte{}, 5, nil, nil), nil
}
