package manifest

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size. Authors may write "64MiB" or a number; it is published as a number.
type Bytes uint64

var byteUnits = []struct {
	suffix string
	size   uint64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

// number is what may stand before a unit. It is short, so that it can be computed with exactly.
var number = regexp.MustCompile(`^[0-9]{1,16}(\.[0-9]{1,16})?([eE]\+?[0-9]{1,2})?$`)

// UnmarshalJSON reads a number of bytes or a string such as "64MiB" or "1.5GB". It fails where that is no whole number of
// bytes.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	s := strings.Trim(string(data), `"`)
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		digits = strings.TrimSpace(digits)
		if !number.MatchString(digits) {
			break
		}
		n, _ := new(big.Rat).SetString(digits)
		n.Mul(n, new(big.Rat).SetUint64(u.size))
		if !n.IsInt() || n.Num().Cmp(big.NewInt(1<<50)) > 0 {
			break
		}
		*b = Bytes(n.Num().Uint64())
		return nil
	}
	return fmt.Errorf("size %.40q: want a whole number of bytes, or one such as 64MiB", s)
}

// String is the size in the largest unit that divides it.
func (b Bytes) String() string {
	for _, u := range []int{2, 1, 0} {
		if size := byteUnits[u].size; b > 0 && uint64(b)%size == 0 {
			return fmt.Sprintf("%d %s", uint64(b)/size, byteUnits[u].suffix)
		}
	}
	return fmt.Sprintf("%d B", uint64(b))
}

// Duration is a length of time. Authors may write "2s" or milliseconds; it is published in milliseconds.
type Duration time.Duration

// MarshalJSON writes milliseconds. It fails where they are not whole.
func (d Duration) MarshalJSON() ([]byte, error) {
	if !d.whole() {
		return nil, fmt.Errorf("duration %s: want whole milliseconds", d)
	}
	return strconv.AppendInt(nil, time.Duration(d).Milliseconds(), 10), nil
}

func (d Duration) whole() bool { return time.Duration(d)%time.Millisecond == 0 }

// UnmarshalJSON reads milliseconds or a string such as "2s". It fails where that is no whole number of milliseconds.
func (d *Duration) UnmarshalJSON(data []byte) error {
	s := strings.Trim(string(data), `"`)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 && n < 1<<40 {
		*d = Duration(time.Duration(n) * time.Millisecond)
		return nil
	}
	t, err := time.ParseDuration(s)
	if err != nil || t < 0 || !Duration(t).whole() {
		return fmt.Errorf("duration %.40q: want whole milliseconds, or one such as 2s", s)
	}
	*d = Duration(t)
	return nil
}

// String is Go's form, such as "2s".
func (d Duration) String() string { return time.Duration(d).String() }
