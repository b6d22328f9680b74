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
	written := landlock.RWDirs(write...).IgnoreIfMissing()
	if version() >= 2 { // else to ask for it would be to give up all the rest
		written = written.WithRefer() // files may move from one directory to another
	}
	rules := []landlock.Rule{
		landlock.RODirs(read...).IgnoreIfMissing(), written,
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
func Confines() bool { return version() > 0 }

// version is that of the kernel's Landlock; zero where it has none.
func version() int {
	const createRuleset, askVersion = 444, 1
	v, _, errno := syscall.Syscall(createRuleset, 0, 0, askVersion)
	if errno != 0 {
		return 0
	}
	return int(v)
}
