package wasm

import (
	"context"
	"slices"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// slice is how much fuel a run burns before it comes back to Go for a moment: a millisecond or so. Machine code of a module
// cannot be interrupted, and until it comes back by itself a garbage collection stops the whole process. So the counter holds
// a slice at most, and the rest waits here.
const slice = 10_000_000

// grant gives an instance its fuel. Nothing of it runs.
func (w *world) grant(counter api.MutableGlobal, fuel uint64) {
	first := min(fuel, slice)
	w.fuel, w.left = counter, int64(fuel-first)
	counter.Set(first)
}

// refill fills a counter that is below zero, and reports whether there was enough left to bring it above.
func (w *world) refill() bool {
	debt := -int64(w.fuel.Get())
	more := min(w.left, max(slice, debt))
	w.left -= more
	w.fuel.Set(uint64(more - debt))
	return more >= debt
}

// yielder is entered by the engine together with the function that a module calls when its slice is used up.
type yielder struct{}

// NewFunctionListener listens to that function and to no other.
func (y yielder) NewFunctionListener(f api.FunctionDefinition) experimental.FunctionListener {
	if slices.Contains(f.ExportNames(), exportYield) {
		return y
	}
	return nil
}

// stopped ends a run whose context has ended.
type stopped struct{ cause error }

func (s *stopped) Error() string { return s.cause.Error() }

// Before refills the counter, unless nobody waits for the run any more.
func (yielder) Before(ctx context.Context, _ api.Module, _ api.FunctionDefinition, _ []uint64, _ experimental.StackIterator) {
	if err := ctx.Err(); err != nil {
		panic(&stopped{err})
	}
	ctx.Value(worldKey{}).(*world).refill()
}

// After has nothing to do.
func (yielder) After(context.Context, api.Module, api.FunctionDefinition, []uint64) {}

// Abort has nothing to do.
func (yielder) Abort(context.Context, api.Module, api.FunctionDefinition, error) {}
