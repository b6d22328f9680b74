package main

import (
	"hash/maphash"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// ownFile is when the program was put where it is, and which file that is.
func ownFile() any {
	info, err := os.Stat("/proc/self/exe")
	if err != nil {
		return "none"
	}
	return info.ModTime().String()
}

// proc is the first line of a file that the machine writes.
func proc(name string) any {
	b, _ := os.ReadFile("/proc/" + name)
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

func freeMemory() any {
	b, _ := os.ReadFile("/proc/meminfo")
	_, free, _ := strings.Cut(string(b), "MemFree:")
	free, _, _ = strings.Cut(strings.TrimSpace(free), " ")
	return free
}

func parent() any { return os.Getppid() }

// hashed is a hash as maps use it, with a seed of each process's own.
func hashed(q string) any { return maphash.String(seed, q) % 4 }

var seed = maphash.MakeSeed()

// collected is how often garbage was collected.
func collected() any {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.NumGC > 2
}

func alive() any { return runtime.NumGoroutine() }

// old answers otherwise when the program has run for more than a second.
func old() any { return time.Since(begun) > time.Second }

// hourly depends on the time of day, and only for long questions.
func hourly(q string) any { return len(q) > 20 && time.Now().Hour() < 12 }

// slept is which of two goroutines comes first that sleep for about as long.
func slept() any {
	first := make(chan string, 2)
	for _, name := range []string{"left", "right"} {
		go func() {
			time.Sleep(time.Millisecond)
			first <- name
		}()
	}
	return <-first
}

// output is what kind of a file the program writes to.
func output() any {
	info, err := os.Stdout.Stat()
	if err != nil {
		return "none"
	}
	return info.Mode().String() + info.ModTime().String()
}

var pooled = sync.Pool{New: func() any { return new(int) }}

// recycled takes what an earlier call put back, and forgets to empty it.
func recycled() any {
	n := pooled.Get().(*int)
	defer pooled.Put(n)
	*n++
	return *n > 3
}

// seldom is another answer after many calls, for one question alone.
func seldom(q string) any {
	mu.Lock()
	defer mu.Unlock()
	if q == "barn" {
		calls++
	}
	return calls > 20 && q == "barn"
}
