package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"barnraise"
	"barnraise/audit"
	"barnraise/client"
	"barnraise/dial"
	"barnraise/image"
	"barnraise/registry"
	"barnraise/registry/evm"
	"barnraise/registry/evm/signer"
	"barnraise/runtime"
	"barnraise/server"

	"github.com/spf13/cobra"
)

func (a *app) serve() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run a server",
		Long:  "Serve runs the services that server.yaml and the registry say, until it is interrupted; then it finishes what it began.",
		RunE: func(c *cobra.Command, _ []string) error {
			if file == "" {
				return fmt.Errorf("%w: name the configuration with --config server.yaml", errUsage)
			}
			return a.runServer(c, file)
		},
	}
	c.Flags().StringVar(&file, "config", "", "the server's configuration")
	return c
}

func (a *app) runServer(c *cobra.Command, file string) error {
	config, err := server.ReadConfig(file)
	if err != nil {
		return err
	}
	if config.Network != "" && a.network == "" {
		a.network = config.Network
	}
	network, err := a.readNetwork()
	if err != nil {
		return err
	}
	key, err := server.EnsureKey(config.Key)
	if err != nil {
		return err
	}
	var account *evm.Account
	if config.Account != "" {
		if account, err = signer.OpenUnlocked(config.Account, a.password(config.Password)); err != nil {
			return err
		}
		release, err := holdAccount(c.Context(), config.Account)
		if err != nil {
			return err
		}
		defer release()
	}
	local, err := a.local()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(a.talk, nil))
	kept, err := openStore(c.Context(), config)
	if err != nil {
		return err
	}
	defer kept.Close()
	reader, err := a.dial(c.Context(), network, evm.WithKeeper(kept.Base()), evm.WithLastView(),
		evm.WithWarn(func(s string) { log.Warn("registry", "note", s) }))
	if err != nil {
		return err
	}
	defer reader.Close()
	services, err := a.openWorker(c.Context(), config, log)
	if err != nil {
		return err
	}
	defer services.Close()
	d := &diary{store: kept, log: log}
	defer d.close()
	s, err := server.Open(config, server.Dependencies{
		Network: network, Registry: server.OnChain(reader, account), Writes: account != nil, Key: key, Local: local,
		Runtime: func(*image.Store) runtime.Runtime { return services }, Gate: server.Conformance, Log: log,
		Memory: kept.Documents(server.MemoryKind), Tell: d.tell, Evidence: kept, Happened: d.happened, Rules: func() (server.Config, error) { return server.ReadConfig(file) },
		Client: func(images *image.Store, r runtime.Runtime, options ...client.Option) (*client.Client, error) {
			return a.prober(c.Context(), network, config, d, images, r, append(options, client.WithRegistry(server.OnChain(reader, nil)))...)
		},
	})
	if err != nil {
		return err
	}
	a.say("listening on %s as %s", s.Addr(), config.URL)
	if snapshot, err := reader.Snapshot(c.Context()); err == nil { // else following it fails too, and says so
		warn(log, config, snapshot)
	}
	var pruning sync.WaitGroup
	defer pruning.Wait()
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	pruning.Go(func() { d.prune(ctx) })
	return s.Run(ctx)
}

// prober opens that by which a server asks others whether they do what they say. It runs their services' images where this
// server runs its own, and it asks by the way out that the configuration names.
func (a *app) prober(
	ctx context.Context, network registry.Network, config server.Config, d *diary, images *image.Store, services runtime.Runtime, options ...client.Option,
) (*client.Client, error) {
	way, err := dial.ClientBy(network.Private(), config.Policy.Egress)
	if err != nil {
		return nil, err
	}
	d.machine = audit.New(services, images, way)
	d.client, err = client.Open(ctx, network, append(options, client.WithEgress(config.Policy.Egress), client.WithRerunner(d.machine),
		client.WithCache(filepath.Join(config.Data, "probes")))...)
	if err != nil {
		return nil, err
	}
	d.scores = d.store.Bookkeeper(d.client.Book)
	return d.client, d.scores.Restore(ctx, d.note)
}

// warn tells an operator of what is allowed in server.yaml and seldom meant.
func warn(log *slog.Logger, c server.Config, s *barnraise.Snapshot) {
	if c.Account == "" {
		log.Warn("no account: what runs here is not announced on chain: do it with barnraise servers set, or name the delegate's key file")
	}
	if len(c.Own) == 0 {
		log.Warn("own is empty: only what the registry says that this server offers is run")
	}
	for _, id := range c.Own {
		if _, _, ok := s.Active(id); !ok {
			log.Warn("own names a service that the registry does not have, or that has no active revision", "service", id)
		}
	}
}

// local opens what this machine has built and added.
func (a *app) local() (*server.Local, error) {
	images, err := a.images()
	if err != nil {
		return nil, err
	}
	blocks, _, err := a.store()
	return &server.Local{Images: images, Content: blocks}, err
}
