package client_test

import (
	"context"
	"fmt"
	"log"

	"barnraise/client"
	"barnraise/registry"
)

// A verified call: several servers of different operators are asked, and the answer is one that the service's verifier
// accepts. It needs a network, such as "barnraise devnet up" starts.
func Example() {
	ctx := context.Background()
	network, err := registry.ReadNetwork("") // BARNRAISE_NETWORK, or the user's own
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.Open(ctx, network)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	answer, err := c.Call(ctx, "search", "search_query", map[string]any{"q": "parse a date", "k": 3})
	if err != nil {
		log.Fatal(err) // too few servers, or undecided: never a lie
	}
	var found struct {
		Hits []struct{ Doc, Title string }
	}
	if err := answer.Decode(&found); err != nil {
		log.Fatal(err)
	}
	for _, hit := range found.Hits {
		fmt.Println(hit.Doc, hit.Title)
	}
}
