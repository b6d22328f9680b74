package score

import "slices"

// Told is one thing that a book was told, to be told to another book, too: so several callers who share what they know add to it, and
// nobody writes over what another has seen.
type Told struct {
	do    func(*Book)
	grave bool // it is more than one of many answers
}

// To tells it to a book.
func (t Told) To(b *Book) { t.do(b) }

// maxTold is how much a book remembers of what it was told. It is far more than is told between two times that it is kept.
const maxTold = 1 << 17

// Record makes the book remember what it is told from now on, for [Book.Told].
func (b *Book) Record() { b.recording = true }

// Told returns what the book was told since the last time, oldest first, and forgets it. It is nothing without [Book.Record].
func (b *Book) Told() []Told {
	told := b.told
	b.told = nil
	return told
}

// Untold gives back what [Book.Told] returned and nobody could use: the next has it before what came since. Where that is too much
// to remember, single answers are left out, strikes and what else weighs are not.
func (b *Book) Untold(told []Told) {
	b.told = append(told, b.told...)
	if len(b.told) > maxTold {
		b.told = slices.DeleteFunc(b.told, func(t Told) bool { return !t.grave })
		b.told = b.told[:min(len(b.told), maxTold)]
	}
}

// record remembers what the book is being told. Where nobody wants that it costs nothing.
func (b *Book) record(grave bool, do func(*Book)) {
	if len(b.told) < maxTold || grave && len(b.told) < 2*maxTold {
		b.told = append(b.told, Told{do, grave})
	}
}
