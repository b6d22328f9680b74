package compared

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

var policies = flag.String("policies", "default,fast,paranoid", "that are tried, with commas between")

// BenchmarkFaults calls the proxy, as it is shipped, before three stubs of which one lies, is dead or stalls. A wrong answer, and an
// error where all are honest, fail it. Run it with -benchtime 1x.
func BenchmarkFaults(b *testing.B) {
	var t strings.Builder
	t.WriteString("| case | calls | wrong | failed | p50/p99 ms | |\n|---|---|---|---|---|---|\n")
	for _, policy := range strings.Split(*policies, ",") {
		for _, ahead := range []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} {
			for _, fresh := range []bool{true, false} {
				lying(b, &t, policy, 16, ahead, fresh)
			}
		}
		lying(b, &t, policy, 64, 0, true)
		honest(b, &t, policy)
		ill(b, &t, policy, "dead", syscall.SIGKILL)
		ill(b, &t, policy, "stalled", syscall.SIGSTOP)
	}
	b.ReportMetric(0, "ns/op")
	fmt.Println(t.String())
}

// line writes what came of a case.
func line(w *strings.Builder, name string, l load, note string) {
	fmt.Fprintf(w, "| %s | %d | %d | %d | %.1f/%.1f | %s |\n", name, len(l.waits)+l.wrong+l.failed, l.wrong, l.failed,
		float64(l.quantile(0.5))/1e6, float64(l.quantile(0.99))/1e6, note)
	if l.problem != "" {
		fmt.Fprintf(w, "%.600s\n", l.problem)
	}
}

// before starts three stubs and a proxy before them.
func before(t testing.TB, policy string, fresh bool) (stubs []*process, x target, stop func()) {
	t.Helper()
	stubs = startStubs(t, 3, behaviour{})
	s := setup{Upstreams: urls(stubs, "signed"), Signed: true, Policy: policy, Fresh: fresh, Cache: t.TempDir()}
	p := start(t, "proxy", s)
	return stubs, target{p.address, "/1", p.pid}, func() {
		for _, v := range append(stubs, p) {
			v.stop()
		}
	}
}

// behave changes a stub.
func behave(t testing.TB, s *process, b behaviour) {
	t.Helper()
	body, _ := json.Marshal(b)
	resp, err := http.Post("http://"+s.address+"/behave/x", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// asked is what a stub tells of itself.
func asked(t testing.TB, s *process) (v seen) {
	t.Helper()
	resp, err := http.Get("http://" + s.address + "/seen/x")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// lying has one stub lie at once, and the others answer so much later.
func lying(b *testing.B, w *strings.Builder, policy string, callers int, ahead time.Duration, fresh bool) {
	stubs, x, stop := before(b, policy, fresh)
	defer stop()
	behave(b, stubs[0], behaviour{Lie: true})
	for _, s := range stubs[1:] {
		behave(b, s, behaviour{Delay: ahead})
	}
	l := press(b, x, callers, "small", 0, *window)
	v := asked(b, stubs[0])
	note := fmt.Sprintf("%d requests to the liar", v.Requests)
	if v.FirstLie != 0 {
		note += fmt.Sprintf(", the last %.0f ms after its first lie", float64(v.LastAsked-v.FirstLie)/1e6)
	}
	who := "known"
	if fresh {
		who = "strangers"
	}
	line(w, fmt.Sprintf("%s: liar %d ms ahead, %s, %d callers", policy, ahead.Milliseconds(), who, callers), l, note)
	if l.wrong > 0 {
		b.Errorf("%s: %d lies were passed on", policy, l.wrong)
	}
}

func honest(b *testing.B, w *strings.Builder, policy string) {
	_, x, stop := before(b, policy, true)
	defer stop()
	l := press(b, x, 64, "small", 0, *window)
	line(w, policy+": all honest, strangers, 64 callers", l, "")
	if l.failed > 0 || l.wrong > 0 {
		b.Errorf("%s: %d errors of honest servers: %s", policy, l.failed, l.problem)
	}
}

// ill sends one stub a signal while the proxy is used, and compares with the time before.
func ill(b *testing.B, w *strings.Builder, policy, name string, sig syscall.Signal) {
	stubs, x, stop := before(b, policy, false)
	defer stop()
	for _, s := range stubs {
		behave(b, s, behaviour{Delay: 5 * time.Millisecond})
	}
	well := press(b, x, 4, "small", 300*time.Millisecond, *window)
	line(w, policy+": all well, known, 5 ms each, 4 callers", well, "")
	if err := syscall.Kill(stubs[1].pid, sig); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = syscall.Kill(stubs[1].pid, syscall.SIGCONT) }()
	l := press(b, x, 4, "small", time.Second, *window)
	line(w, policy+": one "+name+", after a second", l, fmt.Sprintf("p50 %.2f × well", float64(l.quantile(0.5))/float64(max(1, well.quantile(0.5)))))
	if l.wrong > 0 || l.failed > 0 {
		b.Errorf("%s: one %s: %d errors: %s", policy, name, l.failed, l.problem)
	}
}
