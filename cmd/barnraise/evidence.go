package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"barnraise"
	"barnraise/store"

	"github.com/spf13/cobra"
)

func (a *app) evidence() *cobra.Command {
	c := &cobra.Command{Use: "evidence", Short: "Look at the evidence that a server keeps"}
	c.AddCommand(a.evidenceList(), a.evidenceShow())
	return c
}

func (a *app) evidenceList() *cobra.Command {
	var file, accused string
	c := &cobra.Command{
		Use:   "list",
		Short: "List it, newest last",
		Long: `List the evidence that the server of a configuration keeps, its own and what others sent, newest last. What is held was found
to hold by this machine; what is refuted was found not to. It goes thirty days after it came.`,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			var f store.EvidenceFilter
			if accused != "" {
				if f.Server, err = serverID(accused); err != nil {
					return err
				}
			}
			return a.at(c.Context(), file, func(d *desk) error {
				list, err := d.evidence(c.Context(), f)
				if err != nil {
					return err
				}
				return a.print(list, func(w io.Writer) {
					if len(list) == 0 {
						fmt.Fprintln(w, "there is none")
						return
					}
					writeEvidence(w, list)
				})
			})
		},
	}
	configFlag(c, &file)
	c.Flags().StringVar(&accused, "server", "", "only what this server signed an answer in")
	return c
}

func (a *app) evidenceShow() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:     "show DIGEST",
		Short:   "Print one piece, as verify reads it",
		Example: "  barnraise evidence show sha256:… --config server.yaml >evidence.json\n  barnraise verify evidence.json --re-execute",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			digest, err := barnraise.ParseDigest(args[0])
			if err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			return a.at(c.Context(), file, func(d *desk) error { return d.show(c.Context(), digest) })
		},
	}
	configFlag(c, &file)
	return c
}

// evidence lists all that a filter chooses, newest last.
func (d *desk) evidence(ctx context.Context, f store.EvidenceFilter) ([]store.Item, error) {
	list := []store.Item{}
	for {
		some, err := d.store.List(ctx, f)
		if err != nil {
			return nil, err
		}
		if list = append(list, some...); len(some) == 0 {
			return list, nil
		}
		f.After = some[len(some)-1].Seq
	}
}

// show prints the file. Bytes that could steer a terminal are escaped, which JSON can do without meaning anything else; those of a
// file that this program has written are not touched.
func (d *desk) show(ctx context.Context, digest barnraise.Digest) error {
	_, body, err := d.store.Evidence(ctx, digest)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w; list what is with: barnraise evidence list --config %s", err, d.file)
	}
	if err == nil {
		_, err = io.WriteString(d.app.out, printableJSON(body))
	}
	return err
}

// writeEvidence prints what evidence there is.
func writeEvidence(w io.Writer, list []store.Item) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "CAME\tSERVICE\tSIGNED BY\tCONVICTS\tSTATE\tFROM\tEVIDENCE")
	for _, i := range list {
		from := "here"
		if i.From != 0 {
			from = "server " + i.From.String()
		}
		convicts := "nobody"
		if len(i.Proves) > 0 {
			convicts = fmt.Sprint(i.Proves)
		}
		fmt.Fprintf(t, "%s\t%s@%d\t%v\t%s\t%s\t%s\t%s\n", i.At.UTC().Format(time.DateTime), i.Service, i.Revision, i.Accused, convicts, i.State, from, i.Digest)
	}
}
