package main

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

var begun = time.Now()

func seconds() any { return time.Now().Unix() }

func today() any { return time.Now().Weekday().String() }

func uptime() any { return time.Since(begun).Nanoseconds() }

func daySeed(q string) any {
	rng := rand.New(rand.NewPCG(uint64(time.Now().YearDay()), uint64(len(q))))
	return rng.IntN(1e6)
}

// deadline works for a fixed time, and answers with what it has then.
func deadline(q string) any {
	found := len(q)
	for until := time.Now().Add(2 * time.Microsecond); time.Now().Before(until); {
		found++
	}
	return found
}

func random() any { return rand.Uint64() }

func selected() any {
	a, b := make(chan string, 1), make(chan string, 1)
	a <- "left"
	b <- "right"
	select {
	case s := <-a:
		return s
	case s := <-b:
		return s
	}
}

func mapOrder(q string) any {
	seen := map[rune]bool{}
	for _, r := range q + "abcdef" {
		seen[r] = true
	}
	var list []string
	for r := range seen {
		list = append(list, string(r))
	}
	return map[string]any{"letters": list}
}

func mapOfTwo() any {
	var list []int
	for n := range map[int]bool{1: true, 2: true} {
		list = append(list, n)
	}
	return list
}

func mapSum() any {
	sum := 0.0
	for _, f := range map[int]float64{1: 0.1, 2: 1e16, 3: -1e16, 4: 0.3, 5: 1e-3, 6: 7.7, 7: 1e15, 8: -1e15} {
		sum += f
	}
	return 1000 + sum/1e6
}

func goroutines() any {
	var mu sync.Mutex
	var all sync.WaitGroup
	var list []int
	for n := range 8 {
		all.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			list = append(list, n)
		})
	}
	all.Wait()
	return list
}

// float computes as the compiler of each platform does, to the last digit.
func float(q string) any {
	var list []float64
	for n := range 100 {
		list = append(list, math.Exp(float64(len(q)+n)/37)*math.Tanh(float64(n)/11))
	}
	return list
}
