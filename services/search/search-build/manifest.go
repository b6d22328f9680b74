package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"barnraise/services/search/index"

	"github.com/go-json-experiment/json/jsontext"
)

// need is what a service with a collection has to be granted: MiB, and units of fuel. Scores are what a verdict lays down of them.
type need struct{ memory, response, fuel, scores int64 }

// verifier is the memory and the fuel that a manifest wants for a verdict on such responses; 0 where the defaults will do. There
// may be five of them, and somebody may send the longest that is let through. Beside them the verifier lays down the texts of one
// and a score for each document; it takes up to 210 units for a byte.
func (n need) verifier() (memory, fuel int64) {
	const most, other = 16, 2
	if 5*n.response+n.response+n.scores+other > most {
		return 128, 10_000_000_000
	}
	return 0, 0
}

// maxResponse is what a manifest may say, beside a request. Only titles and texts of nothing but control characters come near it.
const maxResponse = 7

// needs is what an instance takes: the index, and for each document a score and a number, in a heap that may double before it is
// swept; what the longest answer has: a document, a list of hits, or fewer hits with their proof; and twice the fuel that was seen:
// the widest query's for each byte of postings and each document, and the slowest text's for each byte of the answer.
func needs(file, postings int, documents []index.Document) need {
	const (
		program = 32 << 20
		each    = 200
		written = 400
		beside  = 8 << 10                                    // of an answer: its terms, the proof of a document
		proof   = (index.MaxProvenPostings + 64<<10) / 3 * 4 // beside the postings a proof has some thousand hashes at most
	)
	longest := 0
	names := make([]int, 0, len(documents))
	for _, d := range documents {
		name := quoted(d.ID) + quoted(d.Title) + 64
		names = append(names, name)
		longest = max(longest, name+quoted(d.Text)+beside)
	}
	slices.Sort(names)
	slices.Reverse(names)
	longest = max(longest, sum(names[:min(1000, len(names))])+beside)
	fuel := 2*each*int64(min(postings, index.MaxPostings)+len(documents)) + 2*written*int64(longest) + 200_000_000
	longest = max(longest, sum(names[:min(50, len(names))])+proof+beside)
	return need{
		memory:   mebibytes(program + file + 24*len(documents)),
		response: min(mebibytes(longest), maxResponse),
		fuel:     fuel,
		scores:   mebibytes(4 * len(documents)),
	}
}

func sum(list []int) (total int) {
	for _, n := range list {
		total += n
	}
	return total
}

// quoted is how many bytes a string has in JSON.
func quoted(s string) int {
	b, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		return 6 * len(s)
	}
	return len(b)
}

func mebibytes(n int) int64 { return (int64(n) + 1<<20 - 1) >> 20 }

var (
	key   = regexp.MustCompile(`^[A-Za-z]+:`)
	limit = regexp.MustCompile(`^( +(memory|response|fuel): +)([0-9]+)(MiB)?$`)
)

// describe is service.yaml for a collection: that of the service, with another name, description, configuration and licence, and
// with limits raised where the collection needs it and without what is said of them. Verifier is what it names as such.
func describe(source string, o order, root string, n need) (verifier, manifest string, err error) {
	values := map[string]string{
		"name:": o.service, "description:": "Full text search over " + o.about.Name, "licence:": o.about.Licence,
		"openrpc:": "openrpc.json", "config:": "",
	}
	_, body, ok := strings.Cut(source, "\n\n")
	if !ok {
		return "", "", fmt.Errorf("the service's own has no head")
	}
	out := []string{"# " + strconv.Quote(o.about.Corpus) + " as a service, written by search-build.", ""}
	section, limited := "", false
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		k := key.FindString(line)
		if k != "" {
			section = k
		}
		value, known := values[k]
		switch {
		case k == "config:":
			line = fmt.Sprintf("config: {root: %q}", root)
		case known:
			line = k + " " + strconv.Quote(value)
		case k == "verifier:":
			name, _, _ := strings.Cut(strings.TrimPrefix(line, k), "#")
			verifier = strings.TrimSpace(name)
		case strings.HasSuffix(section, "imits:"):
			line, _, _ = strings.Cut(line, "#")
			line = raise(section, strings.TrimRight(line, " "), n)
		}
		out = append(out, line)
		delete(values, k)
		limited = limited || section == "verifierLimits:"
	}
	if memory, fuel := n.verifier(); memory > 0 && !limited {
		out = append(out, "", "verifierLimits:", fmt.Sprintf("  memory: %dMiB", memory), fmt.Sprintf("  fuel: %d", fuel))
	}
	if len(values) > 0 || verifier == "" {
		return "", "", fmt.Errorf("the service's own lacks %v or its verifier", values)
	}
	return verifier, strings.Join(out, "\n") + "\n", nil
}

// raise is the line of a limit, raised to what is needed.
func raise(section, line string, n need) string {
	m := limit.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	memory, fuel := n.verifier()
	least := map[string]int64{
		"limits:memory": n.memory, "limits:response": n.response, "limits:fuel": n.fuel,
		"verifierLimits:memory": memory, "verifierLimits:fuel": fuel,
	}[section+m[2]]
	granted, err := strconv.ParseInt(m[3], 10, 64)
	if err != nil || granted >= least {
		return line
	}
	return fmt.Sprintf("%s%d%s", m[1], least, m[4])
}
