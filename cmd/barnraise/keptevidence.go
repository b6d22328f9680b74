package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"barnraise"
	"barnraise/client"
)

// keptResult is a file of evidence in a user's directory.
type keptResult struct {
	Digest   string               `json:"digest"` // of a damaged file what its name says
	Size     int64                `json:"size"`
	Chain    string               `json:"chain,omitempty"`
	Service  barnraise.ServiceID  `json:"service,omitempty"`
	Revision uint32               `json:"revision,omitempty"`
	Accused  []barnraise.ServerID `json:"accused"`
	At       time.Time            `json:"at"`
	Path     string               `json:"path"`
	Problem  string               `json:"problem,omitempty"` // why it is of no use
}

func signedBy(v client.Kept, id barnraise.ServerID) bool { return slices.Contains(v.Accused, id) }

// keptOf lists the evidence that somebody wants, oldest first.
func keptOf(dir client.Directory, wanted func(client.Kept) bool) ([]keptResult, error) {
	all, err := dir.List()
	if err != nil {
		return nil, err
	}
	list := []keptResult{}
	for _, v := range all {
		if !wanted(v) {
			continue
		}
		r := keptResult{
			Digest: v.Digest.String(), Size: v.Size, Chain: v.Registry.Chain, Service: v.Service, Revision: v.Revision,
			Accused: append([]barnraise.ServerID{}, v.Accused...), At: v.At.UTC(), Path: v.Path,
		}
		if v.Problem != nil {
			r.Digest, r.Problem = r.Digest[:len("sha256:")+len(r.Digest[len("sha256:"):])/2], v.Problem.Error()
		}
		list = append(list, r)
	}
	return list, nil
}

// writeKept prints what evidence there is.
func writeKept(w io.Writer, list []keptResult) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "KEPT\tSERVICE\tSIGNED BY\tCHAIN\tEVIDENCE")
	for _, v := range list {
		at := v.At.Format(time.DateTime)
		if v.Problem != "" {
			fmt.Fprintf(t, "%s\t-\t-\t-\t%s: %s\n", at, v.Digest, v.Problem)
			continue
		}
		fmt.Fprintf(t, "%s\t%s@%d\t%v\t%s\t%s\n", at, v.Service, v.Revision, v.Accused, v.Chain, v.Digest)
	}
}
