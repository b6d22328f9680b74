package index

import (
	"iter"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
)

// Analyzer names how a text becomes terms. It is pinned: which characters belong to a word, how they are folded, which words
// are left out and how the rest is stemmed depends on this package and on the stemmer's version alone, not on the Unicode
// tables of a toolchain. Another rule is another name, and another version of the index.
const Analyzer = "porter2-en-1"

// maxTerm is the longest word that is indexed, in bytes. What is longer is an encoding of something, and left out.
const maxTerm = 64

// Terms are the terms of a text, in order and as often as they occur: words in small letters, without accents, stop words
// left out, the rest stemmed by Porter's second English algorithm.
func Terms(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for word := range words(text) {
			if term := stem(word); term != "" && !yield(term) {
				return
			}
		}
	}
}

// words cuts a text into runs of letters and digits, folded.
func words(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var word []byte
		for len(text) > 0 {
			folded, size := fold(text)
			text = text[size:]
			if folded != " " {
				word = append(word, folded...)
				if len(text) > 0 {
					continue
				}
			}
			if 0 < len(word) && len(word) <= maxTerm && !yield(string(word)) {
				return
			}
			word = word[:0]
		}
	}
}

// stem is the term of a word, empty for a stop word. The stemmer knows English; words with other letters or digits stand as
// they are.
func stem(word string) string {
	if isStopWord(word) {
		return ""
	}
	for _, c := range []byte(word) {
		if c < 'a' || c > 'z' {
			return word
		}
	}
	return english.Stem(word, true)
}

func isStopWord(word string) bool {
	switch word {
	case "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "had", "has", "have", "he", "her", "his", "if",
		"in", "into", "is", "it", "its", "no", "not", "of", "on", "or", "s", "she", "such", "t", "that", "the", "their", "then",
		"there", "these", "they", "this", "to", "was", "were", "will", "with":
		return true
	}
	return false
}

// ascii folds the characters below 0x80: letters to small ones, digits to themselves, all else to a space.
const ascii = "                                                0123456789       " +
	"abcdefghijklmnopqrstuvwxyz      abcdefghijklmnopqrstuvwxyz     "

// latin folds U+00C0 to U+017F to their base letters; a star stands where ligature knows better.
const latin = "aaaaaa*ceeeeiiiidnooooo ouuuuy**aaaaaa*ceeeeiiiidnooooo ouuuuy*y" +
	"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**jjkkklllllll" +
	"lllnnnnnnnnnoooooo**rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"

// fold is what the first character of s becomes within a word: letters and digits; a space where it ends the word; nothing
// where it leaves no trace. Letters beyond Latin Extended-A stand as they are. size is the character's length in bytes.
func fold(s string) (folded string, size int) {
	if c := s[0]; c < utf8.RuneSelf {
		return ascii[c : c+1], 1
	}
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == 'ª' || r == 'µ' || r == 'º':
		return s[:size], size
	case r < 'À':
		return " ", size
	case r <= 'ſ':
		if at := r - 'À'; latin[at] != '*' {
			return latin[at : at+1], size
		}
		return ligature(r), size
	case 0x300 <= r && r <= 0x36f: // combining accents
		return "", size
	case isSymbol(r):
		return " ", size
	}
	return s[:size], size
}

func ligature(r rune) string {
	switch r {
	case 'Æ', 'æ':
		return "ae"
	case 'Œ', 'œ':
		return "oe"
	case 'Þ', 'þ':
		return "th"
	case 'Ĳ', 'ĳ':
		return "ij"
	}
	return "ss" // ß
}

// isSymbol reports whether a character beyond Latin ends a word: the blocks of punctuation, spaces, currency, arrows,
// mathematics, drawing, private use and pictures.
func isSymbol(r rune) bool {
	return 0x2000 <= r && r <= 0x2bff || 0x2e00 <= r && r <= 0x2e7f || 0x3000 <= r && r <= 0x303f || 0xe000 <= r && r <= 0xf8ff ||
		0xfe10 <= r && r <= 0xfe6f || 0xff00 <= r && r <= 0xff0f || 0xff1a <= r && r <= 0xff20 || 0xff3b <= r && r <= 0xff40 ||
		0xff5b <= r && r <= 0xff65 || 0xfff0 <= r && r <= 0xffff || 0x1f000 <= r && r <= 0x1faff
}
