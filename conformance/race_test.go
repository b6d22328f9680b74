//go:build race

package conformance_test

// racing says that the race detector looks on, with which to compile and to run wasm takes many times as long.
const racing = true
