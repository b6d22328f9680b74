package worker

import (
	"fmt"
	"os"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
)

// Confine takes away from this process, for good, every file but this program's own and those below the directories named: of
// some it may read, of others write as well. So code that broke out of its sandbox cannot read the keys of the user whose
// process this is. It is for the child to call before it starts anything. A kernel without Landlock (before 5.13, or built
// without) takes nothing away, and that is no error. Directories that are not there are passed over.
func Confine(read, write []string) error {
	rules := []landlock.Rule{
		landlock.RODirs(read...).IgnoreIfMissing(), landlock.RWDirs(write...).IgnoreIfMissing(),
		landlock.RWFiles("/dev/null").IgnoreIfMissing(),
	}
	if self, err := os.Executable(); err == nil {
		rules = append(rules, landlock.ROFiles(self).IgnoreIfMissing())
	}
	if err := landlock.V5.BestEffort().RestrictPaths(rules...); err != nil {
		return fmt.Errorf("confine the process that runs services: %w", err)
	}
	return nil
}

// Confines reports whether this system can do what [Confine] is for.
func Confines() bool {
	const createRuleset, version = 444, 1
	_, _, errno := syscall.Syscall(createRuleset, 0, 0, version) // asks for the version
	return errno == 0
}
