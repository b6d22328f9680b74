package proxy

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"barnraise"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxServices is how many services have a label of their own.
const maxServices = 1000

// meters are what the proxy counts. No label is of a caller's choice: a service has one once the registry has shown that it is
// there.
type meters struct {
	requests    *prometheus.CounterVec
	duration    prometheus.Histogram
	upstream    *prometheus.CounterVec
	convictions prometheus.Counter
	memo        prometheus.Counter
	refusals    *prometheus.CounterVec
	handler     http.Handler

	mu     sync.Mutex
	labels map[barnraise.ServiceID]string
	calls  map[callKey]prometheus.Counter   // of requests
	roles  map[[2]string]prometheus.Counter // of upstream
}

// callKey is what a call is counted as.
type callKey struct {
	service barnraise.ServiceID
	outcome string
}

func newMeters(busy func() int) *meters {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "barnraise", Subsystem: "proxy", Name: name, Help: help}
	}
	m := &meters{
		labels: make(map[barnraise.ServiceID]string),
		calls:  make(map[callKey]prometheus.Counter), roles: make(map[[2]string]prometheus.Counter),
		requests: prometheus.NewCounterVec(counter("requests_total", "JSON-RPC calls, by what became of them."), []string{"service", "outcome"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "barnraise", Subsystem: "proxy", Name: "request_duration_seconds", Help: "How long JSON-RPC calls took until they were decided.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
		upstream: prometheus.NewCounterVec(counter("upstream_requests_total", "Servers that were asked, by role and what came of it."),
			[]string{"role", "outcome"}),
		convictions: prometheus.NewCounter(counter("convictions_total", "Servers struck for what they signed.")),
		memo:        prometheus.NewCounter(counter("memo_hits_total", "Calls answered from memory.")),
		refusals:    prometheus.NewCounterVec(counter("refused_total", "HTTP requests that were no JSON-RPC, or too many, by reason."), []string{"reason"}),
	}
	inFlight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "barnraise", Subsystem: "proxy", Name: "in_flight_requests", Help: "HTTP requests with calls that are under way.",
	}, func() float64 { return float64(busy()) })
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.requests, m.duration, m.upstream, m.convictions, m.memo, m.refusals, inFlight,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2})
	return m
}

// took counts how long a call was under way.
func (m *meters) took(d time.Duration) { m.duration.Observe(d.Seconds()) }

// count counts what became of a call.
func (m *meters) count(r *reply) {
	outcome := r.status
	if r.failed && outcome == string(barnraise.Accepted) {
		outcome = "service-error"
	}
	m.called(r, outcome)
	if len(r.struck) > 0 {
		m.convictions.Add(float64(len(r.struck)))
	}
	if r.memo {
		m.memo.Inc()
	}
}

// called counts a call and those who were asked. Which counters there are is few services' and outcomes' matter, so that they are found
// at once.
func (m *meters) called(r *reply, outcome string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	label := m.label(r.service)
	key := callKey{r.service, outcome}
	if label == "other" {
		key.service = 0
		key.outcome = "other " + outcome
	}
	counter, ok := m.calls[key]
	if !ok {
		counter = m.requests.WithLabelValues(label, outcome)
		m.calls[key] = counter
	}
	counter.Inc()
	for i := range r.asked {
		key := [2]string{r.asked[i].Role, r.asked[i].Outcome}
		counter, ok := m.roles[key]
		if !ok {
			counter = m.upstream.WithLabelValues(key[0], key[1])
			m.roles[key] = counter
		}
		counter.Inc()
	}
}

// refused counts what was no call.
func (m *meters) refused(reason string) { m.refusals.WithLabelValues(reason).Inc() }

// label is what a service is called; "unknown" where it is not there, "other" where there are too many. The lock is held.
func (m *meters) label(id barnraise.ServiceID) string {
	if id == 0 {
		return "unknown"
	}
	label, ok := m.labels[id]
	if !ok {
		if label = "other"; len(m.labels) < maxServices {
			label = strconv.FormatUint(uint64(id), 10)
			m.labels[id] = label
		}
	}
	return label
}
