// Hostile is a service that does whatever its caller asks it to: answer well, break in every way there is, look around, and
// remember. It reads requests by searching them, so that it stays small and quick to compile.
package main

import (
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// calls is what an instance must not get to keep.
var calls int

// heap is where grow puts what it takes.
var heap [][]byte

// answer does what the method says; params are a list of at most one string without escapes.
func answer(request string) string {
	calls++
	id, param := member(request, `"id":`), strings.Trim(member(request, `"params":[`), `"`)
	result := func(value string) string { return `{"jsonrpc":"2.0","id":` + id + `,"result":` + value + `}` }
	failure := func(code string) string {
		return `{"jsonrpc":"2.0","id":` + id + `,"error":{"code":` + code + `,"message":"as asked"}}`
	}
	switch strings.Trim(member(request, `"method":`), `"`) {
	case "echo":
		return result(`"` + param + `"`)
	case "count":
		_ = os.WriteFile("/tmp/calls", []byte("one"), 0o600) // where there is a disk, it must not keep it either
		return result(strconv.Itoa(calls))
	case "kept":
		_, err := os.ReadFile("/tmp/calls")
		return result(strconv.FormatBool(err == nil))
	case "refuse":
		return failure("-32000")
	case "internal":
		return failure("-32603")
	case "long":
		n, _ := strconv.Atoi(param)
		return result(`"` + strings.Repeat("x", n-len(result(`""`))) + `"`)
	case "nest":
		n, _ := strconv.Atoi(param)
		return result(strconv.Itoa(nest(n)))
	case "look":
		return result(strconv.Quote(look()))
	case "read":
		b, err := os.ReadFile(param)
		return result(strconv.FormatBool(err == nil && len(b) > 0))
	case "getenv":
		return result(strconv.Quote(os.Getenv(param)))
	case "otherid":
		return strings.Replace(result("1"), `"id":`+id, `"id":12345`, 1)
	case "twice":
		return result("1") + result("1")
	case "garbage":
		return "\x00\xff garbage"
	case "half":
		return result("1")[:20]
	case "huge":
		return result(`"` + strings.Repeat("x", 1<<30) + `"`)
	case "nothing":
		return ""
	case "try":
		how, what, _ := strings.Cut(param, " ")
		return result(strconv.Quote(try(how, what)))
	case "hostname":
		name, _ := os.Hostname()
		return result(strconv.Quote(name))
	case "environ":
		return result(strconv.Quote(strings.Join(os.Environ(), " ")))
	case "pid":
		return result(strconv.Quote(strconv.Itoa(os.Getpid())))
	case "cores":
		return result(strconv.Quote(strconv.Itoa(runtime.NumCPU())))
	case "file":
		b, _ := os.ReadFile(param)
		return result(strconv.Quote(strings.TrimSpace(string(b))))
	case "who":
		return result(strconv.Quote(who()))
	case "fill":
		return result(strconv.Itoa(fill("/tmp/fill")))
	case "shout":
		line := strings.Repeat("x", 1<<10) + "\n"
		for range 8 << 10 {
			_, _ = os.Stderr.WriteString(line)
		}
		return result("true")
	case "fork":
		return result(strconv.Itoa(fork()))
	}
	misbehave(strings.Trim(member(request, `"method":`), `"`))
	return failure("-32601")
}

// misbehave does not return from what it knows.
func misbehave(how string) {
	switch how {
	case "loop":
		for calls > 0 {
			calls++
		}
	case "grow":
		for {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			heap = append(heap, b)
		}
	case "recurse":
		recurse(0)
	case "panic":
		panic("as asked")
	case "nil":
		var p *int
		*p = 1
	case "exit":
		os.Exit(3)
	case "leave":
		os.Exit(0)
	case "block":
		select {}
	}
}

func recurse(n int) int { return recurse(n+1) + n }

// nest calls itself so often, one call in the other.
func nest(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + nest(n-1)
}

// look is all that a service could tell two runs of it apart by.
func look() string {
	name, _ := os.Hostname()
	dir, _ := os.Getwd()
	files, _ := os.ReadDir("/")
	var s strings.Builder
	s.WriteString(time.Now().String())
	start := time.Now()
	time.Sleep(time.Millisecond)
	s.WriteString(" " + time.Since(start).String() + " " + strconv.FormatUint(rand.Uint64(), 16) + " " + name + " " + dir)
	s.WriteString(" " + strings.Join(os.Environ(), ",") + " " + strings.Join(os.Args, ",") + " " + strconv.Itoa(len(files)))
	for k := range map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true} {
		s.WriteString(" " + strconv.Itoa(k))
	}
	return s.String()
}

// member is the value after the name, up to the next comma or closing bracket.
func member(request, name string) string {
	_, rest, _ := strings.Cut(request, name)
	if i := strings.IndexAny(rest, ",]}"); i >= 0 {
		return rest[:i]
	}
	return rest
}
