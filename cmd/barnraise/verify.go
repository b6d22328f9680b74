package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"barnraise"
	"barnraise/client"

	"github.com/spf13/cobra"
)

func (a *app) verify() *cobra.Command {
	var execute bool
	c := &cobra.Command{
		Use:   "verify EVIDENCE.json",
		Short: "Recheck evidence: same file, same verdict, everywhere",
		Long: `Verify checks evidence against the registry: signatures, digests, keys, and the verifier's judgement of the answers.
With --re-execute it also runs the image here, which proves who lied. It exits 4 where the evidence does not hold.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			data, err := readLimited(args[0], barnraise.MaxEvidence)
			if err != nil {
				return err
			}
			e, err := barnraise.ParseEvidence(data)
			if err != nil {
				return errors.Join(err, a.printRecheck(client.Recheck{}, err))
			}
			cl, _, err := a.client(c.Context(), client.WithLock("")) // evidence goes by ids
			if err != nil {
				return err
			}
			defer cl.Close()
			r, err := cl.Recheck(c.Context(), e, execute)
			if err != nil && !errors.Is(err, barnraise.ErrEvidence) {
				return err
			}
			return errors.Join(err, a.printRecheck(r, err))
		},
	}
	c.Flags().BoolVar(&execute, "re-execute", false, "run the image on this machine as well")
	return c
}

// recheckResult is what verify prints as JSON.
type recheckResult struct {
	Holds    bool                 `json:"holds"`
	Culprits []barnraise.ServerID `json:"culprits"`
	Verdict  barnraise.Verdict    `json:"verdict"`
	Reruns   []rerunResult        `json:"reruns"`
	Reason   string               `json:"reason,omitempty"`
}

type rerunResult struct {
	Platform barnraise.Digest `json:"platform"`
	Alike    bool             `json:"alike"` // two fresh instances gave the same bytes
	Response []byte           `json:"response"`
}

func (a *app) printRecheck(r client.Recheck, failure error) error {
	result := recheckResult{Holds: r.Holds, Culprits: r.Culprits, Verdict: r.Verdict, Reruns: []rerunResult{}}
	if result.Culprits == nil {
		result.Culprits = []barnraise.ServerID{}
	}
	if result.Verdict.Status == "" {
		result.Verdict = barnraise.Verdict{Status: barnraise.Undecided, Winner: -1}
	}
	if result.Verdict.Culprits == nil {
		result.Verdict.Culprits = []int{}
	}
	for _, v := range r.Reruns {
		result.Reruns = append(result.Reruns, rerunResult{v.Platform, v.Alike(), v.Bodies[0]})
	}
	if failure != nil {
		result.Reason = failure.Error()
	}
	return a.print(result, func(w io.Writer) {
		switch {
		case !r.Holds:
			fmt.Fprintln(w, "does not hold")
		case r.Quarantine:
			fmt.Fprintln(w, "holds; the image contradicts itself, nobody is proved wrong")
		case len(r.Culprits) == 0 && len(r.Reruns) == 0:
			fmt.Fprintln(w, "holds; who is wrong shows with --re-execute")
		case len(r.Culprits) == 0:
			fmt.Fprintln(w, "holds; it proves nobody wrong")
		default:
			fmt.Fprintf(w, "holds; wrong: server %v\n", r.Culprits)
		}
	})
}

// readLimited reads a file of at most so many bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("read %s: more than %d bytes", path, limit)
	}
	return b, err
}
