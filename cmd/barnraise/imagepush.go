package main

import (
	"errors"
	"fmt"
	"io"

	"barnraise/image/push"

	"github.com/spf13/cobra"
)

func (a *app) imagePush() *cobra.Command {
	return &cobra.Command{
		Use:   "push NAME@sha256:DIGEST|PATH[@sha256:DIGEST] [HOST/REPOSITORY[:TAG]]",
		Short: "Push an image with all its variants to a registry, under the digest that it has here",
		Long: `Push pushes an image with all its variants to a registry, under the digest that it has here. It prints the reference by which
service.yaml names the image from then on. Where no registry is named, the name of the image has to name one.

Credentials are those of docker login, podman login and their credential helpers ($DOCKER_CONFIG).`,
		Example: "  barnraise image push search@sha256:… ghcr.io/alice/search:v1",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			store, name, index, err := a.findImage(args[0])
			if err != nil {
				return err
			}
			to := name
			if len(args) == 2 {
				to = args[1]
			}
			a.say("push %s to %s", index, to)
			pushed, err := push.Index(c.Context(), store, index, to)
			if errors.Is(err, push.ErrDestination) {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			if err != nil {
				return err
			}
			return a.print(pushed, func(w io.Writer) {
				fmt.Fprintf(w, "%s\n", pushed.Image)
				if pushed.Tag != "" {
					a.say("also as %s", pushed.Tag)
				}
			})
		},
	}
}
