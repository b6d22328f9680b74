package client

import (
	"fmt"
	"time"

	"barnraise"
	"barnraise/score"
)

// run has every client make its calls, one after the other.
func (w *world) run() result {
	for i := range w.requests {
		if w.late > 0 && i == w.late {
			w.now, w.snapshot = w.now.Add(YoungEpochs*Epoch), w.register(true)
			w.result = result{} // what counts is what happens from now on
		}
		for c := range w.clients {
			w.step(c)
		}
	}
	for i, h := range w.hosted {
		if !h.liar {
			w.result.suspended = max(w.result.suspended, w.suspending(barnraise.ServerID(i+1)))
		}
	}
	for _, c := range append(w.clients, w.checker) {
		c.Close()
	}
	return w.result
}

// suspending is the share of clients that suspend a server.
func (w *world) suspending(id barnraise.ServerID) (share float64) {
	for _, c := range w.clients {
		c.Book(func(b *score.Book) {
			if b.Suspended(id, 1) {
				share += 1 / float64(len(w.clients))
			}
		})
	}
	return share
}

// step is one call of one client, with what else happens in that time.
func (w *world) step(c int) {
	w.turn++
	w.now = w.now.Add(every / time.Duration(len(w.clients)))
	if w.random.Float64() < w.churn {
		w.replace(c)
	}
	for len(w.queue) > 0 && w.queue[0].due <= w.turn {
		w.spread(w.queue[0])
		w.queue = w.queue[1:]
	}
	if w.random.Float64() < w.fellow {
		w.probe()
	}
	w.begin(c)
	a, err := w.clients[c].Call(w.t.Context(), "#1", "ask", w.request())
	if err != nil {
		w.result.failed++
		return
	}
	w.result.accepted++
	if string(a.Result) != `{"answer":42}` {
		w.result.wrong++
	}
	for _, s := range a.Struck {
		w.given[c][s-1].sinceCaught = 0
		if !w.hosted[s-1].liar {
			w.result.struck++
		}
	}
}

func (w *world) begin(client int) {
	w.asking = &asking{client: client, serial: uint64(w.turn), primary: -1, asked: make(map[int]bool)}
}

// request is one of those that clients make.
func (w *world) request() []byte { return fmt.Appendf(nil, `{"x":%d}`, w.random.IntN(kinds)) }

// spread has everybody but the finder learn of evidence that holds. Rechecks of the same evidence find the same, so that one is
// made for all.
func (w *world) spread(f found) {
	r, err := w.checker.Recheck(w.t.Context(), f.evidence, true)
	if err != nil {
		w.t.Errorf("recheck of a client's evidence: %v", err)
		return
	}
	for c, client := range w.clients {
		if c == f.finder {
			continue
		}
		client.Book(func(b *score.Book) {
			for _, s := range r.Culprits {
				b.Foreign(s, 1, barnraise.Sum(f.evidence.Request), client.epoch(), "evidence")
			}
		})
	}
}

// probe has an honest host look at another, in the guise of a client. It costs its request and an execution.
func (w *world) probe() {
	auditor, target, guise := 1+w.random.IntN(w.setting.hosts), 1+w.random.IntN(w.setting.hosts), w.random.IntN(len(w.clients))
	if w.hosted[auditor].liar || auditor == target {
		return
	}
	w.begin(guise)
	w.asking.serial |= 1 << 63
	w.result.cost++
	if _, err := w.checker.Probe(w.t.Context(), barnraise.ServerID(target+1), 1, fmt.Appendf(nil,
		`{"jsonrpc":"2.0","id":1,"method":"ask","params":{"x":%d}}`, w.random.IntN(kinds))); err != nil {
		w.t.Errorf("probe: %v", err)
	}
}
