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
	request, err := jsonrpc.NewRequest("matrix_canonicalJson", []byte(`{"json":"{\"b\": 1e10, \"a\": -0}"}`))
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
