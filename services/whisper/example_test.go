package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"barnraise/jsonrpc"
)

// The call of the README.
func Example() {
	request, err := jsonrpc.NewRequest("whisper_seal",
		[]byte(`{"profile":"eip627","expiry":1700000050,"ttl":50,"topic":"0x01020304","data":"0x686179","bits":17}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := http.Post("http://127.0.0.1:8080/", "application/json", bytes.NewReader(request))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := jsonrpc.ParseResponse(body, jsonrpc.WireID)
	fmt.Println(response.Result, err)
}
