// Whisper is what a node of a Whisper network can leave to others: to seal envelopes, to check them, and to keep the mail
// of those who are not always there. The archive of mail is immutable and part of the program, so the same image gives the
// same answers everywhere, and it does not matter who runs it. The protocol, EIP-627, is deprecated; of its successor Waku
// there is the hash of messages.
//
// In the repository the archive is a small sample; mail-build makes a real one and the overlay to build the program with.
package main

import (
	_ "embed"
	"fmt"

	"barnraise/jsonrpc"
	"barnraise/service"

	"github.com/go-json-experiment/json/jsontext"
)

//go:embed openrpc.json
var openrpc string

// archive is the mail that the program was built with.
//
//go:embed archive.bin
var archive string

var program = service.New("whisper", openrpc,
	service.Method("whisper_seal", seal),
	service.Method("whisper_validate", validate),
	service.Method("whisper_mail", askMail),
	service.Method("waku_messageHash", messageHash),
).Warm(func(s *service.Service) {
	s.Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"whisper_seal","params":["eip627",1,1,"0x00000000","0x",0]}`))
})

func main() { program.Serve() }

// Limits of calls, beside those of package mail.
const (
	maxTries = 1 << 20
	maxBits  = 20
	maxItems = 1000
	maxBytes = 1 << 20 // of all items of a call
	maxData  = 1 << 19 // of an envelope to be sealed
)

// The errors of the service.
var (
	errNotFound = &jsonrpc.Error{Code: -32030, Message: "not_found_in_range"}
	errArchive  = &jsonrpc.Error{Code: -32032, Message: "unknown_archive"}
	errInternal = &jsonrpc.Error{Code: jsonrpc.CodeInternal, Message: "internal error"} // of a corrupt archive
	errTarget   = &jsonrpc.Error{Code: -32033, Message: "target_too_high"}
)

// badRLP is the error of an envelope that is none.
func badRLP(index int) *jsonrpc.Error {
	return &jsonrpc.Error{Code: -32031, Message: "bad_rlp", Data: jsontext.Value(fmt.Sprintf(`{"index":%d}`, index))}
}
