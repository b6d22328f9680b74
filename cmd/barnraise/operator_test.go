package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/barter"
	"barnraise/hosting"
	"barnraise/score"
	"barnraise/server"
	"barnraise/store"
)

// noon is when all of these tests are.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) *time.Time { at := noon.Add(-d); return &at }

func number(n uint64) *uint64 { return &n }

func called(id barnraise.ServiceID) string {
	return map[barnraise.ServiceID]string{1: "search", 2: "matrix", 3: "whisper"}[id]
}

// printed wants text to be printed like that, a line for a line; spaces at its ends are not compared.
func printed(t *testing.T, got, want string) {
	t.Helper()
	lines := func(s string) (list []string) {
		for line := range strings.Lines(strings.TrimSpace(s) + "\n") {
			list = append(list, strings.TrimSpace(line))
		}
		return list
	}
	g, w := lines(got), lines(want)
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("line %d is otherwise:\n%s\nwant\n%s", i+1, got, want)
		}
	}
}

// somePlan is one in which everything happens.
func somePlan() planResult {
	return planResult{
		Self: 4, Epoch: 7, URL: "https://d.example", Next: before(-3 * time.Minute), Own: []barnraise.ServiceID{1}, explain: true, now: noon,
		Idle: "the budget of requests is used up",
		Hosting: []hostedResult{
			{Service: 2, Phase: hosting.Hosting, Absent: before(time.Minute)}, {Service: 9, Phase: hosting.Leaving, Reason: "nobody wants it"},
		},
		Actions: []plannedAction{
			{Action: barter.Action{Verb: barter.Stop, Service: 5, Reason: "over the capacity of 1"}},
			{Action: barter.Action{Verb: barter.Start, Service: 3, For: []barnraise.ServerID{1}, Reason: "owed to 1"}, Consent: "ask", Word: "waits for you"},
			{Action: barter.Action{Verb: barter.Start, Service: 6, For: []barnraise.ServerID{1}, Reason: "owed to 1"}, Consent: "yes", Word: "hosting: auto"},
			{Action: barter.Action{Verb: barter.Keep, Service: 2, For: []barnraise.ServerID{2}, Reason: "pays 2"}},
			{Action: barter.Action{Verb: barter.Unpaid, For: []barnraise.ServerID{3}, Reason: "owes 1: no capacity"}},
		},
		Servers: []plannedDebt{
			{Debt: barter.Debt{Server: 1, Weight: 1, Owed: 1, Received: 6, Confirmed: []barnraise.ServiceID{1}}, Looked: []lookedResult{
				{Service: 1, Standing: "confirmed", Epoch: number(6), At: before(time.Hour)}, {Service: 2, Epoch: number(7), At: before(90 * time.Second)},
			}},
			{Debt: barter.Debt{Server: 2, Weight: 0.05, Owes: 1}, Looked: []lookedResult{{Service: 1, Epoch: number(3)}, {Service: 2, Epoch: number(5)}}},
			{Debt: barter.Debt{Server: 3}},
		},
		Services: []plannedWorth{
			{Worth: barter.Worth{Service: 1, Own: true, Runs: true, Cost: 1, Live: 1, Wanted: 4, Ends: "never"}},
			{Worth: barter.Worth{Service: 2, Runs: true, Cost: 2, Live: 1, Wanted: 4, For: []barnraise.ServerID{2}, Ends: "in epoch 9"}},
			{Worth: barter.Worth{Service: 3, Runs: true, Cost: 1, Live: 2, Wanted: 4, Ends: "in epoch 11"}, Guessed: true},
			{Worth: barter.Worth{Service: 6, Runs: true, Cost: 1, Live: 2, Wanted: 4, Ends: "in epoch 11"}},
			{Worth: barter.Worth{Service: 7, Cost: 9, Wanted: 4, Ends: "too expensive"}},
		},
	}
}

func TestPlanIsPrinted(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	if err := a.printPlan(somePlan(), called); err != nil {
		t.Fatal(err)
	}
	printed(t, out.String(), `
server 4 at https://d.example, in epoch 7; it plans next in 3m0s
own      #1 search   it always runs here
leave    #9          nobody wants it
stop     #5          over the capacity of 1
propose  #3 whisper  owed to 1; waits for you
start    #6          owed to 1
keep     #2 matrix   pays 2; it does not run yet, since 60 seconds ago
unpaid   server 3    owes 1: no capacity
nothing is started for others now: the budget of requests is used up

SERVER  I OWE  IT OWES  CONFIRMED  CLAIMED  I RUN  IT GAVE  IT GOT  WEIGHT  LOOKED AT
1       1      0        [#1]       []       []     0        6       1.00    90 seconds ago
2       0      1        []         []       []     0        0       0.05    in epoch 5
3       0      0        []         []       []     0        0       0.00    never

SERVICE     COSTS  HOSTS   RUNS          FOR  STOPS, OR DOES NOT RUN BECAUSE
#1 search   1      2 of 4  yes           []   never
#2 matrix   2      2 of 4  yes           [2]  in epoch 9
#3 whisper  1?     3 of 4  if you agree  []   in epoch 11
#6          1      3 of 4  soon          []   in epoch 11
#7          9      0 of 4  no            []   too expensive
`)
}

// Members of a plan's JSON are added and never renamed; what waits for the operator is still a start.
func TestPlanAsJSON(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, json: true}
	p := somePlan()
	p.Servers, p.Services, p.Hosting, p.Actions = p.Servers[:1], p.Services[2:3], p.Hosting[:1], p.Actions[1:2]
	if err := a.printPlan(p, called); err != nil {
		t.Fatal(err)
	}
	printed(t, strings.NewReplacer(`,"services"`, ",\n\"services\"", `,"url"`, ",\n\"url\"", `,"servers"`, ",\n\"servers\"").Replace(out.String()), `
{"self":4,"epoch":7,"actions":[{"verb":"start","service":3,"for":[1],"reason":"owed to 1","consent":"ask","word":"waits for you"}],
"servers":[{"server":1,"weight":1,"age":0,"confirmed":[1],"claimed":null,"paid":null,"owed":1,"owes":0,"fair":0,"given":0,"received":6,"eligible":false,"looked":[{"service":1,"standing":"confirmed","epoch":6,"at":"2026-11-21T11:00:00Z"},{"service":2,"standing":"","epoch":7,"at":"2026-11-21T11:58:30Z"}]}],
"services":[{"service":3,"own":false,"runs":true,"cost":1,"live":2,"wanted":4,"for":null,"loss":0,"gain":0,"ends":"in epoch 11","guessed":true}],
"url":"https://d.example","next":"2026-11-21T12:03:00Z","idle":"the budget of requests is used up","own":[1],"hosting":[{"service":2,"phase":"hosting","cost":0,"for":null,"since":0,"reason":"","absent":"2026-11-21T11:59:00Z"}]}
`)
}

// someBook is what was found of a good server, a liar and one that does not answer.
func someBook() *score.Book {
	var b score.Book
	b.Identify(barnraise.Server{ID: 1, URL: "https://a.example", Operator: barnraise.Address{1}}, 20, 50)
	for range 3 {
		b.Answered(1, 12*time.Millisecond, noon)
		b.Audited(1, 1)
	}
	for epoch := range uint64(3) {
		b.Strike(score.Strike{Server: 2, Service: 2, Revision: 1, Epoch: 18 + epoch, Conclusive: epoch == 1})
	}
	b.Failed(3, noon)
	return &b
}

func TestScoresArePrinted(t *testing.T) {
	list := scoresOf(someBook(), 20, noon)
	var out bytes.Buffer
	if err := (&app{out: &out}).printScores(list); err != nil {
		t.Fatal(err)
	}
	printed(t, out.String(), `
SERVER  INTEGRITY  AVAILABILITY  LATENCY  WEIGHT  STRIKES       SUSPENDED  URL
1       1.00       1.00          12 ms    1.00    0             no         https://a.example
2       0.00       1.00          -        0.00    3, convicted  in [#2]
3       1.00       0.50          -        0.50    0             no
`)
	b, err := json.Marshal(list[1])
	if err != nil {
		t.Fatal(err)
	}
	printed(t, string(b), `{"server":2,"url":"","integrity":0,"availability":1,"ms":0,"weight":0,"strikes":3,"convicted":true,"suspended":false,`+
		`"services":[{"service":2,"integrity":0,"history":0,"doubt":3.9,"strikes":3,"suspended":true,"left":19999}]}`)
	out.Reset()
	if err := (&app{out: &out}).printScores(scoresOf(new(score.Book), 20, noon)); err != nil {
		t.Fatal(err)
	}
	printed(t, out.String(), "no server was asked anything yet")
}

func TestExplanationIsPrinted(t *testing.T) {
	scores := scoresOf(someBook(), 20, noon)
	digest := barnraise.Sum([]byte("lie"))
	e := explanation{
		plannedDebt: plannedDebt{
			Debt: barter.Debt{Server: 2, Owed: 1, Given: 1, Received: 2, Paid: []barnraise.ServiceID{3}}, FirstSeen: number(5),
			Looked: []lookedResult{{Service: 2, Standing: "refuted", Epoch: number(6), At: before(time.Hour)}},
		},
		URL: "https://b.example", Status: "active", Since: 12, Scores: &scores[1], now: noon,
		Hosting: []hostedResult{
			{Service: 1, Phase: hosting.Proposed, Reason: "owed to 2"}, {Service: 3, Phase: hosting.Hosting, Reason: "pays 2"},
			{Service: 9, Phase: hosting.Leaving, Reason: "it lied"},
		},
		Evidence: []store.Item{{Digest: digest, Service: 2, Revision: 1, Accused: []barnraise.ServerID{2}, From: 1, State: store.New, At: noon}},
		Events: []store.Event{
			{At: noon, Kind: "probe", Server: 2, Text: "answered\nin 2ms"},
			{At: noon.Add(time.Second), Kind: "strike", Server: 2, Service: 2, Revision: 1, Text: "it lied", Evidence: "sha256:ab"},
		},
	}
	var out bytes.Buffer
	e.text(&out, called)
	printed(t, out.String(), `
server 2 at https://b.example, active since block 12, first seen in epoch 5
integrity 0.00, availability 1.00, latency -: its weight is 0.00; strikes: 3, convicted; suspended: in [#2]

SERVICE    INTEGRITY  ANSWERS  DOUBT  STRIKES  SUSPENDED
#2 matrix  0.00       0        3.90   3        for 19999 own requests

I owe it 1, it owes me 0; it was found to run 1 of others' services, and its own are offered 2 times by others

it offers         #2 matrix   refuted; looked at 60 minutes ago
I run             #3 whisper  it would like to see that run
it is to get      #1 search   owed to 2
it is paid with   #3 whisper  pays 2
it was paid with  #9          it lied

CAME                 SERVICE  SIGNED BY  CONVICTS  STATE  FROM      EVIDENCE
2026-11-21 12:00:00  #2@1     [2]        nobody    new    server 1  `+digest.String()+`

2026-11-21 12:00:00  probe   -     answered in 2ms
2026-11-21 12:00:01  strike  #2@1  it lied; evidence sha256:ab
`)
	out.Reset()
	explanation{plannedDebt: plannedDebt{Debt: barter.Debt{Server: 3}}, URL: "https://c.example", Status: "left", Since: 1}.text(&out, called)
	printed(t, out.String(), `
server 3 at https://c.example, left since block 1, never seen by this server
it was never asked anything: its weight is 1

I owe it 0, it owes me 0; it was found to run 0 of others' services, and its own are offered 0 times by others


no events are kept
`)
}

// What an operator says one after the other, and what a server then reads.
func TestWordsAreKept(t *testing.T) {
	ctx := context.Background()
	kept, err := store.Open(ctx, filepath.Join(t.TempDir(), storeFile), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	d := &desk{store: kept, now: noon}
	for _, c := range []struct {
		name  string
		alter func(*server.Words)
		want  string
	}{
		{"approved", func(w *server.Words) { w.Approved[3] = 2 }, `{"approved":{"3":2},"denied":{}}`},
		{"denied", func(w *server.Words) { w.Denied[4] = "no" }, `{"approved":{"3":2},"denied":{"4":"no"}}`},
		{"lifted", func(w *server.Words) { delete(w.Denied, 4) }, `{"approved":{"3":2},"denied":{}}`},
	} {
		if err := d.change(ctx, store.Event{Kind: c.name, Service: 3}, c.alter); err != nil {
			t.Fatal(err)
		}
		w, err := server.ReadWords(kept.Documents(server.MemoryKind))
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := json.Marshal(w); string(b) != c.want {
			t.Errorf("%s: %s, want %s", c.name, b, c.want)
		}
	}
	list, err := d.events(ctx, store.EventFilter{Service: 3})
	if err != nil || len(list) != 3 || list[0].Kind != "approved" || list[2].Kind != "lifted" || !list[2].At.Equal(noon) {
		t.Errorf("the log says %+v, %v", list, err)
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Minute: "0 seconds ago", 119 * time.Second: "119 seconds ago", 2 * time.Minute: "2 minutes ago", 119 * time.Minute: "119 minutes ago",
		2 * time.Hour: "2 hours ago", 47 * time.Hour: "47 hours ago", 50 * time.Hour: "2 days ago",
	} {
		if got := ago(noon, noon.Add(-d)); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}
