// Greeter is the program that the tests of package image build.
package main

import (
	_ "embed"
	"fmt"
)

// greeting is what the test of overlays replaces.
//
//go:embed greeting.txt
var greeting string

func main() { fmt.Print(greeting) }
