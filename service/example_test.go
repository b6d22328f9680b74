package service_test

import (
	"fmt"

	"barnraise/jsonrpc"
	"barnraise/service"
)

type greeting struct {
	Name string `json:"name" doc:"whom to greet"`
}

func greet(p greeting) (string, *jsonrpc.Error) { return "Hello, " + p.Name, nil }

// A whole service is its methods. In a program, New stands in a package-level variable and main calls Serve.
func Example() {
	program := service.New("greeter", "", service.Method("greet", greet).
		Doc("Greets somebody.").
		Example("Ada", greeting{"Ada"}, "Hello, Ada"))
	fmt.Printf("%s\n", program.Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"greet","params":{"name":"Ada"}}`)))
	fmt.Printf("%s\n", program.Handle([]byte(`{"jsonrpc":"2.0","id":2,"method":"greet","params":["Ada"]}`)))
	fmt.Printf("%s\n", program.Handle([]byte(`{"jsonrpc":"2.0","id":3,"method":"greet","params":[]}`)))
	// Output:
	// {"jsonrpc":"2.0","id":1,"result":"Hello, Ada"}
	// {"jsonrpc":"2.0","id":2,"result":"Hello, Ada"}
	// {"jsonrpc":"2.0","id":3,"error":{"code":-32602,"message":"param \"name\" is missing"}}
}
