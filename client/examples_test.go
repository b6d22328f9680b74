package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"path/filepath"
	"strings"

	"barnraise"
	"barnraise/client"
	"barnraise/client/plain"
	"barnraise/jsonrpc"
	"barnraise/score"

	"github.com/ethereum/go-ethereum/rpc"
)

var ctx = context.Background()

// One call under another policy than the client's.
func ExampleUnder() {
	n := newLibrary()
	defer n.close()
	c := n.open()
	defer c.Close()

	answer, err := c.Call(ctx, "library", "library_year", []any{"Walden"}, client.Under(score.Paranoid))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, %s after %d requests\n", answer.Result, answer.Verdict, answer.Requests)
	// Output: 1854, accepted after 3 requests
}

// Who signed a wrong answer can be shown it.
func ExampleAnswer() {
	n := newLibrary()
	defer n.close()
	n.answer = func(server int, r jsonrpc.Request) string {
		if server == 4 {
			return `"result":1066`
		}
		return books(server, r)
	}
	c := n.open()
	defer c.Close()

	for {
		answer, err := c.Call(ctx, "library", "library_year", []any{"Walden"})
		if err != nil {
			log.Fatal(err)
		}
		for _, asked := range answer.Asked {
			if asked.Outcome == client.OutcomeDiffers {
				fmt.Printf("%s; server %d signed something else; kept: %t\n", answer.Result, asked.Server, answer.Evidence != "")
				return
			}
		}
	}
	// Output: 1854; server 4 signed something else; kept: true
}

// Show an answer before its audit, and take it back where the audit says otherwise.
func ExampleOnProvisional() {
	n := newLibrary()
	defer n.close()
	c := n.open()
	defer c.Close()

	answer, err := c.Call(ctx, "library", "library_year", []any{"Emma"}, client.OnProvisional(func(a *client.Answer) {
		fmt.Printf("%s?\n", a.Result)
	}))
	switch {
	case err != nil:
		fmt.Println("take it back:", err)
	default:
		fmt.Printf("%s!\n", answer.Result)
	}
	// Output:
	// 1815?
	// 1815!
}

// Several calls at once; each has a verdict of its own.
func ExampleClient_Batch() {
	n := newLibrary()
	defer n.close()
	c := n.open()
	defer c.Close()

	for _, reply := range c.Batch(ctx, "library", []client.Request{
		{Method: "library_year", Params: []any{"Walden"}},
		{Method: "library_year", Params: []any{"Emma"}},
		{Method: "library_year", Params: []any{"Moby-Dick"}},
	}) {
		switch {
		case reply.Err != nil:
			fmt.Println("not verified:", reply.Err)
		case reply.Answer.Error != nil:
			fmt.Println("verified:", reply.Answer.Error)
		default:
			fmt.Printf("verified: %s\n", reply.Answer.Result)
		}
	}
	// Output:
	// verified: 1854
	// verified: 1815
	// verified: no such book (404)
}

// What was accepted once costs nothing again; now and then one more server is asked.
func ExampleWithMemo() {
	n := newLibrary()
	defer n.close()
	c := n.open(client.WithMemo(64 << 20))
	defer c.Close()

	for range 4 {
		answer, err := c.Call(ctx, "library", "library_year", []any{"Walden"})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer.Memo, answer.Requests)
	}
	// Output:
	// false 3
	// true 1
	// true 1
	// true 0
}

// A name goes on meaning what it meant.
func ExampleWithLock() {
	n := newLibrary()
	defer n.close()
	lock := filepath.Join(n.dir, "barnraise.lock")

	c := n.open(client.WithLock(lock))
	defer c.Close()
	_, err := c.Call(ctx, "library", "library_year", []any{"Walden"})
	fmt.Println(err)

	n.owner = barnraise.Address{0xbb} // somebody else has it now
	_, err = c.Call(ctx, "library", "library_year", []any{"Walden"})
	var conflict *client.ConflictError
	if errors.As(err, &conflict) {
		fmt.Printf("%q belonged to %.6s…, and now to %.6s…\n", conflict.Name, conflict.Pinned.Owner, conflict.Now.Owner)
	}
	// Output:
	// <nil>
	// "library" belonged to 0x0900…, and now to 0xbb00…
}

// What can go wrong, and what to do about it.
func ExampleUndecidedError() {
	n := newLibrary()
	defer n.close()
	c := n.open()
	defer c.Close()

	_, err := c.Call(ctx, "library", "library_guess", nil)
	var undecided *client.UndecidedError
	var tooFew *client.TooFewError
	var unknown *client.UnknownNameError
	switch {
	case err == nil:
	case errors.As(err, &undecided): // show nothing; the evidence is for the service's author
		fmt.Println("undecided, evidence kept:", undecided.Evidence != "")
	case errors.As(err, &tooFew): // try again later, or bring in another host
		fmt.Println(tooFew.Have, "of", tooFew.Need, "operators answered;", tooFew.Candidates)
	case errors.As(err, &unknown): // pin one of them
		fmt.Println(unknown.Name, "may be", unknown.Candidates)
	case errors.Is(err, client.ErrConflict), errors.Is(err, client.ErrNotFound): // ask the user
		fmt.Println(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, client.ErrUnavailable): // try again later
		fmt.Println(err)
	}
	// Output: undecided, evidence kept: true
}

// Code that posts JSON-RPC over HTTP stays as it is.
func Example_plainHTTP() {
	n := newLibrary()
	defer n.close()
	c := n.open()
	defer c.Close()

	http := plain.Client(c, client.Under(score.Paranoid))
	resp, err := http.Post("http://barnraise/library", "application/json", strings.NewReader(
		`[{"jsonrpc":"2.0","id":"a","method":"library_year","params":["Emma"]},
		  {"jsonrpc":"2.0","id":"b","method":"library_year","params":["Dune"]}]`))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Printf("%s %v\n", body, err)
	// Output: [{"jsonrpc":"2.0","id":"a","result":1815},{"jsonrpc":"2.0","id":"b","error":{"code":404,"message":"no such book"}}] <nil>
}

// go-ethereum's client makes verified calls.
func Example_goEthereum() {
	n := newLibrary()
	defer n.close()
	c := n.open()
	defer c.Close()

	library, err := rpc.DialOptions(ctx, plain.URL("library"), rpc.WithHTTPClient(plain.Client(c)))
	if err != nil {
		log.Fatal(err)
	}
	defer library.Close()
	var year int
	err = library.CallContext(ctx, &year, "library_year", "Walden")
	fmt.Println(year, err)

	batch := []rpc.BatchElem{
		{Method: "library_year", Args: []any{"Emma"}, Result: &year},
		{Method: "library_guess", Result: &year},
	}
	err = library.BatchCallContext(ctx, batch)
	fmt.Println(year, batch[0].Error, err)
	var failed rpc.Error
	if errors.As(batch[1].Error, &failed) && failed.ErrorCode() == plain.CodeUndecided {
		fmt.Println("undecided")
	}
	// Output:
	// 1854 <nil>
	// 1815 <nil> <nil>
	// undecided
}
