package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	goruntime "runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespace is a container's network namespace. It stays there for as long as it is open.
type namespace struct{ file *os.File }

// openNamespace opens that of a process, which must not be this one's own, by the file that the engine keeps it with: a process
// that is confined may not look at others. Where there is none such it asks the kernel.
func openNamespace(pid int, file string) (*namespace, error) {
	f, err := os.Open(file)
	if err != nil || file == "" {
		if f, err = os.Open(fmt.Sprintf("/proc/%d/ns/net", pid)); err != nil {
			return nil, fmt.Errorf("%w; does the engine run on this machine?", err)
		}
	}
	own, err1 := os.Stat("/proc/thread-self/ns/net")
	its, err2 := f.Stat()
	if err := errors.Join(err1, err2); err != nil || os.SameFile(own, its) {
		f.Close()
		return nil, errors.Join(err, fmt.Errorf("process %d is in no network namespace of its own", pid))
	}
	return &namespace{f}, nil
}

// dial connects to the address within the namespace. The thread that enters it is given up, so that nothing else ever runs
// there.
func (n *namespace) dial(ctx context.Context) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		goruntime.LockOSThread()
		if err = unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			err = fmt.Errorf("enter network namespace: %w", err)
			return
		}
		conn, err = (&net.Dialer{FallbackDelay: -1}).DialContext(ctx, "tcp4", address)
	}()
	<-done
	return conn, err
}

func (n *namespace) close() error { return n.file.Close() }

// mayEnter tries to enter the namespace in which this process is.
func mayEnter() bool {
	may := make(chan bool)
	go func() {
		goruntime.LockOSThread()
		f, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			may <- false
			return
		}
		defer f.Close()
		may <- unix.Setns(int(f.Fd()), unix.CLONE_NEWNET) == nil
	}()
	return <-may
}

// quiet reports whether the other side has neither closed the connection nor said anything since.
func (w *wire) quiet() bool {
	c, ok := w.conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	var something error
	err = raw.Read(func(fd uintptr) bool {
		_, something = unix.Read(int(fd), make([]byte, 1))
		return true
	})
	return err == nil && errors.Is(something, unix.EAGAIN)
}
