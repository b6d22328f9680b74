package text

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

func split(t testing.TB, s string) []string {
	t.Helper()
	lines, err := Lines(s)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// spaced makes a text with a line for each word.
func spaced(words string) string {
	if words == "" {
		return ""
	}
	return strings.ReplaceAll(words, " ", "\n") + "\n"
}

func unify(t testing.TB, a, b string, context int) string {
	t.Helper()
	x, y := split(t, a), split(t, b)
	return Unified(Head{"a", "b", context}, x, y, Edits(x, y))
}

func TestLines(t *testing.T) {
	for s, want := range map[string]int{"": 0, "a": 1, "a\n": 1, "a\r\nb": 2, "\n\n": 2, strings.Repeat("\n", MaxLines): MaxLines} {
		if got := split(t, s); len(got) != want || strings.Join(got, "") != s {
			t.Errorf("%.20q has %d lines, want %d", s, len(got), want)
		}
	}
	for _, s := range []string{strings.Repeat("a", MaxBytes+1), strings.Repeat("\n", MaxLines) + "a"} {
		if _, err := Lines(s); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%.20q: %v", s, err)
		}
	}
}

// What stands here is what diff -U prints.
func TestUnified(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		context    int
		want       string
	}{
		{"equal", "a\n", "a\n", 3, ""},
		{"from nothing", "", "a\n", 3, "--- a\n+++ b\n@@ -0,0 +1 @@\n+a\n"},
		{"to nothing", "a\n", "", 3, "--- a\n+++ b\n@@ -1 +0,0 @@\n-a\n"},
		{"newline lost", "a\n", "a", 3, "--- a\n+++ b\n@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n"},
		{"no newline before either", "a\nb", "c\nb", 3, "--- a\n+++ b\n@@ -1,2 +1,2 @@\n-a\n+c\n b\n\\ No newline at end of file\n"},
		{"contexts touch", spaced("1 2 3 4 5"), spaced("x 2 3 4 y"), 2,
			"--- a\n+++ b\n@@ -1,5 +1,5 @@\n-1\n+x\n 2\n 3\n 4\n-5\n+y\n"},
		{"contexts do not touch", spaced("1 2 3 4 5"), spaced("x 2 3 4 y"), 1,
			"--- a\n+++ b\n@@ -1,2 +1,2 @@\n-1\n+x\n 2\n@@ -4,2 +4,2 @@\n 4\n-5\n+y\n"},
		{"no context", spaced("1 2 3"), spaced("1 x 2 3"), 0, "--- a\n+++ b\n@@ -1,0 +2 @@\n+x\n"},
	} {
		if got := unify(t, c.a, c.b, c.context); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, got, c.want)
		}
	}
}

// The example of Myers' paper has five differences, and no list has fewer.
func TestEditsAreShortest(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"A B C A B B A", "C B A B A C", 5},
		{"a b c d", "a c d b", 2},
		{"a a a", "a a a a", 1},
		{"1 2 3", "4 5 6", 6},
	} {
		if got := distance(Edits(split(t, spaced(c.a)), split(t, spaced(c.b)))); got != c.want {
			t.Errorf("%s to %s: %d differences, want %d", c.a, c.b, got, c.want)
		}
	}
}

func distance(edits []Edit) (n int) {
	for _, e := range edits {
		n += e.A1 - e.A0 + e.B1 - e.B0
	}
	return n
}

// Against a dumb twin: the table of longest common subsequences.
func TestEditsAgainstATable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		a, b := word(r, 12), word(r, 12)
		x, y := split(t, a), split(t, b)
		if got, want := distance(Edits(x, y)), len(x)+len(y)-2*common(x, y); got != want {
			t.Fatalf("%q to %q: %d differences, want %d", a, b, got, want)
		}
	}
}

func word(r *rand.Rand, most int) string {
	var b strings.Builder
	for range r.IntN(most) {
		b.WriteByte("abc"[r.IntN(3)])
		b.WriteByte('\n')
	}
	return b.String()
}

func common(x, y []string) int {
	row := make([]int, len(y)+1)
	for _, a := range x {
		before := 0
		for j, b := range y {
			above := row[j+1]
			if a == b {
				row[j+1] = before + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			before = above
		}
	}
	return row[len(y)]
}

// Where more differs than is looked for, lines that stand once are held together, in as long a row as there is.
func TestManyDifferences(t *testing.T) {
	var a, b strings.Builder
	for i := range 2 * maxDistance {
		line := strings.Repeat("x", i+1) + "\n"
		a.WriteString("old\n" + line)
		b.WriteString("new\n" + line + "new\n")
	}
	x, y := split(t, a.String()[:MaxBytes/2]), split(t, b.String()[:MaxBytes/2])
	equal := 0
	edits := Edits(x, y)
	for _, e := range edits {
		equal += e.A1 - e.A0
	}
	if got := len(x) - equal; got < len(y)/3-1 {
		t.Errorf("%d of %d lines are held together", got, len(x))
	}
	if got, err := Apply(x, split(t, Unified(Head{"a", "b", 3}, x, y, edits))); err != nil || got != strings.Join(y, "") {
		t.Errorf("the diff does not make the other text: %v", err)
	}
}

func TestApply(t *testing.T) {
	for _, c := range []struct {
		name, old, patch, want string
		err                    error
	}{
		{"nothing", "a\n", "", "a\n", nil},
		{"with a head of git's", "a\n", "diff --git a/x b/x\nindex 1..2\n--- a/x\n+++ b/x\n@@ -1 +1 @@ func\n-a\n+b\n", "b\n", nil},
		{"cut off at its end", "a\n", "@@ -1 +1 @@\n-a\n+b", "b\n", nil},
		{"after the last line", "a\n", "@@ -1,0 +2 @@\n+b\n", "a\nb\n", nil},
		{"to an empty text", "", "@@ -0,0 +1 @@\n+b\n", "b\n", nil},
		{"no hunk", "a\n", "hello\n", "", ErrPatch},
		{"a broken head", "a\n", "@@ -1 @@\n-a\n", "", ErrPatch},
		{"no numbers", "a\n", "@@ -x +1 @@\n-a\n+b\n", "", ErrPatch},
		{"a huge number", "a\n", "@@ -1,99999999999999999999 +1 @@\n-a\n+b\n", "", ErrPatch},
		{"line zero", "a\n", "@@ -0 +1 @@\n-a\n+b\n", "", ErrPatch},
		{"lines missing", "a\n", "@@ -1 +1 @@\n-a\n", "", ErrPatch},
		{"too many lines of one kind", "a\nb\n", "@@ -1 +1,2 @@\n-a\n-b\n+c\n+d\n", "", ErrPatch},
		{"a mark of no kind", "a\n", "@@ -1 +1 @@\n*a\n+b\n", "", ErrPatch},
		{"a second text", "a\n", "@@ -1 +1 @@\n-a\n+b\n--- c\n+++ d\n@@ -1 +1 @@\n-a\n+b\n", "", ErrPatch},
		{"lines behind a last one", "a\nb\n", "@@ -1 +1 @@\n-a\n+c\n\\ No newline at end of file\n", "", ErrPatch},
		{"another line", "a\n", "@@ -1 +1 @@\n-b\n+c\n", "", ErrFit},
		{"a newline too many", "a", "@@ -1 +1 @@\n-a\n+c\n", "", ErrFit},
		{"behind the end", "a\n", "@@ -3 +3 @@\n-a\n+b\n", "", ErrFit},
		{"backwards", "a\nb\n", "@@ -2 +2 @@\n-b\n+c\n@@ -1 +1 @@\n-a\n+c\n", "", ErrFit},
		{"another place in the new text", "a\n", "@@ -1 +2 @@\n-a\n+b\n", "", ErrFit},
	} {
		got, err := Apply(split(t, c.old), split(t, c.patch))
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v; want %q, %v", c.name, got, err, c.want, c.err)
		}
	}
}

func TestMerge(t *testing.T) {
	conflict := func(ours, base, theirs string) string {
		return markOurs + spaced(ours) + markBase + spaced(base) + markMiddle + spaced(theirs) + markTheirs
	}
	for _, c := range []struct {
		name, base, ours, theirs, want string
		conflicts                      int
	}{
		{"apart", "1 2 3", "x 2 3", "1 2 y", spaced("x 2 y"), 0},
		{"alike", "1 2 3", "1 x 3", "1 x 3", spaced("1 x 3"), 0},
		{"one only", "1 2 3", "1 2 3", "2 3 4", spaced("2 3 4"), 0},
		{"both put something in", "1 2 3 4", "1 x 2 3 4", "1 2 3 y 4", spaced("1 x 2 3 y 4"), 0},
		{"the same line", "1 2 3", "1 x 3", "1 y 3", spaced("1") + conflict("x", "2", "y") + spaced("3"), 1},
		{"at the same place", "1 2", "1 x 2", "1 y 2", spaced("1") + conflict("x", "", "y") + spaced("2"), 1},
		{"next to each other", "1 2 3 4", "1 x 3 4", "1 2 y 4", spaced("1") + conflict("x 3", "2 3", "2 y") + spaced("4"), 1},
		{"changed and taken out", "1 2 3", "1 3", "1 x 3", spaced("1") + conflict("", "2", "x") + spaced("3"), 1},
		{"chained", "1 2 3 4 5", "a b 3 4 5", "1 c d e 5", conflict("a b 3 4", "1 2 3 4", "1 c d e") + spaced("5"), 1},
		{"twice", "1 2 3", "a 2 b", "c 2 d", conflict("a", "1", "c") + spaced("2") + conflict("b", "3", "d"), 2},
	} {
		got, conflicts := Merge(split(t, spaced(c.base)), split(t, spaced(c.ours)), split(t, spaced(c.theirs)))
		if got != c.want || conflicts != c.conflicts {
			t.Errorf("%s: %d conflicts, want %d:\n%s\nwant:\n%s", c.name, conflicts, c.conflicts, got, c.want)
		}
	}
	got, conflicts := Merge([]string{"a"}, []string{"b"}, []string{"c"})
	if want := conflict("b", "a", "c"); got != want || conflicts != 1 {
		t.Errorf("without newlines: %d conflicts:\n%s", conflicts, got)
	}
}

// A diff makes the new text of the old one, whatever they are; a patch is read or refused; and a merge with one side unchanged,
// or both the same, is the other.
func FuzzTexts(f *testing.F) {
	f.Add("a\nb\nc", "b\nc\nd\n", "x\nb\n", uint8(3))
	f.Add("", "\n", "\\ No newline\n", uint8(0))
	f.Add("a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n", uint8(1))
	f.Add("a\r\na\r\n", "a\n\n\na", "--- a\n+++ b\n@@ -1,0 +2,3 @@\n+\n+\n+\n", uint8(200))
	f.Fuzz(func(t *testing.T, a, b, c string, context uint8) {
		x, errX := Lines(a)
		y, errY := Lines(b)
		z, errZ := Lines(c)
		if errX != nil || errY != nil || errZ != nil {
			return
		}
		diff := unify(t, a, b, int(context))
		if patch, err := Lines(diff); err == nil {
			if got, err := Apply(x, patch); err != nil || got != b {
				t.Fatalf("%q makes %q of %q: %v; want %q", diff, got, a, err, b)
			}
		}
		if _, err := Apply(x, z); err != nil && !errors.Is(err, ErrPatch) && !errors.Is(err, ErrFit) {
			t.Errorf("%q: %v", c, err)
		}
		for _, m := range []struct {
			base, ours, theirs []string
			want               string
		}{{x, y, x, b}, {x, x, y, b}, {x, y, y, b}} {
			if got, conflicts := Merge(m.base, m.ours, m.theirs); got != m.want || conflicts != 0 {
				t.Errorf("merge of %q, %q, %q: %q, %d conflicts", m.base, m.ours, m.theirs, got, conflicts)
			}
		}
		one, n := Merge(x, y, z)
		if _, other := Merge(x, z, y); n != other {
			t.Errorf("%q, %q, %q: %d conflicts, and %d the other way round: %q", a, b, c, n, other, one)
		}
	})
}
