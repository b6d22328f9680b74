package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
	_ "time/tzdata"
	"unicode"
)

func hostname() any {
	name, err := os.Hostname()
	return []any{name, err == nil}
}

func environment() any { return len(os.Environ()) }

// zone is what a program for people says of a fixed time.
func zone() any {
	place, err := time.LoadLocation(os.Getenv("TZ"))
	if err != nil {
		place = time.UTC
	}
	return time.Unix(1.5e9, 0).In(place).Format("15:04")
}

func locale(q string) any {
	if strings.HasPrefix(os.Getenv("LANG"), "tr") {
		return strings.ToUpperSpecial(unicode.TurkishCase, q)
	}
	return strings.ToUpper(q)
}

func address(q string) any { return fmt.Sprintf("%p", []byte(q+q)) }

func process() any { return os.Getpid() }

// processors cuts work by the number of processors.
func processors(q string) any {
	n := runtime.NumCPU() + runtime.GOMAXPROCS(0)
	return [2]int{len(q) / n, n}
}

func memory() any {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.Mallocs
}

func fileName() any {
	name, err := os.MkdirTemp("", "barn")
	return []any{name, err == nil}
}
