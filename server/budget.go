package server

import (
	"cmp"
	"math"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"barnraise"
	"barnraise/budget"
	"barnraise/conformance"
	"barnraise/endpoint"
)

// Ledger keeps what the budgets have counted from run to run.
type Ledger interface {
	// Load returns what was saved last, and an empty record where nothing was.
	Load() (budget.Record, error)
	Save(budget.Record) error
}

// openBudgets makes what counts. A record that cannot be read is no reason not to serve.
func (s *Server) openBudgets(d Dependencies) {
	limits := s.config.Budgets
	if d.Space == nil {
		d.Space = budget.SpaceOf
	}
	if s.ledger = d.Ledger; s.ledger == nil {
		s.ledger = budget.File(filepath.Join(s.config.Data, "budgets.json"))
	}
	s.disk = budget.NewDisk(s.config.Data, limits, d.Space, s.now)
	s.meter = budget.NewMeter(limits, time.Duration(s.config.Policy.Epoch), s.now)
	record, err := s.ledger.Load()
	if err != nil {
		s.log.Warn("budgets begin anew", "err", err)
	}
	s.meter.Restore(record)
}

// tooMuch answers a call that is over budget, and says when to come again.
func tooMuch(w http.ResponseWriter, over *budget.Over) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(over.Wait.Seconds()))))
	endpoint.Fail(w, http.StatusTooManyRequests, "", over.Error())
}

// given counts what others fetch of images and content, and refuses it where there is no budget left for it.
func (s *Server) given(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if over := s.meter.Gives(); over != nil {
			tooMuch(w, over)
			return
		}
		h.ServeHTTP(&counted{w, s.meter}, r)
	})
}

// counted is a response whose bytes are counted as they go out.
type counted struct {
	http.ResponseWriter
	meter *budget.Meter
}

// Write sends and counts.
func (c *counted) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.meter.Gave(n)
	return n, err
}

// Unwrap is for deadlines to be set through.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// owns reports whether a service is this operator's: the configuration says so, or the registry that its home is here and its
// owner this server's. Home alone says nothing: any author may name any.
func (s *Server) owns(snapshot *barnraise.Snapshot, service barnraise.Service, r barnraise.Revision) bool {
	me, ok := snapshot.Server(barnraise.ServerID(s.id.Load()))
	return slices.Contains(s.config.Own, service.ID) || ok && r.Home == me.ID && service.Owner == me.Operator
}

const (
	weighEvery = 30 * time.Second // how often the processor time of what runs is looked at
	saveEvery  = time.Minute      // how often the counters are saved: more than that no crash loses
)

// account takes the processor time of what runs into account, beside everything else, and saves the counters now and then.
func (s *Server) account() {
	again := func() time.Duration { return weighEvery }
	for _, h := range s.whose(func(h *hosted) *time.Time { return &h.weigh }, again) {
		s.work.Go(func() { s.weighed(h, h.instance.Stats().CPU) })
	}
	if now := s.now(); now.Sub(s.saved) >= saveEvery {
		s.saved = now
		if err := s.save(); err != nil {
			s.log.Warn("save budgets", "err", err)
		}
	}
}

// save saves the counters, if they have changed.
func (s *Server) save() error {
	record := s.meter.Record()
	if record.Equal(s.record) {
		return nil
	}
	err := s.ledger.Save(record)
	if err == nil {
		s.record = record
	}
	return err
}

// weighed takes into account what a revision has used since it was looked at last. A runtime that does not know for a moment,
// or has lost some of it, says less than before: that is passed over.
func (s *Server) weighed(h *hosted, cpu time.Duration) {
	for {
		before := h.spent.Load()
		if int64(cpu) <= before {
			return
		}
		if h.spent.CompareAndSwap(before, int64(cpu)) {
			s.meter.Ran(h.service, h.own, cpu-time.Duration(before))
			return
		}
	}
}

// Usage says what services use of this machine now.
func (s *Server) Usage() budget.Usage {
	u := s.meter.Usage()
	u.Disk = s.disk.Usage()
	u.All.Images = uint64(u.Disk[budget.Images].Used)
	for id, bytes := range s.imagesOf() {
		use := u.Services[id]
		use.Images = bytes
		u.Services[id] = use
	}
	u.Idle = s.idle()
	return u
}

// idle says why nothing more may be started for others now, and is empty where it may.
func (s *Server) idle() string { return cmp.Or(s.meter.Idle(), s.disk.Idle()) }

// cost is what hosting a revision costs, in units: by what the gate has found, and what callers make of it here.
func (s *Server) cost(id barnraise.ServiceID, subject conformance.Subject) uint32 {
	var report conformance.Report
	if file, err := s.gate.file(subject); err == nil {
		report, _, _ = s.gate.report(file)
	}
	return budget.Cost(report, subject.Manifest, s.meter.Load(id))
}
