package evm

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
)

// TestSlowest: nobody waits for the slowest endpoint for long once a majority has answered, and for anybody while none has.
func TestSlowest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(site{}, newOptions(nil))
		for range 3 {
			p.add(&endpoint{client: new(rpc.Client), checked: true})
		}
		ask := func(delays ...time.Duration) (time.Duration, []reply[int]) {
			began := time.Now()
			said := poll(t.Context(), p, p.endpoints, func(ctx context.Context, e *endpoint, _ *rpc.Client) (int, error) {
				for i, other := range p.endpoints {
					if other == e {
						select {
						case <-time.After(delays[i]):
							return i, nil
						case <-ctx.Done():
							return 0, ctx.Err()
						}
					}
				}
				return 0, errors.New("nobody")
			})
			return time.Since(began), said
		}
		took, said := ask(time.Hour, time.Second, 2*time.Second)
		if took != 3*time.Second || !errors.Is(said[0].err, errSlow) || said[1].err != nil || said[2].value != 2 {
			t.Errorf("took %s, said %v; want three seconds, and all but the first", took, said)
		}
		took, said = ask(time.Minute, time.Second, time.Minute)
		if took != time.Minute || said[0].err != nil {
			t.Errorf("took %s, said %v; want a minute, and all", took, said)
		}
	})
}
