package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	readyWithin  = 30 * time.Second
	vacantWithin = time.Second // a child has noticed that its parent is gone
	tailSize     = 4 << 10     // of what a child said last
	maxPath      = 100         // that the address of a socket may have, on any system
)

// fallbackShare is the share of a machine whose memory is not known.
const fallbackShare = 4 << 30

// place makes the directory of the socket, for this user alone, and returns the path of the socket, which is not there.
func place(dir string) (socket string, err error) {
	if socket, err = filepath.Abs(filepath.Join(dir, "socket")); err != nil {
		return "", err
	}
	if len(socket) > maxPath {
		return "", fmt.Errorf("the path %s is too long for a socket, at most %d bytes: choose a shorter directory", socket, maxPath)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return socket, os.Chmod(dir, 0o700)
}

// vacant fails where somebody listens at the socket, and goes on to: the child of a parent that has just ended does not.
func vacant(ctx context.Context, socket string) error {
	for begun := time.Now(); ; {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return nil
		}
		conn.Close()
		if time.Since(begun) > vacantWithin {
			return fmt.Errorf("another process uses %s: is the server running already?", filepath.Dir(socket))
		}
		if !sleep(ctx, vacantWithin/20) {
			return context.Cause(ctx)
		}
	}
}

// spawned is a child that listens.
type spawned struct {
	*exec.Cmd
	life   io.Closer // what it reads until we are gone
	tail   *tail
	socket string
}

// launch starts a child and returns once it listens.
func launch(ctx context.Context, c Config, socket string) (process, error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	cmd := exec.Command(c.Command[0], append(c.Command[1:len(c.Command):len(c.Command)], socket)...)
	if c.Program != "" {
		cmd = &exec.Cmd{Path: c.Program, Args: cmd.Args}
	}
	cmd.Env, cmd.Dir = append([]string{}, c.Env...), filepath.Dir(socket)
	cmd.WaitDelay = time.Second
	p := &spawned{Cmd: cmd, tail: &tail{}, socket: socket}
	cmd.Stderr = p.tail
	life, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.life = life
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the process that runs services: %w", err)
	}
	if err := p.ready(ctx, said); err != nil {
		p.End()
		_ = cmd.Process.Kill()
		return nil, errors.Join(err, p.Wait())
	}
	return p, nil
}

// ready waits for the child's one line.
func (p *spawned) ready(ctx context.Context, said io.Reader) error {
	line := make(chan error, 1)
	go func() {
		_, err := bufio.NewReader(io.LimitReader(said, 64)).ReadString('\n')
		line <- err
	}()
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	select {
	case err := <-line:
		if err != nil {
			return errors.New("start the process that runs services: it ended before it was ready")
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("start the process that runs services: it is not ready: %w", context.Cause(ctx))
	}
}

// Wait returns when the child has ended, with what it said last.
func (p *spawned) Wait() error {
	err := p.Cmd.Wait()
	_ = os.Remove(p.socket)
	if err == nil {
		err = errors.New("it left")
	}
	if said := p.tail.String(); said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// End asks the child to stop what it runs and to leave, and makes it, some time after it should have.
func (p *spawned) End() {
	_ = p.life.Close()
	time.AfterFunc(leaveWithin+time.Second, func() { _ = p.Process.Kill() })
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	last []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p[max(0, len(p)-tailSize):]...)
	t.last = t.last[max(0, len(t.last)-tailSize):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(t.last), "\uFFFD"))
}
