//go:build !wasip1

package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// drain is how long calls in flight may take once the program is told to leave: the longest time a manifest may allow a call.
const drain = 60 * time.Second

// Serve is the program's main. As a process it serves HTTP on 127.0.0.1 and the port in PORT, 8080 where that is not set
// (protocol 2.2): POST / takes one JSON-RPC request of at most [MaxRequest] bytes and answers 200 with one response, GET
// /readyz answers 200. It says on stderr where it listens. On SIGTERM or an interrupt it takes no more calls, finishes those in
// flight, and returns. Where it cannot listen it says why and exits with status 1. Run with the argument openrpc it prints the
// document that describes it, and returns.
//
// Built for wasip1 as a command, it answers one request from stdin on stdout. In a reactor it is never called.
func (s *Service) Serve() {
	if slices.Equal(os.Args[1:], []string{"openrpc"}) {
		s.print(os.Stdout)
		return
	}
	leave, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := s.serve(leave, os.Getenv("PORT"), os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", s.name, err)
		os.Exit(1)
	}
}

// print writes the OpenRPC document, for the author's file.
func (s *Service) print(to io.Writer) {
	document, err := s.OpenRPC()
	if err == nil {
		_, err = to.Write(document)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", s.name, err)
		os.Exit(1)
	}
}

func (s *Service) serve(leave context.Context, port string, talk io.Writer) error {
	if port == "" {
		port = "8080"
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("read PORT: %q is no port; set it to a number from 0 to 65535, 0 for any that is free", port)
	}
	s.prepare()
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return fmt.Errorf("%w; set PORT to a port that is free", err)
	}
	fmt.Fprintf(talk, "%s: listening on http://%s\n", s.name, listener.Addr())
	server := &http.Server{
		Handler:           s.endpoint(talk),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	left := make(chan error, 1)
	go func() {
		<-leave.Done()
		deadline, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		left <- server.Shutdown(deadline)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-left
}

// endpoint is the HTTP of protocol 2.2. What it says on talk is for the operator.
func (s *Service) endpoint(talk io.Writer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ready\n") })
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		request, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxRequest))
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			http.Error(w, fmt.Sprintf("requests have at most %d bytes", MaxRequest), http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "cannot read the request", http.StatusBadRequest)
			return
		}
		response, broken := s.answer(request)
		if broken != nil {
			fmt.Fprintf(talk, "%s: %v\n", s.name, broken)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(response)))
		_, _ = w.Write(response)
	})
	return mux
}

// export does nothing where a program has a main to run.
func export(*Service) {}
