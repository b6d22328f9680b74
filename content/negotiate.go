package content

import (
	"cmp"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The media types of a gateway's answers.
const (
	rawBlock = "application/vnd.ipld.raw"
	carType  = "application/vnd.ipld.car"
)

// form is how a request wants to have what is under a CID.
type form struct {
	car      bool
	scope    string // of a CAR: all, entity (for our content the same) or block
	dups     string // of a CAR: y or n
	explicit bool   // the URL alone says all of this
}

// negotiate reads from a request how it wants to have it. Where there is no such form, it says with which status and why.
func negotiate(r *http.Request) (f form, status int, why string) {
	if r.Header.Get("Service-Worker") != "" {
		return f, http.StatusBadRequest, "no service worker may be installed from here"
	}
	query := r.URL.Query()
	for _, a := range wanted(r, query.Get("format")) {
		if a.kind == rawBlock {
			return form{explicit: query.Get("format") != ""}, 0, ""
		}
		f, ok := carForm(a.params, query)
		if !ok {
			continue
		}
		if why := f.refuse(query); why != "" {
			return f, http.StatusBadRequest, why
		}
		return f, 0, ""
	}
	return f, http.StatusNotAcceptable, "only blocks and CARs are served: add ?format=raw or ?format=car, or Accept: " + rawBlock + " or " +
		carType + "; version=1; order=dfs"
}

// wanted lists what the parameter wants, or else the header.
func wanted(r *http.Request, format string) []accept {
	list := accepts(r.Header.Values("Accept"))
	switch format {
	case "":
		return list
	case "raw":
		return []accept{{kind: rawBlock}}
	case "car":
		list = slices.DeleteFunc(list, func(a accept) bool { return a.kind != carType })
		if len(list) == 0 {
			list = []accept{{kind: carType}}
		}
		return list
	}
	return nil
}

// carForm is the CAR that the parameters of a media type and the query, which goes before them, describe, if it can be had.
func carForm(params map[string]string, query url.Values) (form, bool) {
	value := func(name string) string {
		if v := query.Get("car-" + name); v != "" {
			return v
		}
		return params[name]
	}
	f := form{car: true, scope: query.Get("dag-scope"), dups: value("dups")}
	f.explicit = query.Get("format") != "" && params["version"]+params["order"]+params["dups"] == ""
	if f.scope == "" {
		f.scope = "all"
	}
	if f.dups == "" {
		f.dups = "n"
	}
	ok := (f.dups == "y" || f.dups == "n") &&
		slices.Contains([]string{"", "1"}, value("version")) && slices.Contains([]string{"", "dfs", "unk"}, value("order"))
	return f, ok
}

// refuse says why the rest of the query cannot be met.
func (f form) refuse(query url.Values) string {
	switch {
	case query.Get("entity-bytes") != "":
		return "entity-bytes is not offered: ask for the whole, or for its blocks one by one"
	case f.scope != "all" && f.scope != "entity" && f.scope != "block":
		return "dag-scope is all, entity or block"
	}
	return ""
}

// accept is one media type that a client takes and that is offered here.
type accept struct {
	kind   string
	params map[string]string
	q      float64
}

// accepts lists what is both taken and offered, what is liked best first. Wildcards do not count: nobody means a block by
// them.
func accepts(headers []string) (list []accept) {
	for _, header := range headers {
		for one := range strings.SplitSeq(header, ",") {
			kind, params, err := mime.ParseMediaType(one)
			if err != nil || kind != rawBlock && kind != carType {
				continue
			}
			a := accept{kind: kind, params: params, q: 1}
			if q, ok := params["q"]; ok {
				if a.q, err = strconv.ParseFloat(q, 64); err != nil {
					continue
				}
			}
			if a.q > 0 && a.q <= 1 {
				list = append(list, a)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b accept) int { return cmp.Compare(b.q, a.q) })
	return list
}
