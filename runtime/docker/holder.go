package docker

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"

	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
)

const (
	socketDir  = "/socket" // in a holder
	maxSocket  = 100       // bytes of a socket's path; the system takes a few more
	maxForward = 256       // connections of a holder at once
)

// holder is a container with no network in which this program forwards a unix socket to the service's port. It has the network
// namespace, and the service joins it.
type holder struct {
	runtime   *Runtime
	name, dir string
}

// hold makes the container's holder.
func (c *container) hold(ctx context.Context) (*holder, error) {
	r := c.runtime
	h := &holder{r, c.name + "-holder", filepath.Join(r.Dir, "sockets", strings.TrimPrefix(c.name, "barnraise-"))}
	if len(h.socket()) > maxSocket {
		return nil, fmt.Errorf("%w: the path %s is too long for a socket; use a directory with a shorter name",
			runtime.ErrCannot, h.socket())
	}
	c.holder = h
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make holder: %w", err)
	}
	id, err := r.load(ctx, *c.forward)
	if err != nil {
		return nil, err
	}
	err = r.create(ctx, profile{
		name: h.name, image: id, network: "none", sockets: h.dir, user: r.user(),
		command: append(slices.Clone(r.Forwarder[1:]), socketDir+"/s", address),
		limits:  manifest.Limits{Memory: 128 << 20, CPU: 1}, around: runtime.Surroundings{Hostname: c.around.Hostname},
	})
	if err == nil {
		err = r.start(ctx, h.name)
	}
	if err != nil {
		return nil, fmt.Errorf("make holder: %w", err)
	}
	return h, nil
}

func (h *holder) socket() string { return filepath.Join(h.dir, "s") }

func (h *holder) dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", h.socket())
}

func (h *holder) remove(ctx context.Context) error {
	if err := h.runtime.removeContainer(ctx, h.name); err != nil {
		return err
	}
	return os.RemoveAll(h.dir)
}

// user is this process as the engine's containers see it, so that both may use a socket that nobody else may.
func (r *Runtime) user() string {
	if r.rootless.Load() {
		return "0:0"
	}
	return fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid())
}

// forwarder is this program as an image, kept beside the sockets.
func (r *Runtime) forwarder() (source, error) {
	r.forwarding.Lock()
	defer r.forwarding.Unlock()
	if r.forward != nil {
		return *r.forward, nil
	}
	s, err := r.packForwarder()
	if err == nil {
		r.forward = &s
	}
	return s, err
}

func (r *Runtime) packForwarder() (source, error) {
	if err := checkForwarder(r.Forwarder); err != nil {
		return source{}, err
	}
	binary, err := os.ReadFile(r.Forwarder[0])
	if err != nil {
		return source{}, fmt.Errorf("read forwarder: %w", err)
	}
	images, err := image.Open(filepath.Join(r.Dir, "forwarder"))
	if err != nil {
		return source{}, err
	}
	built, err := image.Pack(images, "forwarder", map[string][]byte{platform(): binary})
	if err != nil {
		return source{}, err
	}
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		return source{}, err
	}
	v, err := images.Variant(index, platform())
	if err != nil {
		return source{}, err
	}
	return r.find(images, v.Manifest)
}

// checkForwarder fails where the executable could not run in an image that holds nothing else.
func checkForwarder(command []string) error {
	if len(command) == 0 {
		return errors.New("check forwarder: none is configured, and containers cannot be dialled without one; " +
			"run as root to dial them in their namespaces")
	}
	f, err := elf.Open(command[0])
	if err != nil {
		return fmt.Errorf("check forwarder: %w; it must be a program for Linux", err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("check forwarder: %s is linked dynamically; build it with CGO_ENABLED=0", command[0])
		}
	}
	if want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[goruntime.GOARCH]; f.Machine != want {
		return fmt.Errorf("check forwarder: %s is for %s, not for %s", command[0], f.Machine, goruntime.GOARCH)
	}
	return nil
}

// Forward listens on the unix socket and connects each who comes to the address, until the context ends; then it returns nil.
// It is what a program does in a holder. It fails where it cannot listen.
func Forward(ctx context.Context, socket, target string) error {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	slots := make(chan struct{}, maxForward)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for {
		slots <- struct{}{}
		conn, err := listener.Accept()
		if err != nil {
			listener.Close()
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("forward: %w", err)
		}
		all.Go(func() {
			forward(ctx, conn.(*net.UnixConn), target)
			<-slots
		})
	}
}

// forward copies both ways until both are through.
func forward(ctx context.Context, from *net.UnixConn, target string) {
	defer from.Close()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", target)
	if err != nil {
		return
	}
	to := conn.(*net.TCPConn)
	defer to.Close()
	defer context.AfterFunc(ctx, func() {
		from.Close()
		to.Close()
	})()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(from, to)
		_ = from.CloseWrite()
	})
	_, _ = io.Copy(to, from)
	_ = to.CloseWrite()
	back.Wait()
}
