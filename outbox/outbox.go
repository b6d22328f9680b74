// Package outbox keeps letters that are to be handed over at a later time, in files of a directory, so that whoever wrote one may end
// before that: a later process takes it on. Each letter goes to several recipients, one after the other, each at a time of its own.
//
// Several processes may use one directory. A letter is worked on by one of them at a time, which claims it; where that process ends
// in the middle, the claim lapses and another takes the letter on. All that is known of a letter beside its bytes stands in its
// file's name, so that every change of it is one rename: nothing is ever half written.
package outbox

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"barnraise"
	"barnraise/whole"
)

// Bounds of an outbox.
const (
	MaxLetters = 64        // that wait at one time
	MaxLetter  = 64 << 20  // bytes of one
	MaxBytes   = 256 << 20 // of all of them
	maxDone    = 64        // recipients that are remembered
)

// Errors to branch on.
var (
	ErrFull    = errors.New("the outbox is full")
	ErrDamaged = errors.New("the letter is damaged")
)

// Box is an outbox: the directory's name. It is made with the first letter.
type Box string

// Letter is one that waits. It is a note of how the letter stood when it was looked at: where somebody else has changed it since,
// what is done with it comes to nothing.
type Letter struct {
	Due   time.Time            // it is handed over from then on
	Until time.Time            // it is given up then
	Done  []barnraise.ServerID // who got it, or will not have it

	digits string // of the digest of its bytes
}

const digits = 32

// name is the file's: times in milliseconds, recipients, digest.
func (l Letter) name() string {
	done := make([]string, len(l.Done))
	for i, id := range l.Done {
		done[i] = id.String()
	}
	return fmt.Sprintf("%d-%d-%s-%s", l.Due.UnixMilli(), l.Until.UnixMilli(), strings.Join(done, "."), l.digits)
}

// parse reads a file's name; not ok for what is no letter.
func parse(name string) (l Letter, ok bool) {
	parts := strings.Split(name, "-")
	if len(parts) != 4 || len(parts[3]) != digits {
		return Letter{}, false
	}
	due, err := strconv.ParseInt(parts[0], 10, 64)
	until, err2 := strconv.ParseInt(parts[1], 10, 64)
	if _, err3 := hex.DecodeString(parts[3]); err != nil || err2 != nil || err3 != nil {
		return Letter{}, false
	}
	l = Letter{Due: time.UnixMilli(due), Until: time.UnixMilli(until), digits: parts[3]}
	for text := range strings.SplitSeq(parts[2], ".") {
		if text == "" {
			continue
		}
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil || len(l.Done) == maxDone {
			return Letter{}, false
		}
		l.Done = append(l.Done, barnraise.ServerID(id))
	}
	return l, l.name() == name
}

func (b Box) path(l Letter) string { return filepath.Join(string(b), l.name()) }

func digitsOf(body []byte) string { return barnraise.Sum(body).Hex()[:digits] }

// Put writes a letter, whole or not at all. A letter of the same bytes that waits already stays as it is. It fails with [ErrFull]
// where too much waits.
func (b Box) Put(body []byte, due, until time.Time) error {
	l := Letter{Due: due, Until: until, digits: digitsOf(body)}
	if err := os.Remove(b.mark(l.digits)); err != nil && !errors.Is(err, fs.ErrNotExist) { // it was forgotten, and is found again
		return fmt.Errorf("put letter: %w", err)
	}
	waiting, size, _, err := b.look()
	switch {
	case err != nil:
		return fmt.Errorf("put letter: %w", err)
	case slices.ContainsFunc(waiting, func(o Letter) bool { return o.digits == l.digits }):
		return nil
	case len(waiting) >= MaxLetters || len(body) > MaxLetter || size+int64(len(body)) > MaxBytes:
		return fmt.Errorf("put letter: %w", ErrFull)
	}
	if err := os.MkdirAll(string(b), 0o700); err != nil {
		return fmt.Errorf("put letter: %w", err)
	}
	if err := whole.Write(b.path(l), body, 0o600); err != nil {
		return fmt.Errorf("put letter: %w", err)
	}
	return nil
}

// draftFor is how old a letter that is being written may be. An older one was left behind.
const draftFor = time.Hour

// Letters lists the letters that wait, due first. There are none where no letter was ever put. What a process that was killed has
// left half written an hour ago is removed.
func (b Box) Letters(now time.Time) ([]Letter, error) {
	list, _, drafts, err := b.look()
	if err != nil {
		return nil, fmt.Errorf("list letters: %w", err)
	}
	for _, d := range drafts {
		if now.Sub(d.ModTime()) > draftFor {
			_ = os.Remove(filepath.Join(string(b), d.Name())) // the next time, then
		}
	}
	return list, nil
}

// look lists the letters, due first, how large they are together, and what is being written.
func (b Box) look() (list []Letter, size int64, drafts []fs.FileInfo, err error) {
	entries, err := os.ReadDir(string(b))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil, nil
	}
	for _, e := range entries {
		info, gone := e.Info()
		if gone != nil || !info.Mode().IsRegular() {
			continue
		}
		if l, ok := parse(e.Name()); ok {
			list, size = append(list, l), size+info.Size()
		} else if strings.HasPrefix(e.Name(), whole.Draft) {
			drafts = append(drafts, info)
		}
	}
	slices.SortFunc(list, func(x, y Letter) int { return cmp.Or(x.Due.Compare(y.Due), strings.Compare(x.digits, y.digits)) })
	return list, size, drafts, err
}

// Claim makes a letter this caller's until the time given, before which nobody else finds it due. Not ok where somebody was quicker.
func (b Box) Claim(l Letter, until time.Time) (claimed Letter, ok bool) {
	claimed = l
	claimed.Due = until
	return claimed, b.turn(l, claimed) == nil
}

// Defer lets a claimed letter wait until the time given, those who have it by now noted. It fails where the claim has lapsed and
// somebody else has the letter.
func (b Box) Defer(l Letter, due time.Time, done ...barnraise.ServerID) error {
	later := l
	later.Due, later.Done = due, append(slices.Clip(l.Done), done...)
	return b.turn(l, later)
}

// turn gives a letter another name. Whoever forgets it at that moment may find it under neither: then it is gone here.
func (b Box) turn(from, to Letter) error {
	if err := os.Rename(b.path(from), b.path(to)); err != nil {
		return fmt.Errorf("turn letter: %w", err)
	}
	if _, err := os.Lstat(b.mark(to.digits)); err == nil {
		_ = os.Remove(b.path(to)) // where that fails it is done with the next turn
		return fmt.Errorf("turn letter: %w", errForgotten)
	}
	return nil
}

// mark is the file that says of a letter that it is to be forgotten. It goes as drafts do.
func (b Box) mark(digits string) string {
	return filepath.Join(string(b), whole.Draft+"forget-"+digits)
}

// errForgotten is the error for a letter that was forgotten meanwhile.
var errForgotten = errors.New("the letter is forgotten")

// Read returns the bytes of a letter. It fails with [ErrDamaged] where they are not those that were put.
func (b Box) Read(l Letter) ([]byte, error) {
	f, err := os.Open(b.path(l))
	if err != nil {
		return nil, fmt.Errorf("read letter: %w", err)
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, MaxLetter+1))
	if err == nil && digitsOf(body) != l.digits {
		err = ErrDamaged
	}
	if err != nil {
		return nil, fmt.Errorf("read letter: %w", err)
	}
	return body, nil
}

// Drop removes a letter.
func (b Box) Drop(l Letter) error {
	if err := os.Remove(b.path(l)); err != nil {
		return fmt.Errorf("drop letter: %w", err)
	}
	return nil
}

// Forget removes the letter of that digest, or of the first half of it, where one waits: who has not got it yet
// does not get it any more, save from who hands it over at that moment.
func (b Box) Forget(digest string) error {
	if _, err := hex.DecodeString(digest[:min(len(digest), digits)]); err != nil || len(digest) < digits {
		return fmt.Errorf("forget letter: %q is no digest", digest)
	}
	if err := whole.Write(b.mark(digest[:digits]), nil, 0o600); errors.Is(err, fs.ErrNotExist) {
		return nil // there is no outbox
	} else if err != nil {
		return fmt.Errorf("forget letter: %w", err)
	}
	const turns = 10 // it may be claimed meanwhile, and is then found by its new name, or not found, and gone with the next turn
	for range turns {
		list, _, _, err := b.look()
		i := slices.IndexFunc(list, func(l Letter) bool { return l.digits == digest[:digits] })
		if err != nil || i < 0 {
			return err
		}
		if err := b.Drop(list[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("forget letter: %s is turned again and again", digest)
}
