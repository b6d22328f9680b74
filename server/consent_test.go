package server

import (
	"strings"
	"testing"

	"barnraise"
	"barnraise/strictyaml"
	"barnraise/verifiers"
)

const (
	owner  = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
	digest = "sha256:0100000000000000000000000000000000000000000000000000000000000000"
)

// rules reads a configuration that is nothing but rules.
func rules(t *testing.T, text string) Config {
	t.Helper()
	var c Config
	if err := strictyaml.Decode("server.yaml", []byte(text), &c); err != nil {
		t.Fatal(err)
	}
	if err := c.checkHosting(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConsent(t *testing.T) {
	address, err := barnraise.ParseAddress(owner)
	if err != nil {
		t.Fatal(err)
	}
	f := facts{
		service: barnraise.Service{ID: 3, Owner: address},
		revision: barnraise.Revision{
			Number: 2, Image: barnraise.Digest{1}, Reference: "ghcr.io/a/b@" + digest, Verifier: verifiers.CIDs()["compare"],
		},
		licence: "MIT",
	}
	approved := f
	approved.approved = true
	for _, c := range []struct {
		config string
		facts  facts
		want   bool
		why    string
	}{
		{"", f, false, "waits for you: barnraise plan approve 3"},
		{"", approved, true, "approved by the operator"},
		{"hosting: ask\nallow: [{service: 3}]", f, true, "allowed by {service: 3}"},
		{"hosting: ask\nallow: [{service: 4}]", f, false, "waits for you: barnraise plan approve 3"},
		{"hosting: auto", f, true, "hosting: auto"},
		{"hosting: allowlist", approved, false, "hosting: allowlist, and no rule of allow means it"},
		{"hosting: allowlist\nallow: [{service: 4}, {owner: '" + owner + "'}]", f, true, "allowed by {owner: " + owner + "}"},
		{"hosting: allowlist\nallow: [{service: 3, revision: 2}]", f, true, "allowed by {service: 3, revision: 2}"},
		{"hosting: allowlist\nallow: [{service: 3, revision: 1}]", f, false, "hosting: allowlist, and no rule of allow means it"},
		{"hosting: allowlist\nallow: [{digest: '" + digest + "'}]", f, true, "allowed by {digest: " + digest + "}"},
		{"hosting: allowlist\nallow: [{host: GHCR.io}]", f, true, "allowed by {host: GHCR.io}"},
		{"hosting: allowlist\nallow: [{host: docker.io}]", f, false, "hosting: allowlist, and no rule of allow means it"},
		{"hosting: allowlist\nallow: [{licence: mit}]", f, true, "allowed by {licence: mit}"},
		{"hosting: allowlist\nallow: [{licence: MIT, host: quay.io}]", f, false, "hosting: allowlist, and no rule of allow means it"},
		{"hosting: allowlist\nallow: [{verifier: compare}]", f, true, "allowed by {verifier: compare}"},
		{"hosting: allowlist\nallow: [{verifier: spot}]", f, false, "hosting: allowlist, and no rule of allow means it"},
		{"hosting: allowlist\nallow: [{verifier: " + string(f.revision.Verifier) + "}]", f, true, "allowed by {verifier: " + string(f.revision.Verifier) + "}"},
		{"hosting: auto\ndeny: [{licence: MIT}]\nallow: [{service: 3}]", approved, false, "denied by {licence: MIT}"},
		{"hosting: auto\ndeny: [{owner: '" + owner + "', service: 4}]", f, true, "hosting: auto"},
		{"hosting: auto\nown: [3]\ndeny: [{service: 3, revision: 9}]", f, true, "hosting: auto"},
	} {
		if got, why := consent(rules(t, c.config), c.facts); got != c.want || why != c.why {
			t.Errorf("%q: %t, %s, want %t, %s", c.config, got, why, c.want, c.why)
		}
	}
}

func TestRulesThatMeanNothing(t *testing.T) {
	for text, want := range map[string]string{
		"hosting: yes please":                   `hosting: "yes please", want ask, allowlist or auto`,
		"allow: [{}]":                           "allow: rule 1: it is empty, want owner, service",
		"deny: [{host: ghcr.io}, {service: 0}]": "deny: rule 2: service: 0",
		"allow: [{revision: 2}]":                "allow: rule 1: revision: want the number of one, and service",
		"allow: [{service: 3, revision: 0}]":    "allow: rule 1: revision",
		"deny: [{owner: '0x0000000000000000000000000000000000000000'}]": "deny: rule 1: owner",
		"deny: [{owner: me}]":                 "deny/0/owner",
		"deny: [{digest: 'sha256:12'}]":       "deny/0/digest",
		"deny: [{host: 'https://ghcr.io/a'}]": "deny: rule 1: host",
		"deny: [{host: ''}]":                  "deny: rule 1: host",
		"deny: [{licence: ''}]":               "deny: rule 1: licence",
		"deny: [{license: MIT}]":              `did you mean "licence"?`,
		"deny: [{verifier: compair}]":         "deny: rule 1: verifier",
		"own: [3]\ndeny: [{service: 3}]":      "deny: service 3 is one of own",
	} {
		var c Config
		err := strictyaml.Decode("server.yaml", []byte(text), &c)
		if err == nil {
			err = c.checkHosting()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want one with %q", text, err, want)
		}
	}
}
