package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/service/servicetest"

	"github.com/go-json-experiment/json"
)

// TestRelevance measures answers by the Cranfield collection: 1,400 abstracts, 225 questions, and which abstracts answer them. It is
// not ours to pass on: BARNRAISE_CRANFIELD names a directory with its files cran.all.1400, cran.qry and cranqrel.
func TestRelevance(t *testing.T) {
	from := os.Getenv("BARNRAISE_CRANFIELD")
	if from == "" {
		t.Skip("BARNRAISE_CRANFIELD names no directory with the Cranfield collection")
	}
	dir := t.TempDir()
	tsv := filepath.Join(dir, "cranfield.tsv")
	if err := os.WriteFile(tsv, cranfieldTSV(readRecords(t, filepath.Join(from, "cran.all.1400"))), 0o644); err != nil {
		t.Fatal(err)
	}
	s := carriedOut(t, "-tsv", tsv, "-out", dir)
	if s.Docs != 1400 {
		t.Fatalf("%d documents, want 1400", s.Docs)
	}
	questions, relevant := readRecords(t, filepath.Join(from, "cran.qry")), readRelevant(t, filepath.Join(from, "cranqrel"))
	p := servicetest.Start(t, "..", "-overlay", filepath.Join(dir, "overlay.json"))
	precision, gain := 0.0, 0.0
	for i, q := range questions {
		found := ask(t, p, q['W'])
		precision += averagePrecision(found, relevant[i+1]) / float64(len(questions))
		gain += discountedGain(found, relevant[i+1], 10) / float64(len(questions))
	}
	t.Logf("%d questions: MAP %.4f, nDCG@10 %.4f", len(questions), precision, gain)
	if len(questions) != 225 || precision < 0.29 || gain < 0.37 {
		t.Errorf("%d questions: MAP %.4f, want 0.29; nDCG@10 %.4f, want 0.37", len(questions), precision, gain)
	}
}

// ask is the ids of the first thousand hits.
func ask(t *testing.T, p *servicetest.Program, q string) (ids []string) {
	t.Helper()
	body := p.Post(t, request(t, "search_query", map[string]any{"q": q, "k": 1000}))
	response, err := jsonrpc.ParseResponse(body, jsonrpc.WireID)
	if err != nil || response.Error != nil {
		t.Fatalf("%q is answered %s (%v)", q, body, err)
	}
	var found struct {
		Hits []struct {
			Doc string `json:"doc"`
		} `json:"hits"`
	}
	if err := json.Unmarshal(response.Result, &found); err != nil {
		t.Fatal(err)
	}
	for _, h := range found.Hits {
		ids = append(ids, h.Doc)
	}
	return ids
}

// readRecords reads records such as ".I 1\n.T\ntitle\n.W\ntext": a text for each letter, on one line.
func readRecords(t *testing.T, file string) (records []map[byte]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var field byte
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, ".I "):
			records = append(records, map[byte]string{})
		case len(line) == 2 && line[0] == '.' && len(records) > 0:
			field = line[1]
		case len(records) > 0:
			last := records[len(records)-1]
			last[field] = strings.TrimSpace(last[field] + " " + strings.Join(strings.Fields(line), " "))
		}
	}
	return records
}

func cranfieldTSV(records []map[byte]string) (out []byte) {
	for i, r := range records {
		out = fmt.Appendf(out, "%d\t%s\t%s\n", i+1, r['T'], r['W'])
	}
	return out
}

// readRelevant reads lines of a question's number, an abstract's, and a mark, which is negative where it does not answer.
func readRelevant(t *testing.T, file string) map[int][]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	relevant := map[int][]string{}
	for line := range bytes.Lines(b) {
		var question, abstract, mark int
		if n, _ := fmt.Sscan(string(line), &question, &abstract, &mark); n == 3 && mark >= 0 {
			relevant[question] = append(relevant[question], fmt.Sprint(abstract))
		}
	}
	return relevant
}

// averagePrecision is the mean, over all relevant documents, of the share of relevant ones up to where each is found.
func averagePrecision(found, relevant []string) (sum float64) {
	hits := 0
	for i, id := range found {
		if slices.Contains(relevant, id) {
			hits++
			sum += float64(hits) / float64(i+1) / float64(len(relevant))
		}
	}
	return sum
}

// discountedGain is how much of what the first k could show they do show, with less weight for later ones.
func discountedGain(found, relevant []string, k int) float64 {
	shown, best := 0.0, 0.0
	for i := range k {
		weight := 1 / math.Log2(float64(i+2))
		if i < len(relevant) {
			best += weight
		}
		if i < len(found) && slices.Contains(relevant, found[i]) {
			shown += weight
		}
	}
	if best == 0 {
		return 0
	}
	return shown / best
}

func TestMeasures(t *testing.T) {
	for _, c := range []struct {
		found, relevant  string
		precision, gain3 float64
	}{
		{"a b c", "a b", 1, 1},
		{"x a", "a", 0.5, 1 / math.Log2(3)},
		{"a x x b", "a b", 0.75, 1 / (1 + 1/math.Log2(3))},
		{"x", "a", 0, 0},
		{"x", "", 0, 0},
	} {
		found, relevant := strings.Fields(c.found), strings.Fields(c.relevant)
		if got := averagePrecision(found, relevant); math.Abs(got-c.precision) > 1e-9 {
			t.Errorf("%s for %s: average precision %f, want %f", c.found, c.relevant, got, c.precision)
		}
		if got := discountedGain(found, relevant, 3); math.Abs(got-c.gain3) > 1e-9 {
			t.Errorf("%s for %s: discounted gain %f, want %f", c.found, c.relevant, got, c.gain3)
		}
	}
}

// The files of the collection are read as they are.
func TestReadCollection(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"all": ".I 1\n.T\nof two\nlines .\n.A\nsomebody\n.W\ntext of\nit .\n.I 2\n.T\n.W\n", "rel": "1 2 3\n1 5 -1\n 2   7  1 \n",
	})
	if got, want := string(cranfieldTSV(readRecords(t, filepath.Join(dir, "all")))), "1\tof two lines .\ttext of it .\n2\t\t\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := fmt.Sprint(readRelevant(t, filepath.Join(dir, "rel"))); got != "map[1:[2] 2:[7]]" {
		t.Errorf("%s", got)
	}
}
