package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"barnraise/dial"
)

// maxRedirects is how often a registry may send a puller elsewhere for one blob.
const maxRedirects = 5

// Sources lists what [Puller.Pull] is to ask for an image, in the order of protocol 2.8: the servers, then the registry that
// the reference names, and then the home, if it is one of the servers. A reference that names no registry, such as that of
// an image which was built and never pushed, is left out.
func Sources(servers []string, home, reference string) []string {
	if _, err := parseRepository(reference); err != nil {
		return servers
	}
	at := slices.Index(servers, home)
	if at < 0 {
		at = len(servers)
	}
	return slices.Concat(servers[:at], []string{reference}, servers[at:])
}

// RegistryHost is the host of the registry that a reference names, such as ghcr.io, and docker.io where it names none but a
// repository. It is empty for an image that was built and never pushed.
func RegistryHost(reference string) string {
	r, err := parseRepository(reference)
	if err != nil {
		return ""
	}
	_, host, _ := strings.Cut(r.base, "://")
	if host == dockerHub {
		return "docker.io"
	}
	return host
}

// dockerHub is where images are whose host is docker.io.
const dockerHub = "registry-1.docker.io"

// source is a place to ask: a server, which has one name for all images, or a repository of a registry.
type source struct {
	name       string // as it was given
	repository        // path is empty for a server
	token      string // that the registry gave to whoever asks
	err        error  // why it cannot be asked
}

// repository is where a registry keeps an image.
type repository struct {
	base string // scheme and host of the registry, without a slash behind
	path string // such as library/search
}

func newSource(s string) *source {
	if strings.Contains(s, "://") {
		return &source{name: s, repository: repository{base: strings.TrimSuffix(s, "/")}}
	}
	r, err := parseRepository(s)
	return &source{name: s, repository: r, err: err}
}

// parseRepository reads HOST/PATH, HOST/PATH:TAG or either with @DIGEST behind, as container tools do: what stands before
// the first slash is a host if it has a dot or a colon or is localhost, else the image is on Docker Hub; there a path of one
// part is below library. A host on this machine by its name or address speaks plain http. Unlike those tools, this takes a
// name of one part for no registry's at all: it is what an image is called that was built and never pushed.
func parseRepository(reference string) (repository, error) {
	name, _, _ := strings.Cut(reference, "@")
	host, path, ok := strings.Cut(name, "/")
	if !ok || strings.HasPrefix(host, ".") {
		return repository{}, fmt.Errorf("%.80q names no registry", reference)
	}
	if !strings.ContainsAny(host, ".:") && host != "localhost" {
		host, path = "docker.io", name
	}
	path, _, _ = strings.Cut(path, ":")
	if host == "docker.io" || host == "index.docker.io" {
		host = dockerHub
		if !strings.Contains(path, "/") {
			path = "library/" + path
		}
	}
	base := "https://" + host
	if err := dial.CheckURL(base, false); err != nil {
		return repository{}, err
	}
	if u, err := url.Parse(base); err == nil && loopback(u.Hostname()) {
		base = "http://" + host
	}
	if !ValidName(path) {
		return repository{}, fmt.Errorf("%.80q is no name of a repository", path)
	}
	return repository{base, path}, nil
}

// loopback reports whether a host is this machine by its very name: then there is nobody in between who could listen.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// get asks for a manifest or a blob: a server once, a registry also with a token where it wants one, which it gives anybody.
func (s *source) get(ctx context.Context, client *http.Client, kind, digest string) (*http.Response, error) {
	if s.err != nil {
		return nil, s.err
	}
	path := s.path
	if path == "" {
		path = "image"
	}
	address := s.base + "/v2/" + path + "/" + kind + "/" + digest
	resp, err := s.follow(ctx, client, address)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || s.path == "" {
		return resp, err
	}
	resp.Body.Close()
	if s.token, err = s.requestToken(ctx, client, resp.Header.Values("WWW-Authenticate")); err != nil {
		return nil, err
	}
	return s.follow(ctx, client, address)
}

// follow sends a request, and for a registry follows redirects: each goes where a URL may go, and gets the token only within
// the registry itself. Where they lead is looked at when it is dialled (protocol 10.2). A server's are not followed.
func (s *source) follow(ctx context.Context, client *http.Client, address string) (*http.Response, error) {
	for range maxRedirects + 1 {
		resp, err := s.send(ctx, client, address)
		if err != nil || s.path == "" || !redirects(resp.StatusCode) {
			return resp, err
		}
		resp.Body.Close()
		next, err := resp.Location()
		if err == nil {
			err = checkTarget(next)
		}
		if err != nil {
			return nil, fmt.Errorf("follow redirect: %w", err)
		}
		address = next.String()
	}
	return nil, fmt.Errorf("more than %d redirects", maxRedirects)
}

func (s *source) send(ctx context.Context, client *http.Client, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if strings.Contains(req.URL.Path, "/manifests/") {
		req.Header.Set("Accept", typeIndex+", "+typeManifest)
	}
	if s.token != "" && s.base == req.URL.Scheme+"://"+req.URL.Host {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	return client.Do(req)
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
		return true
	}
	return false
}

// checkTarget reports whether a registry may name the URL as the place of a blob or of its tokens: as [dial.CheckURL] allows
// it, though with a query, and without TLS only on this machine.
func checkTarget(u *url.URL) error {
	place := *u
	place.RawQuery, place.ForceQuery, place.Fragment, place.RawFragment = "", false, "", ""
	if u.Opaque != "" {
		return errors.New("want https://HOST")
	}
	return dial.CheckURL(place.String(), loopback(u.Hostname()))
}
