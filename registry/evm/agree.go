package evm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// ErrDisagree is the error for endpoints that contradict each other, none of which has the majority of the network file's behind
// it. It names both sides.
var ErrDisagree = errors.New("the RPC endpoints contradict each other")

// Trust is how many of the network file's RPC endpoints said the same of the registry.
type Trust struct {
	Agreed int `json:"agreed"`
	Of     int `json:"of"`
}

// Majority reports whether more than half of several endpoints agreed. Where it is false nobody contradicted either: what was
// read is as true as the endpoints that answered ("trusted RPC").
func (t Trust) Majority() bool { return t.Of > 1 && t.Agreed > t.Of/2 }

// String says it in words.
func (t Trust) String() string {
	if t.Majority() {
		return fmt.Sprintf("%d of %d RPC endpoints agree", t.Agreed, t.Of)
	}
	return fmt.Sprintf("trusted RPC: %d of %d endpoints vouches for this", t.Agreed, t.Of)
}

// Trust says on how many endpoints the newest snapshot rests. Before the first it is zero.
func (r *Registry) Trust() Trust {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	return r.pool.trust
}

// defaultPatience is for how long the others are waited for once as many as must agree have answered.
const defaultPatience = time.Second

// errSlow is what is noted of an endpoint that was not waited for.
var errSlow = errors.New("it answers more slowly than the others")

// reply is what one endpoint said.
type reply[T any] struct {
	from  *endpoint
	value T
	err   error
}

// majority is how many endpoints make one.
func (p *pool) majority() int { return len(p.endpoints)/2 + 1 }

// poll asks some endpoints at once, and returns what they said in the order given. It does not wait for the slowest once a
// majority has answered.
func poll[T any](
	ctx context.Context, p *pool, among []*endpoint, ask func(context.Context, *endpoint, *rpc.Client) (T, error),
) []reply[T] {
	results := make(chan reply[T], len(among))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	one := func(e *endpoint) {
		a := reply[T]{from: e}
		var client *rpc.Client
		if client, a.err = e.open(p.life, p.site); a.err == nil {
			a.value, a.err = ask(ctx, e, client)
		}
		results <- a
	}
	for _, e := range among {
		if len(among) == 1 && e.opened() != nil {
			one(e)
			continue
		}
		go one(e)
	}
	list := gather(ctx, p, len(among), results)
	for _, e := range among {
		if !slices.ContainsFunc(list, func(a reply[T]) bool { return a.from == e }) {
			list = append(list, reply[T]{from: e, err: cmp.Or(context.Cause(ctx), errSlow)})
		}
	}
	slices.SortFunc(list, func(a, b reply[T]) int {
		return cmp.Compare(slices.Index(among, a.from), slices.Index(among, b.from))
	})
	return list
}

// gather takes up to n answers, as long as it is worth the while.
func gather[T any](ctx context.Context, p *pool, n int, results <-chan reply[T]) (list []reply[T]) {
	var late <-chan time.Time
	good := 0
	for len(list) < n {
		select {
		case a := <-results:
			list = append(list, a)
			if a.err == nil {
				good++
			}
			if good == p.majority() && len(list) < n {
				late = time.After(p.patience)
			}
		case <-late:
			return list
		case <-ctx.Done():
			return list
		}
	}
	return list
}

// target names a block by what an endpoint says now.
type target func(context.Context, *rpc.Client) (block, error)

// sighting is what the endpoints say of a target: each a block, of which one is chosen that as many have as must agree.
type sighting struct {
	blocks []reply[block]
	chosen block
}

// survey asks all usable endpoints for the target. Of the blocks that they name it chooses the newest that a majority has got to,
// or, where fewer answer, all of them: so no single one can draw the others forward or hold them back.
func (p *pool) survey(ctx context.Context, t target) (sighting, error) {
	usable := p.usable()
	if len(usable) == 0 {
		return sighting{}, p.nobody(nil)
	}
	said := poll(ctx, p, usable, func(ctx context.Context, _ *endpoint, c *rpc.Client) (block, error) { return t(ctx, c) })
	if ctx.Err() != nil {
		return sighting{}, context.Cause(ctx)
	}
	var s sighting
	for _, a := range said {
		if a.err == nil {
			s.blocks = append(s.blocks, a)
		} else {
			p.failed(a.from, a.err)
		}
	}
	if len(s.blocks) == 0 {
		return sighting{}, p.nobody(said)
	}
	order := slices.Clone(s.blocks)
	slices.SortStableFunc(order, func(a, b reply[block]) int { return cmp.Compare(b.value.Number, a.value.Number) })
	s.chosen = order[min(p.majority(), len(order))-1].value
	return s, nil
}

// nobody is the error where no endpoint answers: the only one's own, or what is wrong with each.
func (p *pool) nobody(said []reply[block]) error {
	if len(p.endpoints) == 1 && len(said) == 1 {
		return &because{said[0].err, errNobody}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var each []string
	for _, e := range p.endpoints {
		each = append(each, fmt.Sprintf("%s: %s, %s", e.name, e.standing, e.why))
	}
	err := fmt.Errorf("%w: %s", errNobody, strings.Join(each, "; "))
	for _, a := range said {
		err = &because{err, a.err}
	}
	return err
}

var errNobody = errors.New("no RPC endpoint of the network file can be asked")

// because is an error that stands for another one too, without repeating it.
type because struct {
	error
	cause error
}

func (b *because) Unwrap() []error { return []error{b.error, b.cause} }

// state is what the two contracts say of themselves at a block.
type state struct{ services, servers stored }

type stored struct {
	log   [32]byte
	count uint32
}

// statement is all that endpoints must agree on.
type statement struct {
	hash      common.Hash
	state     state
	constants string
}

// verdict is what was agreed.
type verdict struct {
	block  block
	state  state
	params Params
	from   []*endpoint // who said so, in the order of the network file
	trust  Trust
}

// vote has the endpoints say what stands at the chosen block, and takes what the majority of the network file's says, or what all
// say where too few do. Who says otherwise is left. It fails with [ErrDisagree], and for a single endpoint with what that fails
// with. A final block may be older than the contracts, and who has another one in its place lies.
func (p *pool) vote(ctx context.Context, s sighting, final bool) (verdict, error) {
	said := poll(ctx, p, voters(s), func(ctx context.Context, e *endpoint, c *rpc.Client) (ballot, error) {
		b, err := p.site.ballot(ctx, c, e, s, final)
		if err == nil && len(p.endpoints) > 1 {
			err = checkCanonical(ctx, c, b.block, b.block) // or it would be taken for a liar that a reorganisation overtook
		}
		return b, err
	})
	if ctx.Err() != nil {
		return verdict{}, context.Cause(ctx)
	}
	var votes []reply[ballot]
	for _, a := range said {
		switch {
		case a.err == nil:
			votes = append(votes, a)
		case errors.Is(a.err, errNoBlock) || errors.Is(a.err, errBehind) || errors.Is(a.err, errMoved):
			p.behind(a.from, a.err.Error())
		default:
			p.failed(a.from, a.err)
		}
	}
	if len(votes) == 0 {
		return verdict{}, said[0].err
	}
	return p.count(votes, final)
}

func voters(s sighting) (list []*endpoint) {
	for _, a := range s.blocks {
		list = append(list, a.from)
	}
	return list
}

type ballot struct {
	block block
	says  statement
}

// ballot is what one endpoint says of the chosen block. It fails with [errNoBlock] where it does not have it.
func (s site) ballot(ctx context.Context, c *rpc.Client, e *endpoint, seen sighting, mayLack bool) (ballot, error) {
	var b block
	i := slices.IndexFunc(seen.blocks, func(a reply[block]) bool { return a.from == e })
	if b = seen.blocks[i].value; b.Number != seen.chosen.Number {
		var err error
		if b, err = blockAt(ctx, c, number(uint64(seen.chosen.Number))); err != nil {
			return ballot{}, err
		}
	}
	now, err := s.contracts.state(ctx, c, uint64(b.Number), mayLack)
	constants := fmt.Sprintf("%v", e.params)
	return ballot{b, statement{hash: b.Hash, state: now, constants: constants}}, err
}

// count takes what most say.
func (p *pool) count(votes []reply[ballot], final bool) (verdict, error) {
	sides := map[statement][]reply[ballot]{}
	for _, a := range votes {
		sides[a.value.says] = append(sides[a.value.says], a)
	}
	best := votes[0].value.says
	for _, a := range votes { // of equal sides the one that stands first in the network file
		if len(sides[a.value.says]) > len(sides[best]) {
			best = a.value.says
		}
	}
	winners := sides[best]
	if len(sides) > 1 && len(winners) < p.majority() {
		if err := fmt.Errorf("%w: %s", ErrDisagree, describe(votes)); final || !forked(votes) {
			return verdict{}, err
		} else {
			return verdict{}, &because{err, errFork}
		}
	}
	v := verdict{block: winners[0].value.block, state: best.state, params: winners[0].from.params}
	for _, a := range votes {
		if a.value.says == best {
			p.agreed(a.from)
			v.from = append(v.from, a.from)
		} else {
			p.outvoted(a, best, final)
		}
	}
	v.trust = Trust{Agreed: len(winners), Of: len(p.endpoints)}
	return v, nil
}

// errFork is the error for endpoints that are on different branches, each as true as its own.
var errFork = errors.New("they are on different branches of the chain")

// forked reports whether all that differs is what branches may differ in.
func forked(votes []reply[ballot]) bool {
	byHash := map[common.Hash]statement{}
	for _, a := range votes {
		says := a.value.says
		if s, ok := byHash[says.hash]; ok && s != says || says.constants != votes[0].value.says.constants {
			return false
		}
		byHash[says.hash] = says
	}
	return true
}

// outvoted leaves an endpoint that says what the majority does not.
func (p *pool) outvoted(a reply[ballot], best statement, final bool) {
	says := a.value.says
	at := uint64(a.value.block.Number)
	fork := fmt.Sprintf("its block %d is %s, that of the others %s", at, says.hash, best.hash)
	switch {
	case says.hash != best.hash && final:
		p.lies(a.from, fork)
	case says.hash != best.hash:
		p.apart(a.from, fork)
	case says.state != best.state:
		p.lies(a.from, fmt.Sprintf("at block %d it says %s, the others say %s", at, says.state, best.state))
	default:
		p.lies(a.from, "it gives other constants of the contracts than the others")
	}
}

// describe says who says what.
func describe(votes []reply[ballot]) string {
	sides := map[statement][]string{}
	var order []statement
	for _, a := range votes {
		if sides[a.value.says] == nil {
			order = append(order, a.value.says)
		}
		sides[a.value.says] = append(sides[a.value.says], a.from.name)
	}
	var parts []string
	for _, s := range order {
		parts = append(parts, fmt.Sprintf("%s: block %d is %s, %s, constants %s",
			strings.Join(sides[s], ", "), uint64(votes[0].value.block.Number), s.hash, s.state, s.constants))
	}
	return strings.Join(parts, "; against ")
}

func (s state) String() string { return fmt.Sprintf("services %s, servers %s", s.services, s.servers) }

func (s stored) String() string { return fmt.Sprintf("%d with hash %x", s.count, s.log[:8]) }

// state fetches running hashes and counts of both contracts at a block: zero where the contracts came later, and need not exist
// yet.
func (c contracts) state(ctx context.Context, client *rpc.Client, at uint64, mayLack bool) (state, error) {
	var s state
	var wait sync.WaitGroup
	var errs [2]error
	for i, side := range []struct {
		address common.Address
		into    *stored
	}{{c.services, &s.services}, {c.servers, &s.servers}} {
		wait.Go(func() { *side.into, errs[i] = c.stored(ctx, client, side.address, at, mayLack) })
	}
	wait.Wait()
	return s, cmp.Or(errs[0], errs[1])
}

func (c contracts) stored(ctx context.Context, client *rpc.Client, a common.Address, at uint64, mayLack bool) (s stored, err error) {
	tag, binding := number(at), c.service // both have the two functions
	s.log, err = readFrom(ctx, client, a, tag, binding.PackLog(), binding.UnpackLog)
	if errors.Is(err, errNoContract) && mayLack {
		return s, checkCode(ctx, client, a)
	}
	if errors.Is(err, errNoContract) {
		return s, fmt.Errorf("%w at %s: the chain has begun anew; get its new network file", err, a)
	}
	if err == nil {
		s.count, err = readFrom(ctx, client, a, tag, binding.PackCount(), binding.UnpackCount)
	}
	return s, err
}
