package compared

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// floor is what asking two costs at the least in Go: bytes are passed on and compared, on connections that are kept, with no check
// of anything and nothing for the case that something goes wrong. No proxy that can be used does as little.
type floor struct {
	upstreams []string // HOST:PORT
	bases     []string // paths
	idle      sync.Pool
}

func newFloor(s setup) (*floor, error) {
	f := new(floor)
	for _, raw := range s.Upstreams {
		u, err := url.Parse(raw)
		if err != nil {
			return nil, err
		}
		f.upstreams, f.bases = append(f.upstreams, u.Host), append(f.bases, u.Path)
	}
	return f, nil
}

// way is a connection, what is read from it, and the last body that was.
type way struct {
	net.Conn
	in        *bufio.Reader
	head, out []byte
	body      []byte
}

func newWay(c net.Conn) *way { return &way{Conn: c, in: bufio.NewReader(c)} }

// read reads a message with a Content-Length: its first line, and its body.
func (w *way) read() error {
	line, err := w.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	w.head = append(w.head[:0], bytes.TrimSpace(line)...)
	size := 0
	for {
		if line, err = w.in.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if size, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return err
			}
		}
	}
	w.body = slices.Grow(w.body[:0], size)[:size]
	_, err = io.ReadFull(w.in, w.body)
	return err
}

func (w *way) send(head string, body []byte) error {
	w.out = append(append(append(w.out[:0], head...), fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))...), body...)
	_, err := w.Write(w.out)
	return err
}

// ask sends a body to all and returns the answer that all give.
func (f *floor) ask(ways []*way, path string, body []byte) ([]byte, error) {
	for i, w := range ways {
		if err := w.send("POST "+f.bases[i]+path+" HTTP/1.1\r\nHost: "+f.upstreams[i]+"\r\nContent-Type: application/json\r\n", body); err != nil {
			return nil, err
		}
	}
	for _, w := range ways {
		if err := w.read(); err != nil {
			return nil, err
		}
		if !bytes.Contains(w.head, []byte(" 200 ")) || !bytes.Equal(w.body, ways[0].body) {
			return nil, errors.New("they differ")
		}
	}
	return ways[0].body, nil
}

// ways are connections to all.
func (f *floor) ways() (list []*way, err error) {
	if kept, ok := f.idle.Get().(*[]*way); ok {
		return *kept, nil
	}
	for _, a := range f.upstreams {
		c, err := net.Dial("tcp", a)
		if err != nil {
			return nil, err
		}
		list = append(list, newWay(c))
	}
	return list, nil
}

// ServeHTTP is the floor behind net/http's server.
func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var answer []byte
	var ways []*way
	if err == nil {
		ways, err = f.ways()
	}
	if err == nil {
		answer, err = f.ask(ways, r.URL.Path, body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(answer))}
	_, _ = w.Write(answer)
	f.idle.Put(&ways)
}

// serve is the floor behind a server that does as little.
func (f *floor) serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go f.caller(newWay(c))
	}
}

func (f *floor) caller(w *way) {
	defer w.Close()
	ways, err := f.ways()
	for err == nil {
		if err = w.read(); err != nil {
			return
		}
		var answer []byte
		path := strings.Fields(string(w.head))[1]
		if answer, err = f.ask(ways, path, w.body); err == nil {
			err = w.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", answer)
		}
	}
}
