package docker

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"barnraise/manifest"
	"barnraise/runtime"

	"github.com/containerd/errdefs"
	engine "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// watch closes gone when the service has ended by itself. An engine that does not answer says nothing about its containers:
// they are used for as long as they answer.
func (c *container) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	c.watching = cancel
	c.watched.Go(func() {
		for pause := 50 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
			ends := client.ContainerWaitOptions{Condition: engine.WaitConditionNotRunning}
			w := c.runtime.engine.ContainerWait(ctx, c.name, ends)
			select {
			case <-w.Result:
				c.end(c.obituary(ctx))
				return
			case err := <-w.Error:
				if errdefs.IsNotFound(err) {
					c.end(errors.New("somebody removed its container"))
					return
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
	})
}

func (c *container) end(why error) {
	c.why = fmt.Errorf("%w: %w", runtime.ErrBroke, why)
	close(c.over)
	c.ends <- c.why
}

// obituary says what the service ended of, for the operator.
func (c *container) obituary(ctx context.Context) error {
	i, err := c.runtime.inspect(ctx, c.name)
	if err != nil {
		return fmt.Errorf("it exited, and the engine does not say why: %w", err)
	}
	cause := fmt.Sprintf("it exited with status %d", i.State.ExitCode)
	if i.State.OOMKilled {
		cause += fmt.Sprintf(", killed for more memory than %s", c.limits.Memory+c.around.Memory)
	}
	if i.State.Error != "" {
		cause += fmt.Sprintf(": %.300q", i.State.Error)
	}
	if said := c.said(ctx); said != "" {
		cause += fmt.Sprintf("; its last words: %.500q", said)
	}
	return errors.New(cause)
}

// said is the end of what the service printed.
func (c *container) said(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, probing)
	defer cancel()
	last := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "5"}
	logs, err := c.runtime.engine.ContainerLogs(ctx, c.name, last)
	if err != nil {
		return ""
	}
	defer logs.Close()
	return lastWords(io.LimitReader(logs, 64<<10))
}

// lastWords takes the engine's frames apart, eight bytes and as many as the last four of them say, and returns the last 500
// bytes of what is in them.
func lastWords(logs io.Reader) string {
	var words []byte
	for {
		var head [8]byte
		if _, err := io.ReadFull(logs, head[:]); err != nil {
			return string(words)
		}
		frame, err := io.ReadAll(io.LimitReader(logs, int64(binary.BigEndian.Uint32(head[4:]))))
		words = append(words, frame...)
		words = words[max(0, len(words)-500):]
		if err != nil {
			return string(words)
		}
	}
}

// usage is what the container has used so far; zero where the engine does not say.
func (c *container) usage(ctx context.Context) (cpu time.Duration, memory manifest.Bytes) {
	ctx, cancel := context.WithTimeout(ctx, probing)
	defer cancel()
	s, err := c.runtime.engine.ContainerStats(ctx, c.name, client.ContainerStatsOptions{})
	if err != nil {
		return 0, 0
	}
	defer s.Body.Close()
	var of engine.StatsResponse
	if err := json.NewDecoder(io.LimitReader(s.Body, 1<<20)).Decode(&of); err != nil {
		return 0, 0
	}
	return time.Duration(of.CPUStats.CPUUsage.TotalUsage), manifest.Bytes(max(of.MemoryStats.MaxUsage, of.MemoryStats.Usage))
}

// removeContainer waits for those who are about to remove it, too.
func (r *Runtime) removeContainer(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, brief)
	defer cancel()
	for {
		_, err := r.engine.ContainerRemove(ctx, name, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if errdefs.IsNotFound(err) {
			return nil
		}
		if err == nil || !errdefs.IsConflict(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(firstDelay):
		}
	}
}

// kill ends the service as the machine would that has no memory left.
func (c *container) kill(ctx context.Context) error {
	_, err := c.runtime.engine.ContainerKill(ctx, c.name, client.ContainerKillOptions{Signal: "SIGKILL"})
	return err
}

// spent is what containers used that are gone.
type spent struct {
	mu     sync.Mutex
	cpu    time.Duration
	memory manifest.Bytes // the most of one
}

func (s *spent) add(cpu time.Duration, memory manifest.Bytes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cpu, s.memory = s.cpu+cpu, max(s.memory, memory)
}

func (s *spent) total() (cpu time.Duration, memory manifest.Bytes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cpu, s.memory
}
