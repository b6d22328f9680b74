package main

import (
	"fmt"
	"io"
	"time"

	"barnraise"
	"barnraise/content"

	"github.com/spf13/cobra"
)

// pinnedByHand is the reason of a pin where the user gives none.
const pinnedByHand = "by hand"

func (a *app) contentPin() *cobra.Command {
	var reason string
	var list bool
	c := &cobra.Command{
		Use:   "pin CID",
		Short: "Keep content for good, until it is unpinned; --list shows what is",
		Args: func(c *cobra.Command, args []string) error {
			if list {
				return cobra.NoArgs(c, args)
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if list {
				return a.listPins()
			}
			return a.changePin(args[0], reason, (*content.Store).Pin)
		},
	}
	c.Flags().StringVar(&reason, "reason", pinnedByHand, "who wants it kept; content stays until no reason is left")
	c.Flags().BoolVar(&list, "list", false, "list the pins")
	return c
}

func (a *app) contentUnpin() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "unpin CID",
		Short: "Take back a pin; content that has none left goes with the next collection",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.changePin(args[0], reason, (*content.Store).Unpin)
		},
	}
	c.Flags().StringVar(&reason, "reason", pinnedByHand, "the reason it was pinned for")
	return c
}

func (a *app) contentPins() *cobra.Command {
	return &cobra.Command{
		Use:   "pins",
		Short: "List the pins, with their reasons",
		RunE:  func(*cobra.Command, []string) error { return a.listPins() },
	}
}

// changePin makes or takes back a pin, and prints it.
func (a *app) changePin(name, reason string, change func(*content.Store, barnraise.CID, string) error) error {
	cid, err := content.Parse(name)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	s, _, err := a.store()
	if err != nil {
		return err
	}
	if err := change(s, cid, reason); err != nil {
		return err
	}
	p := content.Pin{CID: cid, Reason: reason}
	return a.print(p, func(w io.Writer) { pinLine(w, p) })
}

func pinLine(w io.Writer, p content.Pin) { fmt.Fprintf(w, "%s  %s\n", p.CID, p.Reason) }

func (a *app) listPins() error {
	s, _, err := a.store()
	if err != nil {
		return err
	}
	pins, err := s.Pins()
	if err != nil {
		return err
	}
	return a.print(append([]content.Pin{}, pins...), func(w io.Writer) {
		for _, p := range pins {
			pinLine(w, p)
		}
	})
}

func (a *app) contentGC() *cobra.Command {
	older := 24 * time.Hour
	c := &cobra.Command{
		Use:   "gc",
		Short: "Remove what nobody has pinned and nobody has put or fetched of late",
		RunE: func(*cobra.Command, []string) error {
			if older < content.MinGrace {
				return fmt.Errorf("%w: --older %s: at least %s, so that what is put can be pinned", errUsage, older, content.MinGrace)
			}
			s, dir, err := a.store()
			if err != nil {
				return err
			}
			removed, err := s.GC(time.Now(), older)
			if err != nil {
				return err
			}
			return a.print(removed, func(w io.Writer) {
				for _, c := range removed.Blocks {
					fmt.Fprintln(w, c)
				}
				a.say("%d blocks and %d temporary files removed from %s, %d bytes", len(removed.Blocks), removed.Temporary, dir, removed.Bytes)
			})
		},
	}
	c.Flags().DurationVar(&older, "older", older, "leave alone what was put, added or fetched within this time")
	return c
}
