package main

import (
	"fmt"
	"strconv"
	"strings"
)

// words are what service.yaml says to people. Where one is empty it says what the service's own says.
type words struct{ name, description, licence string }

// maxModule is what hosts take as a wasm module, less the program.
const maxModule = 60 << 20

// beside is the memory that the program takes beside its archive, and granted what the service's own manifest grants, in MiB.
const beside, granted = 48, 64

// into is the service's own service.yaml with other words, and with memory for an archive of that size.
func (w words) into(yaml []byte, size int) []byte {
	lines := strings.SplitAfter(string(yaml), "\n")
	section := ""
	for i, line := range lines {
		if key, _, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(key, " ") {
			section = key
		}
		if section == "limits" && strings.HasPrefix(line, "  memory:") {
			lines[i] = fmt.Sprintf("  memory: %dMiB\n", max(granted, beside+(size+1<<20-1)>>20))
		}
		for key, word := range map[string]string{"description": w.description, "licence": w.licence} {
			if word != "" && strings.HasPrefix(line, key+":") {
				lines[i] = key + ": " + strconv.Quote(word) + "\n"
			}
		}
		if strings.HasPrefix(line, "name:") {
			lines[i] = "name: " + w.name + "\n"
		}
	}
	return []byte(strings.Join(lines, ""))
}
