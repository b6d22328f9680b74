package budget

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"barnraise/whole"

	"github.com/go-json-experiment/json"
)

// File keeps a record in a file of that name.
type File string

// ErrRecord is the error for a record that cannot be read: remove it, and the counters of today begin anew.
var ErrRecord = errors.New("bad record of budgets")

// maxRecord is the longest record that is read, in bytes.
const maxRecord = 1 << 20

// Load reads the record: nothing where there is no file. It fails with [ErrRecord], and as the disk does.
func (f File) Load() (Record, error) {
	file, err := os.Open(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, nil
	}
	if err != nil {
		return Record{}, fmt.Errorf("read budgets: %w", err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxRecord+1))
	if err != nil {
		return Record{}, fmt.Errorf("read budgets: %w", err)
	}
	r, err := parseRecord(b)
	if err != nil {
		return Record{}, fmt.Errorf("read %s: %w", f, err)
	}
	return r, nil
}

func parseRecord(b []byte) (r Record, err error) {
	if len(b) > maxRecord {
		return r, fmt.Errorf("%w: more than %d bytes", ErrRecord, maxRecord)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return r, nil
}

// Save puts the record in place of the one before, whole or not at all.
func (f File) Save(r Record) error {
	b, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("write budgets: %w", err)
	}
	if err := whole.Write(string(f), b, 0o600); err != nil {
		return fmt.Errorf("write budgets: %w", err)
	}
	return nil
}
