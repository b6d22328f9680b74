package dial

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode"
)

// write writes a request: a plain one as it is, any other as net/http does.
func (w *wire) write(r *http.Request) error {
	if !plainRequest(r) {
		if err := named(r).Write(w.out); err != nil {
			return err
		}
		return w.out.Flush()
	}
	for _, s := range []string{r.Method, " ", r.URL.RequestURI(), " HTTP/1.1\r\nHost: ", r.URL.Host, "\r\n"} {
		_, _ = w.out.WriteString(s) // an error stays until Flush
	}
	body := r.Body != nil && r.Body != http.NoBody
	if body {
		defer r.Body.Close()
		var length [20]byte
		_, _ = w.out.WriteString("Content-Length: ") // before the others, as net/http has it
		_, _ = w.out.Write(strconv.AppendInt(length[:0], r.ContentLength, 10))
		_, _ = w.out.WriteString("\r\n")
	}
	if err := r.Header.Write(w.out); err != nil {
		return err
	}
	_, _ = w.out.WriteString("\r\n")
	if body {
		if _, err := io.CopyN(w.out, r.Body, r.ContentLength); err != nil {
			return err
		}
	}
	return w.out.Flush()
}

// framing lists the headers that say where a message ends.
var framing = []string{"Host", "Content-Length", "Transfer-Encoding", "Trailer", "Connection"}

// plainRequest reports whether a request is one of those that are nearly all: a GET, or a POST of so many bytes, to a host written in
// letters, digits and the like, with no header that says where it ends.
func plainRequest(r *http.Request) bool {
	body := r.Body != nil && r.Body != http.NoBody
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost, body != (r.ContentLength > 0), body != (r.Method == http.MethodPost):
		return false
	case r.Close, len(r.TransferEncoding) > 0, len(r.Trailer) > 0, r.Host != "" && r.Host != r.URL.Host, r.URL.Opaque != "":
		return false
	case strings.IndexFunc(r.URL.RawQuery, unicode.IsControl) >= 0: // which stands as it is: net/http refuses it
		return false
	}
	for _, name := range framing {
		if _, set := r.Header[name]; set {
			return false
		}
	}
	return strings.IndexFunc(r.URL.Host, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune(".-_:[]", c))
	}) < 0
}

// named leaves out the User-Agent that net/http would add.
func named(r *http.Request) *http.Request {
	if _, set := r.Header["User-Agent"]; set {
		return r
	}
	c := *r
	c.Header = make(http.Header, len(r.Header)+1)
	for k, v := range r.Header {
		c.Header[k] = v
	}
	c.Header["User-Agent"] = nil
	return &c
}
