package main

import (
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// main is a service over HTTP, unless its image's command says what else it should do.
func main() {
	mode := ""
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	switch mode {
	case "exit":
		_, _ = os.Stderr.WriteString("cannot begin\n")
		os.Exit(3)
	case "sleep":
		time.Sleep(time.Hour)
	case "die": // soon after it has begun
		time.AfterFunc(200*time.Millisecond, func() { os.Exit(4) })
	}
	http.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if mode == "never" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("POST /{$}", serve)
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil); err != nil {
		os.Exit(1)
	}
}

// serve answers, or breaks HTTP itself.
func serve(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	request := string(b)
	switch strings.Trim(member(request, `"method":`), `"`) {
	case "half":
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, answer(request))
		return
	case "huge":
		line := strings.Repeat("x", 1<<20)
		for range 1 << 10 {
			if _, err := io.WriteString(w, line); err != nil {
				return
			}
		}
		return
	case "status":
		code, _ := strconv.Atoi(strings.Trim(member(request, `"params":[`), `"`))
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(code)
	case "header":
		for n := range 1000 {
			w.Header().Set("X-"+strconv.Itoa(n), strings.Repeat("x", 1000))
		}
	case "close":
		panic(http.ErrAbortHandler)
	case "drip":
		for {
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}
	_, _ = io.WriteString(w, answer(request))
}
