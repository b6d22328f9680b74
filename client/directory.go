package client

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"barnraise"
	"barnraise/registry"
)

// DataDirectory is where a user's clients keep what they learn: barnraise below XDG_DATA_HOME, else below ~/.local/share.
func DataDirectory() (string, error) {
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find a place for data: %w; set XDG_DATA_HOME", err)
		}
		data = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(data, "barnraise"), nil
}

// NetworkDirectory is where they keep what belongs to one network, below [DataDirectory]. A network is its registry, whatever else its
// file says; but all development chains are named alike, so there each file is a network of its own.
func NetworkDirectory(n registry.Network) (string, error) {
	data, err := DataDirectory()
	if err != nil {
		return "", err
	}
	r := n.Registry()
	digest := barnraise.Sum(fmt.Appendf(nil, "%s %s %s", r.Chain, r.Services, r.Servers))
	if n.Private() {
		digest = n.Digest()
	}
	return filepath.Join(data, "networks", digest.Hex()[:32]), nil
}

// ErrDamaged is the error for a file of evidence that is not what was kept under its name.
var ErrDamaged = errors.New("the file is damaged")

// Kept says of a file in a [Directory] what it is evidence of.
type Kept struct {
	Path   string
	Digest barnraise.Digest // its name; of a damaged file only the first half
	Size   int64
	At     time.Time // when it was kept

	Registry barnraise.Registry
	Service  barnraise.ServiceID
	Revision uint32
	Accused  []barnraise.ServerID // who signed an answer in it, ascending
	Problem  error                // [ErrDamaged], or why it cannot be read; nothing but path, size and time is known then
}

// List lists the evidence, oldest first. A file that is damaged stands among the others with its problem. It is empty where nothing
// was ever kept.
func (d Directory) List() ([]Kept, error) {
	names, err := d.names()
	if err != nil {
		return nil, err
	}
	list := make([]Kept, 0, len(names))
	for _, name := range names {
		if v, ok := d.look(name); ok {
			list = append(list, v)
		}
	}
	slices.SortStableFunc(list, func(a, b Kept) int { return a.At.Compare(b.At) })
	return list, nil
}

// Read returns the bytes of the evidence that a name means: its digest, or as many of the first digits of it as nothing else has; at
// least four. It fails with [fs.ErrNotExist] where there is none, and with [ErrDamaged].
func (d Directory) Read(name string) ([]byte, error) {
	stem, err := d.find(name)
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	b, err := d.read(stem)
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	return b, nil
}

// Forget removes the evidence that a name means, as [Directory.Read] takes it, be it damaged or not, and returns the first half of
// its digest, by which its file was named. It fails with [fs.ErrNotExist] where there is none.
func (d Directory) Forget(name string) (digits string, err error) {
	digits, err = d.find(name)
	if err == nil {
		err = os.Remove(d.path(digits))
	}
	if err != nil {
		return "", fmt.Errorf("forget evidence: %w", err)
	}
	return digits, nil
}

// stemDigits is how many digits of the digest a file is named by.
const stemDigits = 32

func (d Directory) path(stem string) string { return filepath.Join(string(d), stem+".json") }

// names lists the files that may be evidence, without their ending.
func (d Directory) names() (stems []string, err error) {
	entries, err := os.ReadDir(string(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		stem, ok := strings.CutSuffix(e.Name(), ".json")
		if ok && e.Type().IsRegular() && len(stem) == stemDigits && isHex(stem) {
			stems = append(stems, stem)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list evidence: %w", err)
	}
	return stems, nil
}

func isHex(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
}

// find is the file that a name means.
func (d Directory) find(name string) (stem string, err error) {
	digits := strings.TrimPrefix(name, "sha256:")
	if len(digits) < 4 || len(digits) > 64 || !isHex(digits) {
		return "", fmt.Errorf("%.80q is no digest: want at least four hexadecimal digits", name)
	}
	stems, err := d.names()
	if err != nil {
		return "", err
	}
	digits = digits[:min(len(digits), stemDigits)]
	stems = slices.DeleteFunc(stems, func(s string) bool { return !strings.HasPrefix(s, digits) })
	switch len(stems) {
	case 0:
		return "", fmt.Errorf("%s is not kept here: %w", name, fs.ErrNotExist)
	case 1:
		return stems[0], nil
	}
	return "", fmt.Errorf("%s may be %s or %s: give more digits", name, stems[0], stems[1])
}

// read reads a file, and makes sure that it is what its name says.
func (d Directory) read(stem string) ([]byte, error) {
	f, err := os.Open(d.path(stem))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, barnraise.MaxEvidence+1))
	if err != nil {
		return nil, err
	}
	if len(b) > barnraise.MaxEvidence || barnraise.Sum(b).Hex()[:stemDigits] != stem {
		return nil, fmt.Errorf("%s: %w", d.path(stem), ErrDamaged)
	}
	return b, nil
}

// look says of a file what it is evidence of; not ok where it went meanwhile.
func (d Directory) look(stem string) (v Kept, ok bool) {
	v.Path = d.path(stem)
	info, err := os.Stat(v.Path)
	if v.Problem = err; err != nil {
		return v, !errors.Is(err, fs.ErrNotExist)
	}
	v.Size, v.At = info.Size(), info.ModTime()
	_, _ = hex.Decode(v.Digest[:], []byte(stem)) // of a digest's digits
	b, err := d.read(stem)
	if err != nil {
		v.Problem = err
		return v, true
	}
	e, err := barnraise.ParseEvidence(b)
	if err != nil {
		v.Problem = fmt.Errorf("%w: %w", ErrDamaged, err)
		return v, true
	}
	v.Digest, v.Registry, v.Service, v.Revision = barnraise.Sum(b), e.Registry, e.Service, e.Revision
	for _, a := range e.Answers {
		v.Accused = append(v.Accused, a.Server)
	}
	slices.Sort(v.Accused)
	v.Accused = slices.Compact(v.Accused)
	return v, true
}

// How much evidence a directory holds, in bytes and in files. Who makes others contradict each other could fill a disk, and have every
// call look at more files.
const (
	directoryBytes = 1 << 30
	directoryFiles = 1 << 14
)

// trim drops the oldest evidence, until what is left takes no more than so many bytes and files. One piece stays in any case, however
// old it seems: that which was just kept, by a clock that may have been set back.
func (d Directory) trim(keep string, limit int64, most int) error {
	names, err := d.names()
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	for _, name := range names {
		if info, err := os.Stat(d.path(name)); err == nil {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		switch {
		case a.Name() == keep+".json":
			return -1
		case b.Name() == keep+".json":
			return 1
		}
		return b.ModTime().Compare(a.ModTime())
	})
	var used int64
	for i, f := range files {
		if used += f.Size(); i > 0 && (used > limit || i >= most) {
			err = errors.Join(err, os.Remove(filepath.Join(string(d), f.Name())))
		}
	}
	return err
}
