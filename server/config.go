package server

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"barnraise"
	"barnraise/budget"
	"barnraise/dial"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/registry/evm/signer"
	"barnraise/strictyaml"
)

// Config is server.yaml: one server. Names of files are relative to the file itself.
type Config struct {
	Network  string                `json:"network"` // network.yaml; found as clients find theirs where it is empty
	Server   barnraise.ServerID    `json:"server"`  // its id in the registry; found by URL and key where it is zero
	Listen   string                `json:"listen"`  // address of the public listener
	URL      string                `json:"url"`     // as registered
	TLS      *TLS                  `json:"tls"`
	Key      string                `json:"key"`              // file of the Ed25519 key that signs receipts
	Account  string                `json:"account"`          // as signer.Open takes it; the delegate's, not the owner's; none where empty
	Password string                `json:"account_password"` // of a keystore account, in a file
	Data     string                `json:"data"`             // directory
	Own      []barnraise.ServiceID `json:"own"`              // services it always runs
	Rewards  []barnraise.ServiceID `json:"rewards"`          // services it would like to see run
	Capacity uint32                `json:"capacity"`
	Runtime  string                `json:"runtime"` // RuntimeAuto where empty
	Docker   Docker                `json:"docker"`
	Budgets  budget.Limits         `json:"budgets"` // the default where nothing is set
	Hosting  string                `json:"hosting"` // HostingAsk where empty
	Allow    []Rule                `json:"allow"`
	Deny     []Rule                `json:"deny"`
	Policy   Policy                `json:"policy"` // DefaultPolicy where nothing is set
	Contact  string                `json:"contact"`
	Next     Next                  `json:"next"` // the key and the URL that are to come
}

// What runs services.
const (
	RuntimeAuto   = "auto"   // Docker where an engine answers and the image has a variant for it, else wasm
	RuntimeWasm   = "wasm"   // wasm variants only
	RuntimeDocker = "docker" // linux variants only
)

// Docker says how linux variants are run.
type Docker struct {
	Host    string `json:"host"`    // the engine, such as unix:///run/docker.sock; else DOCKER_HOST, else Docker's own default
	Runtime string `json:"runtime"` // the engine's runtime, such as runsc; its default where empty
}

// TLS names the files of a certificate and its key.
type TLS struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// ReadConfig reads server.yaml and checks what can be checked without a network.
func ReadConfig(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	c := Config{Budgets: budget.Default(), Policy: DefaultPolicy()}
	if err := strictyaml.Decode(path, data, &c); err != nil {
		return Config{}, err
	}
	files := []*string{&c.Network, &c.Key, &c.Password, &c.Data, &c.Next.Key}
	if signer.IsFile(c.Account) {
		files = append(files, &c.Account)
	}
	if c.TLS != nil {
		files = append(files, &c.TLS.Certificate, &c.TLS.Key)
	}
	for _, name := range files {
		if *name != "" && !filepath.IsAbs(*name) {
			*name = filepath.Join(filepath.Dir(path), *name)
		}
	}
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf("read %s: %w", path, err)
	}
	return c, nil
}

// minMemory is what the process that runs services needs in order to compile one.
const minMemory manifest.Bytes = 512 << 20

func (c *Config) check() error {
	for _, list := range []*[]barnraise.ServiceID{&c.Own, &c.Rewards} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	for _, key := range []struct{ name, value, hint string }{
		{"listen", c.Listen, "the address to listen on, such as 127.0.0.1:8443"},
		{"url", c.URL, "the URL under which others reach this server, as registered"},
		{"key", c.Key, "a file for the key that signs receipts; it is made where it is missing"},
		{"data", c.Data, "a directory for images, content and evidence"},
	} {
		if key.value == "" {
			return fmt.Errorf("%s is missing: want %s", key.name, key.hint)
		}
	}
	switch {
	case !barnraise.ValidList(c.Own, barnraise.MaxOffers):
		return fmt.Errorf("own: want at most %d ids of services, none of them 0", barnraise.MaxOffers)
	case !barnraise.ValidList(c.Rewards, barnraise.MaxRewards):
		return fmt.Errorf("rewards: want at most %d ids of services, none of them 0", barnraise.MaxRewards)
	case c.TLS != nil && (c.TLS.Certificate == "" || c.TLS.Key == ""):
		return errors.New("tls: want both certificate and key")
	}
	if c.Runtime == "" {
		c.Runtime = RuntimeAuto
	}
	if !slices.Contains([]string{RuntimeAuto, RuntimeWasm, RuntimeDocker}, c.Runtime) {
		return fmt.Errorf("runtime: %q, want %s, %s or %s", c.Runtime, RuntimeAuto, RuntimeWasm, RuntimeDocker)
	}
	if err := c.checkHosting(); err != nil {
		return err
	}
	if _, err := url.Parse(c.URL); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	return nil
}

// checkHosting looks at what a server runs for others, and what that may use. It fills in what is not set.
func (c *Config) checkHosting() error {
	c.Budgets, c.Policy = c.Budgets.OrDefault(), c.Policy.orDefault()
	if c.Hosting == "" {
		c.Hosting = HostingAsk
	}
	if !slices.Contains([]string{HostingAsk, HostingAllowlist, HostingAuto}, c.Hosting) {
		return fmt.Errorf("hosting: %q, want %s, %s or %s", c.Hosting, HostingAsk, HostingAllowlist, HostingAuto)
	}
	if c.Budgets.Memory != 0 && c.Budgets.Memory < minMemory {
		return fmt.Errorf("budgets: memory: %s, want at least %s", c.Budgets.Memory, minMemory)
	}
	if err := c.Budgets.Check(); err != nil {
		return fmt.Errorf("budgets: %w", err)
	}
	if err := c.Policy.check(); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	return c.checkRules()
}

// checkURL wants a URL that clients of the network will call.
func (c *Config) checkURL(n registry.Network) error {
	if err := dial.CheckURL(c.URL, n.Private()); err != nil {
		return fmt.Errorf("url: %w; only in a network on this machine are http and private addresses taken", err)
	}
	if c.Next.URL == "" {
		return nil
	}
	if err := dial.CheckURL(c.Next.URL, n.Private()); err != nil {
		return fmt.Errorf("next: url: %w; only in a network on this machine are http and private addresses taken", err)
	}
	return nil
}
