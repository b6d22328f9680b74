package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"text/tabwriter"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/store"

	"github.com/spf13/cobra"
)

func (a *app) evidence() *cobra.Command {
	c := &cobra.Command{
		Use:   "evidence",
		Short: "Look at the evidence that your calls, or a server, kept",
		Long: `Look at the evidence that your own calls have kept: files that anybody can check with barnraise verify, each under the first half
of its digest. With --config it is that which a server keeps. It contains requests: pass on what you would pass on.`,
	}
	c.AddCommand(a.evidenceList(), a.evidenceShow(), a.evidenceForget())
	return c
}

func (a *app) evidenceList() *cobra.Command {
	var f evidenceFlags
	var accused string
	c := &cobra.Command{
		Use:   "list",
		Short: "List it, newest last",
		Long: `List the evidence, newest last: of all networks that you call. A file that is damaged is listed as such.

With --config it is what the server of a configuration keeps, its own and what others sent. What is held was found to hold by this
machine; what is refuted was found not to. It goes thirty days after it came.`,
		RunE: func(c *cobra.Command, _ []string) error {
			var by barnraise.ServerID
			if accused != "" {
				var err error
				if by, err = serverID(accused); err != nil {
					return err
				}
			}
			dir, own, err := f.own()
			if err != nil {
				return err
			}
			if own {
				return a.listKept(dir, by)
			}
			return a.at(c.Context(), f.config, func(d *desk) error { return d.listEvidence(c.Context(), by) })
		},
	}
	f.on(c)
	c.Flags().StringVar(&accused, "server", "", "only what this server signed an answer in")
	return c
}

func (a *app) listKept(dir client.Directory, by barnraise.ServerID) error {
	list, err := keptOf(dir, func(v client.Kept) bool { return by == 0 || signedBy(v, by) })
	if err != nil {
		return err
	}
	return a.print(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "there is none")
			return
		}
		writeKept(w, list)
	})
}

func (d *desk) listEvidence(ctx context.Context, by barnraise.ServerID) error {
	list, err := d.evidence(ctx, store.EvidenceFilter{Server: by})
	if err != nil {
		return err
	}
	return d.app.print(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "there is none")
			return
		}
		writeEvidence(w, list)
	})
}

func (a *app) evidenceShow() *cobra.Command {
	var f evidenceFlags
	c := &cobra.Command{
		Use:     "show DIGEST",
		Short:   "Print one piece, as verify reads it",
		Long:    "Print one piece of evidence, as verify reads it. Of what your calls have kept the first digits of the digest will do.",
		Example: "  barnraise evidence show sha256:… >evidence.json\n  barnraise verify evidence.json --re-execute",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir, own, err := f.own()
			if err != nil {
				return err
			}
			if own {
				body, err := dir.Read(args[0])
				return a.showBody(body, notKept(err, "barnraise evidence list"))
			}
			digest, err := barnraise.ParseDigest(args[0])
			if err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			return a.at(c.Context(), f.config, func(d *desk) error { return d.show(c.Context(), digest) })
		},
	}
	f.on(c)
	return c
}

func (a *app) evidenceForget() *cobra.Command {
	var f evidenceFlags
	c := &cobra.Command{
		Use:   "forget DIGEST…",
		Short: "Remove some of it",
		Long: `Remove evidence: what it proved cannot be shown to anybody any more from here, and what waits to be handed to servers is not. What
it did to scores stays. With --config it is a server's; others may send it again.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir, own, err := f.own()
			if err != nil {
				return err
			}
			if own {
				return a.forgetKept(dir, args)
			}
			return a.telling(c.Context(), f.config, func(d *desk) error { return d.forget(c.Context(), args) })
		},
	}
	f.on(c)
	return c
}

func (a *app) forgetKept(dir client.Directory, names []string) (err error) {
	for _, name := range names {
		digits, failed := dir.Forget(name)
		if failed == nil {
			failed = unsend(digits)
		}
		err = errors.Join(err, notKept(failed, "barnraise evidence list"))
	}
	return err
}

func (d *desk) forget(ctx context.Context, names []string) (err error) {
	for _, name := range names {
		digest, wrong := barnraise.ParseDigest(name)
		if wrong != nil {
			return errors.Join(err, fmt.Errorf("%w: %w", errUsage, wrong))
		}
		err = errors.Join(err, notKept(d.store.Forget(ctx, digest), "barnraise evidence list --config "+d.file))
	}
	return err
}

// notKept adds to the error for evidence that is not there how to find out what is.
func notKept(err error, list string) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; list what is with: %s", err, list)
	}
	return err
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

// show prints the file.
func (d *desk) show(ctx context.Context, digest barnraise.Digest) error {
	_, body, err := d.store.Evidence(ctx, digest)
	return d.app.showBody(body, notKept(err, "barnraise evidence list --config "+d.file))
}

// showBody prints a file. Bytes that could steer a terminal are escaped, which JSON can do without meaning anything else; those of a
// file that this program has written are not touched.
func (a *app) showBody(body []byte, err error) error {
	if err == nil {
		_, err = io.WriteString(a.out, printableJSON(body))
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
