package main

import (
	"fmt"
	"io"
	"runtime"

	"barnraise/server"

	"github.com/spf13/cobra"
)

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		RunE: func(*cobra.Command, []string) error {
			v := map[string]string{"version": server.Software, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
			return a.print(v, func(w io.Writer) { fmt.Fprintln(w, v["version"], v["go"], v["platform"]) })
		},
	}
}
