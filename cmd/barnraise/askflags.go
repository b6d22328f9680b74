package main

import (
	"fmt"
	"strings"

	"barnraise"
	"barnraise/client"
	"barnraise/score"

	"github.com/spf13/cobra"
)

// askFlags are what every command that calls services may be told of how to.
type askFlags struct{ policy, anchors, evidence string }

func (f *askFlags) on(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.policy, "policy", score.Default.Name, "how far a call goes: fast, cheap, default, paranoid, exact[=EPS] or one")
	flags.StringVar(&f.anchors, "anchor", "", "ids of servers that you trust more than others: one of them is asked until the first are known")
	flags.StringVar(&f.evidence, "evidence", "", "directory for evidence; else the user's")
}

// options are what the flags ask for of a client, its policy also by itself.
func (f askFlags) options() (policy score.Policy, open []client.Option, err error) {
	if policy, err = score.ParsePolicy(f.policy); err != nil {
		return policy, nil, fmt.Errorf("%w: --policy: %w", errUsage, err)
	}
	anchors, err := serverIDs(f.anchors)
	if err != nil {
		return policy, nil, fmt.Errorf("--anchor: %w", err)
	}
	open = []client.Option{client.WithPolicy(policy), client.WithAnchors(anchors...)}
	if f.evidence != "" {
		open = append(open, client.WithKeeper(client.Directory(f.evidence)))
	}
	return policy, open, nil
}

// serverIDs reads ids with commas between them; none where there is nothing.
func serverIDs(list string) (ids []barnraise.ServerID, err error) {
	if list == "" {
		return nil, nil
	}
	for text := range strings.SplitSeq(list, ",") {
		id, err := serverID(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
