package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"barnraise"
	"barnraise/client"
	"barnraise/proxy"
)

// dice stands for a client.Client, which takes a network.
type dice struct{}

func (dice) Call(_ context.Context, service, method string, params any, _ ...client.CallOption) (*client.Answer, error) {
	if service != "dice" {
		return nil, fmt.Errorf("call %s: %w", service, client.ErrNotFound)
	}
	return &client.Answer{
		Result: json.RawMessage(`{"eyes": 4}`), Service: 3, Revision: 2, Verdict: barnraise.Accepted, Requests: 2,
		Asked: []client.Asked{
			{Server: 4, Role: client.RolePrimary, Outcome: client.OutcomeAgreed}, {Server: 7, Role: client.RoleAuditor, Outcome: client.OutcomeAgreed},
		},
	}, nil
}

// A proxy is an http.Handler over whatever makes verified calls. [proxy.Proxy.Run] serves it until a context ends.
func Example() {
	p, err := proxy.New(dice{}, proxy.Config{Origins: []string{"https://app.example"}})
	if err != nil {
		log.Fatal(err)
	}
	s := httptest.NewServer(p)
	defer s.Close()
	resp, err := http.Post(s.URL+"/dice", "application/json", strings.NewReader(
		`[{"jsonrpc":"2.0","id":"a","method":"dice_throw","params":{"seed":1}},{"jsonrpc":"2.0","method":"dice_throw"}]`))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(body))
	fmt.Println(resp.Header.Get("Barnraise-Verdict"), "by", resp.Header.Get("Barnraise-Requests"), "requests")
	// Output:
	// [{"jsonrpc":"2.0","id":"a","result":{"eyes": 4}}]
	// accepted=1, notification=1 by 2 requests
}
