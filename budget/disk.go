package budget

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"barnraise/manifest"
)

// Kind is what lies on disk, and the name of its directory and of its budget.
type Kind string

// The kinds.
const (
	Images   Kind = "images"
	Content  Kind = "content"
	Evidence Kind = "evidence"
)

// Kinds lists them all.
func Kinds() []Kind { return []Kind{Images, Content, Evidence} }

// ErrDisk is the error for what would take more disk than there is a budget for, or than the machine has.
var ErrDisk = errors.New("no room on disk")

// Space is what a file system has, in bytes.
type Space struct {
	Free, Total uint64 // free to this user; a total of zero says that nothing is known
}

// Taken is what lies there of a kind.
type Taken struct {
	Used   manifest.Bytes `json:"used"`   // what is being fetched included
	Budget manifest.Bytes `json:"budget"` //
}

// Disk watches over the directories of a server. It is safe for concurrent use.
type Disk struct {
	data   string
	limits Limits
	space  func(dir string) (Space, error)
	now    func() time.Time

	mu      sync.Mutex
	pending map[Kind]uint64
	seen    map[Kind]look
}

// look is what was found in a directory.
type look struct {
	bytes uint64
	at    time.Time
}

// NewDisk watches over the directories images, content and evidence of data. What a file system has is asked of space, such as
// [SpaceOf].
func NewDisk(data string, l Limits, space func(dir string) (Space, error), now func() time.Time) *Disk {
	return &Disk{data: data, limits: l, space: space, now: now, pending: make(map[Kind]uint64), seen: make(map[Kind]look)}
}

// Take reserves room for so many bytes of a service that has held bytes of that kind already. The caller releases it, once,
// when they lie there or never will. It fails with [ErrDisk], saying what to do, where they would be more than one service or
// all of them may have, or where the reserve of the file system would be touched.
func (d *Disk) Take(k Kind, held, need uint64) (release func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	err = d.fits(k, held, need)
	if errors.Is(err, ErrDisk) {
		delete(d.seen, k) // something may be gone since
		err = d.fits(k, held, need)
	}
	if err != nil {
		return nil, fmt.Errorf("take %s for %s: %w", round(need), k, err)
	}
	d.pending[k] += need
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.pending[k] -= need
		delete(d.seen, k)
	}, nil
}

func (d *Disk) fits(k Kind, held, need uint64) error {
	if each := d.limits.eachOf(k); each > 0 && held+need > uint64(each) {
		return fmt.Errorf("%w: its service would have %s, and one may have %s: raise budgets: {each: {%s: …}} in server.yaml, or deny the service",
			ErrDisk, round(held+need), each, k)
	}
	taken := d.taken(k)
	if taken.Used+manifest.Bytes(need) > taken.Budget {
		return fmt.Errorf("%w: %s are taken of %s: raise budgets: {%s: …} in server.yaml, or host less",
			ErrDisk, round(uint64(taken.Used)), taken.Budget, k)
	}
	return d.reserve(need)
}

// reserve keeps away from the share of the file system that is not to be touched.
func (d *Disk) reserve(need uint64) error {
	space, err := d.space(d.data)
	if err != nil || space.Total == 0 {
		return err
	}
	kept := uint64(float64(space.Total) * d.limits.Reserve)
	for _, n := range d.pending {
		need += n
	}
	if space.Free < need || space.Free-need < kept {
		return fmt.Errorf("%w: the file system of %s has %s free, and the last %s are not touched: free some, or set budgets: {reserve: …} in server.yaml",
			ErrDisk, d.data, round(space.Free), round(kept))
	}
	return nil
}

// round is a size that people can read.
func round(n uint64) manifest.Bytes {
	const mib = 1 << 20
	if n > mib {
		n -= n % mib
	}
	return manifest.Bytes(n)
}

func (l Limits) of(k Kind) manifest.Bytes {
	return map[Kind]manifest.Bytes{Images: l.Images, Content: l.Content, Evidence: l.Evidence}[k]
}

// eachOf is what one service may have; zero where the protocol bounds it well enough.
func (l Limits) eachOf(k Kind) manifest.Bytes {
	return map[Kind]manifest.Bytes{Images: l.Each.Images, Evidence: l.Each.Evidence}[k]
}

// Usage is what lies there of each kind, looked at within the last minute.
func (d *Disk) Usage() map[Kind]Taken {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make(map[Kind]Taken)
	for _, k := range Kinds() {
		all[k] = d.taken(k)
	}
	return all
}

// Idle says why nothing more should be fetched, and is empty where it may.
func (d *Disk) Idle() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range Kinds() {
		if t := d.taken(k); t.Used >= t.Budget {
			return fmt.Sprintf("the budget of %s is used up: %s of %s on disk", k, round(uint64(t.Used)), t.Budget)
		}
	}
	if err := d.reserve(0); err != nil {
		return err.Error()
	}
	return ""
}

// lookEvery is how often a directory is looked at that nothing was known to change.
const lookEvery = time.Minute

// taken is what lies there of a kind and is on its way. The lock is held.
func (d *Disk) taken(k Kind) Taken {
	if l, ok := d.seen[k]; !ok || d.now().Sub(l.at) >= lookEvery {
		d.seen[k] = look{size(filepath.Join(d.data, string(k))), d.now()}
	}
	return Taken{Used: manifest.Bytes(d.seen[k].bytes + d.pending[k]), Budget: d.limits.of(k)}
}

// size is how many bytes the files of a directory have. Files that cannot be looked at, or are gone meanwhile, have none.
func size(dir string) (bytes uint64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			bytes += uint64(info.Size())
		}
		return nil
	})
	return bytes
}
