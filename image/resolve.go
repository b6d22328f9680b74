package image

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"barnraise"
)

var tagName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// splitTag takes HOST/REPOSITORY:TAG apart.
func splitTag(reference string) (name, tag string, ok bool) {
	at := strings.LastIndexByte(reference, ':')
	if at < 0 || at < strings.LastIndexByte(reference, '/') || strings.Contains(reference, "@") {
		return "", "", false
	}
	name, tag = reference[:at], reference[at+1:]
	_, err := parseRepository(name)
	return name, tag, err == nil && tagName.MatchString(tag)
}

// IsTagged reports whether a reference is HOST/REPOSITORY:TAG, an image of a registry by a name that may be moved.
func IsTagged(reference string) bool {
	_, _, ok := splitTag(reference)
	return ok
}

// Resolve asks a registry what HOST/REPOSITORY:TAG is at the moment, and returns HOST/REPOSITORY@sha256:…, the form that is
// published (protocol 2.7). The digest is that of what the registry sends, whatever it says of it. The client is one for
// [Puller]. Resolve fails with [ErrNotFound] where there is no such tag, and with [ErrImage] where it is no OCI index.
func Resolve(ctx context.Context, client *http.Client, reference string) (string, error) {
	name, tag, ok := splitTag(reference)
	if !ok {
		return "", fmt.Errorf("resolve %.80q: want HOST/REPOSITORY:TAG", reference)
	}
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	b, err := fetchTag(ctx, (&Puller{Client: client}).oneHop(), newSource(name), tag)
	if err == nil {
		_, err = parseIndex(b)
	}
	if err != nil {
		return "", fmt.Errorf("resolve %.80q: %w", reference, err)
	}
	return name + "@" + barnraise.Sum(b).String(), nil
}

func fetchTag(ctx context.Context, client *http.Client, from *source, tag string) ([]byte, error) {
	response, err := from.get(ctx, client, "manifests", tag)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, fmt.Errorf("the registry answers %.80q: %w", response.Status, ErrNotFound)
	case http.StatusUnauthorized:
		return nil, errCredentials
	default:
		return nil, fmt.Errorf("the registry answers %.80q", response.Status)
	}
	b, err := io.ReadAll(io.LimitReader(response.Body, MaxDocument+1))
	if err == nil && len(b) > MaxDocument {
		err = fmt.Errorf("it sends more than %d bytes: %w", MaxDocument, ErrImage)
	}
	return b, err
}
