package devnet

import (
	"context"
	"path/filepath"

	"barnraise"
	"barnraise/audit"
	"barnraise/client"
	"barnraise/dial"
	"barnraise/image"
	"barnraise/runtime"
	runwasm "barnraise/runtime/wasm"
	"barnraise/server"
	"barnraise/store"
)

// barter gives server i what it needs to host for others: a memory, somebody to tell, and a client that asks the others. All of
// it ends with the network.
func (n *Net) barter(ctx context.Context, i int, d *server.Dependencies) error {
	m := n.Servers[i]
	kept, err := store.Open(ctx, filepath.Join(m.Data, "barnraise.db"), store.Options{})
	if err != nil {
		return err
	}
	n.stop = append(n.stop, kept.Close)
	var scores *store.Bookkeeper // once the client is open
	d.Memory, d.Evidence = kept.Documents(server.MemoryKind), kept
	d.Happened = func(e store.Event) { n.note(m.ID, kept.Append(context.Background(), e)) }
	d.Tell = func(s server.Step) {
		n.note(m.ID, kept.Append(context.Background(), s.Event()))
		n.note(m.ID, scores.Keep(context.Background()))
		if n.options.Tell != nil {
			n.options.Tell(m.ID, s)
		}
	}
	registry := d.Registry
	d.Client = func(images *image.Store, _ runtime.Runtime, options ...client.Option) (*client.Client, error) {
		// Whoever lies to others does not lie to himself: what he asks about, he runs honestly.
		machine := audit.New(runwasm.New(runwasm.Config{Engine: n.engine, Images: images}), images, dial.Client(n.Network.Private(), 0))
		n.stop = append(n.stop, machine.Close)
		c, err := client.Open(ctx, n.Network, append(options, client.WithRegistry(registry), client.WithRerunner(machine),
			client.WithCache(n.options.Cache))...)
		if err != nil {
			return nil, err
		}
		scores = kept.Bookkeeper(c.Book)
		n.stop = append(n.stop, c.Close, func() error { return scores.Keep(context.Background()) })
		return c, scores.Restore(ctx, func(err error) { n.note(m.ID, err) })
	}
	return nil
}

// note makes an error of a server one of the network's.
func (n *Net) note(id barnraise.ServerID, err error) {
	if err != nil {
		n.fail(id, err)
	}
}
