package main

import "unsafe"

// What the host calls. There is nothing to change here.

//go:wasmexport verifier_abi_1
func abi() {}

//go:wasmexport minRequests
func exportMinRequests() int32 { return int32(minRequests()) }

// Kept for as long as the instance lives, which is one verdict: the garbage collector does not see that the host holds them.
var room, answer []byte

//go:wasmexport alloc
func alloc(length int32) int32 {
	if length < 0 {
		return 0
	}
	room = make([]byte, length+1)
	return int32(uintptr(unsafe.Pointer(&room[0])))
}

//go:wasmexport verify
func exportVerify(at, length int32) int64 {
	answer = judge(room[:length])
	return int64(uintptr(unsafe.Pointer(&answer[0])))<<32 | int64(len(answer))
}
