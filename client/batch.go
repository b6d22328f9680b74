package client

import (
	"context"
	"sync"
)

// Request is one call of a [Client.Batch].
type Request struct {
	Method string
	Params any // as [Client.Call] takes them
}

// Reply is what came of one call of a [Client.Batch]: exactly one of Answer and Err is set, as [Client.Call] returns them.
type Reply struct {
	Answer *Answer
	Err    error
}

// batchWidth is how many calls of a batch are under way at once.
const batchWidth = 16

// Batch makes several calls of one service, up to sixteen at once, and returns what came of each, in the order of the requests. Each is
// a call of its own, with its own verdict, evidence and time: one that fails says nothing about the others, and no server sees that
// they belong together (protocol 3.2). What [OnProvisional] has called is called from several goroutines.
//
// Where ctx ends, those that are not through fail as a call does.
func (c *Client) Batch(ctx context.Context, service string, requests []Request, options ...CallOption) []Reply {
	replies := make([]Reply, len(requests))
	var group sync.WaitGroup
	room := make(chan struct{}, batchWidth)
	for i, r := range requests {
		room <- struct{}{}
		group.Go(func() {
			a, err := c.Call(ctx, service, r.Method, r.Params, options...)
			replies[i] = Reply{a, err}
			<-room
		})
	}
	group.Wait()
	return replies
}
