package image

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"barnraise"
)

// Handler serves a store by the pull half of the OCI distribution API, under /v2/: GET and HEAD of manifests and blobs, by
// digest only and for any repository name, since a digest means the same under each. What allowed refuses is answered as if
// it were not held; nil allows all. 400 where a name or digest is malformed, 404 for tags, 405 for other methods, 500 where
// the disk fails, each with the JSON body of the specification.
//
// A damaged blob breaks off before its end. Whoever takes a blob gets as much time for it as a [Puller] gives, whatever the
// WriteTimeout of the server is.
func Handler(s *Store, allowed func(barnraise.Digest) bool) http.Handler {
	return registry{s, allowed}
}

type registry struct {
	store   *Store
	allowed func(barnraise.Digest) bool
}

func (g registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	rest, ok := strings.CutPrefix(r.URL.Path, "/v2")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, r, http.StatusMethodNotAllowed, "UNSUPPORTED", "this registry is read-only")
		return
	case !ok || rest != "" && rest[0] != '/':
		refuse(w, r, http.StatusNotFound, "UNSUPPORTED", "the registry is at /v2/")
		return
	case rest == "" || rest == "/":
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "2")
		_, _ = io.WriteString(w, "{}")
		return
	}
	name, kind, reference := split(rest[1:])
	if kind == "" {
		refuse(w, r, http.StatusNotFound, "UNSUPPORTED", "only manifests and blobs are served")
		return
	}
	if !ValidName(name) {
		refuse(w, r, http.StatusBadRequest, "NAME_INVALID", "that is no name for a repository")
		return
	}
	d, err := barnraise.ParseDigest(reference)
	switch {
	case err == nil && kind == "manifests":
		g.manifest(w, r, d)
	case err == nil:
		g.blob(w, r, d)
	case kind == "manifests" && !strings.Contains(reference, ":"):
		refuse(w, r, http.StatusNotFound, "MANIFEST_UNKNOWN", "tags are not served: ask by digest")
	default:
		refuse(w, r, http.StatusBadRequest, "DIGEST_INVALID", "want sha256: and 64 lower-case hexadecimal digits")
	}
}

// split takes NAME/manifests/REFERENCE or NAME/blobs/REFERENCE apart; a name may have slashes in it. The kind is empty for
// any other path.
func split(path string) (name, kind, reference string) {
	rest, reference := cutLast(path)
	name, kind = cutLast(rest)
	if kind != "manifests" && kind != "blobs" {
		return "", "", ""
	}
	return name, kind, reference
}

func cutLast(path string) (before, last string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

func (g registry) manifest(w http.ResponseWriter, r *http.Request, d barnraise.Digest) {
	if g.allowed != nil && !g.allowed(d) {
		refuse(w, r, http.StatusNotFound, "MANIFEST_UNKNOWN", "not held")
		return
	}
	b, err := g.store.Get(d, MaxDocument)
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrImage) {
		refuse(w, r, http.StatusInternalServerError, "UNKNOWN", "cannot read it")
		return
	}
	var mediaType string
	if _, err := parseIndex(b); err == nil {
		mediaType = typeIndex
	} else if _, err := parseManifest(b); err == nil {
		mediaType = typeManifest
	}
	if mediaType == "" {
		refuse(w, r, http.StatusNotFound, "MANIFEST_UNKNOWN", "not held")
		return
	}
	describe(w, d, mediaType, int64(len(b)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(b)
	}
}

func (g registry) blob(w http.ResponseWriter, r *http.Request, d barnraise.Digest) {
	if g.allowed != nil && !g.allowed(d) {
		refuse(w, r, http.StatusNotFound, "BLOB_UNKNOWN", "not held")
		return
	}
	body, size, err := g.store.Open(d)
	if errors.Is(err, ErrNotFound) {
		refuse(w, r, http.StatusNotFound, "BLOB_UNKNOWN", "not held")
		return
	}
	if err != nil {
		refuse(w, r, http.StatusInternalServerError, "UNKNOWN", "cannot read it")
		return
	}
	defer body.Close()
	describe(w, d, "application/octet-stream", size)
	if r.Method == http.MethodHead {
		return
	}
	// It fails only where there is no connection to set it on.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(DefaultTimeout + atMinRate(size)))
	_, _ = io.Copy(w, body) // where it breaks off, the length sent before says so
}

// describe writes the header of a blob, which is the same for ever.
func describe(w http.ResponseWriter, d barnraise.Digest, mediaType string, size int64) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Docker-Content-Digest", d.String())
	h.Set("Etag", `"`+d.String()+`"`)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
}

// refuse answers with the error body of the distribution specification.
func refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(map[string][]map[string]string{"errors": {{"code": code, "message": message}}})
	}
}
