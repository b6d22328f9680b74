package service

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"unsafe"
)

// reactor is what the module's exports work on. Exports have no receiver, so this state belongs to the module: an instance
// has one, and nobody else sees it.
var reactor struct {
	service  *Service
	requests map[uint32][]byte // by address; kept from the garbage collector between alloc and handle
	response []byte            // kept until the host has copied it, that is to the next call
}

// export makes s the service that the module's exports answer with.
func export(s *Service) { reactor.service = s }

// room is as much as a Go program takes before it first collects garbage.
const room = 4 << 20

// warm readies the instance that all requests begin with. It leaves no rubbish in it, and room for what the usual request takes:
// a host can bring an instance back unless its memory had to grow.
//
//go:wasmexport warm
func warm() {
	reactor.service.prepare()
	reactor.response = make([]byte, room)
	reactor.response = nil
	runtime.GC()
	reactor.service.rehearse()
}

// alloc returns the address of size bytes for a request, and 0 where a request may not be that long.
//
//go:wasmexport alloc
func alloc(size uint32) uint32 {
	if size > MaxRequest {
		return 0
	}
	if reactor.requests == nil {
		reactor.requests = map[uint32][]byte{}
	}
	b := make([]byte, max(size, 1))
	at := address(b)
	reactor.requests[at] = b
	return at
}

// handle answers the request of length bytes that the host wrote at an address from alloc, and gives that memory back. It
// returns address<<32|length of the response, which stays where it is until the next call; 0 for memory that is not alloc's.
//
//go:wasmexport handle
func handle(at, length uint32) uint64 {
	request, ok := reactor.requests[at]
	if !ok || uint64(length) > uint64(len(request)) {
		return 0
	}
	delete(reactor.requests, at)
	reactor.response = reactor.service.Handle(request[:length])
	return uint64(address(reactor.response))<<32 | uint64(len(reactor.response))
}

func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

// Serve is the program's main where it was built as a WASI command: one request on stdin, one response on stdout
// (protocol 2.3). In a reactor it is never called.
func (s *Service) Serve() {
	s.prepare()
	request, err := io.ReadAll(io.LimitReader(os.Stdin, MaxRequest+1))
	if err == nil && len(request) > MaxRequest {
		err = fmt.Errorf("read request: more than %d bytes", MaxRequest)
	}
	if err == nil {
		_, err = os.Stdout.Write(s.Handle(request))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", s.name, err)
		os.Exit(1)
	}
}
