package main

import (
	"os"
	"strings"
)

// try does what no service may, and says whether it came off.
func try(how, what string) string {
	var err error
	switch how {
	case "write":
		err = os.WriteFile(what, []byte("1"), 0o600)
	case "read":
		_, err = os.ReadFile(what)
	case "make":
		err = os.Mkdir(what, 0o700)
	case "remove":
		err = os.Remove(what)
	default:
		err = reach(how, what)
	}
	if err != nil {
		return "refused"
	}
	return "done"
}

// fill writes to a file until it cannot, at most 256 MB, and returns how many bytes it wrote.
func fill(name string) (n int) {
	f, err := os.Create(name)
	if err != nil {
		return 0
	}
	defer os.Remove(name)
	defer f.Close()
	b := make([]byte, 1<<20)
	for n < 256<<20 {
		k, err := f.Write(b)
		n += k
		if err != nil {
			return n
		}
	}
	return n
}

// who is what the system says of this process; nothing where there is no such system.
func who() string {
	b, _ := os.ReadFile("/proc/self/status")
	var s []string
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "Uid", "Gid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp":
			s = append(s, name+" "+strings.Join(strings.Fields(value), " "))
		}
	}
	return strings.Join(s, "; ")
}
