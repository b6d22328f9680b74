package client

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

const gigabyte = 1 << 30

var block = strings.Repeat("0123456789abcdef", 4<<10)

// endless makes what writes the same until somebody has had enough, or a gigabyte has been sent.
func endless(same string) func(io.Writer) {
	s := []byte(strings.Repeat(same, 1+len(block)/len(same)))
	return func(w io.Writer) {
		for range gigabyte / len(s) {
			if _, err := w.Write(s); err != nil {
				return
			}
		}
	}
}

var (
	bytesWithoutEnd   = endless(block)
	chunksWithoutEnd  = endless(fmt.Sprintf("%x\r\n%s\r\n", len(block), block))
	smallChunks       = endless("1\r\nx\r\n")
	trailers          = endless("X-Trailer: " + block + "\r\n")
	headersWithoutEnd = endless("X-More: and more\r\n")
	hints             = endless("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
	tenMB             = []byte(strings.Repeat("x", 10<<20))
)

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
}

// bomb is ten megabytes in ten kilobytes.
var bomb = sync.OnceValue(func() string {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	io.CopyN(z, zeros{}, 10<<20)
	z.Close()
	return b.String()
})

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// wires are ways to answer on a socket that no handler of net/http would take. head and body are those of the right answer.
var wires = map[string]struct {
	write func(c net.Conn, head, body string)
	why   string // one of several, with | between them; empty where the answer is as good as any
}{
	"a gigabyte, declared": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n", head, gigabyte)
		bytesWithoutEnd(c)
	}, "longer than"},
	"a gigabyte in chunks": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n", head)
		chunksWithoutEnd(c)
	}, "longer than"},
	"a gigabyte in chunks of one": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n", head)
		smallChunks(c)
	}, "longer than"},
	"a gigabyte until the end": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.0 200 OK\r\n%s\r\n", head)
		bytesWithoutEnd(c)
	}, "longer than"},
	"a gigabyte about one chunk": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n1;", head)
		bytesWithoutEnd(c)
	}, "too long"},
	"a gigabyte of trailers": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n", head, len(body), body)
		trailers(c)
	}, "trailer"},
	"a length beyond counting": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: 99999999999999999999\r\n\r\n%s", head, body)
	}, "Content-Length"},
	"two lengths": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\nContent-Length: 1\r\n\r\n%s", head, len(body), body)
	}, "Content-Length"},
	"a length that is too short": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", head, len(body)-2, body)
	}, "differs"},
	"a coding of the transfer": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sTransfer-Encoding: gzip, chunked\r\n\r\n", head)
	}, "transfer encoding"},
	"a header of 10 MB": {func(c net.Conn, head, body string) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Long: ")
		c.Write(tenMB)
		fmt.Fprintf(c, "\r\n%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	}, "header"},
	"headers without end": {func(c net.Conn, head, body string) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		headersWithoutEnd(c)
	}, "header"},
	"1,000 headers": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%s%sContent-Length: %d\r\n\r\n%s", strings.Repeat("X-Many: of them\r\n", 1000), head, len(body), body)
	}, ""},
	"hints without end": {func(c net.Conn, head, body string) {
		hints(c)
	}, "header"},
	"a few hints": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	}, ""},
	"another protocol from here on": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n%s\r\n%s", head, body)
	}, "101|does not come to the point"},
	"a status line without end": {func(c net.Conn, _, _ string) { bytesWithoutEnd(c) }, "header"},
	"a status line of 100 kB":   {func(c net.Conn, _, _ string) { io.WriteString(c, block[:50_000]+block[:50_000]+"\r\n\r\n") }, "malformed"},
	"a header line of 100 kB": {func(c net.Conn, _, _ string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%s%s\r\n\r\n", block[:50_000], block[:50_000])
	}, "malformed"},
	"no HTTP":                   {func(c net.Conn, _, _ string) { io.WriteString(c, "SSH-2.0-OpenSSH_9.9\r\n\r\n") }, "malformed"},
	"TLS":                       {func(c net.Conn, _, _ string) { io.WriteString(c, "\x15\x03\x01\x00\x02\x02\x28\r\n\r\n") }, "malformed"},
	"HTTP/2":                    {func(c net.Conn, head, _ string) { fmt.Fprintf(c, "PRI * HTTP/2.0\r\n%s\r\n", head) }, "malformed"},
	"HTTP/9.9":                  {func(c net.Conn, head, body string) { fmt.Fprintf(c, "HTTP/9.9 200 OK\r\n%s\r\n%s", head, body) }, ""},
	"a status of two digits":    {func(c net.Conn, head, _ string) { fmt.Fprintf(c, "HTTP/1.1 20 OK\r\n%s\r\n", head) }, "malformed"},
	"a status of six digits":    {func(c net.Conn, head, _ string) { fmt.Fprintf(c, "HTTP/1.1 200200 OK\r\n%s\r\n", head) }, "malformed"},
	"a status below zero":       {func(c net.Conn, head, _ string) { fmt.Fprintf(c, "HTTP/1.1 -20 OK\r\n%s\r\n", head) }, "malformed"},
	"204":                       {func(c net.Conn, head, _ string) { fmt.Fprintf(c, "HTTP/1.1 204 No Content\r\n%s\r\n", head) }, "204"},
	"206":                       {status("206 Partial Content"), "206"},
	"304":                       {func(c net.Conn, head, _ string) { fmt.Fprintf(c, "HTTP/1.1 304 Not Modified\r\n%s\r\n", head) }, "304"},
	"500 with the right answer": {status("500 Internal Server Error"), "500"},
	"another reason":            {status("200 Fine"), ""},
	"no reason":                 {status("200"), ""},
	"HTTP/1.0":                  {func(c net.Conn, head, body string) { fmt.Fprintf(c, "HTTP/1.0 200 OK\r\n%s\r\n%s", head, body) }, ""},
	"HTTP/1.0, cut off": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.0 200 OK\r\n%s\r\n%s", head, body[:len(body)/2])
	}, "differs"},
	"a bomb nobody asked for":      {coded("Content-Encoding: gzip\r\n"), "content coding"},
	"a bomb that is not called so": {coded(""), "longer than"},
	"hung up at once":              {func(net.Conn, string, string) {}, "EOF"},
	"reset at once":                {func(c net.Conn, _, _ string) { reset(c) }, "reset"},
	"cut off in the status line":   {func(c net.Conn, _, _ string) { io.WriteString(c, "HTTP/1.1 2") }, "malformed"},
	"cut off in the header":        {func(c net.Conn, head, _ string) { fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX-Cut: %s", head[:len(head)/2]) }, "EOF"},
	"cut off after the header": {func(c net.Conn, head, _ string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: 47\r\n\r\n", head)
	}, "EOF"},
	"cut off in the body": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", head, len(body), body[:len(body)/2])
	}, "EOF"},
	"cut off before the last chunk": {func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", head, len(body), body)
	}, "EOF"},
}

func status(line string) func(net.Conn, string, string) {
	return func(c net.Conn, head, body string) {
		fmt.Fprintf(c, "HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s", line, head, len(body), body)
	}
}

func coded(header string) func(net.Conn, string, string) {
	return func(c net.Conn, head, _ string) {
		zipped := bomb()
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%s%sContent-Length: %d\r\n\r\n%s", header, head, len(zipped), zipped)
	}
}
