//go:build !wasip1

package main

// hoard has nothing to do where there is no instance, but a test.
func hoard() {}
