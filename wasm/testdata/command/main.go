// A command in Go that does as its input says.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Println(err)
	}
	switch word, rest, _ := strings.Cut(string(in), " "); word {
	case "exit":
		code := 0
		fmt.Sscan(rest, &code)
		fmt.Print("left")
		os.Exit(code)
	case "panic":
		panic(rest)
	case "flood":
		for {
			fmt.Print(strings.Repeat("x", 1000))
		}
	default:
		fmt.Fprint(os.Stderr, "not for the caller")
		fmt.Print(len(os.Args), " ", strings.ToUpper(string(in)))
	}
}
