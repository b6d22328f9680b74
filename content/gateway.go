package content

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"barnraise"
)

// Getter is what a gateway serves from. Get fails with [ErrNotFound] for what it does not hold.
type Getter interface {
	Get(c barnraise.CID) ([]byte, error)
}

const rawBlock = "application/vnd.ipld.raw"

// probe is the CID of nothing, by which clients ask whether this is a trustless gateway.
const probe = "bafkqaaa"

// Handler serves GET and HEAD /ipfs/{cid} as a trustless gateway: the raw block of that CID, where the request says
// format=raw or accepts application/vnd.ipld.raw, to scripts of any origin. Nothing is ever rendered, so nobody can host
// pages here. 400 where the path is no CID, 404 for what from does not hold (412 to only-if-cached), 406 for any other
// format, 500 for a damaged block.
func Handler(from Getter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cache-Control", "no-store") // replaced where there is a block
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD are served", http.StatusMethodNotAllowed)
			return
		}
		name, ok := strings.CutPrefix(r.URL.Path, "/ipfs/")
		if !ok {
			http.Error(w, "content is served at /ipfs/{cid}", http.StatusNotFound)
			return
		}
		if !wantsRaw(r) {
			http.Error(w, "only raw blocks are served: add ?format=raw, or Accept: "+rawBlock, http.StatusNotAcceptable)
			return
		}
		if name == probe {
			serveBlock(w, r, probe, nil)
			return
		}
		c, err := Parse(name)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		block, err := from.Get(c)
		if err != nil {
			http.Error(w, http.StatusText(statusOf(err, r)), statusOf(err, r))
			return
		}
		serveBlock(w, r, c, block)
	})
}

// wantsRaw reports whether the request asks for a raw block; the parameter goes before the header.
func wantsRaw(r *http.Request) bool {
	if format := r.URL.Query().Get("format"); format != "" {
		return format == "raw"
	}
	for _, accept := range r.Header.Values("Accept") {
		for one := range strings.SplitSeq(accept, ",") {
			t, params, err := mime.ParseMediaType(one)
			if err == nil && t == rawBlock && params["q"] != "0" {
				return true
			}
		}
	}
	return false
}

func statusOf(err error, r *http.Request) int {
	switch {
	case !errors.Is(err, ErrNotFound):
		return http.StatusInternalServerError
	case strings.Contains(r.Header.Get("Cache-Control"), "only-if-cached"):
		return http.StatusPreconditionFailed
	}
	return http.StatusNotFound
}

func serveBlock(w http.ResponseWriter, r *http.Request, c barnraise.CID, block []byte) {
	h := w.Header()
	h.Set("Content-Type", rawBlock)
	h.Set("Content-Disposition", `attachment; filename="`+string(c)+`.bin"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Ipfs-Path", "/ipfs/"+string(c))
	h.Set("X-Ipfs-Roots", string(c))
	h.Set("Etag", `"`+string(c)+`.raw"`)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(block))
}
