package client

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/until"
)

// The roles in which a server is asked. It cannot tell which is its own (protocol 3.5).
const (
	RolePrimary = "primary"
	RoleAuditor = "auditor"
	RoleAnchor  = "anchor"  // an auditor whom the caller has reason to trust: the home (protocol 6.5)
	RoleWitness = "witness" // drawn after a dispute arose
)

// What came of asking a server.
const (
	OutcomeAgreed   = "agreed"
	OutcomeStruck   = "struck"   // it signed an answer that lost
	OutcomeDiffers  = "differs"  // it signed another answer, and is not struck for it
	OutcomeAnswered = "answered" // it signed an answer, and the call was not decided
	OutcomeFailed   = "failed"   // no answer that it could be held to
)

// Asked tells of one server that was drawn, and of what came of asking it.
type Asked struct {
	Server  barnraise.ServerID
	URL     string
	Role    string
	Outcome string
	Why     string // where it failed or was struck
	Effect  string // what that did to its score, where [Explained] wants that
	Took    time.Duration
}

// Answer is an accepted answer.
type Answer struct {
	Result   json.RawMessage // exactly as the servers wrote it; nil where Error is set
	Error    *jsonrpc.Error  // the service's own error: an answer like any other
	Service  barnraise.ServiceID
	Revision uint32
	Verdict  barnraise.Outcome // Accepted
	Asked    []Asked
	Requests int                  // sent for this answer: none to a server that did not introduce itself, none from memory
	Memo     bool                 // it was accepted before, and is remembered (protocol 6.7)
	Passed   []Candidate          // who was not asked and why, where [Explained] wants that
	Struck   []barnraise.ServerID // who lied
	Evidence string               // the name under which that is kept; empty where nobody did
	// Unverified are JSON pointers (RFC 6901) into the response, such as "/result/took", to values that nobody but the answering
	// server vouches for, with all that is below them: the service's verifier leaves them open. "" stands for all of it. Show
	// them as such or drop them, and build nothing on them. How a value is written, and the order of members, is never vouched
	// for by a verifier that compares values.
	Unverified []string

	spare func() // gives back the memory of the result; nil where it is the caller's for good
}

// Release gives back the memory of the result, or of the service's error, for other calls to use: who calls it looks at neither any
// more. Nobody has to: without it the garbage collector does. It spares a program that makes many calls half of its garbage.
func (a *Answer) Release() {
	if spare := a.spare; spare != nil {
		a.spare, a.Result, a.Error = nil, nil, nil
		spare()
	}
}

// Decode reads the result into v. It fails with the service's own error where the answer is one.
func (a *Answer) Decode(v any) error {
	if a.Error != nil {
		return a.Error
	}
	return json.Unmarshal(a.Result, v)
}

// Call asks a service and returns an answer that its verifier accepts. The service is an id such as "#3", a revision of it
// such as "#3@2", or a name that the network file or the lock file knows. Params are nil, JSON as []byte or [json.RawMessage],
// which goes out verbatim, or a value to be encoded: an array or an object.
//
// For the grace after a new revision has come into force, the one before it is called where too few run the new one yet, unless the
// caller has pinned one: Answer.Revision says which it was.
//
// A call that cannot be decided fails closed: [ErrTooFew], [ErrUndecided] with the evidence, [ErrNotFound], [ErrUnavailable].
// An error of the service itself is no error here, but Answer.Error.
//
// Where ctx ends, or the client is closed, the call ends within about a second and fails; servers that had not answered by then
// are not held to it. Answers that contradict each other are still judged and kept.
func (c *Client) Call(ctx context.Context, service, method string, params any, options ...CallOption) (*Answer, error) {
	ctx, cancel := c.inTime(ctx)
	defer cancel()
	request, err := encode(method, params)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", service, err)
	}
	r, a, err := c.attempt(ctx, service, request, options)
	if err != nil {
		return c.otherwise(ctx, service, request, options, r, err)
	}
	return a, nil
}

// inTime derives a context that ends with the client, and after [Timeout] where it has no deadline of its own.
func (c *Client) inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	late := time.Time{}
	if _, ok := ctx.Deadline(); !ok {
		late = time.Now().Add(Timeout)
	}
	u := until.Either(ctx, c.life, errClosed, late)
	return u, u.End
}

// whileOpen derives a context that ends with the client.
func (c *Client) whileOpen(ctx context.Context) (context.Context, context.CancelFunc) {
	u := until.Either(ctx, c.life, errClosed, time.Time{})
	return u, u.End
}

// round prepares a call: nobody has been asked yet.
func (c *Client) round(ctx context.Context, service string, request []byte) (*round, error) {
	t, err := c.target(ctx, service)
	if err != nil {
		return nil, err
	}
	r := &round{c: c, target: t, request: request, wishes: wishes{policy: c.policy}}
	r.draws = draws{c: c, service: t.service.ID, home: t.home(), wishes: &r.wishes, now: c.now()}
	for i := range t.hosts {
		if t.hosts[i].why == "" {
			r.draws.all = append(r.draws.all, &t.hosts[i])
		}
	}
	r.draws.left = r.draws.all
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.metIn != t.snapshot {
		c.metIn = t.snapshot
		clear(c.met)
	}
	if !c.met[t.service.ID] {
		c.met[t.service.ID] = true
		for _, v := range r.draws.all {
			c.book.Meet(v.ID, v.Since, t.snapshot.Block, r.draws.now)
		}
	}
	return r, nil
}

func encode(method string, params any) ([]byte, error) {
	switch p := params.(type) {
	case nil:
		return jsonrpc.NewRequest(method, nil)
	case []byte:
		return jsonrpc.NewRequest(method, p)
	case json.RawMessage:
		return jsonrpc.NewRequest(method, p)
	}
	b, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("encode params: %w", err)
	}
	return jsonrpc.NewRequest(method, b)
}
