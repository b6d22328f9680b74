// Package push sends images to registries, for authors: with the credentials that docker login and its kin have left, to
// wherever the author says. It is apart from package image because only who pushes needs all that a registry may ask for.
package push

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"barnraise"
	"barnraise/image"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Errors to branch on.
var (
	ErrDestination = errors.New("no place to push to")                      // the name is malformed, or names no registry
	ErrReadOnly    = errors.New("it takes no images")                       // a server of the network, or a mirror
	ErrDenied      = errors.New("the registry does not let this user push") // with the credentials that were found, or none
)

// Pushed says where an image is now.
type Pushed struct {
	Image string `json:"image"`         // HOST/REPOSITORY@sha256:…, for service.yaml
	Tag   string `json:"tag,omitempty"` // HOST/REPOSITORY:TAG, if one was given
}

// Index pushes an image with all its variants to HOST/REPOSITORY or HOST/REPOSITORY:TAG, as container tools read it: without a
// host it is Docker Hub. Blobs that are there already are not sent again. The image is the same there, by its digest.
//
// It fails with [ErrDestination], with [ErrReadOnly], with [ErrDenied], and with [image.ErrNotFound] where not all of the image
// is in the store; then the registry may have blobs of it, but no image.
func Index(ctx context.Context, from *image.Store, d barnraise.Digest, to string) (Pushed, error) {
	repository, tag, err := destination(to)
	if err != nil {
		return Pushed{}, fmt.Errorf("push image to %.200q: %w", to, err)
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithUserAgent("barnraise")}
	x := index{from, d}
	err = remote.WriteIndex(repository.Digest(d.String()), x, options...)
	if err == nil && tag != "" {
		err = remote.Tag(repository.Tag(tag), x, options...)
	}
	if err != nil {
		return Pushed{}, fmt.Errorf("push image to %s: %w", repository, explain(err, repository.RegistryStr()))
	}
	at := strings.Replace(repository.Name(), name.DefaultRegistry+"/", "docker.io/", 1)
	p := Pushed{Image: at + "@" + d.String()}
	if tag != "" {
		p.Tag = at + ":" + tag
	}
	return p, nil
}

// destination reads HOST/REPOSITORY[:TAG].
func destination(to string) (r name.Repository, tag string, err error) {
	host, rest, ok := strings.Cut(to, "/")
	if !ok || strings.Contains(to, "@") {
		return r, "", fmt.Errorf("want HOST/REPOSITORY or HOST/REPOSITORY:TAG, such as ghcr.io/USER/SERVICE: %w", ErrDestination)
	}
	rest, tag, _ = strings.Cut(rest, ":")
	if r, err = name.NewRepository(host + "/" + rest); err != nil {
		return r, "", fmt.Errorf("%w: %w", err, ErrDestination)
	}
	if tag != "" {
		if _, err = name.NewTag(r.Name() + ":" + tag); err != nil {
			return r, "", fmt.Errorf("%w: %w", err, ErrDestination)
		}
	}
	return r, tag, nil
}

// explain says what the author can do.
func explain(err error, host string) error {
	var refused *transport.Error
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.StatusCode {
	case http.StatusMethodNotAllowed:
		return fmt.Errorf("%w: %w: servers give out what they run and take nothing; push to a registry", ErrReadOnly, err)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %w; log in first, with: docker login %s", ErrDenied, err, host)
	}
	return err
}
