package proxy

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"barnraise"
	"barnraise/client"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

func TestMetrics(t *testing.T) {
	p, _ := newProxy(t, func(_ context.Context, service, method string, _ []byte) (*client.Answer, error) {
		a := accepted(`{}`)
		switch method {
		case "liar":
			a.Struck = []barnraise.ServerID{7}
			a.Asked[1].Outcome = client.OutcomeStruck
		case "memo":
			a.Memo, a.Asked = true, nil
		case "fault":
			a.Result, a.Error = nil, serviceError(t, `{"code":1,"message":"m"}`)
		case "none":
			return nil, client.ErrNotFound
		case "few":
			return nil, &client.TooFewError{Service: 8, Revision: 1, Struck: []barnraise.ServerID{9}}
		}
		return a, nil
	}, Config{})
	for _, method := range []string{"m", "m", "liar", "memo", "fault", "none", "few"} {
		post(p, "/secret", strings.Replace(ping, `"m"`, `"`+method+`"`, 1))
	}
	post(p, "/3", `7`)
	post(p, "/3", ping, "Host", "evil.example")
	w := send(p, "GET", "/metrics", "")
	got := w.Body.String()
	for _, want := range []string{
		`barnraise_proxy_requests_total{outcome="accepted",service="3"} 4`, `barnraise_proxy_requests_total{outcome="service-error",service="3"} 1`,
		`barnraise_proxy_requests_total{outcome="not-found",service="unknown"} 1`, `barnraise_proxy_requests_total{outcome="too-few",service="8"} 1`,
		`barnraise_proxy_requests_total{outcome="invalid",service="unknown"} 1`, `barnraise_proxy_request_duration_seconds_count 7`,
		`barnraise_proxy_upstream_requests_total{outcome="agreed",role="primary"} 4`, `barnraise_proxy_upstream_requests_total{outcome="struck",role="auditor"} 1`,
		`barnraise_proxy_convictions_total 2`, `barnraise_proxy_memo_hits_total 1`, `barnraise_proxy_in_flight_requests 0`,
		`barnraise_proxy_refused_total{reason="host"} 1`, `go_goroutines `,
	} {
		if !strings.Contains(got, "\n"+want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if strings.Contains(got, "secret") || strings.Contains(got, "evil") {
		t.Error("metrics have a label of a caller's choice")
	}
	problems, err := promlint.New(strings.NewReader(got)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("metrics break conventions: %v, %v", problems, err)
	}
}

// Whoever registers many services makes no more labels than there is room for.
func TestLabelsAreBounded(t *testing.T) {
	m := newMeters(func() int { return 0 })
	seen := make(map[string]bool)
	for id := range barnraise.ServiceID(3 * maxServices) {
		seen[m.label(id)] = true
	}
	if len(seen) != maxServices+2 || m.label(5) != "5" || m.label(0) != "unknown" || m.label(2*maxServices) != "other" {
		t.Errorf("%d labels: %s", len(seen), fmt.Sprint(m.label(5), m.label(0), m.label(2*maxServices)))
	}
}
