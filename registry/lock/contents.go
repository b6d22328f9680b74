package lock

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"barnraise"
	"barnraise/registry"
	"barnraise/strictyaml"
)

// The longest lists of a lock file.
const (
	maxNames   = 4096
	maxAnchors = 64
)

// contents is the file. Without chain and contracts, as a person may begin one, it is for the first registry it is used with.
type contents struct {
	Chain    string               `json:"chain"`
	Services barnraise.Address    `json:"services"`
	Servers  barnraise.Address    `json:"servers"`
	Names    map[string]Pin       `json:"names"`
	Anchors  []barnraise.ServerID `json:"anchors"`
}

func (c contents) registry() barnraise.Registry {
	return barnraise.Registry{Chain: c.Chain, Services: c.Services, Servers: c.Servers}
}

// parse reads the contents of a lock file; its name stands in errors.
func parse(path string, b []byte) (contents, error) {
	var c contents
	if err := strictyaml.Decode(path, b, &c); err != nil {
		return contents{}, err
	}
	if c.Names == nil {
		c.Names = make(map[string]Pin)
	}
	if err := c.validate(); err != nil {
		return contents{}, fmt.Errorf("read %s: %w", path, err)
	}
	return c, nil
}

func (c contents) validate() error {
	bound := []bool{c.Chain != "", !c.Services.IsZero(), !c.Servers.IsZero()}
	switch {
	case slices.Contains(bound, true) && slices.Contains(bound, false):
		return errors.New("chain, services, servers: want all three, or none")
	case strings.ContainsFunc(c.Chain, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }):
		return fmt.Errorf("chain: %.80q: want a CAIP-2 id, such as eip155:31337", c.Chain)
	case len(c.Names) > maxNames || len(c.Anchors) > maxAnchors:
		return fmt.Errorf("want at most %d names and %d anchors", maxNames, maxAnchors)
	case slices.Contains(c.Anchors, 0):
		return errors.New("anchors: want ids of servers, which start at 1")
	}
	for name, p := range c.Names {
		if !isName(name) || p.ID == 0 {
			return fmt.Errorf("names: %.80q: want the name of a service and its id, as in: search: {id: 3}", name)
		}
	}
	return nil
}

// isName reports whether a reference is a bare name: digits alone are always an id.
func isName(s string) bool { return barnraise.ValidName(s) && strings.Trim(s, "0123456789") != "" }

// encode writes the file as [parse] reads it back.
func (c contents) encode() []byte {
	var b bytes.Buffer
	b.WriteString("# What bare names mean here. Written by barnraise at the first use of each; comments are not kept.\n")
	fmt.Fprintf(&b, "chain: %q\nservices: %q\nservers: %q\n", c.Chain, registry.Checksum(c.Services), registry.Checksum(c.Servers))
	if len(c.Names) > 0 {
		b.WriteString("names:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Names)) {
		p := c.Names[name]
		fmt.Fprintf(&b, "  %q: {id: %d", name, uint32(p.ID))
		if !p.Owner.IsZero() {
			fmt.Fprintf(&b, ", owner: %q", registry.Checksum(p.Owner))
		}
		b.WriteString("}\n")
	}
	if len(c.Anchors) > 0 {
		b.WriteString("anchors: [")
		for i, id := range c.Anchors {
			fmt.Fprintf(&b, "%s%d", map[bool]string{true: ", "}[i > 0], uint32(id))
		}
		b.WriteString("]\n")
	}
	return b.Bytes()
}
