//go:build race

package client

// raced says that the race detector looks on, which makes everything ten times slower.
const raced = true
