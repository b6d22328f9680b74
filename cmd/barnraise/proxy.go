package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/proxy"
	"barnraise/registry"
	"barnraise/score"

	"github.com/spf13/cobra"
)

// registryAge is how old a view of the registry answers of the proxy may rest on, as with a client that reads it by itself.
const registryAge = 12 * time.Second

// proxyFlags are how proxy is called.
type proxyFlags struct {
	askFlags
	listen, admin  string
	hosts, origins []string
	exposed        bool
	memo           int64
	limits         proxy.Limits
}

func (a *app) proxy() *cobra.Command {
	f := proxyFlags{limits: proxy.Defaults}
	c := &cobra.Command{
		Use:   "proxy",
		Short: "Verified answers for programs that speak plain JSON-RPC",
		Long: `Proxy takes JSON-RPC 2.0, single requests and batches, by POST to /SERVICE: an id such as /3, /3@2 for one revision of it, or a
name that the network file or the lock file knows. What it returns is verified, or an error that says what was tried. Response headers say who was
asked and what came of it; a request may ask for more care by the header Barnraise-Policy, such as "Barnraise-Policy: paranoid".

It answers only to names of this machine and those that --host adds, and no web page can use it unless --cors names where the page
comes from. It runs until it is interrupted; then it ends what is under way. With --json it prints one line when it is ready.`,
		Example: `  barnraise proxy &
  curl -s 127.0.0.1:8645/search -H 'Content-Type: application/json' -d '{"jsonrpc":"2.0","id":7,"method":"search_info"}'`,
		RunE: func(c *cobra.Command, _ []string) error { return a.runProxy(c.Context(), f) },
	}
	flags := c.Flags()
	f.askFlags.on(c)
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8645", "address and port to listen on")
	flags.BoolVar(&f.exposed, "exposed", false, "listen where others than this machine reach it: whoever does can use it, there is no authentication")
	flags.StringVar(&f.admin, "admin", "", "address and port of a listener of its own for /metrics; else they are on --listen, unless it is exposed")
	flags.Int64Var(&f.memo, "memo", 64<<20, "bytes in which accepted answers are remembered; 0 for none")
	flags.StringSliceVar(&f.hosts, "host", nil, "further names under which it may be called")
	flags.StringSliceVar(&f.origins, "cors", nil, "origins of web pages that may call it, such as https://app.example, or * for every page")
	limitFlags(c, &f.limits)
	return c
}

func limitFlags(c *cobra.Command, l *proxy.Limits) {
	flags := c.Flags()
	flags.Float64Var(&l.Rate, "rate", l.Rate, "calls a second that one caller may make; 0 for any number")
	flags.IntVar(&l.Burst, "burst", 0, "calls that one caller may make at once after a pause; else twice --rate, or --batch")
	flags.IntVar(&l.Each, "in-flight", l.Each, "requests of one caller that may be under way")
	flags.IntVar(&l.Total, "max-in-flight", l.Total, "requests of all callers that may be under way")
	flags.IntVar(&l.Batch, "batch", l.Batch, "requests that a batch may have")
	flags.IntVar(&l.Together, "batch-in-flight", l.Together, "requests of one batch that are under way at the same time")
	flags.Int64Var(&l.Body, "max-body", l.Body, "bytes that a request may have")
	flags.Int64Var(&l.Answers, "max-answers", l.Answers, "bytes that all answers to one batch may have")
	flags.Int64Var(&l.Held, "max-held", l.Held, "bytes of all answers that are held until their callers have taken them")
	flags.DurationVar(&l.Timeout, "timeout", l.Timeout, "how long a request may take in all")
	flags.DurationVar(&l.Drain, "drain", l.Drain, "how long requests under way may take to end, once it is interrupted")
}

// check reads the limits, and says what else of the flags cannot be.
func (f proxyFlags) check() (limits proxy.Limits, err error) {
	limits = f.limits
	if min(limits.Each, limits.Total, limits.Batch, limits.Together) < 1 ||
		min(limits.Body, limits.Answers, limits.Held, int64(limits.Timeout), int64(limits.Drain)) < 1 {
		return limits, fmt.Errorf("%w: limits are above zero; only --rate 0 stands for none", errUsage)
	}
	if limits.Rate == 0 {
		limits.Rate = proxy.Unlimited
	}
	if _, err = proxy.New(nil, proxy.Config{Hosts: f.hosts, Origins: f.origins, Limits: limits}); err != nil {
		return limits, fmt.Errorf("%w: %w", errUsage, err)
	}
	if f.memo < 0 {
		return limits, fmt.Errorf("%w: --memo: %d is no number of bytes", errUsage, f.memo)
	}
	for _, address := range []string{f.listen, f.admin} {
		if !f.exposed && address != "" && !onLoopback(address) {
			return limits, fmt.Errorf("%w: others than this machine can reach %s, and whoever does can use it: say --exposed if that is meant",
				errUsage, registry.Printable(address))
		}
	}
	return limits, nil
}

// onLoopback reports whether only this machine reaches an address.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// proxyResult is the line that proxy prints when it is ready.
type proxyResult struct {
	Listen  string           `json:"listen"`
	Admin   string           `json:"admin,omitempty"`
	Policy  string           `json:"policy"`
	Network barnraise.Digest `json:"network"`
}

func (a *app) runProxy(ctx context.Context, f proxyFlags) (err error) {
	limits, err := f.check()
	if err != nil {
		return err
	}
	policy, open, err := f.options()
	if err != nil {
		return err
	}
	public, admin, err := f.listeners()
	if err != nil {
		return err
	}
	cl, network, err := a.caller(ctx, open...)
	if err != nil {
		return errors.Join(err, closeAll(public, admin))
	}
	defer func() { err = errors.Join(err, cl.Close()) }()
	p, err := proxy.New(cl, proxy.Config{
		Policy: policy, Hosts: append(f.hosts, ownName(f.listen)...), Origins: f.origins, Limits: limits,
		Admin: admin != nil || f.exposed, Log: slog.New(slog.NewTextHandler(a.talk, nil)),
	})
	if err != nil {
		return errors.Join(err, closeAll(public, admin))
	}
	r := proxyResult{Listen: public.Addr().String(), Policy: policy.Name, Network: network.Digest()}
	if admin != nil {
		r.Admin = admin.Addr().String()
	}
	if err := a.ready(r, f.exposed); err != nil {
		return errors.Join(err, closeAll(public, admin))
	}
	err = p.Run(ctx, public, admin)
	a.say("ended")
	return err
}

// options are also what no single call has: a memory, and a view of the registry that is not read anew for each call.
func (f proxyFlags) options() (score.Policy, []client.Option, error) {
	policy, open, err := f.askFlags.options()
	return policy, append(open, client.WithMemo(f.memo), client.WithRegistryAge(registryAge)), err
}

// ready says where the proxy listens.
func (a *app) ready(r proxyResult, exposed bool) error {
	if exposed {
		a.say("WARNING: whoever reaches %s can use this proxy and its share of the network: there is no authentication", r.Listen)
	}
	return a.print(r, func(w io.Writer) {
		fmt.Fprintf(w, "http://%s/SERVICE answers JSON-RPC by policy %s; interrupt to end\n", r.Listen, r.Policy)
	})
}

// listeners opens the ports; admin is nil where there is none.
func (f proxyFlags) listeners() (public, admin net.Listener, err error) {
	if public, err = net.Listen("tcp", f.listen); err != nil {
		return nil, nil, fmt.Errorf("%w; is another proxy running, or another program on that port?", err)
	}
	if f.admin == "" {
		return public, nil, nil
	}
	if admin, err = net.Listen("tcp", f.admin); err != nil {
		return nil, nil, errors.Join(err, public.Close())
	}
	return public, admin, nil
}

func closeAll(listeners ...net.Listener) (err error) {
	for _, l := range listeners {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
	}
	return err
}

// ownName is the name in an address to listen on, under which it is called too; none where that stands for all of a machine.
func ownName(listen string) []string {
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		return nil
	}
	return []string{host}
}
