// Forwarder is what runs in the holders of the tests: forwarder SOCKET ADDRESS.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"barnraise/runtime/docker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := docker.Forward(ctx, os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
