//go:build race

package evidence

// racing says that the race detector looks on, with which everything takes many times as long.
const racing = true
