package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"barnraise"
	"barnraise/content"
	"barnraise/image"
	"barnraise/verifiers"
)

// What a server does when it owes that a service of others be run. What is denied it never runs.
const (
	HostingAsk       = "ask"       // run what a rule allows, and ask the operator about everything else
	HostingAllowlist = "allowlist" // run what a rule allows, and nothing else
	HostingAuto      = "auto"      // run everything
)

// Rule means the services that all of its keys are true of.
type Rule struct {
	Owner    *barnraise.Address   `json:"owner"`
	Service  *barnraise.ServiceID `json:"service"`
	Revision *uint32              `json:"revision"` // only beside service
	Digest   *barnraise.Digest    `json:"digest"`   // of the image's index
	Host     *string              `json:"host"`     // of the registry that the image was pushed to, such as ghcr.io
	Licence  *string              `json:"licence"`  // as the manifest has it, such as MIT
	Verifier *string              `json:"verifier"` // a CID, or the name of a standard verifier
}

// facts are what consent goes by.
type facts struct {
	service  barnraise.Service
	revision barnraise.Revision
	licence  string // of the manifest; empty where that is not there yet, or says nothing
	approved bool   // the operator has said yes to the service: plan approve
}

// consent says whether this server runs a service of others, and why, or why not. Deny goes before everything else. Rules by
// licence are about manifests: it is to be asked again once the manifest is there.
func consent(c Config, f facts) (allowed bool, why string) {
	if i := slices.IndexFunc(c.Deny, func(r Rule) bool { return r.matches(f) }); i >= 0 {
		return false, fmt.Sprintf("denied by %s", c.Deny[i])
	}
	if i := slices.IndexFunc(c.Allow, func(r Rule) bool { return r.matches(f) }); i >= 0 {
		return true, fmt.Sprintf("allowed by %s", c.Allow[i])
	}
	switch {
	case c.Hosting == HostingAuto:
		return true, "hosting: auto"
	case c.Hosting == HostingAllowlist:
		return false, "hosting: allowlist, and no rule of allow means it"
	case f.approved:
		return true, "approved by the operator"
	}
	return false, fmt.Sprintf("waits for you: barnraise plan approve %d", f.service.ID)
}

// matches reports whether every key is true of a service.
func (r Rule) matches(f facts) bool {
	return is(r.Owner, f.service.Owner) && is(r.Service, f.service.ID) && is(r.Revision, f.revision.Number) &&
		is(r.Digest, f.revision.Image) && (r.Verifier == nil || verifierOf(*r.Verifier) == f.revision.Verifier) &&
		(r.Host == nil || strings.EqualFold(*r.Host, image.RegistryHost(f.revision.Reference))) &&
		(r.Licence == nil || strings.EqualFold(*r.Licence, f.licence))
}

func is[T comparable](want *T, got T) bool { return want == nil || *want == got }

// verifierOf is the CID that is meant, by itself or by a standard verifier's name.
func verifierOf(name string) barnraise.CID {
	if c, ok := verifiers.CIDs()[name]; ok {
		return c
	}
	return barnraise.CID(name)
}

// String is the rule as it is written.
func (r Rule) String() string {
	var keys []string
	add := func(key string, value any, set bool) {
		if set {
			keys = append(keys, fmt.Sprintf("%s: %v", key, value))
		}
	}
	add("owner", r.Owner, r.Owner != nil)
	add("service", uint32(or(r.Service)), r.Service != nil)
	add("revision", or(r.Revision), r.Revision != nil)
	add("digest", r.Digest, r.Digest != nil)
	add("host", or(r.Host), r.Host != nil)
	add("licence", or(r.Licence), r.Licence != nil)
	add("verifier", or(r.Verifier), r.Verifier != nil)
	return "{" + strings.Join(keys, ", ") + "}"
}

func or[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}

// check wants a rule that can mean something.
func (r Rule) check() error {
	switch {
	case r == Rule{}:
		return errors.New("it is empty, want owner, service, revision, digest, host, licence or verifier")
	case r.Service != nil && *r.Service == 0:
		return errors.New("service: 0, want the id of a service")
	case r.Revision != nil && (r.Service == nil || *r.Revision == 0):
		return errors.New("revision: want the number of one, and service beside it")
	case r.Owner != nil && r.Owner.IsZero():
		return errors.New("owner: want the address of an account, not zero")
	case r.Host != nil && (*r.Host == "" || strings.ContainsAny(*r.Host, "/ ")):
		return fmt.Errorf("host: %.80q, want that of a registry, such as ghcr.io", *r.Host)
	case r.Licence != nil && *r.Licence == "":
		return errors.New("licence: want its name as manifests have it, such as MIT")
	case r.Verifier != nil:
		if _, err := content.Parse(string(verifierOf(*r.Verifier))); err != nil {
			return fmt.Errorf("verifier: %.80q, want a CID or one of %s", *r.Verifier, strings.Join(verifiers.Names(), ", "))
		}
	}
	return nil
}

// checkRules wants rules that can mean something, and none that deny an own service altogether.
func (c *Config) checkRules() error {
	if err := check(c.Allow); err != nil {
		return fmt.Errorf("allow: %w", err)
	}
	if err := check(c.Deny); err != nil {
		return fmt.Errorf("deny: %w", err)
	}
	for _, r := range c.Deny {
		if r.Service != nil && r == (Rule{Service: r.Service}) && slices.Contains(c.Own, *r.Service) {
			return fmt.Errorf("deny: service %d is one of own: take it out of one of them", *r.Service)
		}
	}
	return nil
}

func check(rules []Rule) error {
	for i, r := range rules {
		if err := r.check(); err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
	}
	return nil
}
