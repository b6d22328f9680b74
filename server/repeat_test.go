package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A world comes to the same end whenever it is played, however busy the machine is: what is drawn in it is drawn from its seed, what
// is kept of other worlds makes no difference, and no two things happen at one moment of which the first would decide.
func TestWorldsRepeat(t *testing.T) {
	for _, seed := range []uint64{3, 87} { // the second one is close to another end
		var first []string
		for i := range 2 {
			t.Run(fmt.Sprint(seed, "-", i+1), func(t *testing.T) {
				story := byMoment(anyWorld(t, seed))
				if i == 0 {
					first = story
				}
				for k := range max(len(first), len(story)) {
					if k >= min(len(first), len(story)) || first[k] != story[k] {
						t.Fatalf("it differs from line %d on; at first:\n%s\nand then:\n%s", k+1, some(first, k), some(story, k))
					}
				}
			})
		}
	}
}

// byMoment puts what happened at one moment, as far as a story tells moments apart, into an order.
func byMoment(story []string) []string {
	moment := func(line string) string { return strings.Fields(line)[0] }
	for i, j := 0, 0; i < len(story); i = j {
		for j = i; j < len(story) && moment(story[j]) == moment(story[i]); {
			j++
		}
		slices.Sort(story[i:j])
	}
	return story
}

// some is a story around a line.
func some(story []string, k int) string {
	return strings.Join(story[max(0, min(k, len(story))-5):min(k+3, len(story))], "\n")
}
