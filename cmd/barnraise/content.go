package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"barnraise"
	"barnraise/content"
	"barnraise/dial"

	"github.com/spf13/cobra"
)

func (a *app) content() *cobra.Command {
	c := &cobra.Command{Use: "content", Short: "Add, get, name and keep content by CID"}
	c.AddCommand(a.contentAdd(), a.contentGet(), a.contentCID(), a.contentPin(), a.contentUnpin(), a.contentPins(), a.contentGC())
	return c
}

// cidResult is what content add and cid print as JSON.
type cidResult struct {
	CID  barnraise.CID `json:"cid"`
	Size int64         `json:"size"`
	Path string        `json:"path,omitempty"` // of the store that holds it
}

func (r cidResult) text(w io.Writer) { fmt.Fprintln(w, r.CID) }

func (a *app) store() (*content.Store, string, error) {
	cache, err := a.cacheDir()
	if err != nil {
		return nil, "", err
	}
	dir := filepath.Join(cache, "content")
	s, err := content.Open(dir)
	return s, dir, err
}

func (a *app) contentAdd() *cobra.Command {
	return &cobra.Command{
		Use:   "add FILE",
		Short: "Keep a file where servers of this machine find it, and print its CID",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			s, dir, err := a.store()
			if err != nil {
				return err
			}
			cid, size, err := s.Add(f, content.MaxFile)
			if err != nil {
				return err
			}
			r := cidResult{CID: cid, Size: size, Path: dir}
			return a.print(r, r.text)
		},
	}
}

func (a *app) contentCID() *cobra.Command {
	return &cobra.Command{
		Use:   "cid FILE",
		Short: "Print a file's CID and keep nothing",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := readLimited(args[0], content.MaxFile)
			if err != nil {
				return err
			}
			r := cidResult{CID: content.Sum(b), Size: int64(len(b))}
			return a.print(r, r.text)
		},
	}
}

func (a *app) contentGet() *cobra.Command {
	var from []string
	var out string
	c := &cobra.Command{
		Use:   "get CID",
		Short: "Write the content of a CID to standard output",
		Long: `Get looks into this machine's store, then asks the gateways of --from, and those of the network file where there
is one, in turn. What arrives is hashed: nobody needs to be believed.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cid, err := content.Parse(args[0])
			if err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			s, _, err := a.store()
			if err != nil {
				return err
			}
			network, err := a.readNetwork()
			if err != nil && !(a.networkNamed() == "" && errors.Is(err, fs.ErrNotExist)) {
				return err
			}
			sources, private := slices.Concat(from, network.Gateways), a.private || network.Private()
			f := content.Fetcher{Client: dial.Client(private, 0), Store: s}
			b, err := f.Fetch(c.Context(), cid, sources)
			switch {
			case err != nil && len(sources) == 0:
				return fmt.Errorf("%w; name a gateway or a server with --from URL", err)
			case errors.Is(err, dial.ErrAddress):
				return fmt.Errorf("%w; where it is on this machine or in a private network, say so with --private", err)
			case err != nil:
				return err
			}
			if out != "" {
				return os.WriteFile(out, b, 0o644)
			}
			_, err = a.out.Write(b)
			return err
		},
	}
	c.Flags().StringSliceVar(&from, "from", nil, "URLs of gateways or servers to ask")
	c.Flags().StringVarP(&out, "output", "o", "", "write to this file instead")
	return c
}
