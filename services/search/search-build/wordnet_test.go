package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"barnraise/services/search/index"
)

// wordNet is Debian's package of WordNet 3.0: 117,659 groups of words, each with its meaning.
var wordNet = download{
	"http://deb.debian.org/debian/pool/main/w/wordnet/wordnet-base_3.0-37_all.deb",
	"61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752", 8 << 20,
}

// readWordNet makes a document of each group: the words are its title.
func readWordNet(t testing.TB) (documents []index.Document) {
	t.Helper()
	tool, err := exec.LookPath("dpkg-deb")
	if err != nil {
		t.Skip("dpkg-deb is not installed: cannot unpack WordNet")
	}
	archive, err := exec.Command(tool, "--fsys-tarfile", wordNet.file(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if part, ok := strings.CutPrefix(h.Name, "./usr/share/wordnet/data."); ok {
			if parts[part], err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, part := range []string{"noun", "verb", "adj", "adv"} {
		for lines := bufio.NewScanner(bytes.NewReader(parts[part])); lines.Scan(); {
			if d, ok := readGroup(lines.Text()); ok {
				documents = append(documents, d)
			}
		}
	}
	if len(documents) != 117_659 {
		t.Fatalf("%d documents in WordNet, want 117659", len(documents))
	}
	return documents
}

// readGroup reads a line such as "00001740 03 n 01 entity 0 003 ~ … | that which is perceived". Lines of the licence begin with a
// space.
func readGroup(line string) (d index.Document, ok bool) {
	head, meaning, ok := strings.Cut(line, " | ")
	fields := strings.Fields(head)
	if !ok || line[0] == ' ' || len(fields) < 6 {
		return d, false
	}
	var count int
	if _, err := fmt.Sscanf(fields[3], "%x", &count); err != nil || len(fields) < 4+2*count {
		return d, false
	}
	var group []string
	for i := range count {
		group = append(group, strings.ReplaceAll(fields[4+2*i], "_", " "))
	}
	kind := strings.ReplaceAll(fields[2], "s", "a")
	return index.Document{ID: fields[0] + "-" + kind, Title: strings.Join(group, ", "), Text: strings.TrimSpace(meaning)}, true
}

// mixed are queries of three words each: half of these from anywhere in the collection's vocabulary, half from one text.
func mixed(documents []index.Document, n int) (queries []string) {
	all := map[string]bool{}
	words := func(d index.Document) []string { return slices.Collect(index.Terms(d.Title + " " + d.Text)) }
	for _, d := range documents {
		for _, w := range words(d) {
			all[w] = true
		}
	}
	vocabulary := make([]string, 0, len(all))
	for w := range all {
		vocabulary = append(vocabulary, w)
	}
	slices.Sort(vocabulary)
	random := rand.New(rand.NewPCG(1, 2))
	for len(queries) < n {
		own := words(documents[random.IntN(len(documents))])
		query := make([]string, 3)
		for i := range query {
			if random.IntN(2) == 0 {
				query[i] = vocabulary[random.IntN(len(vocabulary))]
			} else {
				query[i] = own[random.IntN(len(own))]
			}
		}
		queries = append(queries, strings.Join(query, " "))
	}
	return queries
}

// BenchmarkWordNet is what a query of three words takes in a collection of 117,659 documents, and how many bytes its proof adds to
// the answer.
func BenchmarkWordNet(b *testing.B) {
	documents := readWordNet(b)
	file, err := index.Build(index.About{Name: "WordNet", Corpus: "Debian wordnet-base 3.0-37", Licence: "WordNet"}, documents)
	if err != nil {
		b.Fatal(err)
	}
	x, err := index.Open(string(file))
	if err != nil {
		b.Fatal(err)
	}
	queries := mixed(documents, 600)
	var plain, proven []string
	for _, q := range queries {
		plain = append(plain, request(b, "search_query", map[string]any{"q": q, "k": 10}))
		proven = append(proven, request(b, "search_query", map[string]any{"q": q, "k": 10, "proof": true}))
	}
	p := startWith(b, file)
	b.Run("index", func(b *testing.B) {
		b.ReportMetric(float64(len(file)), "bytes")
		median(b, queries, func(i int) {
			if _, err := x.Search(queries[i], 10); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("index-proof", func(b *testing.B) {
		median(b, queries, func(i int) {
			if _, _, err := x.ProveSearch(queries[i], 10); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("linux", func(b *testing.B) { median(b, plain, func(i int) { p.Post(b, plain[i]) }) })
	b.Run("linux-proof", func(b *testing.B) { median(b, proven, func(i int) { p.Post(b, proven[i]) }) })
	warm := p.Warm(b)
	b.Run("wasm-snapshot", func(b *testing.B) { median(b, plain, func(i int) { warm.Call(b, plain[i]) }) })
	b.Run("wasm-snapshot-proof", func(b *testing.B) { median(b, proven, func(i int) { warm.Call(b, proven[i]) }) })
	b.Run("proof-bytes", func(b *testing.B) {
		var sizes, longer []int
		for i := range proven {
			_, proof, err := x.ProveSearch(queries[i], 10)
			if err != nil {
				b.Fatal(err)
			}
			sizes, longer = append(sizes, len(proof)), append(longer, len(p.Post(b, proven[i]))-len(p.Post(b, plain[i])))
		}
		slices.Sort(sizes)
		slices.Sort(longer)
		b.ReportMetric(float64(sizes[len(sizes)/2]), "p50-proof")
		b.ReportMetric(float64(sizes[len(sizes)*99/100]), "p99-proof")
		b.ReportMetric(float64(longer[len(longer)/2]), "p50-base64")
		b.ReportMetric(float64(longer[len(longer)*99/100]), "p99-base64")
	})
	b.Run("verdict", func(b *testing.B) { verdicts(b, p, x.Root(), proven) })
}

// The collection is read as its makers meant it.
func TestReadGroup(t *testing.T) {
	for line, want := range map[string]index.Document{
		"  1 This software and database is being provided": {},
		`00002137 03 n 02 abstraction 0 abstract_entity 0 010 @ 00001740 n 0000 | a general concept  `: {
			ID: "00002137-n", Title: "abstraction, abstract entity", Text: "a general concept"},
		`00001740 00 s 01 able 0 005 = 05200169 n 0000 | having it`: {ID: "00001740-a", Title: "able", Text: "having it"},
		`00001740 00 s zz able 0 005 | having it`:                   {},
	} {
		if got, _ := readGroup(line); got != want {
			t.Errorf("%q is %v, want %v", line, got, want)
		}
	}
}
