package start

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"barnraise"
	"barnraise/dial"
	"barnraise/registry"
	"barnraise/registry/proof"
)

// How many servers are asked, how often while they are not at one block, how long apart, and how long one may take.
const (
	leastServers = 2
	mostServers  = 8
	attempts     = 3
	pause        = 2 * time.Second
	perServer    = 30 * time.Second
)

// ErrServers is the error for servers that do not answer, or not of one block.
var ErrServers = errors.New("the servers do not agree")

// FromServers begins with one service, by the answers of several servers to /v1/snapshot: with every host that one of them
// names. A host of which none of them speaks is missing; that shows no proof. It fails with [ErrServers], like [FromFile],
// and with [registry.ErrSnapshot] for what is no answer.
func FromServers(ctx context.Context, client *http.Client, urls []string, id barnraise.ServiceID, t Terms) (*View, error) {
	if err := checkURLs(urls, t.Network.Private()); err != nil {
		return nil, fmt.Errorf("begin with what servers say: %w", err)
	}
	all, h, err := t.agreed(ctx, client, urls, id)
	if err != nil {
		return nil, fmt.Errorf("begin with what servers say: %w", err)
	}
	v := &View{Servers: len(urls)}
	if err := t.finish(ctx, v, h, all.Snapshot()); err != nil {
		return nil, fmt.Errorf("begin with what servers say: %w", err)
	}
	return v, nil
}

func checkURLs(urls []string, private bool) error {
	if len(urls) < leastServers || len(urls) > mostServers {
		return fmt.Errorf("want the URLs of %d to %d servers of different operators, got %d", leastServers, mostServers, len(urls))
	}
	seen := map[string]bool{}
	for _, raw := range urls {
		if err := dial.CheckURL(raw, private); err != nil {
			return fmt.Errorf("%.80q: %w", raw, err)
		}
		u, err := url.Parse(raw)
		if err != nil {
			return err
		}
		if host := strings.ToLower(u.Host); seen[host] {
			return fmt.Errorf("%s is given twice: that it agrees with itself says nothing", host)
		} else {
			seen[host] = true
		}
	}
	return nil
}

// agreed asks all servers until they show one block, and joins what they say.
func (t Terms) agreed(ctx context.Context, client *http.Client, urls []string, id barnraise.ServiceID) (registry.Excerpt, proof.Header, error) {
	for n := 1; ; n++ {
		answers, headers, err := t.askAll(ctx, client, urls, id)
		if err != nil {
			return registry.Excerpt{}, proof.Header{}, err
		}
		all := answers[0]
		for i, e := range answers[1:] {
			if all, err = all.Union(e); err != nil {
				err = fmt.Errorf("%w: %s and %s: %w", ErrServers, urls[0], urls[i+1], err)
				break
			}
		}
		if err == nil || n == attempts {
			return all, headers[0], err
		}
		select {
		case <-time.After(pause): // one of them may have been a little behind
		case <-ctx.Done():
			return all, headers[0], context.Cause(ctx)
		}
	}
}

// askAll asks all servers at once. Each answer is checked by its own proof.
func (t Terms) askAll(ctx context.Context, client *http.Client, urls []string, id barnraise.ServiceID) ([]registry.Excerpt, []proof.Header, error) {
	answers, headers, failures := make([]registry.Excerpt, len(urls)), make([]proof.Header, len(urls)), make([]error, len(urls))
	var group sync.WaitGroup
	for i, url := range urls {
		group.Go(func() {
			if answers[i], headers[i], failures[i] = t.ask(ctx, client, url, id); failures[i] != nil {
				failures[i] = fmt.Errorf("%s: %w", url, failures[i])
			}
		})
	}
	group.Wait()
	return answers, headers, errors.Join(failures...)
}

// ask asks one server.
func (t Terms) ask(ctx context.Context, client *http.Client, base string, id barnraise.ServiceID) (registry.Excerpt, proof.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, perServer)
	defer cancel()
	e, err := fetch(ctx, client, base, id)
	if err != nil {
		return e, proof.Header{}, err
	}
	if err := t.ours(e.Registry); err != nil {
		return e, proof.Header{}, err
	}
	if _, ok := e.Snapshot().Service(id); !ok {
		return e, proof.Header{}, fmt.Errorf("service %s is not in its answer: %w", id, registry.ErrSnapshot)
	}
	h, err := proof.OfExcerpt(e)
	return e, h, err
}

func fetch(ctx context.Context, client *http.Client, base string, id barnraise.ServiceID) (registry.Excerpt, error) {
	where := fmt.Sprintf("%s/v1/snapshot?service=%d", strings.TrimRight(base, "/"), id)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return registry.Excerpt{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return registry.Excerpt{}, fmt.Errorf("%w: %w", ErrServers, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 400))
		return registry.Excerpt{}, fmt.Errorf("%w: %s %s", ErrServers, response.Status, registry.Printable(string(said)))
	}
	return registry.ReadExcerpt(response.Body)
}
