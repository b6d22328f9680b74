package main

import (
	"barnraise/runtime/docker"

	"github.com/spf13/cobra"
)

// forward is what this program does in a container that holds a network namespace. It is not for people.
func (a *app) forward() *cobra.Command {
	return &cobra.Command{
		Use: "forward SOCKET ADDRESS", Short: "Connect a socket with an address: what runs beside a service's container", Hidden: true,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error { return docker.Forward(c.Context(), args[0], args[1]) },
	}
}
