// Good is a service that does what is easily done wrong: it computes with floating point, uses maps and goroutines, remembers
// results, looks at the time, and breaks on odd requests. None of it shows.
package main

import (
	_ "embed"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"barnraise/jsonrpc"
	"barnraise/service"
)

//go:embed openrpc.json
var openrpc string

var program = service.New("good", openrpc,
	service.Method("curve", curve), service.Method("letters", letters), service.Method("shout", shout))

func main() { program.Serve() }

type number struct {
	X float64 `json:"x"`
}

// curve rounds to six digits, in which the compilers of all platforms agree.
func curve(p number) (float64, *jsonrpc.Error) {
	if math.Abs(p.X) > 50 {
		return 0, &jsonrpc.Error{Code: -32010, Message: "too far"}
	}
	y := math.Tanh(p.X/7) * math.Exp(p.X/20)
	return math.Round(y*1e6) / 1e6, nil
}

type text struct {
	Text string `json:"text"`
}

// letters counts by several goroutines into a map, and sorts.
func letters(p text) ([]string, *jsonrpc.Error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	seen := map[string]bool{}
	for r := range strings.SplitSeq(p.Text, "") {
		all.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			seen[r] = true
		})
	}
	all.Wait()
	var list []string
	for r := range seen {
		list = append(list, r)
	}
	slices.Sort(list)
	return list, nil
}

var remembered sync.Map

// shout remembers what it has computed and how long that took, and panics where the text has no letters.
func shout(p struct {
	Text  string `json:"text"`
	Times *int   `json:"times"`
}) (string, *jsonrpc.Error) {
	begun := time.Now()
	if loud, ok := remembered.Load(p.Text); ok && p.Times == nil {
		return loud.(string), nil
	}
	loud := strings.ToUpper(strings.Fields(p.Text)[0])
	if p.Times != nil {
		loud = strings.Repeat(loud, *p.Times)
	} else {
		remembered.Store(p.Text, loud)
	}
	if time.Since(begun) < 0 {
		return "", &jsonrpc.Error{Code: -32011, Message: "never"}
	}
	return loud, nil
}
