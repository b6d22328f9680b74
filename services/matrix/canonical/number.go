package canonical

import (
	"strconv"
	"strings"
)

// integer is what a number of JSON's grammar comes to if that is whole and within ±MaxInt. It takes time in proportion to the
// text, however large the exponent.
func integer(text string) (int64, bool) {
	digits, negative := strings.CutPrefix(text, "-")
	if plain(digits) {
		return bounded(digits, negative)
	}
	mantissa, exponent := digits, 0
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		mantissa, exponent = digits[:i], clamped(digits[i+1:])
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	significant := strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	trimmed := strings.TrimRight(significant, "0")
	exponent += len(significant) - len(trimmed)
	switch {
	case trimmed == "":
		return 0, true
	case exponent < 0 || len(trimmed)+exponent > 16:
		return 0, false
	}
	return bounded(trimmed+strings.Repeat("0", exponent), negative)
}

func plain(digits string) bool {
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

func bounded(digits string, negative bool) (int64, bool) {
	if len(digits) > 16 {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > MaxInt {
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}

// clamped is an exponent, or one that is as good where it is beyond any number of this size.
func clamped(text string) int {
	const most = 1 << 30
	digits := strings.TrimLeft(strings.TrimLeft(text, "+-"), "0")
	n := most
	if len(digits) < 10 {
		n, _ = strconv.Atoi("0" + digits)
	}
	if strings.HasPrefix(text, "-") {
		return -n
	}
	return n
}
