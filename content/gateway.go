package content

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"barnraise"

	"github.com/ipfs/go-cid"
)

// Getter is what a gateway serves from. Get fails with [ErrNotFound] for what it does not hold.
type Getter interface {
	Get(c barnraise.CID) ([]byte, error)
}

// probe is the CID of nothing, by which clients ask whether this is a trustless gateway.
const probe = "bafkqaaa"

// Handler serves GET and HEAD /ipfs/{cid} as a trustless gateway, to scripts of any origin: the block of that CID, where the
// request says format=raw or accepts application/vnd.ipld.raw, or the content with all its blocks as a CARv1, where it says
// format=car or accepts application/vnd.ipld.car (dag-scope all, entity and block, order dfs, dups y and n). The parameter
// goes before the header. A CAR has at most [MaxFile] bytes of content and one block of it is in memory at a time; it is cut
// short, below its Content-Length, where a block is missing. Whoever takes one has [DefaultTimeout], and again for each MiB,
// whatever the WriteTimeout of the server is. Nothing is ever rendered, so nobody can host pages here. 400 where the path is no
// CID or a parameter is unknown, 404 for what from does not hold (412 to only-if-cached), 406 for any other format and for a
// CAR of what is no such content, 500 for a damaged block.
func Handler(from Getter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cache-Control", "no-store") // replaced where there is something
		w.Header().Set("Vary", "Accept")
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
		f, status, why := negotiate(r)
		if status != 0 {
			http.Error(w, why, status)
			return
		}
		if _, err := Parse(name); err != nil && name != probe {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if f.car {
			serveCAR(w, r, from, barnraise.CID(name), f)
		} else {
			serveBlock(w, r, from, barnraise.CID(name), f)
		}
	})
}

// serveBlock serves the block of c; of the probe, an empty one.
func serveBlock(w http.ResponseWriter, r *http.Request, from Getter, c barnraise.CID, f form) {
	var block []byte
	if c != probe {
		var err error
		if block, err = from.Get(c); err != nil {
			fail(w, r, err)
			return
		}
	}
	describe(w.Header(), c, rawBlock, ".bin", string(c)+".raw")
	if !f.explicit {
		w.Header().Set("Content-Location", "/ipfs/"+string(c)+"?format=raw")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(block))
}

func serveCAR(w http.ResponseWriter, r *http.Request, from Getter, c barnraise.CID, f form) {
	p, err := f.plan(from, c)
	if err != nil {
		fail(w, r, err)
		return
	}
	h := w.Header()
	tag := f.scope + "." + f.dups + "." + string(c) + ".car"
	describe(h, c, carType+"; version=1; order=dfs; dups="+f.dups, ".car", tag)
	h.Set("Accept-Ranges", "none")
	if !f.explicit {
		h.Set("Content-Location", "/ipfs/"+string(c)+"?format=car&dag-scope="+f.scope+"&car-version=1&car-order=dfs&car-dups="+f.dups)
	}
	if matches(r.Header.Values("If-None-Match"), tag) {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.FormatInt(p.size, 10))
	if r.Method == http.MethodGet {
		// It fails only where there is no connection to set it on.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(timeFor(p.size)))
		_ = p.write(w, from) // cut short, which the length shows
	}
}

// timeFor is how long a CAR of so many bytes may take.
func timeFor(size int64) time.Duration {
	return DefaultTimeout + time.Duration((size+MaxBlock-1)/MaxBlock)*DefaultTimeout
}

// plan lays out the CAR that is wanted; of the probe, one without blocks.
func (f form) plan(from Getter, c barnraise.CID) (carPlan, error) {
	if c != probe {
		return planCAR(from, c, f.scope == "block", f.dups == "y")
	}
	id, err := cid.Decode(probe)
	if err != nil {
		return carPlan{}, err
	}
	h := carHeader(id.Bytes())
	return carPlan{header: h, size: int64(len(h))}, nil
}

// describe sets what every answer with content says of itself.
func describe(h http.Header, c barnraise.CID, kind, extension, tag string) {
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+string(c)+extension+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Ipfs-Path", "/ipfs/"+string(c))
	h.Set("X-Ipfs-Roots", string(c))
	h.Set("Etag", `"`+tag+`"`)
	h.Set("Cache-Control", "public, max-age=29030400, immutable")
}

// matches reports whether one of the entity tags of If-None-Match is that tag. None of ours has a comma in it.
func matches(headers []string, tag string) bool {
	for _, header := range headers {
		for one := range strings.SplitSeq(header, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == `"`+tag+`"` {
				return true
			}
		}
	}
	return false
}

// fail says that there is nothing, and no more than that.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, ErrFile), errors.Is(err, ErrTooLarge):
		http.Error(w, "this block is the root of nothing that is served as a CAR: ask for dag-scope=block, or ?format=raw", http.StatusNotAcceptable)
		return
	case errors.Is(err, ErrNotFound) && strings.Contains(r.Header.Get("Cache-Control"), "only-if-cached"):
		status = http.StatusPreconditionFailed
	case errors.Is(err, ErrNotFound):
		status = http.StatusNotFound
	}
	http.Error(w, http.StatusText(status), status)
}
